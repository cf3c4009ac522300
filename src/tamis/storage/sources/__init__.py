"""Storages of others, which files are copied from."""
