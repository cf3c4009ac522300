"""The worker that keeps buckets in step with storages of others.

A file's object, what is known of the file and the run's counts are one transaction, and an object's id follows from the
sync and the path: whatever is killed, each state of each file becomes an object's state exactly once.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.storages import OpenStorage
from tamis.errors import ConflictError, IndexUnavailableError, NotFoundError, TamisError, TooManyRequestsError
from tamis.jobs.durable import DurableWorker, Stopped
from tamis.model.batch import Batch, TaskStatus
from tamis.model.bucket import Bucket, BucketObject
from tamis.model.bucket_sync import BucketSync, FileState, SyncedFile
from tamis.model.ids import new_id
from tamis.model.principal import Principal
from tamis.model.storage_connection import SourceFile
from tamis.services.access.storage_connections import StorageConnectionService
from tamis.services.data.batch_tiers import tiers_from_bucket
from tamis.services.data.batches import check_queue, start
from tamis.services.data.blob_intake import LocalFile
from tamis.services.data.bucket_syncs import (
    BATCH_OBJECTS,
    MOST_FILES,
    begin_run,
    end_task,
    facts_of,
    resting,
    scheduled,
)
from tamis.services.data.buckets import require_bucket
from tamis.services.data.objects import ObjectService
from tamis.services.data.synced_files import draft_of, is_to_be_read, mime_type_of, passing
from tamis.services.upkeep.indexing import Indexer

_AT_ONCE = 4
_DUE = 100
_CHUNK = 500
_KEPT_IDS = 20
_MOST_FAILURES = 10
_LONGEST_PAUSE = 32
_LONGEST_ERROR = 1000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Run:
    """One run at work: whose, from where, to where."""

    principal: Principal
    sync: BucketSync
    bucket: Bucket
    storage: OpenStorage
    folder: Path


class BucketSyncWorker(DurableWorker[BucketSync]):
    noun = "sync"

    def __init__(
        self, metadata: Metadata, connections: StorageConnectionService, objects: ObjectService, indexer: Indexer,
        clock: Clock, folder: Path, most_bytes: int, most_queued: int, submitted: Callable[[], None],
        locks: Locks | None = None, poll_s: float = 2.0,
    ) -> None:  # fmt: skip
        """folder: for files on their way.  most_bytes: of one file.  most_queued: batches of one organisation.

        submitted: tells the worker that extracts.
        """
        super().__init__(locks, poll_s)
        self._metadata = metadata
        self._connections = connections
        self._objects = objects
        self._indexer = indexer
        self._clock = clock
        self._folder = folder
        self._most_bytes = most_bytes
        self._most_queued = most_queued
        self._submitted = submitted

    def start(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)  # what a kill left behind
        super().start()

    def identifier(self, piece: BucketSync) -> str:
        return piece.sync_id

    async def unfinished(self) -> Sequence[tuple[Principal, BucketSync]]:
        due = await self._metadata.read(lambda session: session.bucket_syncs.due(self._clock.now(), _DUE))
        for principal, sync in due:
            await self._metadata.write(partial(self._begin, principal=principal, seen=sync))
        return await self._metadata.read(lambda session: session.bucket_syncs.running())

    async def see_through(self, principal: Principal, piece: BucketSync, hold: Hold) -> None:
        found = await self._metadata.read(lambda session: _prepared(session, principal, piece.sync_id))
        if found is None:
            return
        sync, bucket = found
        _, storage = await self._connections.open(principal, sync.connection_id)
        folder = self._folder / sync.sync_id
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        run = _Run(principal, sync, bucket, storage, folder)
        try:
            seen = await self._bring_all(run, hold)
            if seen is None:
                return
            if len(seen) <= MOST_FILES and not sync.keeps_deleted:
                await self._drop_missing(run, seen)
            await self._submit(run, 1)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, True)
        await self._connections.note(principal, sync.connection_id, None)
        await self._metadata.write(lambda session: self._finish(session, run, len(seen)))

    async def give_up(self, principal: Principal, piece: BucketSync, reason: str, status: TaskStatus) -> None:
        def close(session: Session) -> None:
            sync = session.bucket_syncs.get(principal, piece.sync_id)
            if sync is None or sync.run_id != piece.run_id or sync.task_id is None:
                return
            end_task(session, principal, sync.task_id, status, reason, facts_of(sync), self._clock)
            failed = status is TaskStatus.FAILED
            failures = sync.failures + 1 if failed else sync.failures
            ended = replace(
                _ended(sync), failures=failures, last_error=reason[:_LONGEST_ERROR] if failed else sync.last_error,
                is_active=sync.is_active and failures < _MOST_FAILURES,
            )  # fmt: skip
            pause = timedelta(seconds=sync.interval_s * min(_LONGEST_PAUSE, 2**failures))
            ended = replace(ended, status=resting(ended))
            if scheduled(ended, self._clock.now()).due_at is not None:
                ended = replace(ended, due_at=self._clock.now() + pause)
            session.bucket_syncs.replace(principal, ended)

        await self._metadata.write(close)
        if status is TaskStatus.FAILED:
            await self._connections.note(principal, piece.connection_id, reason)

    def _begin(self, session: Session, principal: Principal, seen: BucketSync) -> None:
        """Unless somebody else has, or has changed when it is due."""
        sync = session.bucket_syncs.get(principal, seen.sync_id)
        if sync is not None and sync.run_id is None and sync.due_at == seen.due_at and not sync.is_paused:
            begin_run(session, principal, sync, self._clock.now())

    async def _bring_all(self, run: _Run, hold: Hold) -> set[str] | None:
        """The paths of all files that there are; None where another server has the run now. Raises: Stopped."""
        passes = passing(run.sync.filters, run.sync.source_path)
        seen: set[str] = set()
        async for page in run.storage.files(run.sync.source_path):
            wanted = [file for file in page if passes(file)]
            seen.update(file.path for file in wanted)
            for chunk in _chunks(wanted, run.sync.batch_size):
                if not await hold.stands():
                    return None
                await self._bring(run, chunk)
            await self._submit(run, BATCH_OBJECTS)
            if len(seen) > MOST_FILES:
                break
        return seen

    async def _bring(self, run: _Run, files: Sequence[SourceFile]) -> None:
        paths = [file.path for file in files]
        known = await self._metadata.read(
            lambda session: session.bucket_syncs.files(run.principal, run.sync.sync_id, paths)
        )
        gate = asyncio.Semaphore(_AT_ONCE)

        async def bring(file: SourceFile) -> None:
            async with gate:
                await self._bring_one(run, file)

        to_read = [file for file in files if is_to_be_read(file, known.get(file.path))]
        # All of them end before a failure goes on: none writes after the run was closed.
        for outcome in await asyncio.gather(*map(bring, to_read), return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _bring_one(self, run: _Run, file: SourceFile) -> None:
        """What is wrong with one file stops no other."""
        copy = run.folder / uuid4().hex
        try:
            content = await run.storage.fetch(file.path, copy, self._most_bytes)
            size_bytes = (await asyncio.to_thread(copy.stat)).st_size
            local = LocalFile(copy, content, size_bytes, file.name, mime_type_of(file.name))
            draft = draft_of(run.bucket, run.sync, file, local)
            await self._objects.keep(
                run.principal, run.bucket.bucket_id, draft, lambda session, kept: self._note(session, run, file, kept)
            )
        except TamisError as error:
            if error.status >= 500:
                raise
            reason = error.message[:_LONGEST_ERROR]
            await self._metadata.write(lambda session: self._note_failed(session, run, file, reason))
        finally:
            await asyncio.to_thread(copy.unlink, missing_ok=True)

    def _note(self, session: Session, run: _Run, file: SourceFile, kept: BucketObject) -> None:
        sync = self._mine(session, run)
        size_bytes = sum(blob.size_bytes or 0 for blob in kept.blobs)
        known = SyncedFile(file.path, file.fingerprint, FileState.WAITING, size_bytes, kept.object_id)
        session.bucket_syncs.put_files(run.principal, sync.sync_id, [known])
        counts = replace(
            sync.counts, synced=sync.counts.synced + 1, size_bytes=sync.counts.size_bytes + known.size_bytes
        )
        read_bytes = sync.run_size_bytes + size_bytes
        self._told(session, run, replace(sync, counts=counts, handled=sync.handled + 1, run_size_bytes=read_bytes))

    def _note_failed(self, session: Session, run: _Run, file: SourceFile, reason: str) -> None:
        """What it had become before stays in the bucket."""
        sync = self._mine(session, run)
        before = session.bucket_syncs.files(run.principal, sync.sync_id, [file.path]).get(file.path)
        again = before is not None and before.fingerprint == file.fingerprint
        attempts = before.attempts + 1 if before is not None and again else 1
        object_id = before.object_id if before is not None else None
        known = SyncedFile(file.path, file.fingerprint, FileState.FAILED, file.size_bytes, object_id, attempts, reason)
        session.bucket_syncs.put_files(run.principal, sync.sync_id, [known])
        counts = replace(sync.counts, failed=sync.counts.failed + (not again))
        after = replace(sync, counts=counts, handled=sync.handled + 1, run_failed=sync.run_failed + 1)
        self._told(session, run, replace(after, last_error=f"{file.path}: {reason}"[:_LONGEST_ERROR]))

    def _mine(self, session: Session, run: _Run) -> BucketSync:
        """As it is now. Raises: Stopped where it was deleted, its task killed, or its run closed."""
        sync = session.bucket_syncs.get(run.principal, run.sync.sync_id)
        if sync is None or sync.run_id != run.sync.run_id:
            raise Stopped
        task = session.tasks.get(run.principal, sync.task_id or "")
        if task is not None and task.status.is_final:
            raise Stopped
        return sync

    def _told(self, session: Session, run: _Run, sync: BucketSync) -> None:
        session.bucket_syncs.replace(run.principal, sync)
        task = session.tasks.get(run.principal, sync.task_id or "")
        if task is not None:
            data = {**task.additional_data, **facts_of(sync)}
            now = self._clock.now()
            session.tasks.replace(
                run.principal, replace(task, status=TaskStatus.IN_PROGRESS, updated_at=now, additional_data=data)
            )

    async def _drop_missing(self, run: _Run, seen: set[str]) -> None:
        """Objects of files that are there no more, with their documents."""
        after, touched = "", set[str]()
        while known := await self._following(run, after):
            after = known[-1].path
            gone = [file for file in known if file.path not in seen]
            for chunk in _chunks(gone, BATCH_OBJECTS):
                touched |= await self._drop(run, chunk)
        for collection_id in touched:
            try:
                await self._indexer.apply(run.principal, collection_id)
            except (IndexUnavailableError, NotFoundError):
                continue  # what is to go stands in the record, and the indexer goes on by itself

    async def _following(self, run: _Run, after: str) -> Sequence[SyncedFile]:
        return await self._metadata.read(
            lambda session: session.bucket_syncs.following(run.principal, run.sync.sync_id, after, _CHUNK)
        )

    async def _drop(self, run: _Run, gone: Sequence[SyncedFile]) -> frozenset[str]:
        def also(session: Session) -> None:
            sync = self._mine(session, run)
            session.bucket_syncs.delete_files(run.principal, sync.sync_id, [file.path for file in gone])
            counts = replace(sync.counts, deleted=sync.counts.deleted + len(gone))
            self._told(session, run, replace(sync, counts=counts))

        ids = [file.object_id for file in gone if file.object_id is not None]
        return await self._objects.drop(run.principal, ids, also)

    async def _submit(self, run: _Run, least: int) -> None:
        """Batches of what waits for one, as long as there are so many."""
        while await self._metadata.write(lambda session: self._batched(session, run, least)):
            self._submitted()

    def _batched(self, session: Session, run: _Run, least: int) -> bool:
        """Whether there may be more. Where too many batches wait already, these do until the next run."""
        sync = self._mine(session, run)
        waiting = session.bucket_syncs.files_in(run.principal, sync.sync_id, FileState.WAITING, "", BATCH_OBJECTS)
        if len(waiting) < least:
            return False
        ids = [file.object_id for file in waiting if file.object_id is not None]
        there = session.objects.get_many(run.principal, ids)
        found = tuple(one for one in ids if one in there)
        if sync.submits and found:
            try:
                sync = self._submitted_batch(session, run, sync, found)
            except TooManyRequestsError:
                return False
        done = [replace(file, state=FileState.DONE) for file in waiting]
        session.bucket_syncs.put_files(run.principal, sync.sync_id, done)
        session.bucket_syncs.replace(run.principal, sync)
        return True

    def _submitted_batch(
        self, session: Session, run: _Run, sync: BucketSync, object_ids: tuple[str, ...]
    ) -> BucketSync:
        """Raises: TooManyRequestsError."""
        try:
            tiers = tiers_from_bucket(session.collections.list(run.principal), sync.bucket_id)
        except ConflictError:
            return sync  # no collection takes what is in this bucket
        check_queue(session, run.principal, self._most_queued)
        now = self._clock.now()
        batch = Batch(new_id("btch"), sync.bucket_id, object_ids, now, now, metadata={"sync_config_id": sync.sync_id})
        session.batches.insert(run.principal, batch)
        task = start(session, run.principal, batch, tiers, object_ids)
        return replace(
            sync,
            batches=sync.batches + 1,
            batch_ids=(*sync.batch_ids, batch.batch_id)[-_KEPT_IDS:],
            task_ids=(*sync.task_ids, task.task_id)[-_KEPT_IDS:],
        )

    def _finish(self, session: Session, run: _Run, discovered: int) -> None:
        sync = self._mine(session, run)
        now = self._clock.now()
        status = TaskStatus.COMPLETED_WITH_ERRORS if sync.run_failed else TaskStatus.COMPLETED
        facts = {**facts_of(sync), "discovered_files": discovered}
        end_task(session, run.principal, sync.task_id or "", status, None, facts, self._clock)
        ended = replace(
            _ended(sync), failures=0, last_synced_at=now, counts=replace(sync.counts, discovered=discovered),
            last_error=sync.last_error if sync.run_failed else None,
        )  # fmt: skip
        session.bucket_syncs.replace(run.principal, scheduled(replace(ended, status=resting(ended)), now))


def _prepared(session: Session, principal: Principal, sync_id: str) -> tuple[BucketSync, Bucket] | None:
    """None where its run has ended. Raises: NotFoundError, Stopped."""
    sync = session.bucket_syncs.get(principal, sync_id)
    if sync is None or sync.run_id is None:
        return None
    task = session.tasks.get(principal, sync.task_id or "")
    if task is not None and task.status.is_final:
        raise Stopped
    return sync, require_bucket(session, principal, sync.bucket_id)


def _ended(sync: BucketSync) -> BucketSync:
    return replace(sync, run_id=None, task_id=None, begun_at=None, last_run_id=sync.run_id)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
