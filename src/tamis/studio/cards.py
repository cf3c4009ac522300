"""A document at a stage, as a card shows it: its name, its picture or player, its text and where its score is from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.executions.record import Record
from tamis.executions.sieve import Sifted
from tamis.model.document import Document
from tamis.model.principal import Principal
from tamis.services.data.blob_links import BlobLinks
from tamis.services.records.sieves import SiftedPage, imported_fields
from tamis.studio.faces import Faces, Media, facts_of, text_of, title_of
from tamis.studio.marking import Marked, marked

_LONGEST_TEXT = 320


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
        self._faces = Faces(links, principal)
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
        text = text_of(fields)
        seen = record.revisions.get(hit.id)
        return Card(
            sifted=sifted,
            title=title_of(fields, hit.id),
            text=marked(text, self._terms, _LONGEST_TEXT) if text else None,
            media=self._faces.media(document) if document else (),
            scores=tuple(_scores(sifted, largest)),
            facts=facts_of(fields),
            extra=hit.extra,
            fields=own,
            is_gone=hit.is_document and document is None and not own,
            is_changed=document is not None and seen is not None and document.revision != seen,
        )


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
