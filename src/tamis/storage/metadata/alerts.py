"""What alerts came to, and the telling of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from tamis.model.alert import Alert, AlertExecution
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.webhook import EventType
from tamis.storage.metadata.alert_tables import alert_executions
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import INTEGER
from tamis.storage.metadata.webhooks import SqlEvents

_CODEC = Codec(AlertExecution)
_c = alert_executions.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_of_one = and_(_mine, _c.alert_id == bindparam("of_alert"))

_PUT = insert(alert_executions).on_conflict_do_nothing()
_DONE = select(_c.document_id).where(_of_one, _c.cause == bindparam("of_cause"), one_of(_c.document_id, "ids"))
_DELETE = delete(alert_executions).where(_of_one)
_window = {"limit": bindparam("limit", type_=INTEGER), "offset": bindparam("offset", type_=INTEGER)}
_OLDEST_KEPT = (
    select(_c.executed_at).where(_of_one).order_by(_c.executed_at.desc()).limit(1).offset(_window["offset"])
)  # fmt: skip
_TRIM = delete(alert_executions).where(_of_one, _c.executed_at < bindparam("before", type_=INTEGER))
_PAGES = {
    with_alert: (
        select(_c.body)
        .where(which)
        .order_by(_c.executed_at.desc(), _c.document_id)
        .limit(_window["limit"])
        .offset(_window["offset"]),
        select(func.count()).select_from(alert_executions).where(which),
    )
    for with_alert, which in ((False, _mine), (True, _of_one))
}


class SqlAlertExecutions:
    def __init__(self, link: Link, events: SqlEvents) -> None:
        self._link = link
        self._events = events

    def put(self, principal: Principal, alert: Alert, executions: Sequence[AlertExecution]) -> int:
        new = [one for one in executions if self._link.run(_PUT, _row(principal, one))]
        told = [one for one in new if one.triggered]
        for one in told:
            about = {alert.alert_id: _said(alert, one)}
            self._events.happened(principal, EventType.ALERT_TRIGGERED, lambda about=about: about, alert.webhook_ids)  # type: ignore[misc]
        return len(told)

    def done(self, principal: Principal, alert_id: str, cause: str, document_ids: Sequence[str]) -> frozenset[str]:
        bounds = {**_of(principal, alert_id), "of_cause": cause, "ids": self._link.array(document_ids)}
        return frozenset(found for (found,) in self._link.rows(_DONE, bounds))

    def page(self, principal: Principal, alert_id: str | None, limit: int, offset: int) -> Page[AlertExecution]:
        page, count = _PAGES[alert_id is not None]
        bounds = scope(principal) if alert_id is None else _of(principal, alert_id)
        rows = self._link.rows(page, {**bounds, "limit": limit, "offset": offset})
        total = int(self._link.value(count, bounds))
        return Page([_CODEC.decode(body) for (body,) in rows], total, limit, offset)

    def ended(self, principal: Principal, alert: Alert, told: Mapping[str, JSON], error: str | None) -> None:
        said: dict[str, JSON] = {"alert_name": alert.name, **told, "error": error}
        event_type = EventType.ALERT_COMPLETED if error is None else EventType.ALERT_FAILED
        self._events.happened(principal, event_type, lambda: {alert.alert_id: said})

    def delete(self, principal: Principal, alert_id: str) -> int:
        return self._link.run(_DELETE, _of(principal, alert_id))

    def trim(self, principal: Principal, alert_id: str, kept: int) -> None:
        oldest = self._link.value(_OLDEST_KEPT, {**_of(principal, alert_id), "offset": kept - 1})
        if oldest is not None:
            self._link.run(_TRIM, {**_of(principal, alert_id), "before": oldest})


def _said(alert: Alert, one: AlertExecution) -> dict[str, JSON]:
    """What is told of one that triggered."""
    said: dict[str, JSON] = {
        "alert_name": alert.name,
        "retriever_id": alert.retriever_id,
        "execution_id": one.execution_id,
        "cause": one.cause,
        "collection_id": one.collection_id,
        "source_documents": [one.document_id],
        "match_count": one.match_count,
    }
    if alert.with_matches:
        said["matches"] = [
            {
                "document_id": match.document_id,
                "collection_id": match.collection_id,
                "asset_id": match.object_id,
                **({"score": match.score} if alert.with_scores else {}),
            }
            for match in one.matches
        ]
    return said


def _row(principal: Principal, one: AlertExecution) -> dict[str, Any]:
    return {
        **scope(principal),
        "alert_id": one.alert_id,
        "cause": one.cause,
        "document_id": one.document_id,
        "executed_at": to_micros(one.executed_at),
        "body": _CODEC.encode(one),
    }


def _of(principal: Principal, alert_id: str) -> dict[str, Any]:
    return {**scope(principal), "of_alert": alert_id}
