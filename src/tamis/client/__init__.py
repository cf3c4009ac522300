"""A small client of the HTTP API for the commands and the demo. It imports nothing of the server."""

from tamis.client.http import ApiError, BrokenStreamError, Client

__all__ = ["ApiError", "BrokenStreamError", "Client"]
