"""What keeps buckets as folders of others are, and what became of each file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.errors import NotFoundError
from tamis.model.bucket_sync import BucketSync, FileState, SyncedFile
from tamis.model.principal import Principal
from tamis.storage.metadata.audit import SqlAudit
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.sync_tables import bucket_syncs, synced_files

_CODEC, _FILE = Codec(BucketSync), Codec(SyncedFile)
_LABEL = "sync"
_t, _f = bucket_syncs.c, synced_files.c
_mine = and_(_t.organization_id == bindparam("organization_id"), _t.namespace_id == bindparam("namespace_id"))
_this = and_(_mine, _t.sync_id == bindparam("identifier"))
_its = and_(
    _f.organization_id == bindparam("organization_id"),
    _f.namespace_id == bindparam("namespace_id"),
    _f.sync_id == bindparam("identifier"),
)

_INSERT = insert(bucket_syncs)
_GET = select(_t.body).where(_this)
_LIST = (
    select(_t.body).where(_mine, _t.bucket_id == bindparam("bucket")).order_by(_t.created_at.desc(), _t.sync_id.desc())
)
_REPLACE = (
    update(bucket_syncs)
    .where(_this)
    .values(run_id=bindparam("new_run_id"), due_at=bindparam("new_due_at"), body=bindparam("new_body"))
)
_DELETE = delete(bucket_syncs).where(_this)
_every = select(_t.organization_id, _t.namespace_id, _t.body)
_DUE = (
    _every.where(_t.due_at.is_not(None), _t.due_at <= bindparam("now"))
    .order_by(_t.due_at, _t.sync_id)
    .limit(bindparam("limit"))
)
_RUNNING = _every.where(_t.run_id.is_not(None)).order_by(_t.created_at, _t.sync_id)

_new = insert(synced_files)
_PUT_FILE = _new.on_conflict_do_update(
    index_elements=list(synced_files.primary_key), set_={"state": _new.excluded.state, "body": _new.excluded.body}
)
_FILES = select(_f.body).where(_its, one_of(_f.path, "paths"))
_FILES_IN = (
    select(_f.body)
    .where(_its, _f.state == bindparam("state"), _f.path > bindparam("after"))
    .order_by(_f.path)
    .limit(bindparam("limit"))
)
_FOLLOWING = select(_f.body).where(_its, _f.path > bindparam("after")).order_by(_f.path).limit(bindparam("limit"))
_DELETE_THESE = delete(synced_files).where(_its, one_of(_f.path, "paths"))
_DELETE_FILES = delete(synced_files).where(_its)


class SqlBucketSyncs:
    def __init__(self, link: Link, audit: SqlAudit) -> None:
        self._link = link
        self._audit = audit

    def insert(self, principal: Principal, sync: BucketSync) -> None:
        values = {
            **scope(principal),
            "sync_id": sync.sync_id,
            "bucket_id": sync.bucket_id,
            "run_id": sync.run_id,
            "due_at": _micros(sync.due_at),
            "created_at": to_micros(sync.created_at),
            "body": _CODEC.encode(sync),
        }
        self._link.run(_INSERT, values)
        self._audit.changed(principal, _LABEL, sync.sync_id, None, sync)

    def get(self, principal: Principal, sync_id: str) -> BucketSync | None:
        body = self._link.value(_GET, _of(principal, sync_id))
        return None if body is None else _CODEC.decode(body)

    def list(self, principal: Principal, bucket_id: str) -> Sequence[BucketSync]:
        rows = self._link.rows(_LIST, {**scope(principal), "bucket": bucket_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def replace(self, principal: Principal, sync: BucketSync) -> None:
        """How its runs go is no change of it, and is not audited."""
        before = self.get(principal, sync.sync_id)
        if before is None:
            raise NotFoundError.of(_LABEL, sync.sync_id)
        state = {"new_run_id": sync.run_id, "new_due_at": _micros(sync.due_at), "new_body": _CODEC.encode(sync)}
        self._link.run(_REPLACE, {**_of(principal, sync.sync_id), **state})
        if _settings(before) != _settings(sync):
            self._audit.changed(principal, _LABEL, sync.sync_id, before, sync)

    def delete(self, principal: Principal, sync_id: str) -> bool:
        before = self.get(principal, sync_id)
        if before is None:
            return False
        self._link.run(_DELETE_FILES, _of(principal, sync_id))
        self._link.run(_DELETE, _of(principal, sync_id))
        self._audit.changed(principal, _LABEL, sync_id, before, None)
        return True

    def due(self, now: datetime, limit: int) -> Sequence[tuple[Principal, BucketSync]]:
        return _owned(self._link.rows(_DUE, {"now": to_micros(now), "limit": limit}))

    def running(self) -> Sequence[tuple[Principal, BucketSync]]:
        return _owned(self._link.rows(_RUNNING, {}))

    def put_files(self, principal: Principal, sync_id: str, files: Sequence[SyncedFile]) -> None:
        values = [
            {
                **scope(principal),
                "sync_id": sync_id,
                "path": file.path,
                "state": file.state.value,
                "body": _FILE.encode(file),
            }
            for file in files
        ]
        self._link.run_many(_PUT_FILE, values)

    def files(self, principal: Principal, sync_id: str, paths: Sequence[str]) -> Mapping[str, SyncedFile]:
        rows = self._link.rows(_FILES, {**_of(principal, sync_id), "paths": self._link.array(paths)}) if paths else ()
        return {file.path: file for file in (_FILE.decode(body) for (body,) in rows)}

    def files_in(
        self, principal: Principal, sync_id: str, state: FileState, after: str, limit: int
    ) -> Sequence[SyncedFile]:
        bounds = {"state": state.value, "after": after, "limit": limit}
        rows = self._link.rows(_FILES_IN, {**_of(principal, sync_id), **bounds})
        return [_FILE.decode(body) for (body,) in rows]

    def following(self, principal: Principal, sync_id: str, after: str, limit: int) -> Sequence[SyncedFile]:
        rows = self._link.rows(_FOLLOWING, {**_of(principal, sync_id), "after": after, "limit": limit})
        return [_FILE.decode(body) for (body,) in rows]

    def delete_files(self, principal: Principal, sync_id: str, paths: Sequence[str]) -> None:
        self._link.run(_DELETE_THESE, {**_of(principal, sync_id), "paths": self._link.array(paths)})


def _of(principal: Principal, sync_id: str) -> dict[str, Any]:
    return {**scope(principal), "identifier": sync_id}


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def _owned(rows: Any) -> Sequence[tuple[Principal, BucketSync]]:
    return [(Principal(organization, namespace), _CODEC.decode(body)) for organization, namespace, body in rows]


def _settings(sync: BucketSync) -> tuple[Any, ...]:
    """What somebody set."""
    return (
        sync.interval_s, sync.batch_size, sync.submits, sync.keeps_deleted, sync.description, sync.metadata,
        sync.is_active, sync.is_paused, sync.filters,
    )  # fmt: skip
