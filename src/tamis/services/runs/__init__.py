"""Retrievers and their executions, up to the answer."""
