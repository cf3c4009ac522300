"""Whether a version of a retriever may take the place of another: both run on what was last asked, without effects."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median

from tamis.engine.planning.plan import Planner
from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import PriceTable
from tamis.errors import TamisError
from tamis.evaluation.agreement import overlap, rank_biased_overlap
from tamis.model.execution import ExecutionStatus
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.learning.trials import Trials, setting_of
from tamis.services.runs.retrievers import find_version
from tamis.services.runs.turns import Turns

K = 10
_AT_ONCE = 4
_ENDED_WELL = (ExecutionStatus.COMPLETED, ExecutionStatus.DEGRADED)
_LOOKED_THROUGH = 20
"""Executions looked through for each that is wanted: many ask the same."""


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """What a candidate may do worse. min_overlap: mean share of the first 10 that both answer.

    max_failed: executions that it alone fails.  max_empty: those that it alone answers with nothing.
    max_slowdown: its median time as a multiple of the baseline's; None does not look.
    """

    min_overlap: float = 0.5
    max_failed: int = 0
    max_empty: int = 0
    max_slowdown: float | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """One execution's inputs asked again of both. error: of the candidate; its ranking is empty then.

    skipped: why nothing could be compared; nothing else is told then.
    """

    execution_id: str
    baseline: tuple[str, ...] = ()
    candidate: tuple[str, ...] = ()
    baseline_ms: float = 0.0
    candidate_ms: float = 0.0
    error: str | None = None
    skipped: str | None = None
    query_summary: str | None = None

    @property
    def overlap(self) -> float:
        return overlap(self.baseline, self.candidate, K)

    @property
    def rank_biased_overlap(self) -> float:
        return rank_biased_overlap(self.baseline, self.candidate)


@dataclass(frozen=True, slots=True)
class Check:
    """reasons: why the candidate may not take the baseline's place; none of them means that it may."""

    baseline: Retriever
    candidate: Retriever
    compared: Sequence[Checked]
    skipped: Sequence[Checked]
    reasons: Sequence[str]


class CheckService:
    def __init__(self, metadata: Metadata, planner: Planner, executor: Executor, turns: Turns) -> None:
        """What is checked is no execution: nothing counts it, learns from it or keeps a record."""
        self._metadata = metadata
        self._trials = Trials(planner, Executor(executor.environment, PriceTable({})))
        self._turns = turns

    async def check(
        self, principal: Principal, baseline: tuple[str, int | None], candidate: tuple[str, int | None],
        last: int, limits: CheckLimits,
    ) -> Check:  # fmt: skip
        """Both on today's data, with the inputs of the baseline retriever's last executions, each inputs once.

        baseline, candidate: (retriever, version), None is its newest.  A stage that reaches outside or spends is
        answered from the record; where it asks what it did not ask then, the execution is skipped.
        Raises: NotFoundError.
        """

        def read(session: Session) -> tuple[Retriever, Retriever, list[str]]:
            a, b = (find_version(session, principal, *one) for one in (baseline, candidate))
            return a, b, _last(session, principal, a.retriever_id, last)

        a, b, ids = await self._metadata.read(read)
        room = asyncio.Semaphore(_AT_ONCE)

        async def ask(place: int, execution_id: str) -> Checked:
            async with room, self._turns.taken(principal):
                return await self._both(principal, (a, b), execution_id, place % 2 == 1)

        found = await asyncio.gather(*(ask(place, one) for place, one in enumerate(ids)))
        compared = [one for one in found if one.skipped is None]
        skipped = [one for one in found if one.skipped is not None]
        return Check(a, b, compared, skipped, reasons(compared, limits))

    async def _both(
        self, principal: Principal, pair: tuple[Retriever, Retriever], execution_id: str, candidate_first: bool
    ) -> Checked:
        """candidate_first: whoever is second finds models and pages warm, so they take turns."""
        try:
            setting = await self._metadata.read(lambda session: setting_of(session, principal, pair, execution_id))
        except TamisError as error:
            return Checked(execution_id, skipped=error.message)
        if isinstance(setting, str):
            return Checked(execution_id, skipped=setting)
        order = (1, 0) if candidate_first else (0, 1)
        runs = {side: await self._trials.run(principal, pair[side], setting, side) for side in order}
        a, b = runs[0], runs[1]
        if a.error is not None or b.unrecorded:
            return Checked(execution_id, skipped=a.unrecorded or b.unrecorded or a.error)
        asked = setting.record.header.query_summary
        return Checked(execution_id, a.ranking, b.ranking, a.took_ms, b.took_ms, b.error, query_summary=asked)


def reasons(compared: Sequence[Checked], limits: CheckLimits) -> list[str]:
    """What is beyond its limit, in words. Without anything compared, that is the reason."""
    if not compared:
        return ["no execution could be compared"]
    found = []
    failed = [one for one in compared if one.error is not None]
    if len(failed) > limits.max_failed:
        found.append(
            f"{len(failed)} of {len(compared)} executions fail, first {failed[0].execution_id}: {failed[0].error}"
        )
    whole = [one for one in compared if one.error is None]
    emptied = [one for one in whole if one.baseline and not one.candidate]
    if len(emptied) > limits.max_empty:
        found.append(
            f"{len(emptied)} of {len(compared)} executions find nothing any more, first {emptied[0].execution_id}"
        )
    if not whole:
        return found
    agreement = fmean(one.overlap for one in whole)
    if agreement < limits.min_overlap:
        found.append(f"overlap of the first {K} is {agreement:.3f}, below {limits.min_overlap:g}")
    slowdown = slower(whole)
    if limits.max_slowdown is not None and slowdown > limits.max_slowdown:
        found.append(f"it takes {slowdown:.2f} times as long, more than {limits.max_slowdown:g}")
    return found


def slower(compared: Sequence[Checked]) -> float:
    """The candidate's median time as a multiple of the baseline's. Raises: StatisticsError without any."""
    return median(one.candidate_ms for one in compared) / max(median(one.baseline_ms for one in compared), 1e-9)


def _last(session: Session, principal: Principal, retriever_id: str, last: int) -> list[str]:
    """Ids of the newest executions that ended well, one of each inputs."""
    found: dict[str, str] = {}
    headers = session.executions.newest(principal, ExecutionQuery(retriever_id=retriever_id))
    for number, header in enumerate(headers):
        if len(found) == last or number == _LOOKED_THROUGH * last:
            break
        if header.status in _ENDED_WELL and header.inputs_hash:
            found.setdefault(header.inputs_hash, header.execution_id)
    return [*found.values()]
