"""What keeps an installation whole."""
