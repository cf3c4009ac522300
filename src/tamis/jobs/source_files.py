"""Files of sources, as paths that a decoder reads: never whole in memory, and none larger than its kind may be."""

import asyncio
import os
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import SourceFile
from tamis.errors import NotFoundError, ValidationError
from tamis.model.principal import Principal

_READS_AT_ONCE = 16
_DOCUMENTS = ("application/pdf", "application/vnd.", "application/msword", "application/rtf", "application/epub")


class SourceFiles:
    """work: where files of an object store are laid for as long as they are read; left from before, they are removed.

    limits: bytes by kind: text, image, audio, video, document, other.
    """

    def __init__(self, blobs: BlobStore, decoding: Decoding, work: Path, limits: Mapping[str, int]) -> None:
        self.decoding = decoding
        self._blobs = blobs
        self._work = work.resolve()
        self._limits = limits
        self._reads = asyncio.Semaphore(_READS_AT_ONCE)
        self._work.mkdir(parents=True, exist_ok=True)
        for left in self._work.iterdir():
            left.unlink()

    async def take(
        self, principal: Principal, key: str, declared_type: str | None = None, filename: str | None = None
    ) -> SourceFile:
        """To be given back by `release`. Raises: ValidationError where it is missing or too large, StorageError."""
        async with self._reads:
            path = self._blobs.path(principal, key) or await self._laid(principal, key)
            try:
                size_bytes = path.stat().st_size
                content_type = await asyncio.to_thread(self.decoding.content_type, path)
                self._check_size(content_type, size_bytes)
            except BaseException:
                self._remove(path)
                raise
        return SourceFile(path, size_bytes, content_type, declared_type, filename)

    def release(self, files: Iterable[SourceFile]) -> None:
        for file in files:
            self._remove(file.path)

    async def _laid(self, principal: Principal, key: str) -> Path:
        size_bytes = await self._blobs.size(principal, key)
        if size_bytes is None:
            raise ValidationError(f"the file {key!r} of the source is missing")
        if size_bytes > (most := max(self._limits.values())):
            raise ValidationError(f"the file has {size_bytes} bytes, and none may have more than {most}")
        descriptor, name = tempfile.mkstemp(dir=self._work)
        path = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                async for chunk in self._blobs.stream(principal, key):
                    await asyncio.to_thread(file.write, chunk)
        except BaseException as error:
            self._remove(path)
            if isinstance(error, NotFoundError):
                raise ValidationError(f"the file {key!r} of the source is missing") from None
            raise
        return path

    def _check_size(self, content_type: str, size_bytes: int) -> None:
        kind = kind_of(content_type)
        if size_bytes > self._limits[kind]:
            raise ValidationError(
                f"the file is {content_type} of {size_bytes} bytes; {kind} files have at most {self._limits[kind]} here"
            )

    def _remove(self, path: Path) -> None:
        if path.parent == self._work:
            path.unlink(missing_ok=True)


def kind_of(content_type: str) -> str:
    """What its size is limited as."""
    kind = content_type.partition("/")[0]
    if kind in ("text", "image", "audio", "video"):
        return kind
    return "document" if content_type.startswith(_DOCUMENTS) else "other"
