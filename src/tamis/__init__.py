"""Tamis: the open, self-hosted multi-stage retrieval engine for mixed media that keeps the record of what it ran."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tamis.client import ApiError, AsyncClient, Client

__version__ = "0.1.0"
__all__ = ["ApiError", "AsyncClient", "Client", "__version__"]


def __getattr__(name: str) -> Any:
    """The client, imported when it is asked for: the server does without."""
    if name in __all__:
        from tamis import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
