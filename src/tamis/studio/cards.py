"""A document at a stage, as a card shows it: its name, its picture or player, its text and where its score is from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tamis.executions.record import Record
from tamis.executions.sieve import Sifted
from tamis.model.document import BlobRef, Document
from tamis.model.principal import Principal
from tamis.services.blob_links import BlobLinks
from tamis.services.sieves import SiftedPage, imported_fields
from tamis.studio.marking import Marked, marked

_TEXTS = ("text", "content", "transcription", "ocr_text", "caption", "description", "summary", "body")
_NAMES = ("title", "name", "filename", "file_name", "path", "headline")
_LONGEST_TEXT = 320
_LONGEST_VALUE = 80
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
class Score:
    """One score on the way. share: of the largest of its name on the page, 0 to 100.  before: where it was another."""

    name: str
    value: float
    share: float
    is_new: bool

    @property
    def label(self) -> str:
        """What tells it apart from its neighbours: a feature's output, and how it was asked."""
        output, _, way = self.name.rpartition("/")[2].partition("#")
        return way or output


@dataclass(frozen=True, slots=True)
class Card:
    """is_gone: neither the state that was seen nor today's is known.  is_changed: shown is another state than was seen.

    facts: short fields.  extra: what stages added.
    """

    sifted: Sifted
    title: str
    text: Marked | None
    media: tuple[Media, ...]
    scores: tuple[Score, ...]
    facts: tuple[tuple[str, str], ...]
    extra: Mapping[str, Any]
    fields: Mapping[str, Any]
    is_gone: bool = False
    is_changed: bool = False

    @property
    def id(self) -> str:
        return self.sifted.hit.id


class Cards:
    """links: to files.  terms: what texts are marked by."""

    def __init__(self, links: BlobLinks, principal: Principal, terms: frozenset[int]) -> None:
        self._links = links
        self._principal = principal
        self._terms = terms

    def of(self, record: Record, page: SiftedPage) -> list[Card]:
        largest = _largest(page.page.items)
        return [self._card(record, one, page.documents.get(one.hit.id), largest) for one in page.page.items]

    def _card(
        self, record: Record, sifted: Sifted, document: Document | None, largest: Mapping[str, float]
    ) -> Card:  # fmt: skip
        hit = sifted.hit
        own = document.fields if document else imported_fields(record, hit.id)
        fields = {**own, **hit.extra}
        text_field = next((name for name in _TEXTS if isinstance(fields.get(name), str) and fields[name]), None)
        name_field = _name_field(fields)
        seen = record.revisions.get(hit.id)
        return Card(
            sifted=sifted,
            title=title_of(fields, hit.id),
            text=marked(str(fields[text_field]), self._terms, _LONGEST_TEXT) if text_field else None,
            media=self._media(document) if document else (),
            scores=tuple(_scores(sifted, largest)),
            facts=tuple(_facts(fields, {text_field, name_field})),
            extra=hit.extra,
            fields=own,
            is_gone=hit.is_document and document is None and not own,
            is_changed=document is not None and seen is not None and document.revision != seen,
        )

    def _media(self, document: Document) -> tuple[Media, ...]:
        """A player where there is something to play, else a picture."""
        start_s, end_s = _second(document, "start_time"), _second(document, "end_time")
        files = [*document.blobs, *_sources(document)]
        playable = [self._linked(one, start_s, end_s) for one in files if one.type in ("video", "audio")]
        pictures = [self._linked(one) for one in files if one.type == "image"]
        thumbs = [self._linked(one) for one in document.blobs if one.role == "thumbnail"]
        found = [one for one in (*playable[:1], *(thumbs or pictures)[:1]) if one is not None]
        kinds = [one.kind for one in found]
        return tuple(found[:1]) if "video" in kinds or "image" in kinds[:1] else tuple(found)

    def _linked(self, blob: BlobRef, start_s: float | None = None, end_s: float | None = None) -> Media | None:
        if blob.type not in _SHOWN or not blob.url.startswith("blob://"):
            return None
        url = self._links.url(self._principal, blob.url, "http://studio", blob.content_type, blob.filename)
        # By path alone: a page asks nobody but the server that it came from.
        return Media(_SHOWN[blob.type], urlsplit(url or "").path, start_s, end_s) if url else None


def title_of(fields: Mapping[str, Any], document_id: str) -> str:
    """What a person would call the document."""
    found = _name_field(fields)
    return str(fields[found]) if found else document_id


def _name_field(fields: Mapping[str, Any]) -> str | None:
    return next((name for name in _NAMES if isinstance(fields.get(name), str) and fields[name]), None)


def _sources(document: Document) -> list[BlobRef]:
    found = []
    for one in document.source_blobs:
        url, kind = one.get("url"), one.get("type")
        if isinstance(url, str) and isinstance(kind, str):
            content_type = one.get("content_type")
            typed = content_type if isinstance(content_type, str) else None
            found.append(BlobRef(str(one.get("field", "")), url, kind, content_type=typed))
    return found


def _second(document: Document, name: str) -> float | None:
    value = document.fields.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _largest(page: Sequence[Sifted]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in page:
        for name, value in one.hit.scores.items():
            found[name] = max(found.get(name, 0.0), abs(value))
    return found


def _scores(sifted: Sifted, largest: Mapping[str, float]) -> list[Score]:
    before = sifted.before.scores if sifted.before else {}
    return [
        Score(name, value, 100 * abs(value) / largest[name] if largest.get(name) else 0.0, before.get(name) != value)
        for name, value in sifted.hit.scores.items()
    ]


def _facts(fields: Mapping[str, Any], without: set[str | None]) -> list[tuple[str, str]]:
    short = [
        (name, f"{value:g}" if isinstance(value, float) else str(value))
        for name, value in fields.items()
        if name not in without and isinstance(value, str | int | float) and len(str(value)) <= _LONGEST_VALUE
    ]
    return short[:_MOST_FIELDS]
