"""What interactions taught a retriever, for the engine: sums by day, as much of each as time has left."""

import asyncio
from collections.abc import Sequence
from datetime import date

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.learning import Evidence, EvidenceQuery
from tamis.engine.ports.metadata import Metadata
from tamis.model.fusion_credit import Agreement, DayOfCredits
from tamis.model.principal import Principal

_FIRST_DAY = date(1970, 1, 1).toordinal()


def today(clock: Clock) -> int:
    """Days since 1970, UTC."""
    return clock.now().toordinal() - _FIRST_DAY


class LearntWeights:
    """The engine's `Learning`. Holds nothing: what a server has learnt, every server knows with its next search."""

    def __init__(self, metadata: Metadata, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock

    async def evidence(self, principal: Principal, query: EvidenceQuery) -> Sequence[Evidence] | None:
        """Cost: a read of at most `window_days` rows for each context and search."""
        day = today(self._clock)
        try:
            async with asyncio.timeout(query.timeout_ms / 1000):
                return await self._metadata.read(
                    lambda session: [
                        faded(
                            session.fusion_credits.days(
                                principal, query.retriever_id, query.stage_name, context, day - query.window_days
                            ),
                            day,
                            query.decay,
                        )
                        for context in query.contexts
                    ]
                )
        except TimeoutError:
            return None


def faded(days: Sequence[DayOfCredits], now: int, decay: float) -> Evidence:
    """Each day's credits times decay ** its age in days, added up."""
    interactions, sums = 0.0, dict[str, tuple[float, float]]()
    for one in days:
        left = decay ** max(now - one.day, 0)
        interactions += left * one.interactions
        for search, known in one.agreements.items():
            agreed, pairs = sums.get(search, (0.0, 0.0))
            sums[search] = (agreed + left * known.agreed, pairs + left * known.pairs)
    return Evidence(interactions, {search: Agreement(*pair) for search, pair in sums.items()})
