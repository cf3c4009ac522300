"""What stages ask of their environment, noted while they run and answered from the record."""
