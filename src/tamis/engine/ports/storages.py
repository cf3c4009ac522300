"""Storages of others, which files are copied from and nothing is written to."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tamis.model.storage_connection import SourceFile, SourceFolder, StorageProvider


class OpenStorage(Protocol):
    """One storage, read through one connection. Paths are relative to its root, parts joined by '/'; '' is the root.

    Every call raises StorageConnectionError where the storage cannot be reached, does not let this connection in, or
    has no such path; OutsideRefusedError where the operator does not let its host be reached; ValidationError for a
    path that is none.
    """

    async def check(self, path: str = "") -> str:
        """Whether it lets this connection in; what was tried, in words."""
        ...

    def files(self, path: str) -> AsyncIterator[Sequence[SourceFile]]:
        """Every file below a path, a thousand at a time at most, in an order of its own. One that ends without an
        error has been through all of them."""
        ...

    async def folder(self, path: str, most: int) -> SourceFolder:
        """most: files, by name."""
        ...

    async def fetch(self, path: str, into: Path, most_bytes: int) -> str:
        """Copy one file; the SHA-256 of its bytes in hex. Raises also: StorageConnectionError where it is larger."""
        ...


class Storages(Protocol):
    def open(self, organization_id: str, provider: StorageProvider, config: Mapping[str, Any]) -> OpenStorage:
        """config: as the provider's settings were checked, with their secrets. Nothing is asked of the storage yet.

        Raises: NotBuiltError (provider), OutsideRefusedError (host, folder).
        """
        ...


class Guard(Protocol):
    """Bounds of what may be reached, for libraries that make connections of their own."""

    def check(self, url: str) -> None:
        """Raises: OutsideRefusedError where the operator does not let this host or port be reached."""
        ...

    @property
    def proxy_url(self) -> str:
        """A forward proxy that connects to what is allowed, and to the very addresses that it checked."""
        ...
