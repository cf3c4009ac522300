"""What queries hold: texts, and files by value, by address, or stored here."""

import asyncio
import base64
import binascii
import hashlib
import mimetypes
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote_to_bytes, urlsplit

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.outside import Fetch, Outside
from tamis.errors import NotFoundError, ValidationError
from tamis.model.bucket import Blob
from tamis.model.ids import looks_like_id
from tamis.model.principal import Principal

REMOTE = ("http://", "https://")
_STORED = "blob://"
_ELSEWHERE = ("s3://", "gs://", "az://")
_UNKNOWN = "application/octet-stream"
_DOCUMENTS = ("application/pdf", "application/vnd.openxmlformats-officedocument.")
_LARGEST_TEXT_BYTES = 4 << 20
_LARGEST_FETCH_BYTES = 64 << 20
_FETCH_TIMEOUT_S = 30.0

Loc = list[str | int]


@dataclass(frozen=True, slots=True)
class Part:
    """A text, or a file of another kind. media_type: by what is in it.  digest: of its content."""

    text: str | None = None
    file: Path | None = None
    media_type: str = "text/plain"
    digest: str = ""

    @property
    def family(self) -> str:
        """`text`, `image`, `audio`, `video`, `document`, or the whole type of any other."""
        if self.text is not None:
            return "text"
        if self.media_type.startswith(_DOCUMENTS):
            return "document"
        family = self.media_type.split("/")[0]
        return family if family in ("image", "audio", "video") else self.media_type


@dataclass(frozen=True, slots=True)
class Given:
    """What stood in one place of a query: one part, or those of an object, of which some fit the feature."""

    parts: tuple[Part, ...]


class Contents:
    """Where queries' files are read from. Without a decoder a file is what it is called, else what is in it."""

    def __init__(
        self,
        metadata: Metadata,
        blobs: BlobStore | None = None,
        decoding: Decoding | None = None,
        outside: Outside | None = None,
    ) -> None:
        self.metadata = metadata
        self.blobs = blobs
        self.decoding = decoding
        self.outside = outside

    def reading(self, principal: Principal) -> "Reading":
        return Reading(self, principal)


class Reading:
    """What the queries of one call hold, each content read once. Its files are gone when it ends."""

    def __init__(self, contents: Contents, principal: Principal) -> None:
        self._from = contents
        self._principal = principal
        self._known: dict[tuple[str, bool], Given] = {}
        self._folder: AbstractContextManager[Path] | None = None
        self._work: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._folder is not None:
            self._folder.__exit__(kind, error, at)

    async def read(self, content: str, loc: Loc, is_base64: bool = False) -> Given:
        """What is behind a `data:` URI, an address on the web, a stored file, an object's id, or base64.

        Raises: ValidationError at `loc`, NotFoundError, OutsideRefusedError, OutsideError.
        """
        key = (content, is_base64)
        if key not in self._known:
            self._known[key] = await self._read(content, loc, is_base64)
        return self._known[key]

    async def read_or_text(self, value: str, loc: Loc) -> Given:
        """As `read` for what names a file; any other text is itself."""
        names_file = value.startswith((*REMOTE, *_ELSEWHERE, _STORED, "data:")) or _is_object(value)
        return await self.read(value, loc) if names_file else Given((Part(value),))

    async def _read(self, content: str, loc: Loc, is_base64: bool) -> Given:
        if content.startswith("data:"):
            return Given((await self._data_uri(content, loc),))
        if is_base64:
            return Given((await self._bytes(_from_base64(content, loc), None, loc),))
        if content.startswith(REMOTE):
            return Given((await self._fetched(content, loc),))
        if content.startswith(_ELSEWHERE):
            raise ValidationError.at(loc, "files of other stores are not read for a query: send the content, or upload")
        if content.startswith(_STORED):
            return Given((await self._stored(content, None, loc),))
        if _is_object(content):
            return await self._object(content, loc)
        return Given((await self._bytes(_from_base64(content, loc), None, loc),))

    async def _data_uri(self, uri: str, loc: Loc) -> Part:
        header, comma, body = uri.removeprefix("data:").partition(",")
        if not comma:
            raise ValidationError.at(loc, "a data: URI is data:<type>;base64,<content>")
        media_type = header.split(";")[0].strip().lower() or "text/plain"
        encoded = header.lower().endswith(";base64")
        return await self._bytes(_from_base64(body, loc) if encoded else unquote_to_bytes(body), media_type, loc)

    async def _fetched(self, url: str, loc: Loc) -> Part:
        if self._from.outside is None:
            raise ValidationError.at(loc, "files at other addresses are not fetched here: send the content")
        fetch = Fetch(url, timeout_s=_FETCH_TIMEOUT_S, max_bytes=_LARGEST_FETCH_BYTES)
        answer = await self._from.outside.fetch(self._principal, fetch)
        if not 200 <= answer.status < 300:
            raise ValidationError.at(loc, f"{urlsplit(url).hostname} answered {answer.status} for the file")
        return await self._bytes(answer.body, answer.headers.get("content-type", "").split(";")[0].strip().lower(), loc)

    async def _stored(self, url: str, media_type: str | None, loc: Loc) -> Part:
        """Read in place, or streamed into a file: never whole in memory, unless it is text."""
        if not self._principal.sees_files:
            # Whose documents came of a stored file is not asked here; its look alone would tell of hidden ones.
            raise NotFoundError.of("file", url)
        blobs, key = self._from.blobs, url.removeprefix(_STORED)
        if blobs is None:
            raise ValidationError.at(loc, "no blob store is at hand to read this file from")
        size_bytes = await blobs.size(self._principal, key)
        if size_bytes is None:
            raise NotFoundError.of("file", url)
        declared = media_type or mimetypes.guess_type(url)[0]
        path = blobs.path(self._principal, key)
        if path is None:
            path = await self._copied(blobs.stream(self._principal, key), loc)
        kind = await asyncio.to_thread(self._kind, path, declared)
        if size_bytes <= _LARGEST_TEXT_BYTES and _may_be_text(kind):
            return await self._bytes(path.read_bytes(), kind, loc)
        return Part(None, path, kind, f"{url} {size_bytes}")

    async def _object(self, object_id: str, loc: Loc) -> Given:
        found = await self._from.metadata.read(lambda session: session.objects.get(self._principal, object_id))
        if found is None:
            raise NotFoundError.of("object", object_id)
        parts = [part for blob in found.blobs if (part := await self._blob(blob, loc)) is not None]
        texts = [part.text for part in parts if part.text]
        files = tuple(part for part in parts if part.text is None)
        given = (Part("\n".join(texts)), *files) if texts else files
        if not given:
            raise ValidationError.at(loc, f"object {object_id!r} holds nothing to search with")
        return Given(given)

    async def _blob(self, blob: Blob, loc: Loc) -> Part | None:
        if blob.url is None:
            return Part(blob.data) if isinstance(blob.data, str) and blob.data else None
        if blob.url.startswith(_STORED):
            return await self._stored(blob.url, blob.mime_type, loc)
        return (await self.read(blob.url, loc)).parts[0]

    async def _bytes(self, data: bytes, media_type: str | None, loc: Loc) -> Part:
        """Text is what calls itself so, or says nothing and is UTF-8."""
        kind = media_type or _UNKNOWN
        if _may_be_text(kind):
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                if kind != _UNKNOWN:
                    raise ValidationError.at(loc, f"this {kind} is not UTF-8") from None
            else:
                if kind != _UNKNOWN or "\0" not in text:
                    return Part(text)
        if not data:
            raise ValidationError.at(loc, f"the {kind} is empty")
        return await asyncio.to_thread(self._kept, data, media_type, loc)

    def _kept(self, data: bytes, media_type: str | None, loc: Loc) -> Part:
        path = self._file(loc)
        path.write_bytes(data)
        return Part(None, path, self._kind(path, media_type), hashlib.sha256(data).hexdigest())

    async def _copied(self, chunks: AsyncIterator[bytes], loc: Loc) -> Path:
        path = self._file(loc)
        with path.open("wb") as file:
            async for chunk in chunks:
                file.write(chunk)
        return path

    def _kind(self, path: Path, declared: str | None) -> str:
        decoding = self._from.decoding
        found = decoding.content_type(path) if decoding is not None else _UNKNOWN
        return declared or found if found == _UNKNOWN else found

    def _file(self, loc: Loc) -> Path:
        """A new one."""
        if self._from.decoding is None:
            raise ValidationError.at(loc, "files other than texts cannot be decoded here")
        if self._work is None:
            self._folder = self._from.decoding.folder()
            self._work = self._folder.__enter__()
        handle, name = tempfile.mkstemp(dir=self._work)
        os.close(handle)
        return Path(name)


def _is_object(content: str) -> bool:
    return content.startswith("obj_") and looks_like_id(content)


def _may_be_text(kind: str) -> bool:
    return kind.startswith("text/") or kind in ("application/json", _UNKNOWN)


def _from_base64(text: str, loc: Loc) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        message = "expected a data: URI, base64, an address, a blob:// file or the id of an object"
        raise ValidationError.at(loc, message) from None
