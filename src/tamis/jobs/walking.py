"""Walks: work over a collection's documents, chunk by chunk, each document exactly once across kills."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeAlias

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.locks import Hold, Locks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import IndexUnavailableError, NotFoundError
from tamis.jobs.durable import DurableWorker, Stopped
from tamis.model.batch import TaskStatus
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.filters import Filter, has_regex, parse_filter
from tamis.model.matching import patient
from tamis.model.principal import Permission, Principal
from tamis.model.walk import Walk
from tamis.services.data.walks import end_walk, tell_task
from tamis.services.upkeep.indexing import Indexer

_FIRST = 64
_TOO_SHORT_S, _TOO_LONG_S = 0.5, 2.5


class _Overtaken(Exception):
    pass


def _nothing(session: Session) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Change:
    """What became of some documents, stored in one transaction with the way that it took.

    documents: new states of those that change; their vectors stay.  counts: added to the walk's.
    also: whatever else belongs to that transaction.
    """

    documents: Sequence[Document] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    also: Callable[[Session], None] = _nothing


Step: TypeAlias = Callable[[Sequence[Document]], Awaitable[Change]]


class Walker(Protocol):
    """One kind of walk."""

    async def begin(self, principal: Principal, walk: Walk, collection: Collection) -> Step:
        """Called at the start and again after each kill: what every chunk is given to, and may be given twice.

        principal: who asked for it.  Raises: whatever ends the walk, by its message.
        """
        ...

    def end(self, session: Session, principal: Principal, walk: Walk, status: TaskStatus, reason: str | None) -> None:
        """In the transaction that ends it."""
        ...


class WalkWorker(DurableWorker[Walk]):
    """walkers: by the kind of their walks."""

    noun = "walk"

    def __init__(
        self, metadata: Metadata, indexer: Indexer, clock: Clock, walkers: Mapping[str, Walker],
        locks: Locks | None = None, poll_s: float = 2.0,
    ) -> None:  # fmt: skip
        super().__init__(locks, poll_s)
        self._metadata = metadata
        self._indexer = indexer
        self._clock = clock
        self._walkers = walkers

    def identifier(self, piece: Walk) -> str:
        return piece.task_id

    async def unfinished(self) -> Sequence[tuple[Principal, Walk]]:
        return await self._metadata.read(lambda session: session.walks.unfinished())

    async def see_through(self, principal: Principal, piece: Walk, hold: Hold) -> None:
        found = await self._metadata.read(lambda session: _prepared(session, principal, piece))
        if found is None:
            return
        walk, collection, asker = found
        walker = self._walkers.get(walk.kind)
        if walker is None:
            raise NotFoundError.of("kind of walk", walk.kind)
        step = await walker.begin(asker, walk, collection)
        wanted, size = parse_filter(walk.matching), min(_FIRST, walk.most_at_once)
        while documents := await self._following(principal, walk, size):
            started = time.monotonic()
            change = await step(await _meant(documents, wanted))
            if not await hold.stands():
                return
            try:
                walk = await self._keep(principal, walk, documents, change)
            except _Overtaken:
                size = max(1, size // 2)
                continue
            size = _adapted(size, walk.most_at_once, time.monotonic() - started)
        # The rows are durable and the indexer goes on by itself; a shard that is gone went with its collection.
        with contextlib.suppress(IndexUnavailableError, NotFoundError):
            await self._indexer.apply(principal, walk.collection_id)
        await self._close(principal, walk, TaskStatus.COMPLETED, None)

    async def give_up(self, principal: Principal, piece: Walk, reason: str, status: TaskStatus) -> None:
        await self._close(principal, piece, status, reason)

    async def _following(self, principal: Principal, walk: Walk, size: int) -> Sequence[Document]:
        return await self._metadata.read(
            lambda session: session.documents.following(principal, walk.collection_id, walk.after, size, walk.batch_id)
        )

    async def _keep(self, principal: Principal, walk: Walk, documents: Sequence[Document], change: Change) -> Walk:
        """Raises: _Overtaken where one of them was written to meanwhile, Stopped."""
        counts = Counter(walk.counts)
        counts.update(change.counts)
        on = replace(
            walk, after=documents[-1].document_id, seen=walk.seen + len(documents),
            changed=walk.changed + len(change.documents), counts=dict(counts),
        )  # fmt: skip

        def keep(session: Session) -> None:
            if not tell_task(session, principal, on, self._clock.now()):
                raise Stopped
            now = session.documents.get_many(principal, [one.document_id for one in documents])
            if any(one.document_id not in now or now[one.document_id].revision != one.revision for one in documents):
                raise _Overtaken
            if change.documents:
                session.documents.put_fields(principal, walk.collection_id, change.documents)
            change.also(session)
            session.walks.replace(principal, on)

        await self._metadata.write(keep)
        return on

    async def _close(self, principal: Principal, walk: Walk, status: TaskStatus, reason: str | None) -> None:
        def close(session: Session) -> None:
            now = session.walks.get(principal, walk.task_id)
            if now is not None:
                if now.kind in self._walkers:
                    self._walkers[now.kind].end(session, principal, now, status, reason)
                end_walk(session, principal, now, status, reason, self._clock.now())

        await self._metadata.write(close)


def _prepared(session: Session, principal: Principal, walk: Walk) -> tuple[Walk, Collection, Principal] | None:
    """As it is now; None where it has ended. Raises: NotFoundError, Stopped."""
    now = session.walks.get(principal, walk.task_id)
    if now is None:
        return None
    task = session.tasks.get(principal, walk.task_id)
    if task is not None and task.status.is_final:
        raise Stopped
    collection = session.collections.get(principal, walk.collection_id)
    if collection is None:
        raise NotFoundError.of("collection", walk.collection_id)
    organization = session.organizations.get(principal)
    user_id, key_id = walk.requested_by
    allowed = frozenset({Permission.READ, Permission.WRITE})
    asker = replace(principal, permissions=allowed, user_id=user_id, key_id=key_id)
    return now, collection, asker if organization is None else replace(asker, tier=organization.tier)


async def _meant(documents: Sequence[Document], wanted: Filter | None) -> Sequence[Document]:
    """Raises: ValidationError where the filter's patterns take too long over them."""
    if wanted is None:
        return documents
    is_meant = patient(wanted, ("filters",))

    def sift() -> Sequence[Document]:
        return [one for one in documents if is_meant(one.dated_view())]

    return await asyncio.to_thread(sift) if has_regex(wanted) else sift()


def _adapted(size: int, most: int, duration_s: float) -> int:
    """Chunks of about a second: what a kill loses is little, and so is what each transaction costs."""
    if duration_s > _TOO_LONG_S:
        return max(1, size // 2)
    return min(most, size * 2) if duration_s < _TOO_SHORT_S else size
