"""Alerts: made, changed, executed on demand, and what they came to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.alert import Alert, AlertExecution
from tamis.model.batch import Task
from tamis.model.collection import Collection
from tamis.model.filters import parse_filter
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.services.data.alert_applications import application_of, begin_watch, check_mappings, watching
from tamis.services.data.collections import require_collection
from tamis.services.json_values import check_json
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.naming import check_name
from tamis.services.runs.retrievers import find_retriever

MOST_ALERTS = 200
_RESERVED = frozenset({"list", "executions"})
_CHANNELS: list[str | int] = ["body", "notification_config", "channels"]


@dataclass(frozen=True, slots=True)
class AlertDraft:
    """retriever, webhooks: by id or name."""

    name: str
    retriever: str
    webhooks: tuple[str, ...]
    description: str | None = None
    enabled: bool = True
    with_matches: bool = True
    with_scores: bool = True
    max_credits: float | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AlertWatch:
    """An alert over what a collection holds. mappings: None takes the collection's own.  matching: a filter as sent."""

    collection: str
    mappings: Sequence[Mapping[str, Any]] | None = None
    matching: Mapping[str, JSON] | None = None


class AlertService:
    def __init__(self, metadata: Metadata, clock: Clock, wake: Callable[[], None] = lambda: None) -> None:
        """wake: who executes them."""
        self._metadata = metadata
        self._clock = clock
        self._wake = wake

    async def create(self, principal: Principal, draft: AlertDraft) -> Alert:
        """Raises: ValidationError naming the place, AlreadyExistsError."""
        _check(draft)
        now = self._clock.now()

        def insert(session: Session) -> Alert:
            if len(session.alerts.list(principal)) >= MOST_ALERTS:
                raise ValidationError.at(["body"], f"a namespace has at most {MOST_ALERTS} alerts")
            return session.alerts.insert(principal, _made(session, principal, draft, Alert(
                new_id("alt"), draft.name, "", (), now, now
            )))  # fmt: skip

        return await self._metadata.write(insert)

    async def get(self, principal: Principal, identifier: str) -> Alert:
        """By id or name. Raises: NotFoundError."""
        return await self._metadata.read(lambda session: find_alert(session, principal, identifier))

    async def list(self, principal: Principal, query: ListQuery) -> Page[Alert]:
        """Newest first where the query names no order."""
        return await self._metadata.read(lambda session: select(session.alerts.list(principal), _view, query))

    async def patch(self, principal: Principal, identifier: str, changes: Mapping[str, Any]) -> Alert:
        """changes: fields of `AlertDraft`. Raises: NotFoundError, ValidationError, AlreadyExistsError."""

        def patch(session: Session) -> Alert:
            before = find_alert(session, principal, identifier)
            draft = replace(_draft(before), **changes)
            _check(draft)
            after = _made(session, principal, draft, replace(before, updated_at=self._clock.now()))
            return session.alerts.replace(principal, after)

        return await self._metadata.write(patch)

    async def delete(self, principal: Principal, identifier: str) -> None:
        """With what it came to; the records of its executions stay.

        Raises: NotFoundError; ConflictError while a collection applies it, or a task executes it.
        """

        def delete(session: Session) -> None:
            alert = find_alert(session, principal, identifier)
            _refuse_in_use(session, principal, alert)
            session.alert_executions.delete(principal, alert.alert_id)
            session.alerts.delete(principal, alert.alert_id)

        await self._metadata.write(delete)

    async def executions(
        self, principal: Principal, identifier: str | None, limit: int, offset: int
    ) -> Page[AlertExecution]:
        """Newest first. identifier: None takes all of the namespace.  Raises: NotFoundError."""

        def read(session: Session) -> Page[AlertExecution]:
            alert_id = None if identifier is None else find_alert(session, principal, identifier).alert_id
            return session.alert_executions.page(principal, alert_id, limit, offset)

        return await self._metadata.read(read)

    async def execute(self, principal: Principal, identifier: str, watch: AlertWatch) -> Task:
        """Begin to ask for the collection's documents; the task tells how far it is.

        Raises: NotFoundError, ValidationError; ConflictError while a task does so.
        """
        if watch.mappings is not None:
            check_json(watch.mappings, ["body", "input_mappings"])
            check_mappings(watch.mappings, ["body", "input_mappings"])
        parse_filter(watch.matching, ["body", "filters"])

        def begin(session: Session) -> Task:
            alert = find_alert(session, principal, identifier)
            collection = require_collection(session, principal, watch.collection)
            under_way = watching(session, principal, alert.alert_id, collection.collection_id)
            if under_way:
                message = f"task {under_way[0]} executes it for this collection already; wait for it or kill it"
                raise ConflictError(message, task_id=under_way[0])
            mappings = _mappings(collection, alert, watch)
            return begin_watch(session, principal, collection, alert, mappings, self._clock.now(), watch.matching)

        task = await self._metadata.write(begin)
        self._wake()
        return task


def find_alert(session: Session, principal: Principal, identifier: str) -> Alert:
    """By id or name. Raises: NotFoundError."""
    found = session.alerts.get(principal, identifier)
    if found is None:
        raise NotFoundError.of("alert", identifier)
    return found


def _check(draft: AlertDraft) -> None:
    check_name(draft.name, ("body", "name"), _RESERVED)
    check_json(draft.metadata, ["body", "metadata"])


def _made(session: Session, principal: Principal, draft: AlertDraft, alert: Alert) -> Alert:
    """The alert as the draft has it, of what is there. Raises: ValidationError naming the place."""
    try:
        retriever = find_retriever(session, principal, draft.retriever)
    except NotFoundError as error:
        raise ValidationError.at(["body", "retriever_id"], error.message) from error
    return replace(
        alert,
        name=draft.name,
        retriever_id=retriever.retriever_id,
        webhook_ids=_webhooks(session, principal, draft.webhooks),
        description=draft.description,
        enabled=draft.enabled,
        with_matches=draft.with_matches,
        with_scores=draft.with_scores,
        max_credits=draft.max_credits,
        metadata=draft.metadata,
    )


def _webhooks(session: Session, principal: Principal, named: Sequence[str]) -> tuple[str, ...]:
    ids = []
    for place, name in enumerate(named):
        webhook = session.webhooks.get(principal, name)
        if webhook is None:
            message = f"webhook {name!r} was not found; an administrator makes one: POST /v1/organizations/webhooks"
            raise ValidationError.at([*_CHANNELS, place, "channel_id"], message)
        ids.append(webhook.webhook_id)
    return tuple(dict.fromkeys(ids))


def _draft(alert: Alert) -> AlertDraft:
    return AlertDraft(
        alert.name, alert.retriever_id, alert.webhook_ids, alert.description, alert.enabled, alert.with_matches,
        alert.with_scores, alert.max_credits, alert.metadata,
    )  # fmt: skip


def _mappings(collection: Collection, alert: Alert, watch: AlertWatch) -> JSON:
    """Raises: ValidationError where neither the caller nor the collection has some."""
    if watch.mappings is not None:
        return [dict(one) for one in watch.mappings]
    application = application_of(collection, alert)
    if application is None:
        message = f"needed: collection {collection.name!r} does not apply this alert, and so has none"
        raise ValidationError.at(["body", "input_mappings"], message)
    return application["input_mappings"]


def _refuse_in_use(session: Session, principal: Principal, alert: Alert) -> None:
    """Raises: ConflictError."""
    for collection in session.collections.list(principal):
        if application_of(collection, alert) is not None:
            message = f"collection {collection.name!r} applies it; take it from its alert_applications first"
            raise ConflictError(message, collection_id=collection.collection_id)
        under_way = watching(session, principal, alert.alert_id, collection.collection_id)
        if under_way:
            raise ConflictError(f"task {under_way[0]} executes it; wait for it or kill it", task_id=under_way[0])


def _view(alert: Alert) -> dict[str, JSON]:
    return {
        "alert_id": alert.alert_id,
        "name": alert.name,
        "description": alert.description,
        "enabled": alert.enabled,
        "retriever_id": alert.retriever_id,
        "metadata": dict(alert.metadata),
        "created_at": timestamp(alert.created_at),
        "updated_at": timestamp(alert.updated_at),
    }
