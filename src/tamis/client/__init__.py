"""The HTTP API from Python: typed, for one that waits and for one that awaits. It imports nothing of the server.

`served/` is generated from the OpenAPI; what is written by hand is how requests are sent and how answers are shown.
"""

from tamis.client.errors import ApiError, BrokenStreamError
from tamis.client.http import AsyncClient, Client
from tamis.client.shown import Diff, Document, Execution, Replay, Trace, WhyNot

__all__ = [
    "ApiError",
    "AsyncClient",
    "BrokenStreamError",
    "Client",
    "Diff",
    "Document",
    "Execution",
    "Replay",
    "Trace",
    "WhyNot",
]
