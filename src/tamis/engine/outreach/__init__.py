"""What stages ask of the world outside."""
