"""Tamis: the open, self-hosted multi-stage retrieval engine for mixed media that keeps the record of what it ran."""

__version__ = "0.1.0"
