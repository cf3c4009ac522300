"""Uploads on their way into a bucket."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.batch import TaskStatus
from tamis.model.bucket import Upload
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import Codec, to_micros
from tamis.storage.metadata.link import Link, scope
from tamis.storage.metadata.schema import uploads

_CODEC = Codec(Upload)

_c = uploads.c
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_this = and_(_mine, _c.upload_id == bindparam("identifier"))
_in_bucket = and_(_mine, _c.bucket_id == bindparam("bucket_id"))

_INSERT = insert(uploads).on_conflict_do_nothing()
_GET = select(_c.body).where(_this)
_BY_HASH = (
    select(_c.body)
    .where(_in_bucket, _c.file_hash == bindparam("file_hash"), _c.status == TaskStatus.COMPLETED.value)
    .order_by(_c.created_at, _c.upload_id)
    .limit(1)
)
_LIST = select(_c.body).where(_in_bucket).order_by(_c.created_at.desc(), _c.upload_id)
_PAGE = _LIST.limit(bindparam("limit")).offset(bindparam("offset"))
_COUNT = select(func.count()).select_from(uploads).where(_in_bucket)
_REPLACE = (
    update(uploads)
    .where(_this)
    .values(status=bindparam("new_status"), file_hash=bindparam("new_file_hash"), body=bindparam("new_body"))
)
_DELETE = delete(uploads).where(_this)


class SqlUploads:
    def __init__(self, link: Link) -> None:
        self._link = link

    def insert(self, principal: Principal, upload: Upload) -> None:
        """Raises: AlreadyExistsError."""
        values = {
            **scope(principal),
            "upload_id": upload.upload_id,
            "bucket_id": upload.bucket_id,
            "status": upload.status,
            "file_hash": upload.file_hash,
            "created_at": to_micros(upload.created_at),
            "body": _CODEC.encode(upload),
        }
        if self._link.run(_INSERT, values) == 0:
            raise AlreadyExistsError(f"the upload {upload.upload_id!r} exists already")

    def get(self, principal: Principal, upload_id: str) -> Upload | None:
        return self._one(self._link.value(_GET, {**scope(principal), "identifier": upload_id}))

    def find_hash(self, principal: Principal, bucket_id: str, file_hash: str) -> Upload | None:
        """The oldest completed upload of the same bytes."""
        parameters = {**scope(principal), "bucket_id": bucket_id, "file_hash": file_hash}
        return self._one(self._link.value(_BY_HASH, parameters))

    def list(self, principal: Principal, bucket_id: str) -> Sequence[Upload]:
        """Newest first."""
        rows = self._link.rows(_LIST, {**scope(principal), "bucket_id": bucket_id})
        return [_CODEC.decode(body) for (body,) in rows]

    def page(self, principal: Principal, bucket_id: str, limit: int, offset: int) -> Page[Upload]:
        """A window of `list`, newest first, without reading the rest."""
        bounds = {**scope(principal), "bucket_id": bucket_id}
        rows = self._link.rows(_PAGE, {**bounds, "limit": limit, "offset": offset})
        return Page([_CODEC.decode(body) for (body,) in rows], self._link.value(_COUNT, bounds), limit, offset)

    def replace(self, principal: Principal, upload: Upload) -> None:
        """Raises: NotFoundError."""
        values = {
            **scope(principal),
            "identifier": upload.upload_id,
            "new_status": upload.status,
            "new_file_hash": upload.file_hash,
            "new_body": _CODEC.encode(upload),
        }
        if self._link.run(_REPLACE, values) == 0:
            raise NotFoundError.of("upload", upload.upload_id)

    def delete(self, principal: Principal, upload_id: str) -> bool:
        return self._link.run(_DELETE, {**scope(principal), "identifier": upload_id}) > 0

    @staticmethod
    def _one(body: Any) -> Upload | None:
        return None if body is None else _CODEC.decode(body)
