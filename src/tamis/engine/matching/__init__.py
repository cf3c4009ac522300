"""Texts and documents against references."""
