"""Which filters an index would help: what is filtered by ranges where the search index has none for them yet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ValidationError
from tamis.model.collection import Collection
from tamis.model.filters import Condition, Operator, canonical_path
from tamis.model.json import JSON
from tamis.model.matching import resolve
from tamis.model.principal import Principal
from tamis.services.records.field_analytics import FieldUse, FieldUses, uses
from tamis.services.records.spans import Span, last

RANGES = frozenset({Operator.GT, Operator.GTE, Operator.LT, Operator.LTE})
BY_TERM = frozenset({Operator.EQ, Operator.NE, Operator.IN, Operator.NIN, Operator.EXISTS, Operator.IS_NULL})
"""Every value of every field is a term of the index: these need none of their own."""
_TRIES = 5
_SAMPLED = 20
_WEEK = 168
_DAY = 24


@dataclass(frozen=True, slots=True)
class IndexedUse:
    """is_served: every filter on the field is answered by an index, in every collection that has the field.

    of_day, of_week: runs in the last 24 hours and 7 days, whatever was asked about.
    """

    use: FieldUse
    is_served: bool
    lacking: Sequence[Collection]
    of_day: int = 0
    of_week: int = 0

    @property
    def is_suggested(self) -> bool:
        return bool(self.lacking)


@dataclass(frozen=True, slots=True)
class IndexedUses:
    span: Span
    fields: Sequence[IndexedUse]
    found: FieldUses


@dataclass(frozen=True, slots=True)
class Measured:
    """What a range over the field took in one collection, the median of five, in milliseconds: a number or date of the
    middle, counted. None where no index could be made.
    """

    collection: Collection
    documents: int
    was_indexed: bool
    is_indexed: bool
    before_ms: float
    after_ms: float | None


class IndexSuggestions:
    def __init__(self, metadata: Metadata, index: VectorIndex, clock: Clock) -> None:
        self._metadata = metadata
        self._index = index
        self._clock = clock

    async def uses(self, principal: Principal, hours: int) -> IndexedUses:
        now = self._clock.now()
        span, day, week = (last(now, each) for each in (hours, _DAY, _WEEK))

        def read(session: Session) -> tuple[FieldUses, FieldUses, FieldUses, Sequence[Collection]]:
            of_span, of_day, of_week = (uses(session, principal, one) for one in (span, day, week))
            return of_span, of_day, of_week, session.collections.list(principal)

        found, of_day, of_week, collections = await self._metadata.read(read)
        ranged = [one.path for one in found.fields if one.operators & RANGES]
        lacking = await self._lacking(principal, collections, ranged)
        counts = [{one.path: one.timing.count for one in each.fields} for each in (of_day, of_week)]
        fields = [
            IndexedUse(
                one, one.operators <= BY_TERM | RANGES and not lacking.get(one.path), lacking.get(one.path, ()),
                counts[0].get(one.path, 0), counts[1].get(one.path, 0),
            )
            for one in found.fields
        ]  # fmt: skip
        return IndexedUses(span, fields, found)

    async def apply(self, principal: Principal, field: str) -> Sequence[Measured]:
        """Make the index of one field in every collection that has numbers or dates there, and measure what it does.

        Raises: ValidationError (field_name) where none has.
        """
        path = canonical_path(field)
        collections = await self._metadata.read(lambda session: session.collections.list(principal))
        measured = [await self._applied(principal, one, path) for one in collections]
        found = [one for one in measured if one is not None]
        if not found:
            message = f"no document of this namespace has a number or a date at {path!r}"
            raise ValidationError.at(["body", "field_name"], message)
        return found

    async def _lacking(
        self, principal: Principal, collections: Sequence[Collection], paths: Sequence[str]
    ) -> Mapping[str, list[Collection]]:
        """By path, the collections that have it, with no index for its ranges."""
        lacking: dict[str, list[Collection]] = {}
        if not paths:
            return lacking
        for one in collections:
            indexed = await self._index.ranged(principal, one.collection_id, paths)
            for path in set(paths) - indexed:
                if await self._index.count(principal, one.collection_id, Condition(path, Operator.EXISTS, True)):
                    lacking.setdefault(path, []).append(one)
        return lacking

    async def _applied(self, principal: Principal, collection: Collection, path: str) -> Measured | None:
        owner = collection.collection_id
        middle = await self._metadata.read(lambda session: _middle(session, principal, owner, path))
        range_ = Condition(path, Operator.GTE, middle)
        if middle is None or not self._index.compiles(range_):
            return None
        count = await self._index.count(principal, owner, Condition(path, Operator.EXISTS, True))
        was_indexed = bool(await self._index.ranged(principal, owner, [path]))
        before_ms = await self._timed(principal, owner, range_)
        is_indexed = was_indexed or await self._index.index_ranges(principal, owner, path)
        after_ms = await self._timed(principal, owner, range_) if is_indexed else None
        return Measured(collection, count, was_indexed, is_indexed, before_ms, after_ms)

    async def _timed(self, principal: Principal, collection_id: str, condition: Condition) -> float:
        took = []
        for _ in range(_TRIES):
            began_ms = self._clock.monotonic_ms()
            await self._index.count(principal, collection_id, condition)
            took.append(self._clock.monotonic_ms() - began_ms)
        return median(took)


def _middle(session: Session, principal: Principal, collection_id: str, path: str) -> JSON:
    """Of the numbers, else of the texts, of the first documents that have one. None without any."""
    has_it = Condition(path, Operator.EXISTS, True)
    values: list[JSON] = []
    for place, document in enumerate(session.documents.scan(principal, collection_id, has_it)):
        values.extend(resolve(document.view(), path))
        if place + 1 == _SAMPLED:
            break
    numbers = sorted(one for one in values if isinstance(one, int | float) and not isinstance(one, bool))
    texts = sorted(one for one in values if isinstance(one, str))
    return numbers[len(numbers) // 2] if numbers else texts[len(texts) // 2] if texts else None
