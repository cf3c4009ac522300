"""Clusters: defined, listed, changed and let go."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.model.batch import TaskStatus
from tamis.model.cluster import Cluster, ClusterRun, RunStatus
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.trigger import Action, Trigger
from tamis.services.learning.cluster_design import RESERVED, ClusterDraft, check_draft, collections_of
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.naming import check_name

_STATUS = {
    RunStatus.PENDING: TaskStatus.PENDING,
    RunStatus.PROCESSING: TaskStatus.PROCESSING,
    RunStatus.COMPLETED: TaskStatus.COMPLETED,
    RunStatus.FAILED: TaskStatus.FAILED,
    RunStatus.CANCELED: TaskStatus.CANCELED,
}


@dataclass(frozen=True, slots=True)
class ClusterDetails:
    """newest: its last run, however it stands.  result: its last run that completed."""

    cluster: Cluster
    newest: ClusterRun | None = None
    result: ClusterRun | None = None

    @property
    def status(self) -> TaskStatus:
        return TaskStatus.PENDING if self.newest is None else _STATUS[self.newest.status]


class ClusterService:
    def __init__(self, metadata: Metadata, clock: Clock, language: LanguageModels) -> None:
        self._metadata = metadata
        self._clock = clock
        self._language = language

    async def create(self, principal: Principal, draft: ClusterDraft) -> ClusterDetails:
        """Raises: ValidationError naming the place, NotFoundError (collection), AlreadyExistsError, NotSetUpError."""
        check_draft(draft, self._language)
        made = await self._metadata.write(lambda session: insert_cluster(session, principal, draft, self._clock))
        return ClusterDetails(made)

    async def get(self, principal: Principal, identifier: str) -> ClusterDetails:
        """By id or name. Raises: NotFoundError."""
        return await self._metadata.read(
            lambda session: details_of(session, principal, find_cluster(session, principal, identifier))
        )

    async def list(
        self, principal: Principal, query: ListQuery
    ) -> tuple[Page[ClusterDetails], Sequence[ClusterDetails]]:
        """The window, newest first where no order is asked for; and all that the query lets in."""

        def read(session: Session) -> list[ClusterDetails]:
            return [details_of(session, principal, one) for one in session.clusters.list(principal)]

        every = await self._metadata.read(read)
        whole = select(every, _view, replace(query, limit=len(every) or 1, offset=0, count_only=False))
        return select(every, _view, query), whole.items

    async def patch(
        self, principal: Principal, identifier: str, name: str | None, description: str | None,
        metadata: Mapping[str, JSON] | None,
    ) -> ClusterDetails:  # fmt: skip
        """None leaves as it is. Raises: NotFoundError, AlreadyExistsError, ValidationError."""
        if name is not None:
            check_name(name, ["body", "cluster_name"], RESERVED)

        def patch(session: Session) -> ClusterDetails:
            before = find_cluster(session, principal, identifier)
            changed = replace(
                before, name=name or before.name, updated_at=self._clock.now(),
                description=before.description if description is None else description,
                metadata=before.metadata if metadata is None else metadata,
            )  # fmt: skip
            return details_of(session, principal, session.clusters.replace(principal, changed))

        return await self._metadata.write(patch)

    async def delete(self, principal: Principal, identifier: str) -> Cluster:
        """With its runs, what they found, and its triggers; a run under way ends. What documents were told stays.

        Raises: NotFoundError.
        """

        def remove(session: Session) -> Cluster:
            found = find_cluster(session, principal, identifier)
            for run in session.cluster_runs.list(principal, found.cluster_id):
                if not run.status.is_final:
                    cancel_task(session, principal, run.task_id, self._clock)
                session.cluster_runs.delete(principal, run.run_id)
            for trigger in triggers_of(session, principal, found.cluster_id):
                session.triggers.delete(principal, trigger.trigger_id)
            session.due_runs.delete(principal, found.cluster_id)
            session.clusters.delete(principal, found.cluster_id)
            return found

        return await self._metadata.write(remove)


def insert_cluster(session: Session, principal: Principal, draft: ClusterDraft, clock: Clock) -> Cluster:
    """The draft is checked. Raises: NotFoundError, AlreadyExistsError."""
    collections = collections_of(session, principal, draft)
    now, cluster_id = clock.now(), new_id("clust")
    made = Cluster(
        cluster_id, draft.name or f"cluster {cluster_id[-8:]}", draft.type,
        tuple(one.collection_id for one in collections), now, now, draft.vector, draft.attribute, draft.filters,
        draft.labelling, draft.content_field, draft.mappings, draft.enriches, draft.description, draft.metadata,
    )  # fmt: skip
    return session.clusters.insert(principal, made)


def find_cluster(session: Session, principal: Principal, identifier: str) -> Cluster:
    """By id or name. Raises: NotFoundError."""
    found = session.clusters.get(principal, identifier)
    if found is None:
        raise NotFoundError.of("cluster", identifier)
    return found


def triggers_of(session: Session, principal: Principal, cluster_id: str) -> list[Trigger]:
    """Those that begin its runs."""
    every = session.triggers.list(principal)
    return [one for one in every if (one.action, one.resource_id) == (Action.CLUSTER, cluster_id)]


def details_of(session: Session, principal: Principal, cluster: Cluster) -> ClusterDetails:
    runs = session.cluster_runs.list(principal, cluster.cluster_id)
    result = next((one for one in runs if one.status is RunStatus.COMPLETED), None)
    return ClusterDetails(cluster, runs[0] if runs else None, result)


def cancel_task(session: Session, principal: Principal, task_id: str, clock: Clock) -> None:
    task = session.tasks.get(principal, task_id)
    if task is not None and not task.status.is_final:
        session.tasks.replace(principal, replace(task, status=TaskStatus.CANCELED, updated_at=clock.now()))


def _view(details: ClusterDetails) -> dict[str, JSON]:
    cluster = details.cluster
    return {
        "cluster_id": cluster.cluster_id,
        "cluster_name": cluster.name,
        "cluster_type": cluster.type.value,
        "status": details.status.value,
        "description": cluster.description,
        "metadata": dict(cluster.metadata),
        "input_collections": [*cluster.collection_ids],
        "algorithm": cluster.vector.algorithm if cluster.vector else "attribute_based",
        "num_clusters": details.result.count if details.result else None,
        "created_at": timestamp(cluster.created_at),
        "updated_at": timestamp(cluster.updated_at),
    }
