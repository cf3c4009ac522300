"""Files sent as a query, down to their text."""

import base64
import binascii
import mimetypes
from urllib.parse import unquote_to_bytes

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.extraction import Extractor, Extractors
from tamis.engine.ports.metadata import Metadata
from tamis.errors import NotFoundError, ValidationError
from tamis.model.bucket import Blob
from tamis.model.ids import looks_like_id
from tamis.model.principal import Principal

_STORED = "blob://"
_REMOTE = ("http://", "https://", "s3://")
_UNKNOWN = "application/octet-stream"


class Contents:
    """Reads a query's files. Text is what there are models for; any other medium is refused by name."""

    def __init__(
        self, metadata: Metadata, blobs: BlobStore | None = None, extractors: Extractors | None = None
    ) -> None:
        self._metadata = metadata
        self._blobs = blobs
        self._extractors = extractors

    async def read(self, principal: Principal, content: str, loc: list[str | int]) -> str:
        """The text behind a `data:` URI, a stored file, an object's id, or base64.

        Raises: ValidationError at `loc`, NotFoundError.
        """
        if content.startswith(_REMOTE):
            message = "files at other addresses are not fetched for a query: send the content as a data: URI or base64"
            raise ValidationError.at(loc, message)
        if content.startswith("data:"):
            return self._data_uri(content, loc)
        if content.startswith(_STORED):
            return await self._stored(principal, content, None, loc)
        if content.startswith("obj_") and looks_like_id(content):
            return await self._object(principal, content, loc)
        return await self.decode(principal, content, loc)

    async def read_or_text(self, principal: Principal, value: str, loc: list[str | int]) -> str:
        """As `read` for what names a file; any other text is itself."""
        names_file = value.startswith((*_REMOTE, _STORED, "data:"))
        return await self.read(principal, value, loc) if names_file else value

    async def decode(self, _principal: Principal, content: str, loc: list[str | int]) -> str:
        """The text in base64, with or without a `data:` URI around it."""
        if content.startswith("data:"):
            return self._data_uri(content, loc)
        return self._text(_from_base64(content, loc), None, loc)

    def _data_uri(self, uri: str, loc: list[str | int]) -> str:
        header, comma, body = uri.removeprefix("data:").partition(",")
        if not comma:
            raise ValidationError.at(loc, "a data: URI is data:<type>;base64,<content>")
        media_type = header.split(";")[0].strip().lower() or "text/plain"
        encoded = header.lower().endswith(";base64")
        data = _from_base64(body, loc) if encoded else unquote_to_bytes(body)
        return self._text(data, media_type, loc)

    async def _stored(self, principal: Principal, url: str, media_type: str | None, loc: list[str | int]) -> str:
        if self._blobs is None:
            raise ValidationError.at(loc, "no blob store is at hand to read this file from")
        data = await self._blobs.get(principal, url.removeprefix(_STORED))
        return self._text(data, media_type or mimetypes.guess_type(url)[0], loc)

    async def _object(self, principal: Principal, object_id: str, loc: list[str | int]) -> str:
        found = await self._metadata.read(lambda session: session.objects.get(principal, object_id))
        if found is None:
            raise NotFoundError.of("object", object_id)
        texts = [await self._blob_text(principal, blob, loc) for blob in found.blobs]
        text = "\n".join(text for text in texts if text)
        if not text:
            raise ValidationError.at(loc, f"object {object_id!r} holds no text to search with")
        return text

    async def _blob_text(self, principal: Principal, blob: Blob, loc: list[str | int]) -> str:
        if blob.url is None:
            return blob.data if isinstance(blob.data, str) else ""
        if not blob.url.startswith(_STORED):
            return await self.read(principal, blob.url, loc)
        return await self._stored(principal, blob.url, blob.mime_type, loc)

    def _text(self, data: bytes, media_type: str | None, loc: list[str | int]) -> str:
        kind = media_type or _UNKNOWN
        if kind.startswith("text/") or kind in ("application/json", _UNKNOWN):
            try:
                return data.decode("utf-8-sig")
            except UnicodeDecodeError:
                if kind != _UNKNOWN:
                    raise ValidationError.at(loc, f"this {kind} is not UTF-8") from None
        raise ValidationError.at(loc, self._unreadable(kind))

    def _unreadable(self, media_type: str) -> str:
        family = "pdf" if media_type == "application/pdf" else media_type.split("/")[0]
        known = self._extractors.all() if self._extractors else ()
        able = [one.name for one in known if family in one.supported_input_types and _embeds(one)]
        if able:
            return (
                f"a query of type {media_type} needs {' or '.join(able)} to embed it, which takes files in batches only"
            )
        return f"a query of type {media_type} needs an extractor that takes {family!r}, and none is installed"


def _embeds(extractor: Extractor) -> bool:
    """Whether it makes vectors at all; one that only passes fields on does not."""
    return bool(extractor.features(extractor.Parameters()))


def _from_base64(text: str, loc: list[str | int]) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValidationError.at(loc, "expected a data: URI, base64, a blob:// file or the id of an object") from None
