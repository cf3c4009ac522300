"""The worker of snapshots: reads a namespace in one transaction, while others write, and keeps what it read."""

import asyncio
import hashlib
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError
from tamis.jobs.durable import DurableWorker, Stopped
from tamis.model.batch import TaskStatus
from tamis.model.principal import Principal
from tamis.model.remain import Remain, RemainKind
from tamis.model.snapshot import Snapshot, SnapshotFile, SnapshotStatus
from tamis.services.data.snapshot_rows import file_keys_of, parts_of, rows_of
from tamis.services.upkeep.clearing import Clears

_LOOK_EVERY_S = 60.0
"""For what another server had begun and left behind; what is begun here is announced."""
_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class _Read:
    """What one transaction gave: parts as files of a folder, and the keys of files that they name."""

    parts: Sequence[Path]
    counts: dict[str, int]
    keys: Sequence[str]
    taken_at: datetime


class SnapshotWorker(DurableWorker[Snapshot]):
    """What a kill broke off is begun again: a snapshot is of one moment, or it is none.

    Rows go to a folder of this machine first, so that the transaction is as short as it can be. Files never change
    under their names; where one is deleted between the reading and its copying, the reading is done again.
    """

    noun = "snapshot"

    def __init__(
        self, metadata: Metadata, blobs: BlobStore, clearing: Clears, clock: Clock, folder: Path,
        locks: Locks | None = None,
    ) -> None:  # fmt: skip
        super().__init__(locks, _LOOK_EVERY_S, at_once=2)
        self._metadata = metadata
        self._blobs = blobs
        self._clearing = clearing
        self._clock = clock
        self._folder = folder

    def identifier(self, piece: Snapshot) -> str:
        return piece.snapshot_id

    async def unfinished(self) -> Sequence[tuple[Principal, Snapshot]]:
        return await self._metadata.read(_unfinished)

    async def see_through(self, principal: Principal, piece: Snapshot, hold: Hold) -> None:
        folder = self._folder / piece.snapshot_id
        if not await self._begun(principal, piece):
            return
        try:
            await self._blobs.delete_prefix(principal, piece.prefix)
            taken = await self._take(principal, piece, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        if await hold.stands():
            await self._end(principal, taken, TaskStatus.COMPLETED, None)

    async def give_up(self, principal: Principal, piece: Snapshot, reason: str, status: TaskStatus) -> None:
        failed = replace(piece, status=SnapshotStatus.FAILED, error=reason)
        await self._clearing.clear(principal, await self._end(principal, failed, status, reason))

    async def _begun(self, principal: Principal, piece: Snapshot) -> bool:
        """Raises: Stopped."""

        def begin(session: Session) -> bool:
            now = _current(session, principal, piece)
            if now is not None and now.status is SnapshotStatus.PENDING:
                at = self._clock.now()
                session.snapshots.replace(principal, replace(now, status=SnapshotStatus.IN_PROGRESS, updated_at=at))
                task = session.tasks.get(principal, now.task_id)
                if task is not None:
                    session.tasks.replace(principal, replace(task, status=TaskStatus.IN_PROGRESS, updated_at=at))
            return now is not None

        return await self._metadata.write(begin)

    async def _take(self, principal: Principal, piece: Snapshot, folder: Path) -> Snapshot:
        source = principal.within(piece.source_id or principal.namespace_id)
        files: dict[str, SnapshotFile] = {}
        before: set[str] | None = None
        for _ in range(_ROUNDS):
            read = await self._metadata.read(lambda session: self._read(session, source, piece, folder))
            await self._announce(principal, piece, len(read.parts), len(files) + len(read.keys))
            for key in read.keys:
                if key not in files and (found := await self._copied(source, principal, piece, key, len(files))):
                    files[key] = found
            missing = set(read.keys) - files.keys()
            # What was not there twice was not deleted in between.
            if not missing or missing == before:
                return await self._kept(principal, piece, read, files, missing)
            before = missing
        raise ConflictError("files are deleted faster than they can be copied; try again at a quieter time")

    async def _announce(self, principal: Principal, piece: Snapshot, parts: int, files: int) -> None:
        """What is about to be stored has a name before it is there. Raises: Stopped."""

        def announce(session: Session) -> None:
            now = _current(session, principal, piece)
            if now is None:
                raise Stopped
            session.snapshots.replace(principal, replace(now, parts=parts, files=files))

        await self._metadata.write(announce)

    def _read(self, session: Session, source: Principal, piece: Snapshot, folder: Path) -> _Read:
        """Raises: NotFoundError where what it is of is gone."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        parts: list[Path] = []
        counts: Counter[str] = Counter()
        keys: dict[str, None] = {}
        for data, rows in parts_of(rows_of(session, source, piece.included, piece.collection_id)):
            parts.append(folder / str(len(parts)))
            parts[-1].write_bytes(data)
            counts.update(row.kind for row in rows)
            keys.update((key, None) for row in rows for key in sorted(file_keys_of(row)))
        if not parts:
            raise NotFoundError.of("snapshot's source", piece.collection_id or source.namespace_id)
        return _Read(parts, dict(counts), list(keys), self._clock.now())

    async def _copied(
        self, source: Principal, principal: Principal, piece: Snapshot, key: str, number: int
    ) -> SnapshotFile | None:
        """None where it is not there."""
        digest = hashlib.sha256()

        async def hashed() -> AsyncIterator[bytes]:
            async for chunk in self._blobs.stream(source, key):
                digest.update(chunk)
                yield chunk

        try:
            size_bytes = await self._blobs.put_stream(principal, piece.file_key(number), hashed())
        except NotFoundError:
            return None
        return SnapshotFile(key, digest.hexdigest(), size_bytes)

    async def _kept(
        self, principal: Principal, piece: Snapshot, read: _Read, files: dict[str, SnapshotFile], missing: set[str]
    ) -> Snapshot:
        size_bytes = sum(one.size_bytes for one in files.values())
        for number, path in enumerate(read.parts):
            data = await asyncio.to_thread(path.read_bytes)
            await self._blobs.put(principal, piece.part_key(number), data)
            size_bytes += len(data)
        await self._blobs.put(principal, piece.index_key, msgspec.json.encode(list(files.values())))
        return replace(
            piece, status=SnapshotStatus.COMPLETED, taken_at=read.taken_at, parts=len(read.parts), files=len(files),
            size_bytes=size_bytes, counts=read.counts, missing=tuple(sorted(missing)),
        )  # fmt: skip

    async def _end(
        self, principal: Principal, ended: Snapshot, status: TaskStatus, reason: str | None
    ) -> Sequence[Remain]:
        def end(session: Session) -> Sequence[Remain]:
            now = session.snapshots.get(principal, ended.snapshot_id)
            if now is None or now.status.is_final:
                return ()
            at = self._clock.now()
            session.snapshots.replace(principal, replace(ended, name=now.name, updated_at=at))
            task = session.tasks.get(principal, now.task_id)
            if task is not None and not (task.status.is_final and status is not TaskStatus.COMPLETED):
                session.tasks.replace(principal, replace(task, status=status, error=reason, updated_at=at))
            if status is TaskStatus.COMPLETED:
                return ()
            remains = [Remain(RemainKind.FILES, now.prefix)]
            session.remains.note(principal, remains)
            return remains

        return await self._metadata.write(end)


def _unfinished(session: Session) -> list[tuple[Principal, Snapshot]]:
    found = [
        (inside, one)
        for inside, _ in session.every_namespace()
        for one in session.snapshots.list(inside)
        if not one.status.is_final
    ]
    return sorted(found, key=lambda one: (one[1].created_at, one[1].snapshot_id))


def _current(session: Session, principal: Principal, piece: Snapshot) -> Snapshot | None:
    """As it is now; None where it has ended. Raises: Stopped where its task was killed."""
    now = session.snapshots.get(principal, piece.snapshot_id)
    if now is None or now.status.is_final:
        return None
    task = session.tasks.get(principal, now.task_id)
    if task is None or task.status.is_final:
        raise Stopped
    return now
