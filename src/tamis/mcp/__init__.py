"""Retrievers as tools for agents, by the Model Context Protocol. It stands beside a server and speaks its HTTP API."""
