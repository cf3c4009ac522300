"""How people recognise a document or an object: its name, its picture or player, its text and its short fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tamis.model.bucket import BucketObject
from tamis.model.document import BlobRef, Document
from tamis.model.principal import Principal
from tamis.services.data.blob_links import BlobLinks
from tamis.studio.visit import Visit

TEXTS = ("text", "content", "transcription", "ocr_text", "caption", "description", "summary", "body")
NAMES = ("title", "name", "filename", "file_name", "path", "headline")
_LONGEST_VALUE = 80
_LONGEST_NAME = 200
_MOST_FIELDS = 6
_SHOWN = {"image": "image", "video": "video", "audio": "audio"}


@dataclass(frozen=True, slots=True)
class Media:
    """kind: image, video, audio.  url: on this server.  start_s, end_s: the part that the document is about."""

    kind: str
    url: str
    start_s: float | None = None
    end_s: float | None = None

    @property
    def at(self) -> str:
        """The address of the part: players understand the fragment."""
        if self.start_s is None:
            return self.url
        end = f",{self.end_s:g}" if self.end_s is not None else ""
        return f"{self.url}#t={self.start_s:g}{end}"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file of an object or a document. url: on this server, None where it is not ours to show."""

    field: str
    type: str
    role: str
    url: str | None
    address: str | None
    filename: str | None = None
    content_type: str | None = None
    size_bytes: int | None = None
    media: Media | None = None


@dataclass(frozen=True, slots=True)
class Face:
    """media: to be looked at or played.  picture: that shows it small, for lists."""

    title: str
    text: str | None
    media: tuple[Media, ...]
    picture: Media | None
    facts: tuple[tuple[str, str], ...]


class Faces:
    """links: to files, for this principal."""

    def __init__(self, links: BlobLinks, principal: Principal) -> None:
        self._links = links
        self._principal = principal

    @classmethod
    def of(cls, visit: Visit) -> "Faces":
        return cls(visit.service(BlobLinks), visit.principal)

    def document(self, document: Document) -> Face:
        fields = document.fields
        pictures = sorted(
            (blob for blob in (*document.blobs, *_sources(document)) if blob.type == "image"),
            key=lambda blob: blob.role != "thumbnail",
        )
        picture = self.linked(pictures[0]) if pictures else None
        name = title_of(fields, document.document_id)
        return Face(name, text_of(fields), self.media(document), picture, facts_of(fields))

    def object(self, found: BucketObject) -> Face:
        media = tuple(one.media for one in self.object_files(found) if one.media)
        inline = {blob.property: blob.data for blob in found.blobs if isinstance(blob.data, str)}
        fields = {**inline, **found.fields}
        name = next((blob.filename for blob in found.blobs if blob.filename), None)
        named = fields if _name_field(fields) or not name else {**fields, "filename": name}
        picture = next((one for one in media if one.kind == "image"), None)
        return Face(title_of(named, found.object_id), text_of(fields), media, picture, facts_of(fields))

    def media(self, document: Document) -> tuple[Media, ...]:
        """A player where there is something to play, else a picture."""
        start_s, end_s = _second(document, "start_time"), _second(document, "end_time")
        files = [*document.blobs, *_sources(document)]
        playable = [self.linked(one, start_s, end_s) for one in files if one.type in ("video", "audio")]
        pictures = [self.linked(one) for one in files if one.type == "image"]
        thumbs = [self.linked(one) for one in document.blobs if one.role == "thumbnail"]
        found = [one for one in (*playable[:1], *(thumbs or pictures)[:1]) if one is not None]
        kinds = [one.kind for one in found]
        return tuple(found[:1]) if "video" in kinds or "image" in kinds[:1] else tuple(found)

    def document_files(self, document: Document) -> list[StoredFile]:
        """What the extractor made, then what it was made of."""
        return [self._file(blob) for blob in (*document.blobs, *_sources(document))]

    def object_files(self, found: BucketObject) -> list[StoredFile]:
        return [
            self._file(BlobRef(
                blob.property, blob.url, blob.type, filename=blob.filename, content_type=blob.mime_type,
                size_bytes=blob.size_bytes,
            ))
            for blob in found.blobs
            if blob.url is not None
        ]  # fmt: skip

    def linked(self, blob: BlobRef, start_s: float | None = None, end_s: float | None = None) -> Media | None:
        url = self._url(blob) if blob.type in _SHOWN else None
        return Media(_SHOWN[blob.type], url, start_s, end_s) if url else None

    def _file(self, blob: BlobRef) -> StoredFile:
        url = self._url(blob)
        return StoredFile(
            blob.field, blob.type, blob.role, url, None if url else blob.url, blob.filename, blob.content_type,
            blob.size_bytes, self.linked(blob),
        )  # fmt: skip

    def _url(self, blob: BlobRef) -> str | None:
        """By path alone: a page asks nobody but the server that it came from. None for what lies elsewhere."""
        if not blob.url.startswith("blob://"):
            return None
        url = self._links.url(self._principal, blob.url, "http://studio", blob.content_type, blob.filename)
        return urlsplit(url or "").path or None


def title_of(fields: Mapping[str, Any], identifier: str) -> str:
    """What a person would call it."""
    found = _name_field(fields)
    name = str(fields[found]) if found else identifier
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def text_field(fields: Mapping[str, Any]) -> str | None:
    return next((name for name in TEXTS if isinstance(fields.get(name), str) and fields[name]), None)


def text_of(fields: Mapping[str, Any]) -> str | None:
    found = text_field(fields)
    return str(fields[found]) if found else None


def facts_of(fields: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Short fields besides name and text."""
    without = {text_field(fields), _name_field(fields)}
    short = [
        (name, f"{value:g}" if isinstance(value, float) else _word(value))
        for name, value in fields.items()
        if name not in without and isinstance(value, str | int | float) and len(str(value)) <= _LONGEST_VALUE
    ]
    return tuple(short[:_MOST_FIELDS])


def _word(value: str | int) -> str:
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def _name_field(fields: Mapping[str, Any]) -> str | None:
    return next((name for name in NAMES if isinstance(fields.get(name), str) and fields[name]), None)


def _sources(document: Document) -> list[BlobRef]:
    return [
        BlobRef(
            str(one.get("field", "")), url, kind, filename=_text(one.get("filename")),
            content_type=_text(one.get("content_type")), size_bytes=_whole(one.get("size_bytes")),
        )
        for one in document.source_blobs
        if isinstance(url := one.get("url"), str) and isinstance(kind := one.get("type"), str)
    ]  # fmt: skip


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) else None


def _second(document: Document, name: str) -> float | None:
    value = document.fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
