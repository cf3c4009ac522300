"""What stages ask of language models, and how it is asked safely."""
