"""The only place where ports meet backends, and the only reader of the settings."""
