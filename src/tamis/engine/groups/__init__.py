"""Hits as groups, and what can be computed over a group."""
