"""Databases of others, over connections that the operator registered."""
