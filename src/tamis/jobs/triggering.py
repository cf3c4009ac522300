"""The worker that looks at triggers, every tenant's, and begins what is due.

A firing and the work that it begins are one transaction: a kill leaves both or neither, and no trigger fires twice for
one moment, whoever looks.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, ConflictError, TamisError
from tamis.jobs.trigger_conditions import Look, look_at
from tamis.model.batch import TaskStatus
from tamis.model.principal import Principal
from tamis.model.trigger import DueRun, Firing, Trigger, TriggerStatus
from tamis.services.learning.cluster_runs import begin_run
from tamis.services.learning.schedules import next_due, parse_schedule
from tamis.services.learning.triggers import as_its_task, fire_trigger

MOST_FAILURES = 5
"""In a row, after which a trigger is stopped."""
_LOG = logging.getLogger(__name__)
_LOCK = "triggers"
_AT_ONCE = 100
_AGAIN = timedelta(seconds=5)
"""After which one is looked at again whose work is still under way."""


class Triggering:
    def __init__(
        self, metadata: Metadata, clock: Clock, locks: Locks | None = None,
        begun: Callable[[], None] = lambda: None, poll_s: float = 2.0,
    ) -> None:  # fmt: skip
        """locks: of several servers one looks.  begun: tells those who do what triggers begin."""
        self._metadata = metadata
        self._clock = clock
        self._locks: Locks = locks or LocalLocks()
        self._begun = begun
        self._poll_s = poll_s
        self._woken = asyncio.Event()
        self._watcher: asyncio.Task[None] | None = None

    def wake(self) -> None:
        """Look now."""
        self._woken.set()

    def start(self) -> None:
        self._watcher = asyncio.create_task(self._watch(), name="triggers")

    async def close(self) -> None:
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)

    async def look(self) -> int:
        """Once at what ended and at all that are due; how many of these there were."""
        hold = await self._locks.take(_LOCK)
        if hold is None:
            return 0
        try:
            for principal, firing in await self._metadata.read(lambda session: session.firings.open(_AT_ONCE)):
                await self._settle(principal, firing)
            now = self._clock.now()
            due = await self._metadata.read(lambda session: session.triggers.due(now, _AT_ONCE))
            for principal, trigger in due:
                await self._look_at(principal, trigger)
            runs = await self._metadata.read(lambda session: session.due_runs.due(now, _AT_ONCE))
            for principal, run in runs:
                await self._run(principal, run)
            return len(due) + len(runs)
        finally:
            await hold.release()

    async def _watch(self) -> None:
        while True:
            self._woken.clear()
            try:
                await self.look()
            except Exception:
                _LOG.exception("looking at triggers failed; trying again")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()

    async def _settle(self, principal: Principal, firing: Firing) -> None:
        """Note how the work ended that it began; of one whose task is gone, that this is not known."""

        def is_over(session: Session) -> bool:
            task = session.tasks.get(principal, firing.task_id)
            return task is None or task.status.is_final

        if await self._metadata.read(is_over):
            await self._metadata.write(lambda session: self._note_end(session, principal, firing))

    def _note_end(self, session: Session, principal: Principal, firing: Firing) -> None:
        ended = as_its_task(session, principal, firing)
        if not ended.status.is_final:
            ended = replace(ended, status=TaskStatus.UNKNOWN, ended_at=self._clock.now())
        trigger = session.triggers.get(principal, firing.trigger_id)
        if not session.firings.settle(principal, ended) or trigger is None:
            return
        noted = replace(trigger, last_status=ended.status.value.lower(), last_error=ended.error)
        if ended.status is TaskStatus.COMPLETED:
            noted = replace(noted, failures=0)
        elif ended.status is TaskStatus.FAILED and firing.fired_at >= trigger.updated_at:
            noted = replace(noted, failures=trigger.failures + 1)
        if noted.failures >= MOST_FAILURES and noted.status is TriggerStatus.ACTIVE:
            noted = replace(noted, status=TriggerStatus.FAILED, due_at=None)
        session.triggers.replace(principal, noted)

    async def _look_at(self, principal: Principal, trigger: Trigger) -> None:
        try:
            look = await self._metadata.read(lambda session: look_at(session, principal, trigger, self._clock.now()))
            begun = await self._metadata.write(lambda session: self._fire(session, principal, trigger, look))
        except AlreadyExistsError:
            return  # another server was quicker: it is looked at again
        except TamisError as error:
            _LOG.warning("trigger %s cannot be looked at: %s", trigger.trigger_id, error.message)
            reason = error.message
            await self._metadata.write(lambda session: self._fail(session, principal, trigger, reason))
            return
        if begun:
            self._begun()

    def _fire(self, session: Session, principal: Principal, seen: Trigger, look: Look) -> bool:
        """Whether work was begun."""
        now = self._clock.now()
        trigger = session.triggers.get(principal, seen.trigger_id)
        if trigger is None or trigger.status is not TriggerStatus.ACTIVE or trigger.due_at != seen.due_at:
            return False  # changed meanwhile: it is looked at again
        moment = trigger.due_at or now
        schedule = parse_schedule(trigger.type, trigger.schedule)
        looked = replace(trigger, counted=look.counted, measured=look.measured, due_at=next_due(schedule, moment, now))
        fired = fire_trigger(session, principal, looked, moment, now) if look.fires else None
        if look.fires and fired is None:
            looked = replace(looked, due_at=now + _AGAIN)
        session.triggers.replace(principal, looked if fired is None else fired[0])
        return fired is not None

    def _fail(self, session: Session, principal: Principal, seen: Trigger, reason: str) -> None:
        trigger = session.triggers.get(principal, seen.trigger_id)
        if trigger is not None:
            stopped = replace(trigger, status=TriggerStatus.FAILED, due_at=None, last_error=reason)
            session.triggers.replace(principal, stopped)

    async def _run(self, principal: Principal, run: DueRun) -> None:
        if await self._metadata.write(lambda session: self._begin(session, principal, run)):
            self._begun()

    def _begin(self, session: Session, principal: Principal, run: DueRun) -> bool:
        """Whether a run was begun that a batch asked for; it waits for another of the cluster, and its cooldown."""
        now = self._clock.now()
        cluster = session.clusters.get(principal, run.cluster_id)
        if cluster is None or _count(session, principal, cluster.collection_ids) < (run.least or 1):
            session.due_runs.delete(principal, run.cluster_id)
            return False
        earliest = _cooled(session, principal, run)
        if earliest is not None and earliest > now:
            session.due_runs.postpone(principal, replace(run, due_at=earliest))
            return False
        try:
            begin_run(session, principal, cluster, now)
        except ConflictError:
            session.due_runs.postpone(principal, replace(run, due_at=now + _AGAIN))
            return False
        session.due_runs.delete(principal, run.cluster_id)
        return True


def _count(session: Session, principal: Principal, collection_ids: tuple[str, ...]) -> int:
    return sum(session.documents.count(principal, one) for one in collection_ids)


def _cooled(session: Session, principal: Principal, run: DueRun) -> datetime | None:
    """From when on it may run; None where it never did."""
    runs = session.cluster_runs.list(principal, run.cluster_id)
    return runs[0].created_at + timedelta(seconds=run.cooldown_s) if runs else None
