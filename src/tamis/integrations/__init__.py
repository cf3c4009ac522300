"""Retrievers as other frameworks know them, over the Python client. Each imports its framework."""
