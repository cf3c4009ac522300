"""Conversations with language models that run retrievers."""
