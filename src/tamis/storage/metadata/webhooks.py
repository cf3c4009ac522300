"""Webhooks, and the outbox of what they tell: events noted in the transaction of the change that they tell of."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, func, insert, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as insert_or

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.ids import new_id
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.webhook import Delivery, DeliveryStatus, Event, Webhook
from tamis.storage.metadata.audit import About, SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, one_of
from tamis.storage.metadata.namespace_events import SqlNamespaceEvents
from tamis.storage.metadata.schema import INTEGER, webhook_deliveries, webhooks

_CODEC = Codec(Webhook)
_DELIVERY = Codec(Delivery)

_w, _d = webhooks.c, webhook_deliveries.c
_mine = _w.organization_id == bindparam("organization_id")
_one = and_(_mine, _w.webhook_id == bindparam("identifier"))
_INSERT = insert_or(webhooks).on_conflict_do_nothing()
_BY_ID = select(_w.body).where(_one)
_BY_NAME = select(_w.body).where(_mine, _w.name == bindparam("identifier"))
_LIST = select(_w.body).where(_mine).order_by(_w.created_at.desc(), _w.webhook_id)
_LISTENING = select(_w.body).where(_mine, _w.is_active == 1)
_REPLACE = (
    update(webhooks)
    .where(_one)
    .values({name: bindparam(f"new_{name}") for name in ("name", "is_active", "body")})
)  # fmt: skip
_DELETE = delete(webhooks).where(_one)

_my_log = and_(_d.organization_id == bindparam("organization_id"), _d.webhook_id == bindparam("of_webhook"))
_COLUMNS = ("organization_id", "webhook_id", "delivery_id", "resource_id", "status", "due_at", "body")
_NOTE = insert(webhook_deliveries).values({name: bindparam(name) for name in _COLUMNS})
_DROP_LOG = delete(webhook_deliveries).where(_my_log)
_earlier = webhook_deliveries.alias("earlier")
_is_first = not_(
    exists(
        select(1).where(
            _earlier.c.organization_id == _d.organization_id,
            _earlier.c.webhook_id == _d.webhook_id,
            _earlier.c.resource_id == _d.resource_id,
            _earlier.c.status == DeliveryStatus.WAITING.value,
            _earlier.c.sequence < _d.sequence,
        )
    )
)
_DUE = (
    select(_d.organization_id, _w.body, _d.body)
    .join(webhooks, and_(_w.organization_id == _d.organization_id, _w.webhook_id == _d.webhook_id))
    .where(
        _d.status == DeliveryStatus.WAITING.value,
        _d.due_at <= bindparam("now"),
        _w.is_active == 1,
        not_(one_of(_d.webhook_id, "busy")),
        _is_first,
    )
    .order_by(_d.due_at, _d.sequence)
    .limit(bindparam("limit", type_=INTEGER))
)
_SETTLE = (
    update(webhook_deliveries)
    .where(_my_log, _d.delivery_id == bindparam("identifier"))
    .values({name: bindparam(f"new_{name}") for name in ("status", "due_at", "body")})
)
_THESE = select(_d.body).where(_my_log, one_of(_d.delivery_id, "ids"))
_FAILED = select(_d.body).where(_my_log, _d.status == DeliveryStatus.FAILED.value)
_PAGE = select(_d.body).where(_my_log).order_by(_d.sequence.desc())
_COUNT = select(func.count()).select_from(webhook_deliveries).where(_my_log)
_with_status = _d.status == bindparam("status")
_window = {"limit": bindparam("limit", type_=INTEGER), "offset": bindparam("offset", type_=INTEGER)}
_PAGES = {
    False: (_PAGE.limit(_window["limit"]).offset(_window["offset"]), _COUNT),
    True: (_PAGE.where(_with_status).limit(_window["limit"]).offset(_window["offset"]), _COUNT.where(_with_status)),
}
_before = _d.due_at < bindparam("before")
_ended = or_(*(and_(_d.status == one.value, _before) for one in (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)))
_ENDED = select(_d.sequence).where(_ended)
_TRIM = delete(webhook_deliveries).where(
    _d.sequence.in_(_ENDED.order_by(_d.due_at).limit(bindparam("limit", type_=INTEGER)))
)


class SqlEvents:
    """What stores tell of the changes that they make."""

    def __init__(self, link: Link, followed: SqlNamespaceEvents) -> None:
        self._link = link
        self._followed = followed

    def happened(self, principal: Principal, event_type: str, about: About, to: Sequence[str] = ()) -> None:
        """Note it for who follows the namespace, and for each webhook that listens. to: others that hear of it."""
        resources = about()
        if not resources:
            return
        now, event_id = datetime.now(UTC), new_id("evt")
        if principal.namespace_id:
            self._followed.note(principal, event_id, event_type, now, resources)
        rows = self._link.rows(_LISTENING, {"organization_id": principal.organization_id})
        active = [_CODEC.decode(body) for (body,) in rows]
        listening = [one for one in active if event_type in one.event_types or one.webhook_id in to]
        if not listening:
            return
        # The one is the same event to whoever hears of it; of several, webhooks hear one by one.
        ids = [event_id] if len(resources) == 1 else [new_id("evt") for _ in resources]
        events = [
            Event(own_id, event_type, now, principal.namespace_id, resource_id, data)
            for own_id, (resource_id, data) in zip(ids, resources.items(), strict=True)
        ]
        waiting = [
            Delivery(new_id("dlv"), webhook.webhook_id, place, event, now)
            for event in events
            for webhook in listening
            for place in range(len(webhook.targets))
        ]
        self._link.run_many(_NOTE, [_row(principal, one) for one in waiting])


class SqlWebhooks:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def insert(self, principal: Principal, webhook: Webhook) -> None:
        values = {
            "organization_id": principal.organization_id,
            "webhook_id": webhook.webhook_id,
            "name": webhook.name,
            "is_active": int(webhook.is_active),
            "created_at": to_micros(webhook.created_at),
            "body": _CODEC.encode(webhook),
        }
        if self._link.run(_INSERT, values) == 0:
            raise _taken(webhook)
        self._audit.changed(principal, "webhook", webhook.webhook_id, None, webhook)

    def get(self, principal: Principal, identifier: str) -> Webhook | None:
        bounds = {"organization_id": principal.organization_id, "identifier": identifier}
        body = self._link.value(_BY_ID, bounds) or self._link.value(_BY_NAME, bounds)
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal) -> Sequence[Webhook]:
        rows = self._link.rows(_LIST, {"organization_id": principal.organization_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def replace(self, principal: Principal, webhook: Webhook) -> None:
        before = self.get(principal, webhook.webhook_id)
        values = {
            "organization_id": principal.organization_id,
            "identifier": webhook.webhook_id,
            "new_name": webhook.name,
            "new_is_active": int(webhook.is_active),
            "new_body": _CODEC.encode(webhook),
        }
        try:
            with self._link.savepoint():
                touched = self._link.run(_REPLACE, values)
        except self._link.unique_violation as error:
            raise _taken(webhook) from error
        if touched == 0:
            raise NotFoundError.of("webhook", webhook.webhook_id)
        self._audit.changed(principal, "webhook", webhook.webhook_id, before, webhook)

    def delete(self, principal: Principal, webhook_id: str) -> bool:
        before = self.get(principal, webhook_id)
        if before is None:
            return False
        bounds = {"organization_id": principal.organization_id, "identifier": before.webhook_id}
        self._link.run(_DROP_LOG, _log(principal, before.webhook_id))
        self._link.run(_DELETE, bounds)
        self._audit.changed(principal, "webhook", before.webhook_id, before, None)
        return True


class SqlDeliveries:
    def __init__(self, link: Link) -> None:
        self._link = link

    def page(
        self, principal: Principal, webhook_id: str, status: DeliveryStatus | None, limit: int, offset: int
    ) -> Page[Delivery]:
        page, count = _PAGES[status is not None]
        bounds = _log(principal, webhook_id) | ({"status": status.value} if status else {})
        rows = self._link.rows(page, {**bounds, "limit": limit, "offset": offset})
        total = int(self._link.value(count, bounds))
        return Page([_DELIVERY.decode(body) for (body,) in rows], total, limit, offset)

    def due(self, now: datetime, busy: Sequence[str], limit: int) -> list[tuple[Principal, Webhook, Delivery]]:
        bounds = {"now": to_micros(now), "busy": self._link.array(busy), "limit": limit}
        found = []
        for organization_id, webhook, body in self._link.rows(_DUE, bounds):
            delivery = _DELIVERY.decode(body)
            found.append((Principal(organization_id, delivery.event.namespace_id), _CODEC.decode(webhook), delivery))
        return found

    def settle(self, principal: Principal, delivery: Delivery) -> None:
        values = {
            **_log(principal, delivery.webhook_id),
            "identifier": delivery.delivery_id,
            "new_status": delivery.status.value,
            "new_due_at": to_micros(delivery.due_at),
            "new_body": _DELIVERY.encode(delivery),
        }
        self._link.run(_SETTLE, values)

    def again(self, principal: Principal, webhook_id: str, delivery_ids: Sequence[str] | None, now: datetime) -> int:
        log = _log(principal, webhook_id)
        if delivery_ids is None:
            rows = self._link.rows(_FAILED, log)
        else:
            rows = self._link.rows(_THESE, {**log, "ids": self._link.array(delivery_ids)})
        for (body,) in rows:
            told = _DELIVERY.decode(body)
            self.settle(principal, replace(told, status=DeliveryStatus.WAITING, due_at=now, attempts=0, ended_at=None))
        return len(rows)

    def trim(self, before: datetime, limit: int) -> int:
        return self._link.run(_TRIM, {"before": to_micros(before), "limit": limit})


def _log(principal: Principal, webhook_id: str) -> dict[str, Any]:
    return {"organization_id": principal.organization_id, "of_webhook": webhook_id}


def _row(principal: Principal, one: Delivery) -> dict[str, Any]:
    return {
        "organization_id": principal.organization_id,
        "webhook_id": one.webhook_id,
        "delivery_id": one.delivery_id,
        "resource_id": one.event.resource_id,
        "status": one.status.value,
        "due_at": to_micros(one.due_at),
        "body": _DELIVERY.encode(one),
    }


def _taken(webhook: Webhook) -> AlreadyExistsError:
    return AlreadyExistsError(f"a webhook named {webhook.name!r} exists already", webhook_name=webhook.name)
