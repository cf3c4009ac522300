"""Files of objects: bytes under keys, on disk or in an object store."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from tamis.model.backup import StoredBlob
from tamis.model.principal import Principal


class BlobStore(Protocol):
    """Keys are relative; the store keeps each organisation's and namespace's apart by the Principal."""

    async def put(self, principal: Principal, key: str, data: bytes, content_type: str | None = None) -> None: ...
    async def put_stream(self, principal: Principal, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Store what arrives, whole or not at all; returns its size in bytes."""
        ...

    async def get(self, principal: Principal, key: str) -> bytes:
        """Raises: NotFoundError."""
        ...

    def stream(self, principal: Principal, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from `start` up to `end`, which is not among them. Raises: NotFoundError."""
        ...

    def path(self, principal: Principal, key: str) -> Path | None:
        """The file itself, to be read and left as it is; None where the store is no folder of this machine."""
        ...

    async def size(self, principal: Principal, key: str) -> int | None: ...
    async def delete(self, principal: Principal, key: str) -> None: ...
    async def delete_prefix(self, principal: Principal, prefix: str) -> None: ...
    def every(self) -> AsyncIterator[StoredBlob]:
        """All files, of every tenant: for what keeps house. What comes or goes meanwhile may be among them or not."""
        ...

    async def health(self) -> bool:
        """Whether a write goes through."""
        ...

    async def answers(self) -> bool:
        """Whether a read does."""
        ...
