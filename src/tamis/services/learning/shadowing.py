"""The shadow of live executions: what a candidate would have answered, found out behind the answer.

An execution that ended is offered, at no cost worth the name; one at a time is taken up, by its stored record, within
the roll-out's budget and a quarter of the time. What comes while the shadow is busy is let go. Nothing that goes wrong
here reaches anybody who asked.
"""

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import TamisError
from tamis.model.execution import ExecutionHeader, ExecutionStatus
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.model.rollout import Rollout, ShadowRun
from tamis.model.sharing import is_within
from tamis.services.learning.trials import Setting, Trials, setting_of
from tamis.services.runs.retrievers import find_version

DEPTH = 100
"""Documents of each ranking that are kept."""
_MOST_WAITING = 32
_REST = 3.0
"""How long the shadow rests after a run, as a multiple of what the run took."""
_ENDED_WELL = (ExecutionStatus.COMPLETED, ExecutionStatus.DEGRADED)
_LOG = logging.getLogger(__name__)

_Offer: TypeAlias = tuple[Principal, ExecutionHeader, Rollout]


@dataclass(slots=True)
class _Spent:
    runs: int = 0
    credits: float = 0.0


class Shadows:
    def __init__(self, metadata: Metadata, trials: Trials, clock: Clock, rest: float = _REST) -> None:
        """trials: by an executor that counts what stages cost, and that nothing else counts or learns from."""
        self._metadata = metadata
        self._trials = trials
        self._clock = clock
        self._rest = rest
        self._offers: asyncio.Queue[_Offer] = asyncio.Queue(_MOST_WAITING)
        self._spent: dict[str, _Spent] = {}
        self._let_go: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._watch(), name="shadows")

    async def close(self) -> None:
        """A run under way is given up: the shadow owes nobody anything."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def offer(self, principal: Principal, header: ExecutionHeader, rollout: Rollout) -> None:
        """Of an execution that the baseline answered and whose record is durable. Never waits, never raises."""
        if header.status not in _ENDED_WELL or not is_within(header.execution_id, rollout.shadow_share):
            return
        if self._offers.full():
            self._let_go[rollout.rollout_id] += 1
        else:
            self._offers.put_nowait((principal, header, rollout))

    def let_go(self, rollout_id: str) -> int:
        """How many executions came while the shadow was busy, on this server, since its start."""
        return self._let_go[rollout_id]

    async def drained(self) -> None:
        """Returns once all that was offered has been taken up."""
        await self._offers.join()

    async def _watch(self) -> None:
        while True:
            offer = await self._offers.get()
            began_ms = self._clock.monotonic_ms()
            try:
                await self._follow(*offer)
            except Exception:
                _LOG.exception("the shadow of %s failed; whoever asked has his answer", offer[1].execution_id)
            finally:
                self._offers.task_done()
            await asyncio.sleep(self._rest * (self._clock.monotonic_ms() - began_ms) / 1000)

    async def _follow(self, principal: Principal, header: ExecutionHeader, rollout: Rollout) -> None:
        spent = await self._spent_by(principal, rollout)
        if spent.runs >= rollout.max_runs or spent.credits >= (rollout.max_credits or float("inf")):
            return
        run = await self._run(principal, header, rollout)
        if await self._metadata.write(lambda session: session.rollouts.keep(principal, run)):
            spent.runs += 1
            spent.credits += run.shadow_credits

    async def _spent_by(self, principal: Principal, rollout: Rollout) -> _Spent:
        """Other servers spend too: what is stored is counted again whenever this server's count is new."""
        if rollout.rollout_id not in self._spent:
            runs = await self._metadata.read(lambda session: session.rollouts.runs(principal, rollout.rollout_id))
            self._spent = {rollout.rollout_id: _sum(runs)}
        return self._spent[rollout.rollout_id]

    async def _run(self, principal: Principal, header: ExecutionHeader, rollout: Rollout) -> ShadowRun:
        at = self._clock.now()
        same = (header.execution_id, rollout.retriever_id, rollout.rollout_id, at, header.inputs_hash or "")
        try:
            found = await self._metadata.read(lambda session: _setting(session, principal, rollout, header))
            if isinstance(found, str):
                return ShadowRun(*same, skipped=found)
            candidate, setting, live = found
            async with asyncio.timeout(rollout.max_time_ms / 1000):
                trial = await self._trials.run(principal, candidate, setting, 0)
        except TamisError as error:
            return ShadowRun(*same, skipped=error.message)
        except TimeoutError:
            return ShadowRun(
                *same, error=f"it took longer than {rollout.max_time_ms} ms", shadow_ms=rollout.max_time_ms
            )
        if trial.unrecorded:
            return ShadowRun(*same, skipped=trial.unrecorded)
        took = (header.duration_ms, trial.took_ms, header.credits_used, trial.credits)
        return ShadowRun(*same, live, trial.ranking[:DEPTH], *took, error=trial.error)


def _setting(
    session: Session, principal: Principal, rollout: Rollout, header: ExecutionHeader
) -> tuple[Retriever, Setting, tuple[str, ...]] | str:
    """The candidate, what it runs in and what the execution answered. Raises: NotFoundError."""
    candidate = find_version(session, principal, rollout.retriever_id, rollout.candidate_version)
    found = setting_of(session, principal, [candidate], header.execution_id)
    if isinstance(found, str):
        return found
    stages = found.record.stages
    return candidate, found, tuple(hit.id for hit in stages[-1].returned[:DEPTH]) if stages else ()


def _sum(runs: Sequence[ShadowRun]) -> _Spent:
    return _Spent(len(runs), sum(one.shadow_credits for one in runs))
