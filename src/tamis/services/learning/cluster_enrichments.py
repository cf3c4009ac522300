"""What a run found, written into documents: begun as walks over their collections, and waited for where asked."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, ValidationError
from tamis.model.batch import Task, TaskStatus
from tamis.model.cluster import Cluster, ClusterRun
from tamis.model.collection import Collection
from tamis.model.principal import Principal
from tamis.services.data.collections import require_collection
from tamis.services.data.walks import begin_walk, new_walk
from tamis.services.learning.clusters import details_of, find_cluster

KIND = "cluster enrichment"
TASK = "materialize"
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class EnrichmentRequest:
    """clusters: by id or name.  collection: whose documents are told.  batch_size: documents in one transaction."""

    clusters: tuple[str, ...]
    collection: str
    target: str | None = None
    batch_size: int = 500


@dataclass(frozen=True, slots=True)
class Enriched:
    """processed: documents that were looked at, for each cluster.  enriched: that were in its run and say so now.

    failed: that were not come to.
    """

    processed: int
    enriched: int
    failed: int
    batches: int


class ClusterEnrichmentService:
    def __init__(self, metadata: Metadata, clock: Clock, wake: Callable[[], None] = lambda: None) -> None:
        """wake: tells the worker that walks that there is work."""
        self._metadata = metadata
        self._clock = clock
        self._wake = wake

    async def enrich(self, principal: Principal, asked: EnrichmentRequest) -> Enriched:
        """By each cluster's newest result. Answers once it is done; it is done also where nobody waits any more.

        Raises: NotFoundError; ConflictError (a cluster without a result, two that write one field); ValidationError.
        """

        def begin(session: Session) -> list[Task]:
            collection = require_collection(session, principal, asked.collection)
            _check_target(session, principal, collection, asked.target)
            runs = [_result(session, principal, one, collection) for one in asked.clusters]
            check_targets([cluster for cluster, _ in runs])
            now = self._clock.now()
            return [begin_enrichment(session, principal, run, collection, now, asked.batch_size) for _, run in runs]

        tasks = await self._metadata.write(begin)
        self._wake()
        ended = [await self._ended(principal, task.task_id) for task in tasks]
        return _summed(ended, asked.batch_size)

    async def _ended(self, principal: Principal, task_id: str) -> Task | None:
        """None where its task is gone."""
        while True:
            task = await self._metadata.read(lambda session: session.tasks.get(principal, task_id))
            if task is None or task.status.is_final:
                return task
            await asyncio.sleep(_LOOK_S)


def begin_enrichment(
    session: Session, principal: Principal, run: ClusterRun, collection: Collection, now: datetime,
    most_at_once: int = 500,
) -> Task:  # fmt: skip
    """A durable task: the run's findings into the documents of this collection."""
    walk = new_walk(principal, KIND, {"run_id": run.run_id}, now, most_at_once=most_at_once)
    return begin_walk(session, principal, collection, TASK, walk)


def check_targets(clusters: Sequence[Cluster]) -> None:
    """Raises: ConflictError where two of them write one field."""
    owner: dict[str, str] = {}
    for cluster in clusters:
        for _, target in cluster.mappings:
            if target in owner:
                raise ConflictError(
                    f"the clusters {owner[target]!r} and {cluster.name!r} both write the field {target!r}: give one of "
                    "them source_enrichment_config.field_mappings of its own, or enrich by one after the other"
                )
            owner[target] = cluster.name


def _check_target(session: Session, principal: Principal, collection: Collection, target: str | None) -> None:
    if target is None or require_collection(session, principal, target).collection_id == collection.collection_id:
        return
    message = "documents are told in their own collection: leave it out, or name the source_collection_id again"
    raise ValidationError.at(["body", "target_collection_id"], message)


def _result(
    session: Session, principal: Principal, identifier: str, collection: Collection
) -> tuple[Cluster, ClusterRun]:
    cluster = find_cluster(session, principal, identifier)
    if collection.collection_id not in cluster.collection_ids:
        message = f"the cluster {cluster.name!r} is not over this collection"
        raise ValidationError.at(["body", "source_collection_id"], message)
    run = details_of(session, principal, cluster).result
    if run is None:
        raise ConflictError(f"the cluster {cluster.name!r} has no completed run: execute it first")
    return cluster, run


def _summed(tasks: Sequence[Task | None], batch_size: int) -> Enriched:
    told = [task for task in tasks if task is not None]
    processed = sum(_count(task, "processed_documents") for task in told)
    enriched = sum(_count(task, "matched_documents") for task in told)
    failed = sum(
        max(0, _count(task, "total_documents") - _count(task, "processed_documents"))
        for task in told
        if task.status is not TaskStatus.COMPLETED
    )
    batches = sum(-(-_count(task, "processed_documents") // batch_size) for task in told)
    return Enriched(processed, enriched, failed, batches)


def _count(task: Task, name: str) -> int:
    value = task.additional_data.get(name)
    return value if isinstance(value, int) else 0
