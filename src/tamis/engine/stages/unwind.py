"""One hit for each element of an array."""

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator

from tamis.engine.nesting import with_field
from tamis.engine.parameters import StageParameters
from tamis.engine.spending.spending import Given, Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import DROPPED
from tamis.model.filters import canonical_path
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

MAX_HITS = 10_000
_IDENTITY = frozenset({"document_id", "collection_id", "score"})


class UnwindParameters(StageParameters):
    field: str = Field(min_length=1, description="Path of the array, through objects; `metadata.tags` is `tags`.")
    preserve_null_and_empty: bool = Field(
        False, description="Keep a hit whose array is missing, null or empty; the field is null then."
    )
    include_array_index: str | None = Field(
        None, min_length=1, description="Path under which to note each element's place in the array, from 0."
    )
    output_field: str | None = Field(
        None, min_length=1, description="Path to put the element at; null puts it in the array's place."
    )

    @field_validator("include_array_index", "output_field")
    @classmethod
    def _not_identity(cls, value: str | None) -> str | None:
        if value is not None and canonical_path(value) in _IDENTITY:
            raise ValueError(f"{value!r} is what a hit is known by; name another field")
        return value


class Unwind:
    """Elements in their array's order, in the place of the hit that had it; scores stay."""

    id: ClassVar[str] = "unwind"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "list-tree"
    description: ClassVar[str] = (
        "Give a hit for each element of an array field. The first element keeps the hit's id, the others add their "
        "place to it. A hit whose field is no array passes unchanged; one whose array is missing or empty is dropped, "
        f"unless it is to be preserved. At most {MAX_HITS} hits come out."
    )
    Parameters: ClassVar[type[BaseModel]] = UnwindParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(yields=lambda _, given: _most(given))
    example: ClassVar[dict[str, Any]] = {"field": "metadata.tags", "include_array_index": "tag_index"}

    def __init__(self, parameters: UnwindParameters) -> None:
        self._parameters = parameters
        self._path = canonical_path(parameters.field).split(".")

    async def run(self, hits: Hits, context: Context) -> Outcome:
        rows: list[Hit] = []
        dropped: dict[str, JSON] = {}
        for hit in hits:
            before = len(rows)
            rows.extend(self._elements(hit, context.stage_index))
            if len(rows) == before:
                dropped[hit.id] = f"its {self._parameters.field!r} is missing, null or empty"
            if len(rows) > MAX_HITS:
                break
        warnings = (f"more than {MAX_HITS} elements; the rest was left out",) if len(rows) > MAX_HITS else ()
        facts: dict[str, JSON] = {DROPPED: dropped} if dropped else {}
        return Outcome(Hits.of(rows[:MAX_HITS]), metadata=facts, warnings=warnings)

    def _elements(self, hit: Hit, stage_index: int) -> Iterator[Hit]:
        value = self._value(hit)
        if isinstance(value, list) and value:
            for place, element in enumerate(value):
                yield self._placed(_named(hit, stage_index, place), element, place)
        elif value is not None and not isinstance(value, list):
            yield hit
        elif self._parameters.preserve_null_and_empty:
            yield self._placed(hit, None, None)

    def _value(self, hit: Hit) -> JSON:
        value: JSON = hit.view()
        for name in self._path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _placed(self, hit: Hit, element: JSON, place: int | None) -> Hit:
        given = self._parameters
        hit = with_field(hit, given.output_field or given.field, element)
        return hit if given.include_array_index is None else with_field(hit, given.include_array_index, place)


def _named(hit: Hit, stage_index: int, place: int) -> Hit:
    """The stage's index keeps apart what two unwinds make of one hit; equal width keeps ids in the array's order."""
    return (
        hit if place == 0 else Hit(f"{hit.id}#{stage_index}.{place:06}", hit.score, hit.document, hit.scores, hit.extra)
    )


def _most(given: Given) -> float:
    return MAX_HITS if given.count else 0
