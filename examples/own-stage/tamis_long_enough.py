"""A stage of one's own: keep documents whose text is long enough."""

from typing import ClassVar

from pydantic import Field

from tamis.stages import Context, Hits, Outcome, StageKind, StageParameters


class LongEnoughParameters(StageParameters):
    field: str = Field("text", min_length=1, description="The field whose text is measured.")
    least: int = Field(200, ge=0, description="How many characters it has at least.")


class LongEnough:
    id = "long_enough"
    kind = StageKind.FILTER
    icon = "ruler"
    description = "Keep the documents whose text is long enough, in their order."
    Parameters = LongEnoughParameters
    effects = frozenset()
    example: ClassVar = {"field": "text", "least": 10}

    def __init__(self, parameters: LongEnoughParameters) -> None:
        self._field = parameters.field
        self._least = parameters.least

    async def run(self, hits: Hits, context: Context) -> Outcome:
        values = ((hit, hit.view().get(self._field)) for hit in hits)
        return Outcome(Hits.of(hit for hit, text in values if isinstance(text, str) and len(text) >= self._least))
