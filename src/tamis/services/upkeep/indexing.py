"""From the system of record to the search index: drain the outbox in order, acknowledge what the index has taken."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import Context
from functools import partial
from time import monotonic
from typing import Any, Protocol, TypeAlias

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.index import Point, VectorIndex
from tamis.engine.ports.locks import Hold, Locks, held
from tamis.engine.ports.metadata import IndexWork, Metadata, Session
from tamis.errors import IndexUnavailableError, NotFoundError, StorageFullError
from tamis.model.collection import Collection
from tamis.model.principal import Principal

_LOG = logging.getLogger(__name__)
_ROWS = 1000
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 2.0


Progress: TypeAlias = Callable[[int, int], None]
"""(documents done, of how many); of none while that is not known"""


class Shards(Protocol):
    """What who makes a collection asks of an `Indexer`."""

    async def ensure(self, principal: Principal, collection: Collection) -> None: ...


class Indexer:
    """Brings committed documents into the index.

    Every write of documents leaves its rows in the outbox within its own transaction; `apply` takes them to the index
    and acknowledges them only then, so that a kill in between costs a repetition and never a document.
    """

    def __init__(
        self, metadata: Metadata, index: VectorIndex, patience_s: float = 20.0, locks: Locks | None = None
    ) -> None:
        """patience_s: how long `apply` waits for an index that is restarting before it says so.

        locks: seen by all who write to this record; None where nobody else does. Of two who brought the same document
        at once, the one that read it first might write it last.
        """
        self._metadata = metadata
        self._index = index
        self._patience_s = patience_s
        self._locks: Locks = locks or LocalLocks()
        self._next: dict[tuple[str, str, str], asyncio.Task[int]] = {}
        self._rounds: set[asyncio.Task[int]] = set()
        self._late: dict[tuple[str, str, str], asyncio.Task[None]] = {}

    async def ensure(self, principal: Principal, collection: Collection) -> None:
        """Make the collection's shard where there is none."""
        await self._index.create(principal, collection.collection_id, collection.features)

    async def apply(self, principal: Principal, collection_id: str) -> int:
        """Drain the outbox of one collection; returns how many rows were taken.

        All who come while a drain is under way share the next one: writers do not wait for each other in turn.
        Raises: IndexUnavailableError once `patience_s` is over; the rows stay, and a task goes on trying.
        """
        key = _key(principal, collection_id)
        if key not in self._next:
            self._begin_round(principal, collection_id)
        try:
            return await asyncio.shield(self._next[key])
        except (IndexUnavailableError, StorageFullError) as down:
            self._go_on(principal, collection_id)
            raise IndexUnavailableError(
                "the write is kept; it becomes searchable once the index is back", collection_id=collection_id
            ) from down

    def _begin_round(self, principal: Principal, collection_id: str) -> None:
        key = _key(principal, collection_id)
        # In a context of its own: what hangs on the first caller's request is not meant for these writes.
        drain = self._drain(principal, collection_id, monotonic() + self._patience_s)
        begun = self._next[key] = asyncio.create_task(drain, context=Context())
        self._rounds.add(begun)

        def end(task: asyncio.Task[int]) -> None:
            self._rounds.discard(task)
            # One that never got the lock, since the database was away, is nobody's next.
            if self._next.get(key) is task:
                del self._next[key]

        begun.add_done_callback(end)

    async def drop(self, principal: Principal, collection_id: str) -> None:
        """Remove the shard of a collection that has gone from the system of record."""
        async with self._alone(principal, collection_id):
            await self._index.drop(principal, collection_id)

    async def catch_up(self) -> int:
        """Drain the whole outbox, of every tenant: what a start does first. Returns the rows taken."""
        taken = 0
        while True:
            work = await self._metadata.read(lambda session: session.index_queue.pending(_ROWS))
            if not work:
                return taken
            for principal, collection_id in {_key(w.principal, w.collection_id): _of(w) for w in work}.values():
                taken += await self._recover(principal, collection_id)

    async def rebuild(self, principal: Principal, collection_id: str) -> int:
        """Drop the shard and make it again from the system of record; returns the documents indexed."""
        async with self._making(principal, collection_id):
            return await self._make_again(principal, collection_id, _untold)

    async def repair(self, principal: Principal, collection_id: str, told: Progress) -> bool:
        """Make the shard again where it does not hold what the system of record holds; True where that was so.

        A shard that was damaged on disk or is of an older format, a directory that was lost and a rebuild that was
        killed all show by this.  told: before the shard is emptied, and as it fills.
        """
        async with self._making(principal, collection_id):
            if await self._is_whole(principal, collection_id):
                return False
            await self._make_again(principal, collection_id, told)
            return True

    async def _is_whole(self, principal: Principal, collection_id: str) -> bool:
        """With nothing left in the outbox both sides hold the same documents."""

        def expected(session: Session) -> tuple[int, int]:
            return (
                session.index_queue.pending_for(principal, collection_id),
                session.documents.count(principal, collection_id),
            )

        async with self._alone(principal, collection_id) as hold:
            collection = await self._collection(principal, collection_id)
            if collection is None:
                return True
            await self.ensure(principal, collection)
            pending, documents = await self._metadata.read(expected)
            while pending:
                await self._step(principal, collection_id, hold)
                pending, documents = await self._metadata.read(expected)
            info = await self._index.info(principal, collection_id)
            lost = info.facts.get("needs_rebuild")
            return not lost and await self._index.count(principal, collection_id, None) == documents

    async def close(self) -> None:
        """Stop what still waits for the index; its rows are durable."""
        waiting: list[asyncio.Task[Any]] = [*self._late.values(), *self._rounds]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    async def _make_again(self, principal: Principal, collection_id: str, told: Progress) -> int:
        """The lock is let go between batches, so that writes of a large collection need not wait for the end."""
        collection = await self._collection(principal, collection_id)
        if collection is None:
            raise NotFoundError.of("collection", collection_id)
        collection_id = collection.collection_id
        told(0, 0)
        async with self._alone(principal, collection_id):
            await self._index.drop(principal, collection_id)
            await self._index.create(principal, collection_id, collection.features)
        document_ids = await self._metadata.read(
            lambda session: [document.document_id for document in session.documents.scan(principal, collection_id)]
        )
        for start in range(0, len(document_ids), _ROWS):
            told(start, len(document_ids))
            await self._put_again(principal, collection_id, document_ids[start : start + _ROWS])
        await self.apply(principal, collection_id)
        # What was answered while the shard was incomplete must not be taken for the answer of this state.
        await self._metadata.write(lambda session: _touch(session, principal, collection_id))
        return len(document_ids)

    async def _put_again(self, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> None:
        async with self._alone(principal, collection_id):
            points = await self._metadata.read(partial(_points, principal=principal, document_ids=document_ids))
            if points:
                await self._index.upsert(principal, collection_id, points)

    async def _collection(self, principal: Principal, collection_id: str) -> Collection | None:
        return await self._metadata.read(lambda session: session.collections.get(principal, collection_id))

    async def _recover(self, principal: Principal, collection_id: str) -> int:
        """As `apply`, where the shard may be missing, or the collection itself have been deleted meanwhile."""
        collection = await self._collection(principal, collection_id)
        if collection is not None:
            await self.ensure(principal, collection)
            return await self._drain(principal, collection_id, None)
        await self.drop(principal, collection_id)
        return await self._forget(principal, collection_id)

    async def _forget(self, principal: Principal, collection_id: str) -> int:
        """Acknowledge the rows of a collection that is no more."""

        def forget(session: Session) -> int:
            rows = session.index_queue.pending_in(principal, collection_id, _ROWS)
            session.index_queue.acknowledge(principal, collection_id, [row.sequence for row in rows])
            return len(rows)

        taken = 0
        while rows := await self._metadata.write(forget):
            taken += rows
        return taken

    async def _drain(self, principal: Principal, collection_id: str, deadline: float | None) -> int:
        """deadline: of the monotonic clock; None waits for the index for as long as it takes."""
        key, taken = _key(principal, collection_id), 0
        pauses = _pauses()
        while True:
            try:
                async with self._alone(principal, collection_id) as hold:
                    # It begins: who comes from now on may have rows that it does not see.
                    self._next.pop(key, None)
                    rows = await self._step(principal, collection_id, hold)
            except (IndexUnavailableError, StorageFullError) as down:
                pause_s = next(pauses)
                # Nobody waits for space: whoever makes some may take hours.
                is_full = isinstance(down, StorageFullError)
                if deadline is not None and (is_full or monotonic() + pause_s > deadline):
                    raise
                await asyncio.sleep(pause_s)
                continue
            taken += rows
            if rows < _ROWS:
                return taken

    def _alone(self, principal: Principal, collection_id: str) -> AbstractAsyncContextManager[Hold]:
        return held(self._locks, "index:" + ":".join(_key(principal, collection_id)))

    def _making(self, principal: Principal, collection_id: str) -> AbstractAsyncContextManager[Hold]:
        """One at a time makes a shard again: another who came meanwhile would take it for one that lost documents."""
        return held(self._locks, "index made again:" + ":".join(_key(principal, collection_id)))

    async def _step(self, principal: Principal, collection_id: str, hold: Hold) -> int:
        def take(session: Session) -> tuple[Sequence[IndexWork], list[str], list[Point]]:
            """(rows, documents to delete, documents to put), all of one moment."""
            rows = session.index_queue.pending_in(principal, collection_id, _ROWS)
            puts, deletes = _coalesce(rows)
            points = _points(session, principal, puts)
            return rows, [*deletes, *_missing(puts, points)], points

        rows, deletes, points = await self._metadata.read(take)
        if not rows:
            return 0
        if points:
            await self._index.upsert(principal, collection_id, points)
        if deletes:
            await self._index.delete(principal, collection_id, deletes)
        sequences = [row.sequence for row in rows]
        if not await hold.stands():
            # Another may have brought newer states meanwhile, and these have been written over them.
            brought = [*(point.document_id for point in points), *deletes]
            await self._metadata.write(lambda session: _again(session, principal, collection_id, brought))
            return _ROWS
        await self._metadata.write(lambda session: session.index_queue.acknowledge(principal, collection_id, sequences))
        return len(rows)

    def _go_on(self, principal: Principal, collection_id: str) -> None:
        key = _key(principal, collection_id)
        if key not in self._late:
            task = self._late[key] = asyncio.create_task(self._drain_late(principal, collection_id))
            task.add_done_callback(lambda _: self._late.pop(key, None))

    async def _drain_late(self, principal: Principal, collection_id: str) -> None:
        try:
            await self._drain(principal, collection_id, None)
        except Exception:
            _LOG.exception("the index could not take the documents of %s; a restart tries again", collection_id)


def _untold(done: int, documents: int) -> None:
    """Nobody asks how far it has come."""


def _key(principal: Principal, collection_id: str) -> tuple[str, str, str]:
    return principal.organization_id, principal.namespace_id, collection_id


def _points(session: Session, principal: Principal, document_ids: Sequence[str]) -> list[Point]:
    """Those of the documents that are there, as they are now."""
    if not document_ids:
        return []
    vectors = session.documents.vectors(principal, document_ids)
    documents = session.documents.get_many(principal, document_ids)
    return [Point(key, vectors.get(key, {}), document.view()) for key, document in documents.items()]


def _missing(document_ids: Sequence[str], points: Sequence[Point]) -> list[str]:
    there = {point.document_id for point in points}
    return [document_id for document_id in document_ids if document_id not in there]


def _touch(session: Session, principal: Principal, collection_id: str) -> None:
    if session.collections.get(principal, collection_id) is not None:
        session.documents.touch(principal, collection_id)


def _again(session: Session, principal: Principal, collection_id: str, document_ids: Sequence[str]) -> None:
    """Each is brought once more as it is then, be it gone."""
    if session.collections.get(principal, collection_id) is not None:
        session.index_queue.add(principal, collection_id, document_ids, delete=False)


def _of(work: IndexWork) -> tuple[Principal, str]:
    return work.principal, work.collection_id


def _coalesce(rows: Sequence[IndexWork]) -> tuple[list[str], list[str]]:
    """(ids to put, ids to delete): what the last row of each document says."""
    last = {row.document_id: row.delete for row in rows}
    return [key for key, delete in last.items() if not delete], [key for key, delete in last.items() if delete]


def _pauses() -> Iterator[float]:
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s
        pause_s = min(_LONGEST_PAUSE_S, pause_s * 2)
