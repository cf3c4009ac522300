"""What flows between stages: immutable hits in an order that is total."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

from tamis.model.document import Document
from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class Hit:
    """One candidate on its way through the sieve.

    score: higher is better; what the last scoring stage said.
    scores: by feature URI or stage name, every score it was given on the way.
    extra: fields that stages added (groups, aggregates, enrichments); they stand over the document's own.
    document: None for a row that a stage made (an aggregate), which then lives in `extra` alone.
    """

    id: str
    score: float
    document: Document | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, JSON] = field(default_factory=dict)

    def view(self) -> dict[str, JSON]:
        """The hit as filters, sorts and templates see it."""
        own = self.document.view() if self.document else {}
        return {**own, **self.extra, "score": self.score}

    def part(self, names: frozenset[str]) -> dict[str, JSON]:
        """What of `view` goes by these names; cheaper than all of it."""
        own = self.document.part(names) if self.document else {}
        own.update({name: self.extra[name] for name in names if name in self.extra})
        if "score" in names:
            own["score"] = self.score
        return own

    def scored(self, name: str, score: float) -> "Hit":
        return replace(self, score=score, scores={**self.scores, name: score})

    def with_extra(self, **fields: JSON) -> "Hit":
        return replace(self, extra={**self.extra, **fields})

    @property
    def is_plain(self) -> bool:
        """True where id and scores are enough to show this hit again from the system of record."""
        return self.document is not None and not self.extra


@dataclass(frozen=True, slots=True)
class Hits(Sequence[Hit]):
    """An ordered, immutable run of hits."""

    items: tuple[Hit, ...] = ()

    @classmethod
    def of(cls, hits: Iterable[Hit]) -> "Hits":
        return cls(tuple(hits))

    @classmethod
    def ranked(cls, hits: Iterable[Hit]) -> "Hits":
        """Score down, then id up: the one place where ties are ordered."""
        return cls(tuple(sorted(hits, key=lambda hit: (-hit.score, hit.id))))

    @overload
    def __getitem__(self, index: int) -> Hit: ...
    @overload
    def __getitem__(self, index: slice) -> "Hits": ...
    def __getitem__(self, index: int | slice) -> "Hit | Hits":
        if isinstance(index, slice):
            return Hits(self.items[index])
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.items)
