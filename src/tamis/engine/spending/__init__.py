"""What stages cost, and what a running one may still spend."""
