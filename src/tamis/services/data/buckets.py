"""Buckets: named homes of objects, each with a schema that its objects keep to."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.ports.metadata import Metadata, ObjectSizes, Session
from tamis.errors import ConflictError, NotFoundError
from tamis.model.batch import TaskStatus
from tamis.model.bucket import Bucket
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Listing, Page
from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.services.data.bucket_schema import check_unique_key, default_problems, problem, properties, refuse
from tamis.services.json_values import check_json
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.naming import check_name
from tamis.services.upkeep.clearing import Clears

RESERVED = frozenset({"list"})
_RUNNING = frozenset({TaskStatus.PENDING, TaskStatus.IN_PROGRESS, TaskStatus.PROCESSING})
_NEWEST = Listing(limit=1)
_EMPTY = ObjectSizes()


@dataclass(frozen=True, slots=True)
class BucketDraft:
    name: str
    schema: dict[str, JSON]
    description: str | None = None
    metadata: dict[str, JSON] = field(default_factory=dict)
    unique_key: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class BucketDetails:
    """A bucket with its counts. batches: how many there are by status."""

    bucket: Bucket
    sizes: ObjectSizes = _EMPTY
    last_upload_at: datetime | None = None
    batches: Mapping[TaskStatus, int] = field(default_factory=dict)

    def view(self) -> dict[str, JSON]:
        """What lists filter, search and sort by."""
        bucket = self.bucket
        return {
            "bucket_id": bucket.bucket_id,
            "bucket_name": bucket.name,
            "description": bucket.description,
            "metadata": dict(bucket.metadata),
            "bucket_schema": bucket.schema,
            "status": bucket.status,
            "is_locked": bucket.is_locked,
            "object_count": self.sizes.count,
            "total_size_bytes": self.sizes.total_bytes,
            "last_upload_at": timestamp(self.last_upload_at),
            "created_at": timestamp(bucket.created_at),
            "updated_at": timestamp(bucket.updated_at),
        }


class BucketService:
    def __init__(self, metadata: Metadata, clearing: Clears) -> None:
        self._metadata = metadata
        self._clearing = clearing

    async def create(self, principal: Principal, draft: BucketDraft) -> BucketDetails:
        """Raises: ValidationError naming the place, AlreadyExistsError."""
        check_name(draft.name, ["body", "bucket_name"], RESERVED)
        check_json(draft.metadata, ["body", "metadata"])
        _check_schema(draft)
        now = datetime.now(UTC)
        bucket = Bucket(
            bucket_id=new_id("bkt"),
            name=draft.name,
            schema=draft.schema,
            created_at=now,
            updated_at=now,
            description=draft.description,
            metadata=draft.metadata,
            unique_key=draft.unique_key,
        )
        return BucketDetails(await self._metadata.write(lambda session: session.buckets.insert(principal, bucket)))

    async def get(self, principal: Principal, identifier: str) -> BucketDetails:
        """Raises: NotFoundError."""
        return await self._metadata.read(
            lambda session: _details(session, principal, require_bucket(session, principal, identifier))
        )

    async def list(self, principal: Principal, query: ListQuery) -> Page[BucketDetails]:
        def read(session: Session) -> Page[BucketDetails]:
            every = [_details(session, principal, bucket) for bucket in session.buckets.list(principal)]
            return select(every, BucketDetails.view, query)

        return await self._metadata.read(read)

    async def update(self, principal: Principal, identifier: str, changes: dict[str, Any]) -> BucketDetails:
        """changes: fields of Bucket by name. Raises: NotFoundError, ValidationError, AlreadyExistsError."""
        if "name" in changes:
            check_name(changes["name"], ["body", "bucket_name"], RESERVED)
        check_json(changes.get("metadata"), ["body", "metadata"])

        def write(session: Session) -> BucketDetails:
            before = require_bucket(session, principal, identifier)
            after = replace(before, **changes, updated_at=datetime.now(UTC))
            return _details(session, principal, session.buckets.replace(principal, after))

        return await self._metadata.write(write)

    async def delete(self, principal: Principal, identifier: str) -> Bucket:
        """Remove a bucket with its objects, uploads, batches, syncs and files. Documents made of it stay.

        Raises: NotFoundError; ConflictError while a batch of it runs.
        """

        def remove(session: Session) -> tuple[Bucket, Remain]:
            bucket = require_bucket(session, principal, identifier)
            batches = session.batches.list(principal, bucket.bucket_id)
            running = [batch.batch_id for batch in batches if batch.status in _RUNNING]
            if running:
                raise ConflictError(f"cancel the batches that run first: {', '.join(running)}", batches=running)
            for batch in batches:
                session.batches.delete(principal, batch.batch_id)
            for sync in session.bucket_syncs.list(principal, bucket.bucket_id):
                session.bucket_syncs.delete(principal, sync.sync_id)
                if sync.task_id is not None:
                    session.tasks.delete(principal, sync.task_id)
            for upload in session.uploads.list(principal, bucket.bucket_id):
                session.uploads.delete(principal, upload.upload_id)
            session.objects.delete_bucket(principal, bucket.bucket_id)
            session.buckets.delete(principal, bucket.bucket_id)
            remain = Remain(RemainKind.FILES, bucket.bucket_id)
            session.remains.note(principal, [remain])
            return bucket, remain

        bucket, remain = await self._metadata.write(remove)
        await self._clearing.clear(principal, [remain])
        return bucket


def require_bucket(session: Session, principal: Principal, identifier: str) -> Bucket:
    """By id or name. Raises: NotFoundError."""
    bucket = session.buckets.get(principal, identifier)
    if bucket is None:
        raise NotFoundError.of("bucket", identifier)
    return bucket


def _details(session: Session, principal: Principal, bucket: Bucket) -> BucketDetails:
    sizes = session.objects.sizes(principal, bucket.bucket_id)
    newest = session.objects.page(principal, bucket.bucket_id, _NEWEST).items if sizes.count else ()
    batches = session.batches.count(principal, bucket.bucket_id)
    return BucketDetails(bucket, sizes, newest[0].created_at if newest else None, batches)


def _check_schema(draft: BucketDraft) -> None:
    loc = ["body", "bucket_schema", "properties"]
    check_json(draft.schema, loc[:-1])
    problems = [
        problem([*loc, name], "a property's name has 1 to 100 characters")
        for name in properties(draft.schema)
        if not name.strip() or len(name) > 100
    ]
    refuse([*problems, *default_problems(draft.schema, loc)])
    if draft.unique_key is not None:
        check_unique_key(draft.unique_key["fields"], draft.schema, ["body", "unique_key", "fields"])
