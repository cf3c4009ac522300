"""From a blob as a caller sends it to a blob as it is kept: inline, by reference, or as bytes for the blob store."""

import base64
import binascii
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from tamis.errors import ValidationError
from tamis.model.bucket import Blob, Upload
from tamis.model.canonical import canonical_json
from tamis.model.files import FILES, OURS
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.services.data.bucket_schema import FILE_TYPES, TEXT_TYPES, Loc

INLINE_TEXT_BYTES = 64 * 1024
"""Text up to this size stays in the object, where filters and search see it; longer text is a file."""

_URL = re.compile(r"^(https?|s3|gs|az|abfss?)://\S+$", re.IGNORECASE)
_DATA_URI = re.compile(r"^data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?P<options>(;[\w=.+-]+)*),(?P<payload>.*)$", re.DOTALL)
_SHA256 = re.compile(r"^(?:sha256:)?([0-9a-f]{64})\Z")


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file that lies on this machine. content: the SHA-256 of its bytes, in hex."""

    path: Path
    content: str
    size_bytes: int
    name: str
    mime_type: str | None = None


@dataclass(frozen=True, slots=True)
class BlobDraft:
    """A blob as it was sent: data, an upload_id or a file.

    data: a JSON value, text, a URL, a data: URI, base64.
    """

    property: str
    type: str
    data: JSON = None
    upload_id: str | None = None
    key_prefix: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    checksum: str | None = None
    file: LocalFile | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """A blob as it will be kept, and the bytes that go into the blob store, if any: its url then names them."""

    blob: Blob
    payload: bytes | Path | None = None

    @property
    def content(self) -> str:
        """SHA-256 of the payload, in hex."""
        return (self.blob.hash or "").removeprefix("sha256:")

    def stored(self, keys: Mapping[str, str]) -> Blob:
        """The blob with where its bytes lie. keys: of the store, by content."""
        return self.blob if self.payload is None else replace(self.blob, url=f"{OURS}{keys[self.content]}")


def take(draft: BlobDraft, upload: Upload | None, loc: Loc) -> Intake:
    """upload: the one that the draft names, if it names one.  Raises: ValidationError at `loc`."""
    blob = Blob(
        blob_id=new_id("blob"),
        property=draft.property,
        type=draft.type,
        metadata=draft.metadata,
        key_prefix=draft.key_prefix,
    )
    if draft.file is not None:
        intake = _local(blob, draft.file, loc)
    elif upload is not None:
        intake = _from_upload(blob, upload)
    elif draft.type in FILE_TYPES:
        intake = _file(blob, draft.data, loc)
    elif isinstance(draft.data, str) and draft.type in ("text", "automatic") and _URL.match(draft.data):
        intake = _reference(blob, draft.data)
    elif isinstance(draft.data, str) and draft.type in (*TEXT_TYPES, "automatic"):
        intake = _text(blob, draft.data)
    else:
        data = canonical_json(draft.data, [*loc, "data"])
        intake = Intake(replace(blob, data=draft.data, size_bytes=len(data), mime_type="application/json"))
    return _checked(intake, draft.checksum, loc)


def sha256_hash(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _from_upload(blob: Blob, upload: Upload) -> Intake:
    return Intake(
        replace(
            blob,
            url=f"{OURS}{upload.blob_key}",
            filename=upload.filename,
            size_bytes=upload.file_size_bytes,
            mime_type=upload.content_type,
            hash=f"sha256:{upload.file_hash}" if upload.file_hash else None,
        )
    )


def _local(blob: Blob, file: LocalFile, loc: Loc) -> Intake:
    """Short text as text; all else as it is."""
    kept = replace(
        blob, filename=file.name, size_bytes=file.size_bytes, mime_type=file.mime_type, hash=f"sha256:{file.content}"
    )
    if blob.type in TEXT_TYPES and file.size_bytes <= INLINE_TEXT_BYTES:
        try:
            return Intake(replace(kept, data=file.path.read_bytes().decode("utf-8-sig")))
        except UnicodeDecodeError:
            raise ValidationError.at([*loc, "data"], f"{file.name!r} is no UTF-8 text") from None
    return Intake(replace(kept, url=f"{OURS}{FILES}{file.content}"), file.path)


def _file(blob: Blob, data: Any, loc: Loc) -> Intake:
    if not isinstance(data, str):
        raise ValidationError.at([*loc, "data"], f"a blob of type {blob.type} is a URL, a data: URI or base64")
    if _URL.match(data):
        return _reference(blob, data)
    found = _DATA_URI.match(data)
    if found is None:
        return _stored(blob, _base64(data, loc), None)
    is_base64 = ";base64" in found["options"]
    payload = _base64(found["payload"], loc) if is_base64 else unquote_to_bytes(found["payload"])
    return _stored(blob, payload, found["mime"])


def _base64(text: str, loc: Loc) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise ValidationError.at(
            [*loc, "data"], "neither a URL (https, s3), a data: URI nor base64; text goes into a blob of type 'text'"
        ) from None


def _reference(blob: Blob, url: str) -> Intake:
    """The caller's own file: named here, fetched once it is extracted."""
    name = urlsplit(url).path.rpartition("/")[2] or None
    mime_type = mimetypes.guess_type(name)[0] if name else None
    return Intake(replace(blob, url=url, filename=name, mime_type=mime_type))


def _text(blob: Blob, text: str) -> Intake:
    data = text.encode()
    if len(data) > INLINE_TEXT_BYTES:
        return _stored(blob, data, "text/plain")
    return Intake(replace(blob, data=text, size_bytes=len(data), mime_type="text/plain", hash=sha256_hash(data)))


def _stored(blob: Blob, data: bytes, mime_type: str | None) -> Intake:
    told = sha256_hash(data)
    url = f"{OURS}{FILES}{told.removeprefix('sha256:')}"
    return Intake(replace(blob, url=url, size_bytes=len(data), mime_type=mime_type, hash=told), data)


def _checked(intake: Intake, checksum: str | None, loc: Loc) -> Intake:
    """Hold the caller's own hash against ours; where we have none, as of a URL, it is kept."""
    if checksum is None:
        return intake
    found = _SHA256.match(checksum.lower())
    if found is None:
        raise ValidationError.at([*loc, "checksum"], "a SHA-256 as 64 hex digits, with or without 'sha256:'")
    wanted = f"sha256:{found[1]}"
    if intake.blob.hash not in (None, wanted):
        raise ValidationError.at([*loc, "checksum"], f"the data's hash is {intake.blob.hash}")
    return replace(intake, blob=replace(intake.blob, hash=wanted))
