"""What installed packages add by entry points."""
