"""Objects of a bucket."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.engine.ports.metadata import ObjectSizes
from tamis.errors import AlreadyExistsError
from tamis.model.batch import TaskStatus
from tamis.model.bucket import BucketObject
from tamis.model.filters import Filter
from tamis.model.json import JSON
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal
from tamis.model.webhook import EventType
from tamis.storage.metadata.audit import Events
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.files import SqlFiles
from tamis.storage.metadata.link import Link, Row, one_of, scope
from tamis.storage.metadata.listing import is_plain, matching_only, window
from tamis.storage.metadata.schema import objects

_CODEC = Codec(BucketObject)
_CHUNK = 500

_c = objects.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_in_bucket = and_(_mine, _c.bucket_id == bindparam("bucket_id"))
_COLUMNS = (_c.body, _c.status, _c.error)
_NEWEST = (_c.created_at.desc(), _c.object_id)

_INSERT = insert(objects).on_conflict_do_nothing()
_GET_MANY = select(*_COLUMNS).where(_mine, one_of(_c.object_id, "ids"))
_BY_UNIQUE_KEY = select(*_COLUMNS).where(_in_bucket, _c.unique_key == bindparam("unique_key"))
_BY_CONTENT = (
    select(*_COLUMNS)
    .where(_in_bucket, _c.content_hash == bindparam("content_hash"))
    .order_by(_c.created_at, _c.object_id)
    .limit(1)
)
_PAGE = select(*_COLUMNS).where(_in_bucket).order_by(*_NEWEST).limit(bindparam("limit")).offset(bindparam("offset"))
_NEXT_TIE = and_(_c.created_at == bindparam("at"), _c.object_id > bindparam("after"))
_SCAN_NEWEST = (
    select(_c.created_at, _c.object_id, *_COLUMNS)
    .where(_in_bucket, _c.created_at <= bindparam("at"), or_(_c.created_at < bindparam("at"), _NEXT_TIE))
    .order_by(*_NEWEST)
    .limit(_CHUNK)
)
_SCAN = (
    select(_c.object_id, *_COLUMNS)
    .where(_in_bucket, _c.object_id > bindparam("after"))
    .order_by(_c.object_id)
    .limit(_CHUNK)
)
_REPLACE = (
    update(objects)
    .where(_mine, _c.object_id == bindparam("identifier"))
    .values({name: bindparam(f"new_{name}") for name in (
        "status", "error", "unique_key", "content_hash", "size_bytes", "created_at", "body"
    )})
)  # fmt: skip
_SET_STATUS = (
    update(objects)
    .where(_mine, one_of(_c.object_id, "ids"))
    .values(status=bindparam("new_status"), error=bindparam("new_error"))
)
_DELETE = delete(objects).where(_mine, one_of(_c.object_id, "ids"))
_DELETE_BUCKET = delete(objects).where(_in_bucket)
_TOTALS = select(func.count(), func.coalesce(func.sum(_c.size_bytes), 0)).where(_in_bucket)
_SIZES = _TOTALS.add_columns(func.coalesce(func.min(_c.size_bytes), 0), func.coalesce(func.max(_c.size_bytes), 0))
_LATEST = 2**62


class SqlObjects:
    def __init__(self, link: Link, files: SqlFiles, events: Events) -> None:
        self._link = link
        self._files = files
        self._events = events

    def insert(self, principal: Principal, objects: Sequence[BucketObject]) -> None:
        """Raises: AlreadyExistsError where an id, or a unique key of the bucket, is taken; then none is kept."""
        rows = [
            {**scope(principal), "object_id": each.object_id, "bucket_id": each.bucket_id, **_columns(each)}
            for each in objects
        ]
        with self._link.savepoint():
            if self._link.run_many(_INSERT, rows) != len(rows):
                raise AlreadyExistsError("an object with this id or unique key exists already")
            self._files.own(principal, {each.object_id: each.file_keys for each in objects})
            self._events.happened(principal, EventType.OBJECT_CREATED, lambda: _told(objects))

    def get(self, principal: Principal, object_id: str) -> BucketObject | None:
        return self.get_many(principal, [object_id]).get(object_id)

    def get_many(self, principal: Principal, object_ids: Sequence[str]) -> Mapping[str, BucketObject]:
        """Who has no key sees documents: no object, not even to search with it."""
        if not principal.sees_files:
            return {}
        rows = self._link.rows(_GET_MANY, {**scope(principal), "ids": self._link.array(object_ids)})
        return {each.object_id: each for each in map(_decode, rows)}

    def find_unique(self, principal: Principal, bucket_id: str, unique_key: str) -> BucketObject | None:
        row = self._link.row(_BY_UNIQUE_KEY, {**_bucket(principal, bucket_id), "unique_key": unique_key})
        return None if row is None else _decode(row)

    def find_content(self, principal: Principal, bucket_id: str, content_hash: str) -> BucketObject | None:
        """The oldest with this content."""
        row = self._link.row(_BY_CONTENT, {**_bucket(principal, bucket_id), "content_hash": content_hash})
        return None if row is None else _decode(row)

    def page(self, principal: Principal, bucket_id: str, listing: Listing) -> Page[BucketObject]:
        if not is_plain(listing):
            return window(self._newest(principal, bucket_id), _view, lambda each: each.object_id, listing)
        bounds = _bucket(principal, bucket_id)
        rows = self._link.rows(_PAGE, {**bounds, "limit": listing.limit, "offset": listing.offset})
        total, _ = self.totals(principal, bucket_id)
        return Page([_decode(row) for row in rows], total, listing.limit, listing.offset)

    def scan(self, principal: Principal, bucket_id: str, matching: Filter | None = None) -> Iterator[BucketObject]:
        """All of a bucket's objects, by id, without holding them in memory."""
        return matching_only(self._all(principal, bucket_id), _view, matching)

    def replace(self, principal: Principal, objects: Sequence[BucketObject]) -> None:
        """Raises: AlreadyExistsError where a unique key is another object's. Objects that are gone stay gone."""
        rows = [
            {
                **scope(principal),
                "identifier": each.object_id,
                **{f"new_{name}": value for name, value in _columns(each).items()},
            }
            for each in objects
        ]
        try:
            with self._link.savepoint():
                self._link.run_many(_REPLACE, rows)
                present = self.get_many(principal, [each.object_id for each in objects])
                self._files.own(
                    principal, {each.object_id: each.file_keys for each in objects if each.object_id in present}
                )
                self._events.happened(principal, EventType.OBJECT_UPDATED, lambda: _told(list(present.values())))
        except self._link.unique_violation as error:
            raise AlreadyExistsError("an object with this unique key exists already") from error

    def set_status(
        self, principal: Principal, object_ids: Sequence[str], status: TaskStatus, error: str | None = None
    ) -> None:
        ids = self._link.array(object_ids)
        self._link.run(_SET_STATUS, {**scope(principal), "ids": ids, "new_status": status.value, "new_error": error})

    def delete(self, principal: Principal, object_ids: Sequence[str]) -> int:
        self._files.own(principal, dict.fromkeys(object_ids, ()))
        gone = partial(self.get_many, principal, object_ids)
        self._events.happened(principal, EventType.OBJECT_DELETED, lambda: _told(list(gone().values())))
        return self._link.run(_DELETE, {**scope(principal), "ids": self._link.array(object_ids)})

    def delete_bucket(self, principal: Principal, bucket_id: str) -> int:
        self._files.disown_bucket(principal, bucket_id)
        return self._link.run(_DELETE_BUCKET, _bucket(principal, bucket_id))

    def totals(self, principal: Principal, bucket_id: str) -> tuple[int, int]:
        """(objects, bytes of their blobs)."""
        row = self._link.row(_TOTALS, _bucket(principal, bucket_id))
        return (0, 0) if row is None else (int(row[0]), int(row[1]))

    def sizes(self, principal: Principal, bucket_id: str) -> ObjectSizes:
        row = self._link.row(_SIZES, _bucket(principal, bucket_id))
        return ObjectSizes() if row is None else ObjectSizes(*map(int, row))

    def _all(self, principal: Principal, bucket_id: str) -> Iterator[BucketObject]:
        bounds, after = _bucket(principal, bucket_id), ""
        while rows := self._link.rows(_SCAN, {**bounds, "after": after}):
            yield from (_decode(row[1:]) for row in rows)
            after = rows[-1][0]

    def _newest(self, principal: Principal, bucket_id: str) -> Iterator[BucketObject]:
        bounds, at, after = _bucket(principal, bucket_id), _LATEST, ""
        while rows := self._link.rows(_SCAN_NEWEST, {**bounds, "at": at, "after": after}):
            yield from (_decode(row[2:]) for row in rows)
            at, after = rows[-1][:2]


def _told(objects: Sequence[BucketObject]) -> dict[str, dict[str, JSON]]:
    """What is said of each to who listens."""
    return {each.object_id: {"object_id": each.object_id, "bucket_id": each.bucket_id} for each in objects}


def _bucket(principal: Principal, bucket_id: str) -> dict[str, Any]:
    return {**scope(principal), "bucket_id": bucket_id}


def _columns(each: BucketObject) -> dict[str, Any]:
    return {
        "status": each.status,
        "error": each.error,
        "unique_key": each.unique_key,
        "content_hash": each.content_hash,
        "size_bytes": sum(blob.size_bytes or 0 for blob in each.blobs),
        "created_at": to_micros(each.created_at),
        "body": _CODEC.encode(each),
    }


def _decode(row: Row) -> BucketObject:
    body, status, error = row
    return replace(_CODEC.decode(body), status=status, error=error)


def _view(each: BucketObject) -> dict[str, JSON]:
    times = {"created_at": each.created_at.isoformat(), "updated_at": each.updated_at.isoformat()}
    return {**times, **each.view()}
