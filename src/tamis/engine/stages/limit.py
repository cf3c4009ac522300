"""The first hits of a run."""

from typing import Any, ClassVar

from pydantic import BaseModel, Field

from tamis.engine.parameters import StageParameters
from tamis.engine.spending import Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.model.hits import Hits


class LimitParameters(StageParameters):
    limit: int = Field(10, ge=1, le=10_000, description="How many hits to keep.")
    offset: int = Field(0, ge=0, le=10_000, description="How many hits to pass over first.")


class Limit:
    """Keep a window of the hits, in their order."""

    id: ClassVar[str] = "limit"
    kind: ClassVar[StageKind] = StageKind.REDUCE
    icon: ClassVar[str] = "list-end"
    description: ClassVar[str] = "Keep the first hits, or a window that starts at an offset. The order stays as it is."
    Parameters: ClassVar[type[BaseModel]] = LimitParameters
    effects: ClassVar[frozenset[Effect]] = frozenset()
    spends: ClassVar[Spending] = Spending(yields=lambda limit, given: min(limit.limit, given.count - limit.offset))
    example: ClassVar[dict[str, Any]] = {"limit": 2, "offset": 1}

    def __init__(self, parameters: LimitParameters) -> None:
        self._window = slice(parameters.offset, parameters.offset + parameters.limit)

    async def run(self, hits: Hits, context: Context) -> Outcome:
        return Outcome(hits[self._window])
