"""Files of sources, as paths that a decoder reads: never whole in memory, and none larger than its kind may be."""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import SourceFile
from tamis.engine.ports.outside import Fetch, Outside
from tamis.errors import NotFoundError, ValidationError
from tamis.model.files import OURS
from tamis.model.principal import Principal
from tamis.services.data.files import FileKeeping, Payload

_READS_AT_ONCE = 16
_WEB = ("http://", "https://")
_FETCH_S = 1800.0
_DOCUMENTS = ("application/pdf", "application/vnd.", "application/msword", "application/rtf", "application/epub")


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A file from the web. url: of the copy that the store keeps, named by its content."""

    file: SourceFile
    url: str
    checksum: str


class SourceFiles:
    """work: where files of an object store are laid for as long as they are read; left from before, they are removed.

    limits: bytes by kind: text, image, audio, video, document, other.  outside: what fetches files that lie on the web.
    """

    def __init__(
        self,
        blobs: BlobStore,
        decoding: Decoding,
        work: Path,
        limits: Mapping[str, int],
        keeping: FileKeeping,
        outside: Outside | None = None,
    ) -> None:
        self._outside = outside
        self._keeping = keeping
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
                return await self._known(path, declared_type, filename)
            except BaseException:
                self._remove(path)
                raise

    async def fetch(self, principal: Principal, url: str, holder: str) -> FetchedFile:
        """A copy of what lies at `url` now, kept once by its content. To be given back by `release`.

        holder: who needs the copy until a document names it.

        Raises: ValidationError where it is not to be had or too large, OutsideRefusedError, OutsideError, StorageError.
        """
        if self._outside is None or not url.startswith(_WEB):
            raise ValidationError(f"the file lies at {url}, which this server does not fetch; upload it")
        path = self._fresh()
        most = max(self._limits.values())
        try:
            answer = await self._outside.fetch(principal, Fetch(url, timeout_s=_FETCH_S, max_bytes=most, into=path))
            if not 200 <= answer.status < 300:
                raise ValidationError(f"{url} was answered with {answer.status}")
            digest = await asyncio.to_thread(_digest, path)
            file = await self._known(path, answer.headers.get("content-type"), _filename(answer.url))
            payload = Payload(digest, file.size_bytes, path, file.content_type)
            keys = await self._keeping.put(principal, holder, [payload])
        except BaseException:
            self._remove(path)
            raise
        return FetchedFile(file, f"{OURS}{keys[digest]}", f"sha256:{digest}")

    async def _known(self, path: Path, declared_type: str | None, filename: str | None) -> SourceFile:
        size_bytes, content_type = await asyncio.to_thread(
            lambda: (path.stat().st_size, self.decoding.content_type(path))
        )
        self._check_size(content_type, size_bytes)
        return SourceFile(path, size_bytes, content_type, declared_type, filename)

    def _looked_at(self, path: Path) -> tuple[int, str]:
        return path.stat().st_size, self.decoding.content_type(path)

    def _fresh(self) -> Path:
        descriptor, name = tempfile.mkstemp(dir=self._work)
        os.close(descriptor)
        return Path(name)

    def release(self, files: Iterable[SourceFile]) -> None:
        for file in files:
            self._remove(file.path)

    async def _laid(self, principal: Principal, key: str) -> Path:
        size_bytes = await self._blobs.size(principal, key)
        if size_bytes is None:
            raise ValidationError(f"the file {key!r} of the source is missing")
        if size_bytes > (most := max(self._limits.values())):
            raise ValidationError(f"the file has {size_bytes} bytes, and none may have more than {most}")
        path = self._fresh()
        try:
            with await asyncio.to_thread(path.open, "wb") as file:
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


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _filename(url: str) -> str | None:
    return unquote(urlsplit(url).path.rpartition("/")[2]) or None
