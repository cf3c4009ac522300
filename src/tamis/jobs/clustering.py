"""The worker that clusters: takes up every unfinished run, of every tenant, and sees it through."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event
from typing import TypeVar

from tamis.engine.clustering.clustering_job import ROWS, Found, Job, write_job
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ClusteringError
from tamis.jobs.cluster_findings import Findings, of_values, of_vectors, stored_members
from tamis.jobs.cluster_gathering import Gathered, Scope, gather_rows, gather_values
from tamis.jobs.cluster_naming import Naming
from tamis.jobs.clustering_process import clustered
from tamis.jobs.durable import DurableWorker, Stopped
from tamis.model.batch import TaskStatus
from tamis.model.cluster import Cluster, ClusterRun, Member, Phase, Quality, RunStatus, VectorSettings
from tamis.model.filters import parse_filter
from tamis.model.principal import Principal
from tamis.services.data.collections import require_collection
from tamis.services.learning.cluster_design import feature_names
from tamis.services.learning.cluster_enrichments import begin_enrichment
from tamis.services.learning.cluster_runs import ended_run, task_data
from tamis.services.learning.clusters import find_cluster

T = TypeVar("T")
_CHUNK = 1_000
_KEPT = 20
"""Runs of a cluster that are kept, the newest."""


@dataclass(frozen=True, slots=True)
class _Work:
    principal: Principal
    cluster: Cluster
    run: ClusterRun
    names: Sequence[frozenset[str]]
    collection_ids: tuple[str, ...]


class ClusteringWorker(DurableWorker[ClusterRun]):
    """Nothing of a run is shown before all of it is there; one that was killed begins anew."""

    noun = "cluster run"

    def __init__(
        self, metadata: Metadata, language: LanguageModels, clock: Clock, folder: Path, locks: Locks | None = None,
        poll_s: float = 2.0, enrichment_begun: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """folder: for what is worked on, this server's alone.  enrichment_begun: told when documents are to be written.

        One run at a time: it takes a core, and of the largest a gigabyte.
        """
        super().__init__(locks, poll_s, at_once=1)
        self._metadata = metadata
        self._clock = clock
        self._folder = folder
        self._naming = Naming(metadata, language)
        self._enrichment_begun = enrichment_begun

    def start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)  # what a kill left
        super().start()

    def identifier(self, piece: ClusterRun) -> str:
        return piece.run_id

    async def unfinished(self) -> Sequence[tuple[Principal, ClusterRun]]:
        return await self._metadata.read(lambda session: session.cluster_runs.unfinished())

    async def see_through(self, principal: Principal, piece: ClusterRun, hold: Hold) -> None:
        work = await self._metadata.read(lambda session: _prepared(session, principal, piece))
        if work is None:
            return
        started = replace(work.run, status=RunStatus.PROCESSING, started_at=self._clock.now(), error=None)
        work = await self._tell(replace(work, run=started), Phase.GATHERING)
        if work.cluster.vector is None:
            work, findings = await self._by_values(work)
        else:
            work, findings = await self._by_vectors(work, work.cluster.vector)
        work = await self._tell(work, Phase.LABELLING)
        names = await self._naming.name(principal, work.cluster, findings.found, findings.nearest)
        work = replace(work, run=replace(work.run, naming_errors=names.errors))
        work = await self._tell(work, Phase.STORING)
        await self._store(work, findings)
        if await hold.stands():
            await self._finish(work, replace(findings, found=names.found))

    async def give_up(self, principal: Principal, piece: ClusterRun, reason: str, status: TaskStatus) -> None:
        became = RunStatus.CANCELED if status is TaskStatus.CANCELED else RunStatus.FAILED

        def close(session: Session) -> None:
            run = session.cluster_runs.get(principal, piece.run_id)
            if run is None or run.status.is_final:
                return
            session.cluster_runs.clear(principal, run.run_id)
            session.cluster_runs.replace(principal, ended_run(run, became, reason, self._clock.now()))
            task = session.tasks.get(principal, run.task_id)
            if task is not None:
                session.tasks.replace(
                    principal, replace(task, status=status, error=reason, updated_at=self._clock.now())
                )

        await self._metadata.write(close)

    async def _by_values(self, work: _Work) -> tuple[_Work, Findings]:
        settings = work.cluster.attribute
        if settings is None:
            raise ClusteringError("this cluster has neither a vector_config nor an attribute_config")
        groups, gathered = await self._gather(
            work, lambda session, scope: gather_values(session, scope, settings.attributes)
        )
        findings = await asyncio.to_thread(of_values, settings, groups, gathered.without)
        return _with(work, gathered, findings, Quality()), findings

    async def _by_vectors(self, work: _Work, settings: VectorSettings) -> tuple[_Work, Findings]:
        folder = self._folder / work.run.run_id
        await asyncio.to_thread(_emptied, folder)
        try:
            gathered = await self._gather(
                work, lambda session, scope: gather_rows(session, scope, settings, work.names, folder / ROWS)
            )
            if not gathered.documents:
                raise ClusteringError("no document has a vector of these features: there is nothing to cluster")
            work = await self._tell(work, Phase.COMPUTING)
            await asyncio.to_thread(write_job, folder, _job(work, settings, gathered))
            result = await clustered(folder, partial(self._still_wanted, work))
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        findings = await asyncio.to_thread(of_vectors, result, gathered)
        work = _with(work, gathered, findings, result.facts.quality)
        return replace(work, run=replace(work.run, notes=result.facts.notes, mean=_mean(result))), findings

    async def _gather(self, work: _Work, read: Callable[[Session, Scope], T]) -> T:
        stop = Event()
        scope = Scope(work.principal, work.collection_ids, parse_filter(work.cluster.filters), stop)
        try:
            return await self._metadata.read(lambda session: read(session, scope))
        finally:
            stop.set()

    async def _tell(self, work: _Work, phase: Phase) -> _Work:
        """Raises: Stopped where its task was killed, or the run or its cluster is gone."""
        told = replace(work, run=replace(work.run, phase=phase, updated_at=self._clock.now()))

        def tell(session: Session) -> None:
            _check_wanted(session, told)
            session.cluster_runs.replace(told.principal, told.run)
            task = session.tasks.get(told.principal, told.run.task_id)
            if task is not None:
                data = {**task.additional_data, **task_data(told.run)}
                now = replace(task, status=TaskStatus.IN_PROGRESS, updated_at=told.run.updated_at, additional_data=data)
                session.tasks.replace(told.principal, now)

        await self._metadata.write(tell)
        return told

    async def _still_wanted(self, work: _Work) -> None:
        await self._metadata.read(lambda session: _check_wanted(session, work))

    async def _store(self, work: _Work, findings: Findings) -> None:
        """In several transactions, so that other writers are not held up; nobody is shown it yet."""

        def clear(session: Session) -> None:
            _check_wanted(session, work)
            session.cluster_runs.clear(work.principal, work.run.run_id)

        await self._metadata.write(clear)
        for start in range(0, findings.count, _CHUNK):
            members = await asyncio.to_thread(stored_members, findings, start, start + _CHUNK)

            def put(session: Session, some: Sequence[Member] = members) -> None:
                _check_wanted(session, work)
                session.cluster_runs.put_members(work.principal, work.run.run_id, some)

            await self._metadata.write(put)

    async def _finish(self, work: _Work, findings: Findings) -> None:
        principal, now = work.principal, self._clock.now()
        ended = ended_run(work.run, RunStatus.COMPLETED, None, now)

        def store(session: Session) -> bool:
            _check_wanted(session, work)
            session.cluster_runs.put_found(principal, ended.run_id, findings.found)
            session.cluster_runs.replace(principal, ended)
            cluster = find_cluster(session, principal, ended.cluster_id)
            session.clusters.replace(principal, replace(cluster, last_run_id=ended.run_id))
            task = session.tasks.get(principal, ended.task_id)
            if task is not None:
                status = TaskStatus.COMPLETED_WITH_ERRORS if ended.naming_errors else TaskStatus.COMPLETED
                data = {**task.additional_data, **task_data(ended)}
                session.tasks.replace(principal, replace(task, status=status, updated_at=now, additional_data=data))
            for old in session.cluster_runs.list(principal, ended.cluster_id)[_KEPT:]:
                session.cluster_runs.delete(principal, old.run_id)
            for collection_id in work.collection_ids if cluster.enriches else ():
                begin_enrichment(session, principal, ended, require_collection(session, principal, collection_id), now)
            return cluster.enriches

        if await self._metadata.write(store):
            self._enrichment_begun()


def _prepared(session: Session, principal: Principal, run: ClusterRun) -> _Work | None:
    """None where it has ended. Raises: NotFoundError (collection), ValidationError (feature), Stopped."""
    now = session.cluster_runs.get(principal, run.run_id)
    if now is None or now.status.is_final:
        return None
    cluster = find_cluster(session, principal, now.cluster_id)
    collections = tuple(require_collection(session, principal, one) for one in cluster.collection_ids)
    names = feature_names(collections, cluster.vector) if cluster.vector is not None else ()
    work = _Work(principal, cluster, now, names, tuple(one.collection_id for one in collections))
    _check_wanted(session, work)
    return work


def _check_wanted(session: Session, work: _Work) -> None:
    """Raises: Stopped."""
    run = session.cluster_runs.get(work.principal, work.run.run_id)
    task = session.tasks.get(work.principal, work.run.task_id)
    if run is None or run.status.is_final or (task is not None and task.status.is_final):
        raise Stopped


def _with(work: _Work, gathered: Gathered, findings: Findings, quality: Quality) -> _Work:
    run = replace(
        work.run, points=len(gathered.documents) + len(gathered.without), clustered=findings.clustered,
        count=findings.clusters, quality=quality, dimensions=findings.dimensions,
    )  # fmt: skip
    return replace(work, run=run)


def _job(work: _Work, settings: VectorSettings, gathered: Gathered) -> Job:
    return Job(
        len(gathered.documents), gathered.dim, settings.algorithm, dict(settings.parameters), work.run.seed,
        settings.metric, settings.sample_size, settings.centre, settings.projection,
    )  # fmt: skip


def _mean(found: Found) -> tuple[float, ...]:
    return tuple(map(float, found.mean))


def _emptied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
