"""Interpreters for other people's programs, each in processes of its own that are killed at their limits."""
