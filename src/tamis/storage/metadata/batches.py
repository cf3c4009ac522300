"""Batches, and the items that they are made of once submitted."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.sql.elements import ColumnElement

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.batch import Batch, BatchItem, ItemStatus, TaskStatus
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, Row, one_of, scope
from tamis.storage.metadata.schema import batch_items, batches

_CODEC = Codec(Batch)


def _mine(table: Table) -> ColumnElement[bool]:
    own = table.c.organization_id == bindparam("organization_id")
    return and_(own, table.c.namespace_id == bindparam("namespace_id"))


_b, _i = batches.c, batch_items.c
_this = and_(_mine(batches), _b.batch_id == bindparam("identifier"))
_of_batch = and_(_mine(batch_items), _i.batch_id == bindparam("identifier"))

_INSERT = insert(batches).on_conflict_do_nothing()
_GET = select(_b.body).where(_this)
_in_bucket = and_(_mine(batches), _b.bucket_id == bindparam("bucket_id"))
_LIST = select(_b.body).where(_in_bucket).order_by(_b.created_at.desc(), _b.batch_id)
_PAGE = _LIST.limit(bindparam("limit")).offset(bindparam("offset"))
_PAGE_OF_STATUS = _PAGE.where(_b.status == bindparam("status"))
_COUNT = select(_b.status, func.count()).where(_in_bucket).group_by(_b.status)
_REPLACE = update(batches).where(_this).values(status=bindparam("new_status"), body=bindparam("new_body"))
_DELETE = delete(batches).where(_this)
_UNDER_WAY = (TaskStatus.PENDING.value, TaskStatus.IN_PROGRESS.value, TaskStatus.PROCESSING.value)
_UNFINISHED = (
    select(_b.organization_id, _b.namespace_id, _b.body)
    .where(one_of(_b.status, "statuses"))
    .order_by(_b.created_at, _b.batch_id)
)

_ITEM = (_i.batch_id, _i.collection_id, _i.source_id, _i.tier, _i.status, _i.attempts, _i.error, _i.error_type, _i.documents)  # fmt: skip # noqa: E501 - the order of BatchItem's fields
_ITEM_ORDER = (_i.tier, _i.collection_id, _i.source_id)
_ADD_ITEM = insert(batch_items).on_conflict_do_nothing()
_UPDATE_ITEM = (
    update(batch_items)
    .where(
        _of_batch, _i.collection_id == bindparam("of_collection"), _i.source_id == bindparam("of_source")
    )
    .values({name: bindparam(f"new_{name}") for name in (
        "tier", "status", "attempts", "error", "error_type", "documents"
    )})
)  # fmt: skip
_DELETE_ITEMS = delete(batch_items).where(_of_batch)
_COUNT_ITEMS = select(_i.tier, _i.status, func.count()).where(_of_batch).group_by(_i.tier, _i.status)
_COUNT_DOCUMENTS = select(_i.collection_id, func.sum(_i.documents)).where(_of_batch).group_by(_i.collection_id)
_STATUS = and_(_of_batch, _i.status == bindparam("status"))
_TIER = _i.tier == bindparam("tier")
_WAITING = select(*_ITEM).where(_STATUS, _TIER).order_by(*_ITEM_ORDER).limit(bindparam("limit"))


def _selections(*bounds: ColumnElement[bool]) -> tuple[Any, Any]:
    """The page of the items within these bounds, and how many there are."""
    page = select(*_ITEM).where(_STATUS, *bounds).order_by(*_ITEM_ORDER)
    count = select(func.count()).select_from(batch_items).where(_STATUS, *bounds)
    return page.limit(bindparam("limit")).offset(bindparam("offset")), count


_COLLECTION = _i.collection_id == bindparam("collection_id")
_ITEMS = {
    (False, False): _selections(),
    (True, False): _selections(_TIER),
    (False, True): _selections(_COLLECTION),
    (True, True): _selections(_TIER, _COLLECTION),
}


class SqlBatches:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, principal: Principal, batch: Batch) -> None:
        """Raises: AlreadyExistsError."""
        values = {
            **scope(principal),
            "batch_id": batch.batch_id,
            "bucket_id": batch.bucket_id,
            "status": batch.status.value,
            "created_at": to_micros(batch.created_at),
            "body": _CODEC.encode(batch),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the batch {batch.batch_id!r} exists already")

    def get(self, principal: Principal, batch_id: str) -> Batch | None:
        body = self._link.value(_GET, _batch(principal, batch_id))
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal, bucket_id: str) -> Sequence[Batch]:
        """Newest first."""
        rows = self._link.rows(_LIST, {**scope(principal), "bucket_id": bucket_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def page(
        self, principal: Principal, bucket_id: str, status: TaskStatus | None, limit: int, offset: int
    ) -> Page[Batch]:
        """A window of `list`, newest first, without reading the rest. status: None takes all."""
        bounds = {**scope(principal), "bucket_id": bucket_id, "limit": limit, "offset": offset}
        counts = self.count(principal, bucket_id)
        if status is None:
            rows, total = self._link.rows(_PAGE, bounds), sum(counts.values())
        else:
            rows = self._link.rows(_PAGE_OF_STATUS, {**bounds, "status": status.value})
            total = counts.get(status, 0)
        return Page([_CODEC.decode(body) for (body,) in rows], total, limit, offset)

    def count(self, principal: Principal, bucket_id: str) -> Mapping[TaskStatus, int]:
        """By status; one that no batch has is left out."""
        rows = self._link.rows(_COUNT, {**scope(principal), "bucket_id": bucket_id})
        return {TaskStatus(status): count for status, count in rows}

    def replace(self, principal: Principal, batch: Batch) -> None:
        """Raises: NotFoundError."""
        values = {"new_status": batch.status.value, "new_body": _CODEC.encode(batch)}
        if self._link.run(_REPLACE, {**_batch(principal, batch.batch_id), **values}) == 0:
            raise NotFoundError.of("batch", batch.batch_id)

    def delete(self, principal: Principal, batch_id: str) -> bool:
        """With its items."""
        self._link.run(_DELETE_ITEMS, _batch(principal, batch_id))
        return self._link.run(_DELETE, _batch(principal, batch_id)) > 0

    def unfinished(self) -> Sequence[tuple[Principal, Batch]]:
        """Of every tenant, those PENDING, IN_PROGRESS or PROCESSING, oldest first: what a start goes on with."""
        rows = self._link.rows(_UNFINISHED, {"statuses": self._link.array(_UNDER_WAY)})
        return [(Principal(organization, namespace), _CODEC.decode(body)) for organization, namespace, body in rows]

    def add_items(self, principal: Principal, items: Sequence[BatchItem]) -> None:
        """Insert what is not there yet; an item that exists stays as it is."""
        keys = ({"batch_id": item.batch_id, "collection_id": item.collection_id, "source_id": item.source_id}
                for item in items)  # fmt: skip
        rows = [{**scope(principal), **key, **_state(item)} for key, item in zip(keys, items, strict=True)]
        self._link.run_many(_ADD_ITEM, rows)

    def waiting_items(self, principal: Principal, batch_id: str, tier: int, limit: int) -> Sequence[BatchItem]:
        bounds = {"status": ItemStatus.WAITING.value, "tier": tier, "limit": limit}
        return [_item(row) for row in self._link.rows(_WAITING, {**_batch(principal, batch_id), **bounds})]

    def items(
        self, principal: Principal, batch_id: str, status: ItemStatus, tier: int | None, collection_id: str | None,
        limit: int, offset: int,
    ) -> Page[BatchItem]:  # fmt: skip
        """By tier, collection and source."""
        page, count = _ITEMS[tier is not None, collection_id is not None]
        bounds = {**_batch(principal, batch_id), "status": status.value}
        if tier is not None:
            bounds["tier"] = tier
        if collection_id is not None:
            bounds["collection_id"] = collection_id
        rows = self._link.rows(page, {**bounds, "limit": limit, "offset": offset})
        return Page([_item(row) for row in rows], self._link.value(count, bounds), limit, offset)

    def update_items(self, principal: Principal, items: Sequence[BatchItem]) -> None:
        rows = [
            {
                **_batch(principal, item.batch_id),
                "of_collection": item.collection_id,
                "of_source": item.source_id,
                **{f"new_{name}": value for name, value in _state(item).items()},
            }
            for item in items
        ]
        self._link.run_many(_UPDATE_ITEM, rows)

    def count_items(self, principal: Principal, batch_id: str) -> Mapping[tuple[int, ItemStatus], int]:
        """By (tier, status)."""
        rows = self._link.rows(_COUNT_ITEMS, _batch(principal, batch_id))
        return {(tier, ItemStatus(status)): count for tier, status, count in rows}

    def count_documents(self, principal: Principal, batch_id: str) -> Mapping[str, int]:
        """By collection."""
        rows = self._link.rows(_COUNT_DOCUMENTS, _batch(principal, batch_id))
        return {collection_id: int(documents) for collection_id, documents in rows}


def _batch(principal: Principal, batch_id: str) -> dict[str, Any]:
    return {**scope(principal), "identifier": batch_id}


def _state(item: BatchItem) -> dict[str, Any]:
    return {
        "tier": item.tier,
        "status": item.status.value,
        "attempts": item.attempts,
        "error": item.error,
        "error_type": item.error_type,
        "documents": item.documents,
    }


def _item(row: Row) -> BatchItem:
    batch_id, collection_id, source_id, tier, status, *rest = row
    return BatchItem(batch_id, collection_id, source_id, tier, ItemStatus(status), *rest)
