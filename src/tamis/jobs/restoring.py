"""The worker that puts snapshots back: part by part, each with the mark that it is done, in one transaction."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import cast

import msgspec

from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, NotFoundError
from tamis.jobs.durable import DurableWorker, Stopped
from tamis.model.batch import Task, TaskStatus
from tamis.model.collection import Collection
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.remain import Remain
from tamis.model.snapshot import Snapshot, SnapshotFile, SnapshotStatus
from tamis.services.data.collections import remove_collection
from tamis.services.data.files import FileKeeping, Payload
from tamis.services.data.restorations import RESTORATION, Restoration, unfinished_restorations
from tamis.services.data.row_writes import put_rows
from tamis.services.data.snapshot_rows import Row, decode_part, file_keys_of, with_files
from tamis.services.data.snapshots import drop_snapshot
from tamis.services.upkeep.clearing import Clears
from tamis.services.upkeep.indexing import Indexer

_LOOK_EVERY_S = 60.0
"""For what another server had begun and left behind; what is begun here is announced."""
_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.02, 1.0
_MOST_OF_A_SOURCE = 2000
"""Documents of one source whose places are looked for."""


class RestoreWorker(DurableWorker[Task]):
    """Each row is put back exactly once, whatever is killed; files before the rows that name them."""

    noun = "restoration"

    def __init__(
        self, metadata: Metadata, blobs: BlobStore, keeping: FileKeeping, indexer: Indexer, clearing: Clears,
        clock: Clock, locks: Locks | None = None,
    ) -> None:  # fmt: skip
        super().__init__(locks, _LOOK_EVERY_S, at_once=2)
        self._metadata = metadata
        self._blobs = blobs
        self._keeping = keeping
        self._indexer = indexer
        self._clearing = clearing
        self._clock = clock

    def identifier(self, piece: Task) -> str:
        return piece.task_id

    async def unfinished(self) -> Sequence[tuple[Principal, Task]]:
        return await self._metadata.read(unfinished_restorations)

    async def see_through(self, principal: Principal, piece: Task, hold: Hold) -> None:
        if (task := await self._metadata.read(lambda session: session.tasks.get(principal, piece.task_id))) is None:
            return
        wanted = Restoration.of(task)
        home = principal.within(wanted.home_id)
        snapshot = await self._whole(principal, home, wanted, hold)
        known = msgspec.json.decode(await self._blobs.get(home, snapshot.index_key), type=list[SnapshotFile])
        files = {one.key: (number, one) for number, one in enumerate(known)}
        for number in range(wanted.part, snapshot.parts):
            rows = decode_part(await self._blobs.get(home, snapshot.part_key(number)))
            await self._make_shards(principal, wanted)
            if not await hold.stands():
                return
            await self._put_back(principal, home, piece, snapshot, number, rows, files)
        await self._make_shards(principal, wanted)
        for collection in await self._metadata.read(lambda session: _made(session, principal, wanted)):
            await self._indexer.apply(principal, collection.collection_id)
        if await hold.stands():
            await self._finish(principal, home, piece, snapshot)

    async def give_up(self, principal: Principal, piece: Task, reason: str, status: TaskStatus) -> None:
        """A collection goes again; a namespace stays as far as it came, for its task to tell of it, and for whoever
        puts the same back once more under its name, which goes on from there.
        """
        wanted = Restoration.of(piece)

        def give_up(session: Session) -> Sequence[Remain]:
            task = session.tasks.get(principal, piece.task_id)
            if task is not None:
                session.tasks.replace(
                    principal, replace(task, status=status, error=reason, updated_at=self._clock.now())
                )
            remains: list[Remain] = []
            if wanted.collection_id and session.collections.get(principal, wanted.collection_id) is not None:
                remains += remove_collection(session, principal, wanted.collection_id)
            return remains

        await self._clearing.clear(principal, await self._metadata.write(give_up))

    async def _whole(self, principal: Principal, home: Principal, wanted: Restoration, hold: Hold) -> Snapshot:
        """A clone's is taken just now. Raises: NotFoundError, ConflictError where it could not be taken."""
        pause_s = _FIRST_LOOK_S
        while await hold.stands():
            found = await self._metadata.read(lambda session: session.snapshots.get(home, wanted.snapshot_id))
            if found is None:
                raise NotFoundError.of("snapshot", wanted.snapshot_id)
            if found.status is SnapshotStatus.FAILED:
                raise ConflictError(f"the snapshot could not be taken: {found.error}")
            if found.status is SnapshotStatus.COMPLETED:
                return found
            await asyncio.sleep(pause_s)
            pause_s = min(_LONGEST_LOOK_S, pause_s * 2)
        raise Stopped

    async def _make_shards(self, principal: Principal, wanted: Restoration) -> None:
        for collection in await self._metadata.read(lambda session: _made(session, principal, wanted)):
            await self._indexer.ensure(principal, collection)

    async def _put_back(
        self, principal: Principal, home: Principal, piece: Task, snapshot: Snapshot, number: int,
        rows: Sequence[Row], files: Mapping[str, tuple[int, SnapshotFile]],
    ) -> None:  # fmt: skip
        """Raises: Stopped."""
        holder = self._keeping.holder()
        try:
            needed = {key: files[key] for row in rows for key in file_keys_of(row) if key in files}
            payloads = [
                Payload(one.content, one.size_bytes, self._blobs.stream(home, snapshot.file_key(place)))
                for place, one in {one.content: (place, one) for place, one in needed.values()}.values()
            ]
            kept = await self._keeping.put(principal, holder, payloads)
            keys = {key: kept[one.content] for key, (_, one) in needed.items()}
            renamed = [with_files(row, keys) for row in rows]

            def put(session: Session) -> None:
                task, wanted = _current(session, principal, piece)
                if wanted.part == number:
                    put_rows(session, principal, renamed, wanted)
                    done = replace(wanted, part=number + 1)
                    session.tasks.replace(principal, self._told(task, done, snapshot, renamed))
                session.files.release(principal, holder)

            await self._metadata.write(put)
        except BaseException:
            await self._keeping.release(principal, holder)
            raise

    def _told(self, task: Task, done: Restoration, snapshot: Snapshot, rows: Sequence[Row]) -> Task:
        before = cast(dict[str, int], task.additional_data.get("restored", {}))
        counts = Counter(before)
        counts.update(row.kind for row in rows)
        data: dict[str, JSON] = {
            **task.additional_data, RESTORATION: done.told(), "restored": cast(JSON, dict(counts)),
            "progress": done.part / snapshot.parts,
        }  # fmt: skip
        return replace(task, status=TaskStatus.IN_PROGRESS, updated_at=self._clock.now(), additional_data=data)

    async def _finish(self, principal: Principal, home: Principal, piece: Task, snapshot: Snapshot) -> None:
        first = None
        if Restoration.of(piece).collection_id is not None:
            first = decode_part(await self._blobs.get(home, snapshot.part_key(0)))[0].value

        def finish(session: Session) -> Sequence[Remain]:
            task, wanted = _current(session, principal, piece)
            if wanted.collection_id is not None and first is not None:
                made = session.collections.get(principal, wanted.collection_id)
                if made is None:
                    raise NotFoundError.of("collection", wanted.collection_id)
                was = replace(made, is_standby=False, enabled=first.enabled, updated_at=self._clock.now())
                session.collections.replace(principal, was)
            done = replace(task, status=TaskStatus.COMPLETED, updated_at=self._clock.now())
            session.tasks.replace(principal, done)
            return drop_snapshot(session, principal, snapshot) if wanted.is_clones else ()

        await self._clearing.clear(principal, await self._metadata.write(finish))


def _made(session: Session, principal: Principal, wanted: Restoration) -> list[Collection]:
    """So far."""
    if wanted.collection_id is None:
        return list(session.collections.list(principal))
    found = session.collections.get(principal, wanted.collection_id)
    return [] if found is None else [found]


def _current(session: Session, principal: Principal, piece: Task) -> tuple[Task, Restoration]:
    """Raises: Stopped."""
    now = session.tasks.get(principal, piece.task_id)
    if now is None or now.status.is_final:
        raise Stopped
    return now, Restoration.of(now)
