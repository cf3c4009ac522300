"""A small client of the HTTP API for the commands and the demo. It imports nothing of the server."""

from tamis.client.http import ApiError, Client

__all__ = ["ApiError", "Client"]
