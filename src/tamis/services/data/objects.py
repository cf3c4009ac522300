"""Objects of a bucket: kept to its schema, unique by its key, with their files in the blob store."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tamis.engine.groups.aggregation import Aggregation, Rows, aggregate
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError, ValidationError
from tamis.model.batch import TaskStatus
from tamis.model.bucket import Bucket, BucketObject, Upload
from tamis.model.files import OURS
from tamis.model.filters import Filter
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.services.data.blob_intake import BlobDraft
from tamis.services.data.buckets import require_bucket
from tamis.services.data.files import FileKeeping, Payload
from tamis.services.data.object_design import (
    ObjectChange,
    ObjectDraft,
    Prepared,
    check_policy,
    prepare,
    prepare_change,
)
from tamis.services.listing import ListQuery
from tamis.services.upkeep.clearing import Clearing

MAX_BATCH = 100


@dataclass(frozen=True, slots=True)
class _Done:
    """What a transaction did: the objects to answer with, and files of an older version that it left behind."""

    objects: Sequence[BucketObject]
    orphans: frozenset[str] = frozenset()


class _OvertakenError(Exception):
    """The object is no longer what the change was prepared for."""


class ObjectService:
    def __init__(
        self, metadata: Metadata, clearing: Clearing, keeping: FileKeeping, swept: Callable[[], None] = lambda: None
    ) -> None:
        """swept: tells the sweeper that files may have been let go."""
        self._metadata = metadata
        self._clearing = clearing
        self._keeping = keeping
        self._swept = swept

    async def create(
        self, principal: Principal, bucket_identifier: str, draft: ObjectDraft, policy: str | None = None
    ) -> BucketObject:
        """policy: `insert`, `update` or `upsert` by the bucket's unique key; else the bucket's default.

        Raises: NotFoundError (bucket, upload, object to update), ValidationError, BadRequestError (policy),
        AlreadyExistsError (unique key).
        """
        return (await self._create(principal, bucket_identifier, [draft], [["body"]], policy))[0]

    async def create_many(
        self, principal: Principal, bucket_identifier: str, drafts: Sequence[ObjectDraft], policy: str | None = None
    ) -> Sequence[BucketObject]:
        """All of them or none, in order. Raises as `create`, naming the object."""
        locs: list[list[str | int]] = [["body", "objects", place] for place in range(len(drafts))]
        return await self._create(principal, bucket_identifier, drafts, locs, policy)

    async def get(self, principal: Principal, bucket_identifier: str, object_id: str) -> BucketObject:
        """Raises: NotFoundError."""
        return await self._metadata.read(lambda session: _require(session, principal, bucket_identifier, object_id))

    async def list(self, principal: Principal, bucket_identifier: str, query: ListQuery) -> Page[BucketObject]:
        """Raises: NotFoundError (bucket)."""

        def read(session: Session) -> Page[BucketObject]:
            bucket = require_bucket(session, principal, bucket_identifier)
            return session.objects.page(principal, bucket.bucket_id, query.window)

        return await self._metadata.read(read)

    async def aggregate(
        self, principal: Principal, bucket_identifier: str, wanted: Aggregation, matching: Filter | None
    ) -> Rows:
        """Over every object that matches. Raises: NotFoundError (bucket), ValidationError. Cost: one scan."""

        def read(session: Session) -> Rows:
            bucket = require_bucket(session, principal, bucket_identifier)
            objects = session.objects.scan(principal, bucket.bucket_id, matching)
            return aggregate((found.view() for found in objects), wanted)

        return await self._metadata.read(read)

    async def change(
        self, principal: Principal, bucket_identifier: str, object_id: str, change: ObjectChange
    ) -> BucketObject:
        """Put or patch. Raises: NotFoundError, ValidationError, AlreadyExistsError (unique key)."""
        while True:
            try:
                return await self._change(principal, bucket_identifier, object_id, change)
            except _OvertakenError:
                continue  # another change came first: this one goes on top of it

    async def _change(
        self, principal: Principal, bucket_identifier: str, object_id: str, change: ObjectChange
    ) -> BucketObject:
        def before(session: Session) -> tuple[Bucket, BucketObject]:
            found = _require(session, principal, bucket_identifier, object_id)
            return require_bucket(session, principal, found.bucket_id), found

        bucket, found = await self._metadata.read(before)
        uploads = await self._uploads(principal, bucket, [change.blobs or ()], [["body"]])
        prepared = prepare_change(bucket, found, change, uploads)

        def write(session: Session, stored: Sequence[Prepared]) -> _Done:
            latest = _require(session, principal, bucket_identifier, object_id)
            if latest.updated_at != found.updated_at:
                raise _OvertakenError
            after = replace(stored[0].object, status=latest.status, error=latest.error, updated_at=datetime.now(UTC))
            session.objects.replace(principal, [after])
            return _Done([after], _files(latest) - _files(after))

        return (await self._commit(principal, [prepared], write))[0]

    async def keep(
        self, principal: Principal, bucket_id: str, draft: ObjectDraft, also: Callable[[Session, BucketObject], None]
    ) -> BucketObject:
        """The object of the draft's idempotency key as the draft has it: made, or in place of an earlier state of it.

        also: what belongs to the same transaction.  Raises: NotFoundError, ValidationError, AlreadyExistsError where
        another object has its unique key.
        """
        bucket = await self._metadata.read(lambda session: require_bucket(session, principal, bucket_id))
        prepared = await asyncio.to_thread(prepare, bucket, draft, {}, ["file"])

        def write(session: Session, stored: Sequence[Prepared]) -> _Done:
            require_bucket(session, principal, bucket.bucket_id)
            done = _keep(session, principal, stored[0].object)
            also(session, done.objects[0])
            return done

        return (await self._commit(principal, [prepared], write))[0]

    async def drop(
        self, principal: Principal, object_ids: Sequence[str], also: Callable[[Session], None]
    ) -> frozenset[str]:
        """Remove objects with the documents made of them; the collections that those were in.

        also: what belongs to the same transaction. Objects that are not there are left out.
        """

        def remove(session: Session) -> tuple[frozenset[str], list[Remain]]:
            also(session)
            touched, orphans = set[str](), frozenset[str]()
            for found in session.objects.get_many(principal, object_ids).values():
                for document in session.documents.by_root(principal, found.object_id):
                    session.documents.delete(principal, document.collection_id, [document.document_id])
                    touched.add(document.collection_id)
                orphans |= _files(found)
            session.objects.delete(principal, object_ids)
            return frozenset(touched), _note(session, principal, orphans)

        touched, remains = await self._metadata.write(remove)
        await self._clearing.clear(principal, remains)
        self._swept()
        return touched

    async def delete(self, principal: Principal, bucket_identifier: str, object_id: str) -> None:
        """Remove the object, and its files unless something else names them: documents made of it stay, with theirs.

        Raises: NotFoundError.
        """

        def remove(session: Session) -> list[Remain]:
            found = _require(session, principal, bucket_identifier, object_id)
            session.objects.delete(principal, [found.object_id])
            return _note(session, principal, _files(found))

        await self._clearing.clear(principal, await self._metadata.write(remove))
        self._swept()

    async def _create(
        self,
        principal: Principal,
        bucket_identifier: str,
        drafts: Sequence[ObjectDraft],
        locs: Sequence[Sequence[str | int]],
        policy: str | None,
    ) -> Sequence[BucketObject]:
        bucket = await self._metadata.read(lambda session: require_bucket(session, principal, bucket_identifier))
        chosen = check_policy(bucket, policy)
        uploads = await self._uploads(principal, bucket, [draft.blobs for draft in drafts], locs)
        prepared = [prepare(bucket, draft, uploads, loc) for draft, loc in zip(drafts, locs, strict=True)]

        def write(session: Session, stored: Sequence[Prepared]) -> _Done:
            require_bucket(session, principal, bucket.bucket_id)
            done = [_place(session, principal, each, chosen) for each in stored]
            orphans = frozenset[str]().union(*(each.orphans for each in done))
            return _Done([kept for each in done for kept in each.objects], orphans)

        return await self._commit(principal, prepared, write)

    async def _uploads(
        self,
        principal: Principal,
        bucket: Bucket,
        drafts: Sequence[Sequence[BlobDraft]],
        locs: Sequence[Sequence[str | int]],
    ) -> Mapping[str, Upload]:
        """The confirmed uploads that blobs name. Raises: NotFoundError, ValidationError (not confirmed)."""
        wanted = {
            blob.upload_id: [*loc, "blobs", place, "upload_id"]
            for blobs, loc in zip(drafts, locs, strict=True)
            for place, blob in enumerate(blobs)
            if blob.upload_id and blob.data is None
        }

        def read(session: Session) -> dict[str, Upload]:
            found = {}
            for upload_id, loc in wanted.items():
                upload = session.uploads.get(principal, upload_id)
                if upload is None or upload.bucket_id != bucket.bucket_id:
                    raise NotFoundError.of("upload", upload_id)
                if upload.status != TaskStatus.COMPLETED:
                    raise ValidationError.at(loc, f"the upload is {upload.status}; send its file and confirm it first")
                found[upload_id] = upload
            return found

        return await self._metadata.read(read) if wanted else {}

    async def _commit(
        self,
        principal: Principal,
        prepared: Sequence[Prepared],
        write: Callable[[Session, Sequence[Prepared]], _Done],
    ) -> Sequence[BucketObject]:
        """Files first, then the record: an object never names a file that is not there."""
        holder = self._keeping.holder()
        payloads = [
            Payload(intake.content, intake.blob.size_bytes or 0, intake.payload, intake.blob.mime_type)
            for each in prepared
            for intake in each.intakes
            if intake.payload is not None
        ]

        def commit(session: Session) -> tuple[_Done, list[Remain]]:
            done = write(session, stored)
            session.files.release(principal, holder)
            return done, _note(session, principal, done.orphans)

        try:
            keys = await self._keeping.put(principal, holder, payloads)
            stored = [each.stored(keys) for each in prepared]
            done, remains = await self._metadata.write(commit)
        except BaseException:
            if payloads:
                await self._keeping.release(principal, holder)
            raise
        finally:
            self._swept()
        await self._clearing.clear(principal, remains)
        return done.objects


def _note(session: Session, principal: Principal, keys: frozenset[str]) -> list[Remain]:
    """Files that this transaction leaves without an owner."""
    remains = [Remain(RemainKind.FILE, key) for key in sorted(keys)]
    session.remains.note(principal, remains)
    return remains


def _place(session: Session, principal: Principal, prepared: Prepared, policy: str) -> _Done:
    """Insert or replace one object. Raises: NotFoundError, AlreadyExistsError."""
    fresh = prepared.object
    known = session.objects.get(principal, fresh.object_id) if prepared.idempotent else None
    if known is None and fresh.skip_duplicates and fresh.content_hash:
        known = session.objects.find_content(principal, fresh.bucket_id, fresh.content_hash)
    if known is not None:
        return _Done([known])
    holder = session.objects.find_unique(principal, fresh.bucket_id, fresh.unique_key) if fresh.unique_key else None
    if holder is None and policy == "update":
        raise NotFoundError("no object of this bucket has this unique key", bucket_id=fresh.bucket_id)
    if holder is None:
        session.objects.insert(principal, [fresh])
        return _Done([fresh])
    if policy == "insert":
        raise AlreadyExistsError("an object with this unique key exists already", object_id=holder.object_id)
    after = replace(fresh, object_id=holder.object_id, created_at=holder.created_at)
    session.objects.replace(principal, [after])
    return _Done([after], _files(holder) - _files(after))


def _keep(session: Session, principal: Principal, fresh: BucketObject) -> _Done:
    """Raises: AlreadyExistsError."""
    known = session.objects.get(principal, fresh.object_id)
    holder = session.objects.find_unique(principal, fresh.bucket_id, fresh.unique_key) if fresh.unique_key else None
    if holder is not None and holder.object_id != fresh.object_id:
        raise AlreadyExistsError("another object has this unique key already", object_id=holder.object_id)
    if known is None:
        session.objects.insert(principal, [fresh])
        return _Done([fresh])
    after = replace(fresh, created_at=known.created_at)
    session.objects.replace(principal, [after])
    return _Done([after], _files(known) - _files(after))


def _require(session: Session, principal: Principal, bucket_identifier: str, object_id: str) -> BucketObject:
    bucket = require_bucket(session, principal, bucket_identifier)
    found = session.objects.get(principal, object_id)
    if found is None or found.bucket_id != bucket.bucket_id:
        raise NotFoundError.of("object", object_id)
    return found


def _files(found: BucketObject) -> frozenset[str]:
    """Keys of files that an older version stored for this object alone; those of uploads belong to their uploads."""
    own = f"{OURS}{found.bucket_id}/objects/"
    return frozenset(blob.url.removeprefix(OURS) for blob in found.blobs if blob.url and blob.url.startswith(own))
