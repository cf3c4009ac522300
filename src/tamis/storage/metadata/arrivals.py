"""What came when: documents, objects, uploads, and what batches could not make of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Select, Table, and_, bindparam, func, select

from tamis.engine.ports.analytics import Arrived, Failures
from tamis.model.batch import ItemStatus
from tamis.model.bucket import Upload
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, from_micros, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import INTEGER, batch_items, batches, documents, objects, uploads

_MICRO = 1_000_000
_SINCE_MONDAY_S = 72 * 3600  # the first of January 1970 is a Thursday
_UPLOADS = Codec(Upload)
_UNTOLD = "runtime"
"""The type of a failure whose record names none: from before types were kept."""


def _inside(table: Table, *columns: str) -> Any:
    return and_(*(table.c[name] == bindparam(name) for name in ("organization_id", "namespace_id", *columns)))


def _by_time(table: Table, owner: str, *sums: Any) -> Select[Any]:
    at: Column[int] = table.c.created_at
    time = (at + bindparam("shift", type_=INTEGER)) // bindparam("span", type_=INTEGER)
    within = and_(_inside(table, owner), at >= bindparam("start"), at < bindparam("end"))
    return select(time, func.count(), *sums).where(within).group_by(time).order_by(time)


_DOCUMENTS = _by_time(documents, "collection_id")
_OBJECTS = _by_time(objects, "bucket_id", func.sum(objects.c.size_bytes))
_NEWEST_UPLOADS = (
    select(uploads.c.body)
    .where(
        _inside(uploads, "bucket_id"),
        uploads.c.created_at >= bindparam("start"),
        uploads.c.created_at < bindparam("end"),
    )
    .order_by(uploads.c.created_at.desc())
    .limit(bindparam("limit"))
)

_i, _b = batch_items.c, batches.c
_KEY = ("organization_id", "namespace_id", "batch_id")
_MADE = and_(*(_i[name] == _b[name] for name in _KEY), _inside(batches), _b.created_at >= bindparam("start"))
_FAILED = and_(_MADE, _i.status == ItemStatus.FAILED.value)
_IN = {"collection_id": _i.collection_id == bindparam("owner"), "bucket_id": _b.bucket_id == bindparam("owner")}
_TRIED = select(func.count()).where(_MADE, _IN["bucket_id"])
_TYPE = func.coalesce(_i.error_type, _UNTOLD)


def _failures(owner: str) -> tuple[Any, Any]:
    """(types with how often and when, the last message of one type)"""
    where = and_(_FAILED, _IN[owner])
    count = func.count().label("failures")
    types = select(_TYPE, count, func.min(_b.created_at), func.max(_b.created_at)).where(where).group_by(_TYPE)
    last = select(_i.error).where(where, bindparam("error_type") == _TYPE).order_by(_b.created_at.desc()).limit(1)
    return types.order_by(count.desc(), _TYPE), last


_FAILURES = {owner: _failures(owner) for owner in _IN}


class SqlArrivals:
    def __init__(self, link: Link) -> None:
        self._link = link

    def documents(
        self, principal: Principal, collection_id: str, start: datetime, end: datetime, span_s: int
    ) -> Sequence[Arrived]:
        asked = _asked(principal, "collection_id", collection_id, start, end, span_s)
        return [_arrived(asked, time, count) for time, count in self._link.rows(_DOCUMENTS, asked)]

    def objects(
        self, principal: Principal, bucket_id: str, start: datetime, end: datetime, span_s: int
    ) -> Sequence[Arrived]:
        asked = _asked(principal, "bucket_id", bucket_id, start, end, span_s)
        return [_arrived(asked, time, count, int(size)) for time, count, size in self._link.rows(_OBJECTS, asked)]

    def uploads(
        self, principal: Principal, bucket_id: str, start: datetime, end: datetime, limit: int
    ) -> Sequence[Upload]:
        asked = {**scope(principal), "bucket_id": bucket_id, "start": to_micros(start), "end": to_micros(end)}
        return [_UPLOADS.decode(body) for (body,) in self._link.rows(_NEWEST_UPLOADS, {**asked, "limit": limit})]

    def failures(
        self, principal: Principal, start: datetime, collection_id: str | None = None, bucket_id: str | None = None
    ) -> Sequence[Failures]:
        types, last = _FAILURES["bucket_id" if collection_id is None else "collection_id"]
        asked = {**scope(principal), "start": to_micros(start), "owner": collection_id or bucket_id}
        return [
            Failures(
                name, count, from_micros(first_at), from_micros(last_at),
                self._link.value(last, {**asked, "error_type": name}) or "",
            )
            for name, count, first_at, last_at in self._link.rows(types, asked)
        ]  # fmt: skip

    def tried(self, principal: Principal, start: datetime, bucket_id: str) -> int:
        asked = {**scope(principal), "start": to_micros(start), "owner": bucket_id}
        return int(self._link.value(_TRIED, asked))


def _asked(
    principal: Principal, owner: str, owner_id: str, start: datetime, end: datetime, span_s: int
) -> dict[str, Any]:
    bounds = {"start": to_micros(start), "end": to_micros(end)}
    spans = {"span": span_s * _MICRO, "shift": _SINCE_MONDAY_S * _MICRO}
    return {**scope(principal), owner: owner_id, **bounds, **spans}


def _arrived(asked: dict[str, Any], time: int, count: int, size_bytes: int = 0) -> Arrived:
    return Arrived(from_micros(time * asked["span"] - asked["shift"]), count, size_bytes)
