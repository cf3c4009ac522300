"""Order by the value of a field."""

from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, BaseModel, Field, field_validator

from tamis.engine.parameters import StageParameters
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.model.filters import canonical_path
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.ordering import SortKey, sort_key


class SortAttributeParameters(StageParameters):
    field: str = Field(
        "metadata.created_at",
        min_length=1,
        validation_alias=AliasChoices("field", "sort_field"),
        description="Path of the field; dots lead into objects. `score` is the score.",
    )
    direction: Literal["asc", "desc"] = Field(
        "desc", validation_alias=AliasChoices("direction", "order"), description="Greatest first, or least first."
    )
    nulls_last: bool = Field(
        True,
        validation_alias=AliasChoices("nulls_last", "null_handling"),
        description="Hits without a value come last. If false they count as least: first in asc, last in desc.",
    )

    @field_validator("nulls_last", mode="before")
    @classmethod
    def _first_or_last(cls, value: Any) -> Any:
        return {"last": True, "first": False}.get(value, value) if isinstance(value, str) else value


class SortAttribute:
    """Booleans, numbers, times and text each among their own kind; hits with equal values keep their order."""

    id: ClassVar[str] = "sort_attribute"
    kind: ClassVar[StageKind] = StageKind.SORT
    icon: ClassVar[str] = "arrow-up-down"
    description: ClassVar[str] = (
        "Order the hits by a field: numbers, times and text each among their own kind. Hits with equal values keep "
        "the order that they came in, so that two of these stages in a row sort by two fields, the last one first."
    )
    Parameters: ClassVar[type[BaseModel]] = SortAttributeParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    example: ClassVar[dict[str, Any]] = {"field": "metadata.price", "direction": "asc"}

    def __init__(self, parameters: SortAttributeParameters) -> None:
        self._path = canonical_path(parameters.field)
        self._descending = parameters.direction == "desc"
        self._nulls_last = parameters.nulls_last or self._descending

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(Hits.of(sorted(hits, key=self._key)))

    def _key(self, hit: Hit) -> SortKey:
        return sort_key({**_written(hit), **hit.view()}, self._path, self._descending, self._nulls_last)


def _written(hit: Hit) -> dict[str, JSON]:
    """When the document was made and changed: known of every document, though no field of its own."""
    if hit.document is None:
        return {}
    return {
        "created_at": hit.document.created_at.isoformat(),
        "updated_at": hit.document.updated_at.isoformat(),
    }
