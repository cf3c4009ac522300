"""Uploads: a file announced, sent to its link, confirmed, and an object of its own if so wished."""

import hashlib
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import (
    BadRequestError,
    ConflictError,
    NotFoundError,
    PayloadTooLargeError,
    TamisError,
    ValidationError,
)
from tamis.model.batch import Task, TaskStatus
from tamis.model.bucket import Bucket, BucketObject, Upload
from tamis.model.files import OURS
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.services.data.buckets import require_bucket
from tamis.services.data.objects import ObjectService
from tamis.services.data.upload_design import UploadDraft, announce, object_of
from tamis.services.data.upload_links import UploadLinks
from tamis.services.listing import ListQuery, select, timestamp
from tamis.services.upkeep.clearing import Clearing

MAX_BATCH = 100


@dataclass(frozen=True, slots=True)
class Announced:
    """An upload to send a file to, or the earlier one that has the same bytes."""

    upload: Upload
    is_duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What the sender knows of the file that it sent, held against what arrived."""

    upload_id: str
    etag: str | None = None
    file_size_bytes: int | None = None


class UploadService:
    """max_bytes: the largest file. links: what signs and opens presigned URLs."""

    def __init__(
        self,
        metadata: Metadata,
        blobs: BlobStore,
        clearing: Clearing,
        objects: ObjectService,
        links: UploadLinks,
        max_bytes: int,
    ) -> None:
        self._metadata = metadata
        self._blobs = blobs
        self._clearing = clearing
        self._objects = objects
        self._max_bytes = max_bytes
        self.links = links

    async def create(self, principal: Principal, bucket_identifier: str, draft: UploadDraft) -> Announced:
        """Raises: NotFoundError (bucket), ValidationError."""
        return (await self._create(principal, bucket_identifier, [draft], [["body"]]))[0]

    async def create_many(
        self, principal: Principal, bucket_identifier: str, drafts: Sequence[UploadDraft]
    ) -> Sequence[Announced]:
        """All or none, in order. Raises as `create`, naming the upload."""
        locs: list[list[str | int]] = [["body", "uploads", place] for place in range(len(drafts))]
        return await self._create(principal, bucket_identifier, drafts, locs)

    async def receive(self, token: str, content_type: str | None, chunks: AsyncIterator[bytes]) -> Upload:
        """Store the file that a link was made for. Sending it again, as after a lost answer, has to be the same file.

        Raises: ForbiddenError (link), NotFoundError, ConflictError (confirmed already), PayloadTooLargeError,
        BadRequestError (not the announced type, size or hash); then nothing is kept.
        """
        grant = self.links.open(token)
        principal = grant.principal
        upload = await self._metadata.read(lambda session: _receivable(session, principal, grant.upload_id))
        _check_type(upload, content_type)
        incoming = _Incoming(chunks, upload, self._max_bytes)
        # A key for each sending: one that ends late never writes over a file that has been confirmed meanwhile.
        key = f"{_own_folder(upload)}/{secrets.token_hex(8)}"
        await self._blobs.put_stream(principal, key, incoming.read())

        def write(session: Session) -> tuple[Upload, str | None]:
            latest = _receivable(session, principal, grant.upload_id)
            after = replace(
                latest,
                status=TaskStatus.IN_PROGRESS,
                blob_key=key,
                etag=incoming.etag,
                file_hash=incoming.file_hash,
                file_size_bytes=incoming.size_bytes,
            )
            session.uploads.replace(principal, after)
            return after, latest.blob_key if latest.etag else None

        try:
            received, former = await self._metadata.write(write)
        except BaseException:
            await self._blobs.delete(principal, key)
            raise
        if former is not None:
            await self._blobs.delete(principal, former)
        return received

    async def confirm(self, principal: Principal, bucket_identifier: str, confirmation: Confirmation) -> Upload:
        """Accept the file that arrived, and make its object. Confirming again answers the same.

        Raises: NotFoundError, ConflictError (no file yet), ValidationError (another file than the sender's; an object
        that the bucket refuses).
        """

        def accept(session: Session) -> tuple[Bucket, Upload]:
            bucket = require_bucket(session, principal, bucket_identifier)
            upload = _require(session, principal, bucket, confirmation.upload_id)
            _check_confirmation(upload, confirmation)
            if upload.status != TaskStatus.COMPLETED:
                upload = _accepted(session, principal, upload)
                session.uploads.replace(principal, upload)
            return bucket, upload

        bucket, upload = await self._metadata.write(accept)
        if upload.duplicate_of_upload_id is not None:
            await self._blobs.delete_prefix(principal, _own_folder(upload))
        if not upload.create_object_on_confirm or upload.object_id is not None:
            return upload
        policy = (bucket.unique_key or {}).get("default_policy") or "insert"
        made = await self._objects.create(principal, bucket.bucket_id, object_of(upload), str(policy))
        after = replace(upload, object_id=made.object_id)
        await self._metadata.write(lambda session: session.uploads.replace(principal, after))
        return after

    async def confirm_many(
        self, principal: Principal, bucket_identifier: str, confirmations: Sequence[Confirmation]
    ) -> Task:
        """Confirm one after the other; one that fails does not keep the next. The task says how each went.

        Raises: NotFoundError (bucket).
        """
        await self._metadata.read(lambda session: require_bucket(session, principal, bucket_identifier))
        outcomes = [await self._attempt(principal, bucket_identifier, each) for each in confirmations]
        failed = sum(outcome["error"] is not None for outcome in outcomes)
        status = TaskStatus.COMPLETED if not failed else TaskStatus.COMPLETED_WITH_ERRORS
        status = TaskStatus.FAILED if failed == len(outcomes) else status
        return await self._report(principal, "api_buckets_uploads_batch_confirm", status, outcomes)

    async def report(self, principal: Principal, upload: Upload) -> Upload:
        """A task that says that this upload is confirmed, for callers who asked for one."""
        outcome: dict[str, JSON] = {"upload_id": upload.upload_id, "object_id": upload.object_id, "error": None}
        task = await self._report(principal, "api_buckets_uploads_confirm", TaskStatus.COMPLETED, [outcome])
        after = replace(upload, task_id=task.task_id)
        await self._metadata.write(lambda session: session.uploads.replace(principal, after))
        return after

    async def get(self, principal: Principal, bucket_identifier: str, upload_id: str) -> Upload:
        """Raises: NotFoundError."""
        return await self._metadata.read(
            lambda session: _require(
                session, principal, require_bucket(session, principal, bucket_identifier), upload_id
            )
        )

    async def list(self, principal: Principal, bucket_identifier: str, query: ListQuery) -> Page[Upload]:
        """Newest first where no order is asked for. Raises: NotFoundError (bucket)."""

        def read(session: Session) -> Page[Upload]:
            bucket = require_bucket(session, principal, bucket_identifier)
            if query.is_plain:
                page = session.uploads.page(principal, bucket.bucket_id, query.window.limit, query.offset)
                return replace(page, limit=query.limit)
            return select(session.uploads.list(principal, bucket.bucket_id), _view, query)

        return await self._metadata.read(read)

    async def delete(
        self, principal: Principal, bucket_identifier: str, upload_id: str, delete_file: bool = True
    ) -> None:
        """Forget an upload, and delete its file unless an object or another upload stands on it.

        Raises: NotFoundError. Cost: a scan of the bucket's objects where the file is deleted.
        """

        def remove(session: Session) -> list[Remain]:
            bucket = require_bucket(session, principal, bucket_identifier)
            upload = _require(session, principal, bucket, upload_id)
            session.uploads.delete(principal, upload_id)
            is_free = delete_file and not _is_used(session, principal, upload)
            remains = [Remain(RemainKind.FILE, upload.blob_key)] if is_free else []
            session.remains.note(principal, remains)
            return remains

        await self._clearing.clear(principal, await self._metadata.write(remove))

    async def _create(
        self,
        principal: Principal,
        bucket_identifier: str,
        drafts: Sequence[UploadDraft],
        locs: Sequence[Sequence[str | int]],
    ) -> Sequence[Announced]:
        def write(session: Session) -> Sequence[Announced]:
            bucket = require_bucket(session, principal, bucket_identifier)
            announced = []
            for draft, loc in zip(drafts, locs, strict=True):
                fresh = announce(bucket, draft, self._max_bytes, loc)
                known = None
                if draft.skip_duplicates and draft.file_hash:
                    known = session.uploads.find_hash(principal, bucket.bucket_id, draft.file_hash)
                if known is None:
                    session.uploads.insert(principal, fresh)
                announced.append(Announced(known or fresh, known is not None))
            return announced

        return await self._metadata.write(write)

    async def _attempt(
        self, principal: Principal, bucket_identifier: str, confirmation: Confirmation
    ) -> dict[str, JSON]:
        try:
            upload = await self.confirm(principal, bucket_identifier, confirmation)
        except TamisError as error:
            return {"upload_id": confirmation.upload_id, "object_id": None, "error": error.message}
        return {"upload_id": upload.upload_id, "object_id": upload.object_id, "error": None}

    async def _report(
        self, principal: Principal, kind: str, status: TaskStatus, outcomes: Sequence[dict[str, Any]]
    ) -> Task:
        now = datetime.now(UTC)
        errors = [outcome["error"] for outcome in outcomes if outcome["error"]]
        task = Task(
            task_id=new_id("task"),
            type=kind,
            status=status,
            created_at=now,
            updated_at=now,
            error=errors[0] if errors else None,
            inputs=tuple(outcome["upload_id"] for outcome in outcomes),
            outputs=tuple(outcomes),
        )
        await self._metadata.write(lambda session: session.tasks.insert(principal, task))
        return task


class _Incoming:
    """A file on its way: measured and hashed as it passes, and stopped where it is not the one announced."""

    def __init__(self, chunks: AsyncIterator[bytes], upload: Upload, max_bytes: int) -> None:
        self._chunks = chunks
        self._upload = upload
        self._limit_bytes = upload.file_size_bytes or max_bytes
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size_bytes = 0

    async def read(self) -> AsyncIterator[bytes]:
        """An error here, the last step included, ends the stream broken, of which the store keeps nothing.

        Raises: PayloadTooLargeError, BadRequestError.
        """
        async for chunk in self._chunks:
            self.size_bytes += len(chunk)
            if self.size_bytes > self._limit_bytes:
                raise PayloadTooLargeError(f"the file is larger than {self._limit_bytes} bytes")
            self._sha256.update(chunk)
            self._md5.update(chunk)
            yield chunk
        self._check()

    @property
    def etag(self) -> str:
        return self._md5.hexdigest()

    @property
    def file_hash(self) -> str:
        return self._sha256.hexdigest()

    def _check(self) -> None:
        expected = self._upload
        if expected.file_size_bytes not in (None, self.size_bytes):
            raise BadRequestError(f"{self.size_bytes} bytes arrived of the {expected.file_size_bytes} announced")
        if expected.file_hash not in (None, self.file_hash):
            raise BadRequestError(f"the file's SHA-256 is {self.file_hash}, announced was {expected.file_hash}")


def _check_type(upload: Upload, content_type: str | None) -> None:
    """What curl and browsers send when they are not told is let pass."""
    mime = (content_type or "").partition(";")[0].strip().lower()
    wanted = upload.content_type.partition(";")[0].strip().lower()
    if mime not in ("", wanted, "application/octet-stream", "application/x-www-form-urlencoded"):
        raise BadRequestError(f"Content-Type is {mime}, announced was {wanted}", upload_id=upload.upload_id)


def _check_confirmation(upload: Upload, confirmation: Confirmation) -> None:
    if upload.etag is None:
        raise ConflictError("the file has not arrived; PUT it to the presigned URL first", upload_id=upload.upload_id)
    etag = (confirmation.etag or "").strip().strip('"').lower()
    if etag not in ("", upload.etag):
        raise ValidationError.at(["body", "etag"], f"the file that arrived has the ETag {upload.etag}")
    if confirmation.file_size_bytes not in (None, upload.file_size_bytes):
        raise ValidationError.at(
            ["body", "file_size_bytes"], f"the file that arrived has {upload.file_size_bytes} bytes"
        )


def _accepted(session: Session, principal: Principal, upload: Upload) -> Upload:
    """The upload as confirmed: standing on an earlier one's file and object where the bytes are the same."""
    now = datetime.now(UTC)
    done = replace(upload, status=TaskStatus.COMPLETED, verified_at=now, completed_at=now)
    if not upload.skip_duplicates or upload.file_hash is None:
        return done
    earlier = session.uploads.find_hash(principal, upload.bucket_id, upload.file_hash)
    if earlier is None or earlier.upload_id == upload.upload_id:
        return done
    kept = session.objects.get(principal, earlier.object_id) if earlier.object_id else None
    return replace(
        done,
        duplicate_of_upload_id=earlier.upload_id,
        blob_key=earlier.blob_key,
        object_id=kept.object_id if kept else None,
    )


def _own_folder(upload: Upload) -> str:
    return f"{upload.bucket_id}/uploads/{upload.upload_id}"


def _is_used(session: Session, principal: Principal, upload: Upload) -> bool:
    url = f"{OURS}{upload.blob_key}"
    others = session.uploads.list(principal, upload.bucket_id)
    if any(other.blob_key == upload.blob_key for other in others if other.upload_id != upload.upload_id):
        return True
    objects = session.objects.scan(principal, upload.bucket_id)
    return any(_stands_on(found, url) for found in objects)


def _stands_on(found: BucketObject, url: str) -> bool:
    return any(blob.url == url for blob in found.blobs)


def _require(session: Session, principal: Principal, bucket: Bucket, upload_id: str) -> Upload:
    upload = session.uploads.get(principal, upload_id)
    if upload is None or upload.bucket_id != bucket.bucket_id:
        raise NotFoundError.of("upload", upload_id)
    return upload


def _receivable(session: Session, principal: Principal, upload_id: str) -> Upload:
    upload = session.uploads.get(principal, upload_id)
    if upload is None:
        raise NotFoundError.of("upload", upload_id)
    if upload.status not in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS):
        raise ConflictError(f"this upload is {upload.status} already", upload_id=upload_id)
    return upload


def _view(upload: Upload) -> Mapping[str, JSON]:
    """What lists filter, search and sort by."""
    return {
        "upload_id": upload.upload_id,
        "bucket_id": upload.bucket_id,
        "filename": upload.filename,
        "content_type": upload.content_type,
        "status": str(upload.status),
        "file_size_bytes": upload.file_size_bytes,
        "file_hash": upload.file_hash,
        "blob_property": upload.blob_property,
        "blob_type": upload.blob_type,
        "object_id": upload.object_id,
        "metadata": dict(upload.metadata),
        "created_at": timestamp(upload.created_at),
        "expires_at": timestamp(upload.expires_at),
        "completed_at": timestamp(upload.completed_at),
    }
