"""Who may do how much, and who did what."""
