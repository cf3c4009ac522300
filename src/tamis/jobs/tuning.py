"""The tuning worker: takes up every unfinished tuning, of every tenant, and sees it through."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

from tamis.engine.planning.definition import parse_stages, to_json
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError
from tamis.jobs.durable import DurableWorker, Stopped
from tamis.model.batch import Task, TaskStatus
from tamis.model.json import JSON
from tamis.model.principal import Permission, Principal
from tamis.services.learning.evaluations import EVALUATION_TASK
from tamis.services.learning.tuning import Progress, TuningService
from tamis.services.learning.tuning_runs import CHARGED_AS, UNFINISHED, TuningRun, is_tuning, result_of, version_of
from tamis.services.runs.retrievers import RetrieverChanges, RetrieverService

_LOOK_EVERY_S = 60.0
"""For what another server had begun and left behind; what is begun here is announced."""
_TELL_EVERY_S = 1.0
_AT_ONCE = 2


class TuningWorker(DurableWorker[Task]):
    """Begins anew where a kill broke it off, within the credits that are left; what is found is applied once."""

    noun = "tuning"

    def __init__(
        self, metadata: Metadata, tuning: TuningService, retrievers: RetrieverService, clock: Clock,
        locks: Locks | None = None,
    ) -> None:  # fmt: skip
        super().__init__(locks, _LOOK_EVERY_S, _AT_ONCE)
        self._metadata = metadata
        self._tuning = tuning
        self._retrievers = retrievers
        self._clock = clock

    def identifier(self, piece: Task) -> str:
        return piece.task_id

    async def unfinished(self) -> Sequence[tuple[Principal, Task]]:
        return await self._metadata.read(_unfinished)

    async def see_through(self, principal: Principal, piece: Task, hold: Hold) -> None:
        prepared = await self._metadata.read(lambda session: _prepared(session, principal, piece))
        if prepared is None:
            return
        run, asker = prepared
        if run.applies_over is None:
            run = await self._searched(principal, asker, run)
        if not await hold.stands():
            return
        if run.applies_over is not None:
            run = await self._applied(asker, run)
        await self._end(principal, run, TaskStatus.COMPLETED, None)

    async def give_up(self, principal: Principal, piece: Task, reason: str, status: TaskStatus) -> None:
        now = await self._metadata.read(lambda session: session.tasks.get(principal, piece.task_id))
        if now is not None:
            await self._end(principal, TuningRun(now), status, reason)

    async def _searched(self, principal: Principal, asker: Principal, run: TuningRun) -> TuningRun:
        """With what was found, stored; and with the version that it is to be applied to."""
        request, spent = run.request, run.progress.spent
        setting = await self._tuning.prepare(asker, run.retriever_id, request)
        told_at, told = 0.0, run

        async def tell(progress: Progress) -> None:
            nonlocal told_at, told
            if time.monotonic() - told_at < _TELL_EVERY_S and progress.spent == told.progress.spent:
                return
            told_at, told = time.monotonic(), run.at(progress)
            await self._keep(principal, told)

        found = await self._tuning.tune(asker, setting, request, tell, spent)
        wanted = request.apply and found.choice.is_better
        done = run.at(Progress(len(found.trials), len(found.trials) + found.untried, found.credits))
        done = done.found(result_of(found, request), found.retriever.version if wanted else None)
        await self._keep(principal, done)
        return done

    async def _applied(self, asker: Principal, run: TuningRun) -> TuningRun:
        """The next version, once. Raises: ConflictError where somebody changed the retriever meanwhile."""
        result = dict(run.result or {})
        stages = parse_stages(cast(Sequence[JSON], result["stages"]))
        now = await self._retrievers.get(asker, run.retriever_id)
        if now.version == run.applies_over:
            changes = RetrieverChanges(frozenset({"stages"}), stages=stages)
            now = await self._retrievers.patch(asker, run.retriever_id, changes)
        elif now.version != (run.applies_over or 0) + 1 or to_json(now.definition)["stages"] != result["stages"]:
            raise ConflictError(f"retriever {now.name!r} was changed meanwhile; tune it again")
        made: dict[str, JSON] = {**result, "made": version_of(now)}
        return run.found(made, run.applies_over)

    async def _keep(self, principal: Principal, run: TuningRun) -> None:
        """And what it spent since it was last kept, charged. Raises: Stopped where its task was killed."""

        def keep(session: Session) -> None:
            now = session.tasks.get(principal, run.task.task_id)
            if now is None or now.status.is_final:
                raise Stopped
            at = self._clock.now()
            session.credits.charge(principal, CHARGED_AS, at.date(), run.progress.spent - TuningRun(now).progress.spent)
            session.tasks.replace(principal, replace(run.task, status=TaskStatus.IN_PROGRESS, updated_at=at))

        await self._metadata.write(keep)

    async def _end(self, principal: Principal, run: TuningRun, status: TaskStatus, reason: str | None) -> None:
        def end(session: Session) -> None:
            now = session.tasks.get(principal, run.task.task_id)
            if now is not None:
                state = replace(run.task, status=status, error=reason, updated_at=self._clock.now())
                session.tasks.replace(principal, state)

        await self._metadata.write(end)


def _unfinished(session: Session) -> list[tuple[Principal, Task]]:
    found: list[tuple[Principal, Task]] = []
    for organization in session.organizations.everyones():
        owner = Principal(organization.organization_id, "")
        for namespace in session.namespaces.list(owner):
            scope = owner.within(namespace.namespace_id)
            for status in UNFINISHED:
                tasks = session.tasks.list(scope, status.value, EVALUATION_TASK)
                found += [(scope, task) for task in tasks if is_tuning(task)]
    return sorted(found, key=lambda one: (one[1].created_at, one[1].task_id))


def _prepared(session: Session, principal: Principal, piece: Task) -> tuple[TuningRun, Principal] | None:
    """As it is now, and who asked for it; None where it has ended."""
    now = session.tasks.get(principal, piece.task_id)
    if now is None or now.status.is_final:
        return None
    run = TuningRun(now)
    user_id, key_id = run.requested_by
    allowed = frozenset({Permission.READ, Permission.WRITE})
    asker = replace(principal, permissions=allowed, user_id=user_id, key_id=key_id)
    organization = session.organizations.get(principal)
    return run, asker if organization is None else replace(asker, tier=organization.tier)
