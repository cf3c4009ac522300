"""The first hits of a run."""

from typing import Any, ClassVar

from pydantic import BaseModel, Field

from tamis.engine.parameters import StageParameters
from tamis.engine.spending.spending import Spending
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.verdicts.verdict import Case, Verdict, VerdictKind
from tamis.model.hits import Hits
from tamis.model.json import JSON

_MOST = 10_000


class LimitParameters(StageParameters):
    limit: int = Field(10, ge=1, le=_MOST, description="How many hits to keep.")
    offset: int = Field(0, ge=0, le=_MOST, description="How many hits to pass over first.")


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

    async def explain(self, case: Case, context: Context) -> Verdict:
        rank, start, stop = case.rank or 0, self._window.start, self._window.stop
        facts: dict[str, JSON] = {"rank": rank, "received": len(case.received), "offset": start, "limit": stop - start}
        if start < rank <= stop:
            return Verdict(VerdictKind.CHANGED, f"it is number {rank}, within the window", facts)
        reason = f"it came in as number {rank} of {len(case.received)}, and {start + 1} to {stop} were kept"
        if rank > stop and rank - start <= _MOST:
            return Verdict(VerdictKind.CUT, reason, facts, case.setting("limit", before=stop - start, to=rank - start))
        return Verdict(VerdictKind.CUT, reason, facts, case.setting("offset", before=start, to=rank - 1))
