"""Triggers whose action is a cluster's run, as the clusters' own operations have them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ValidationError
from tamis.model.cluster import Cluster, ClusterRun, RunStatus
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.trigger import Action, Trigger, TriggerStatus, TriggerType
from tamis.services.learning.cluster_design import ClusterDraft, check_draft
from tamis.services.learning.clusters import find_cluster, insert_cluster
from tamis.services.learning.triggers import (
    TriggerChange,
    TriggerDraft,
    TriggerQuery,
    change_trigger,
    find_trigger,
    insert_trigger,
    list_triggers,
)


@dataclass(frozen=True, slots=True)
class ClusterTriggerDraft:
    """cluster: by id or name; None makes one of `own`."""

    type: TriggerType
    schedule: Mapping[str, Any]
    cluster: str | None = None
    own: ClusterDraft | None = None
    status: TriggerStatus = TriggerStatus.ACTIVE
    description: str | None = None


@dataclass(frozen=True, slots=True)
class ClusterTriggerDetails:
    """cluster: None once it is gone."""

    trigger: Trigger
    cluster: Cluster | None


class ClusterTriggerService:
    def __init__(
        self, metadata: Metadata, clock: Clock, language: LanguageModels, wake: Callable[[], None] = lambda: None
    ) -> None:
        """wake: tells the worker that looks at triggers that there is one more."""
        self._metadata = metadata
        self._clock = clock
        self._language = language
        self._wake = wake

    async def create(self, principal: Principal, draft: ClusterTriggerDraft) -> ClusterTriggerDetails:
        """Raises: ValidationError naming the place, NotFoundError, NotSetUpError."""
        if draft.own is not None and draft.cluster is None:
            check_draft(draft.own, self._language)

        def create(session: Session) -> ClusterTriggerDetails:
            cluster = self._cluster(session, principal, draft)
            wanted = TriggerDraft(
                Action.CLUSTER, {"cluster_id": cluster.cluster_id}, draft.type, draft.schedule, draft.status,
                draft.description,
            )  # fmt: skip
            return ClusterTriggerDetails(insert_trigger(session, principal, wanted, self._clock.now()), cluster)

        made = await self._metadata.write(create)
        self._wake()
        return made

    async def get(self, principal: Principal, trigger_id: str) -> ClusterTriggerDetails:
        """Raises: NotFoundError."""
        return await self._metadata.read(
            lambda session: _told(session, principal, _found(session, principal, trigger_id))
        )

    async def list(
        self, principal: Principal, query: TriggerQuery, cluster: str | None = None
    ) -> Page[ClusterTriggerDetails]:
        """cluster: by id or name. Raises: ValidationError (what it is sorted by); NotFoundError (cluster)."""

        def read(session: Session) -> Page[ClusterTriggerDetails]:
            cluster_id = find_cluster(session, principal, cluster).cluster_id if cluster else None
            wanted = replace(query, action=Action.CLUSTER, resource_id=cluster_id)
            page = list_triggers(session, principal, wanted)
            shown = [_told(session, principal, one) for one in page.items]
            return Page(shown, page.total, page.limit, page.offset)

        return await self._metadata.read(read)

    async def change(self, principal: Principal, trigger_id: str, change: TriggerChange) -> ClusterTriggerDetails:
        """One that goes on begins its wait anew. Raises: NotFoundError, ValidationError."""

        def write(session: Session) -> ClusterTriggerDetails:
            before = _found(session, principal, trigger_id)
            return _told(session, principal, change_trigger(session, principal, before, change, self._clock.now()))

        changed = await self._metadata.write(write)
        self._wake()
        return changed

    async def delete(self, principal: Principal, trigger_id: str) -> None:
        """The runs that it started stay. Raises: NotFoundError."""

        def remove(session: Session) -> None:
            session.triggers.delete(principal, _found(session, principal, trigger_id).trigger_id)

        await self._metadata.write(remove)

    async def history(
        self, principal: Principal, trigger_id: str, status: RunStatus | None, limit: int, offset: int
    ) -> Page[ClusterRun]:
        """The runs that it started, newest first, as far as they are kept. Raises: NotFoundError."""

        def read(session: Session) -> Page[ClusterRun]:
            found = _found(session, principal, trigger_id)
            runs = session.cluster_runs.of_trigger(principal, found.trigger_id)
            chosen = [one for one in runs if status in (None, one.status)]
            return Page(chosen[offset : offset + limit], len(chosen), limit, offset)

        return await self._metadata.read(read)

    def _cluster(self, session: Session, principal: Principal, draft: ClusterTriggerDraft) -> Cluster:
        if draft.cluster is not None:
            return find_cluster(session, principal, draft.cluster)
        if draft.own is None:
            raise ValidationError.at(["body", "cluster_id"], "name a cluster, or say what to cluster: execution_config")
        return insert_cluster(session, principal, draft.own, self._clock)


def _found(session: Session, principal: Principal, trigger_id: str) -> Trigger:
    return find_trigger(session, principal, trigger_id, Action.CLUSTER)


def _told(session: Session, principal: Principal, trigger: Trigger) -> ClusterTriggerDetails:
    return ClusterTriggerDetails(trigger, session.clusters.get(principal, trigger.resource_id))
