"""What a search can ask with, and whom it asks."""
