"""Runs of clusters: begun, watched, ended, read, and two of them compared."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tamis.engine.clustering.correspondence import Correspondence, correspond
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.clusters import MemberQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError
from tamis.model.batch import Task, TaskStatus
from tamis.model.cluster import Cluster, ClusterRun, FoundCluster, Member, Phase, RunStatus
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.services.learning.clusters import cancel_task, find_cluster
from tamis.services.listing import ListQuery, select, timestamp

TASK = "engine_cluster_build"
_SEED = 42
"""Of all chance, unless the algorithm's `random_state` says another: the same documents give the same clusters."""


@dataclass(frozen=True, slots=True)
class RunDetails:
    run: ClusterRun
    found: Sequence[FoundCluster] = ()


@dataclass(frozen=True, slots=True)
class RunComparison:
    before: RunDetails
    after: RunDetails
    correspondence: Correspondence


class ClusterRunService:
    def __init__(self, metadata: Metadata, clock: Clock, wake: Callable[[], None] = lambda: None) -> None:
        """wake: tells the worker that clusters that there is work."""
        self._metadata = metadata
        self._clock = clock
        self._wake = wake

    async def start(self, principal: Principal, identifier: str) -> tuple[Task, ClusterRun]:
        """A durable task. Raises: NotFoundError; ConflictError while another run of it is under way."""

        def begin(session: Session) -> tuple[Task, ClusterRun]:
            cluster = find_cluster(session, principal, identifier)
            return begin_run(session, principal, cluster, self._clock.now())

        begun = await self._metadata.write(begin)
        self._wake()
        return begun

    async def get(self, principal: Principal, identifier: str, run_id: str | None = None) -> RunDetails:
        """run_id: None is the newest. Raises: NotFoundError, also for another cluster's."""

        def read(session: Session) -> RunDetails:
            run = find_run(session, principal, identifier, run_id)
            return RunDetails(run, session.cluster_runs.found(principal, run.run_id) if _is_told(run) else ())

        return await self._metadata.read(read)

    async def list(
        self, principal: Principal, identifier: str, query: ListQuery
    ) -> tuple[Page[RunDetails], Sequence[ClusterRun]]:
        """The window, newest first, and all runs that the query lets in. Raises: NotFoundError (cluster)."""

        def read(session: Session) -> tuple[Page[RunDetails], Sequence[ClusterRun]]:
            cluster = find_cluster(session, principal, identifier)
            every = session.cluster_runs.list(principal, cluster.cluster_id)
            page = select(every, _view, query)
            whole = select(every, _view, replace(query, limit=len(every) or 1, offset=0, count_only=False))
            told = [RunDetails(one, session.cluster_runs.found(principal, one.run_id)) for one in page.items]
            return Page(told, page.total, page.limit, page.offset), whole.items

        return await self._metadata.read(read)

    async def members(self, principal: Principal, query: MemberQuery) -> Page[Member]:
        return await self._metadata.read(lambda session: session.cluster_runs.members(principal, query))

    async def cancel(self, principal: Principal, identifier: str, run_id: str) -> ClusterRun:
        """What it would have found is nowhere. Raises: NotFoundError; ConflictError where it has ended."""

        def cancel(session: Session) -> ClusterRun:
            run = find_run(session, principal, identifier, run_id)
            if run.status.is_final:
                raise ConflictError(f"the run {run_id!r} has ended: it is {run.status.value}")
            cancel_task(session, principal, run.task_id, self._clock)
            ended = ended_run(run, RunStatus.CANCELED, "it was cancelled", self._clock.now())
            session.cluster_runs.clear(principal, run.run_id)
            session.cluster_runs.replace(principal, ended)
            return ended

        return await self._metadata.write(cancel)

    async def compare(self, principal: Principal, identifier: str, before: str, after: str) -> RunComparison:
        """Which cluster became which, by the documents that both runs looked at.

        Raises: NotFoundError; ConflictError where one has not completed; NotSetUpError.
        """

        def read(session: Session) -> tuple[list[RunDetails], list[Mapping[str, int]]]:
            runs = [find_run(session, principal, identifier, one) for one in (before, after)]
            for run in runs:
                if run.status is not RunStatus.COMPLETED:
                    raise ConflictError(f"the run {run.run_id!r} is {run.status.value}, not completed")
            told = [RunDetails(one, session.cluster_runs.found(principal, one.run_id)) for one in runs]
            return told, [session.cluster_runs.numbers(principal, one.run_id) for one in runs]

        told, numbers = await self._metadata.read(read)
        return RunComparison(told[0], told[1], await asyncio.to_thread(correspond, *numbers))


def begin_run(
    session: Session, principal: Principal, cluster: Cluster, now: datetime, trigger_id: str | None = None
) -> tuple[Task, ClusterRun]:
    """Raises: ConflictError while another run of it is under way."""
    under_way = next(
        (one for one in session.cluster_runs.list(principal, cluster.cluster_id) if not one.status.is_final), None
    )
    if under_way is not None:
        raise ConflictError(
            "a run of this cluster is under way: wait for it, or cancel it",
            run_id=under_way.run_id, task_id=under_way.task_id,
        )  # fmt: skip
    run = ClusterRun(
        new_id("run"), cluster.cluster_id, new_id("task"), now, now, _SEED, trigger_id=trigger_id,
        requested_by=(principal.user_id, principal.key_id),
    )  # fmt: skip
    task = Task(
        run.task_id, TASK, TaskStatus.PENDING, now, now, inputs=(cluster.cluster_id, *cluster.collection_ids),
        additional_data=task_data(run),
    )  # fmt: skip
    session.cluster_runs.insert(principal, run)
    session.tasks.insert(principal, task)
    return task, run


def find_run(session: Session, principal: Principal, identifier: str, run_id: str | None) -> ClusterRun:
    """run_id: None is the cluster's newest. Raises: NotFoundError."""
    cluster = find_cluster(session, principal, identifier)
    if run_id is None:
        runs = session.cluster_runs.list(principal, cluster.cluster_id)
        found = runs[0] if runs else None
    else:
        found = session.cluster_runs.get(principal, run_id)
    if found is None or found.cluster_id != cluster.cluster_id:
        raise NotFoundError.of("run", run_id or "of this cluster")
    return found


def ended_run(run: ClusterRun, status: RunStatus, error: str | None, now: datetime) -> ClusterRun:
    return replace(run, status=status, phase=Phase.DONE, error=error, updated_at=now, completed_at=now)


def task_data(run: ClusterRun) -> dict[str, JSON]:
    """What the task tells of its run."""
    steps = [*Phase]
    return {
        "run_id": run.run_id,
        "cluster_id": run.cluster_id,
        "phase": run.phase.value,
        "progress": round(steps.index(run.phase) / (len(steps) - 1), 2),
        "documents": run.points,
        "num_clusters": run.count,
    }


def _is_told(run: ClusterRun) -> bool:
    return run.status is RunStatus.COMPLETED


def _view(run: ClusterRun) -> dict[str, JSON]:
    return {
        "run_id": run.run_id,
        "status": run.status.value,
        "num_clusters": run.count,
        "num_points": run.points,
        "error_message": run.error,
        "created_at": timestamp(run.created_at),
        "completed_at": timestamp(run.completed_at),
    }
