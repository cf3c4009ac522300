import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tamis.engine.local_locks import LocalHold, LocalLocks
from tamis.engine.ports.index import Point
from tamis.errors import IndexUnavailableError, NotFoundError, StorageUnavailableError
from tamis.model.collection import Collection
from tamis.model.document import Document, DocumentWrite
from tamis.model.filters import Condition, Filter, Operator
from tamis.model.ids import derived_id
from tamis.model.principal import Principal
from tamis.model.vector import Dense
from tamis.services.upkeep.indexing import Indexer
from tamis.testing.memory_index import MemoryIndex
from tests.extraction_world import World, letters, open_world


class RestartingIndex(MemoryIndex):
    """An index whose backend is away for the next so many writes."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 0
        self.upserts = 0

    async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        if self.away:
            self.away -= 1
            raise IndexUnavailableError
        self.upserts += 1
        await super().upsert(principal, collection_id, points)


@pytest.fixture
def index() -> RestartingIndex:
    return RestartingIndex()


@pytest.fixture
async def world(tmp_path: Path, index: RestartingIndex) -> AsyncIterator[World]:
    async with open_world(tmp_path, index) as opened:
        yield opened


@pytest.fixture
async def collection(world: World) -> Collection:
    return await world.collection("docs", await world.bucket())


async def put(world: World, collection: Collection, numbers: Sequence[int], word: str = "word") -> list[str]:
    """Documents in the system of record that the index has not been told of."""
    now = datetime.now(UTC)
    key = collection.collection_id
    writes = [
        DocumentWrite(
            Document(derived_id("doc", number), key, {"text": word, "number": number}, now, now),
            {"letters": Dense(letters(word))},
        )
        for number in numbers
    ]
    await world.metadata.write(lambda session: session.documents.put(world.principal, key, writes))
    return [write.document.document_id for write in writes]


async def pending(world: World, collection: Collection) -> int:
    key = collection.collection_id
    return await world.metadata.read(lambda session: session.index_queue.pending_for(world.principal, key))


async def count(world: World, collection: Collection) -> int:
    return await world.index.count(world.principal, collection.collection_id, None)


async def test_what_was_committed_is_found_once_it_is_applied(world: World, collection: Collection) -> None:
    ids = await put(world, collection, range(5))
    assert await count(world, collection) == 0
    assert await world.indexer.apply(world.principal, collection.collection_id) == 5
    assert sorted(await world.search(collection, "word")) == sorted(ids)
    assert await pending(world, collection) == 0


async def test_many_rows_go_in_large_batches_and_each_document_once(
    world: World, collection: Collection, index: RestartingIndex
) -> None:
    for word in ("old", "older", "newest"):
        await put(world, collection, range(400), word)
    assert await world.indexer.apply(world.principal, collection.collection_id) == 1200
    assert index.upserts == 2
    assert await count(world, collection) == 400


async def test_a_document_deleted_before_it_was_indexed_never_appears(world: World, collection: Collection) -> None:
    ids = await put(world, collection, range(3))
    await world.metadata.write(
        lambda session: session.documents.delete(world.principal, collection.collection_id, ids[:1])
    )
    await world.indexer.apply(world.principal, collection.collection_id)
    assert sorted(await world.search(collection, "word")) == sorted(ids[1:])


async def test_an_index_that_restarts_is_waited_for(
    world: World, collection: Collection, index: RestartingIndex
) -> None:
    await put(world, collection, range(3))
    index.away = 1
    assert await world.indexer.apply(world.principal, collection.collection_id) == 3


async def test_an_index_that_stays_away_loses_nothing(
    world: World, collection: Collection, index: RestartingIndex
) -> None:
    await put(world, collection, range(3))
    index.away = 10**6
    with pytest.raises(IndexUnavailableError, match="kept"):
        await world.indexer.apply(world.principal, collection.collection_id)
    assert await pending(world, collection) == 3
    index.away = 0
    for _ in range(1000):
        if not await pending(world, collection):
            break
        await asyncio.sleep(0.01)
    assert await count(world, collection) == 3


async def test_writers_who_come_together_share_a_drain(
    world: World, collection: Collection, index: RestartingIndex
) -> None:
    key = collection.collection_id

    async def write(number: int) -> None:
        ids = await put(world, collection, [number])
        await world.indexer.apply(world.principal, key)
        assert ids[0] in await world.search(collection, "word", limit=50)

    await asyncio.gather(*map(write, range(50)))
    assert await count(world, collection) == 50
    assert index.upserts < 25
    assert await pending(world, collection) == 0


async def test_a_caller_who_goes_leaves_the_others_their_drain(world: World, collection: Collection) -> None:
    await put(world, collection, range(5))
    key = collection.collection_id
    going, staying = (asyncio.create_task(world.indexer.apply(world.principal, key)) for _ in range(2))
    await asyncio.sleep(0)
    going.cancel()
    assert await staying == 5
    assert await count(world, collection) == 5


async def test_a_start_catches_up_with_what_a_kill_left(world: World, collection: Collection) -> None:
    ids = await put(world, collection, range(7))
    fresh = MemoryIndex()
    assert await Indexer(world.metadata, fresh).catch_up() == 7
    assert await fresh.count(world.principal, collection.collection_id, None) == len(ids)
    assert await world.metadata.read(lambda session: session.index_queue.pending(10)) == []


async def test_a_start_forgets_the_work_of_a_collection_that_is_gone(world: World, collection: Collection) -> None:
    await put(world, collection, range(3))
    key = collection.collection_id
    await world.metadata.write(lambda session: session.collections.delete(world.principal, key))
    await world.indexer.catch_up()
    assert await world.metadata.read(lambda session: session.index_queue.pending(10)) == []


async def test_a_rebuild_makes_the_index_from_the_system_of_record(world: World, collection: Collection) -> None:
    ids = await put(world, collection, range(1200))
    await world.indexer.apply(world.principal, collection.collection_id)
    key = collection.collection_id
    await world.index.delete(world.principal, key, ids[:300])
    await world.index.upsert(world.principal, key, [Point("doc_stray", {}, {})])
    assert await world.indexer.rebuild(world.principal, "docs") == 1200
    assert await count(world, collection) == 1200
    with pytest.raises(NotFoundError):
        await world.indexer.rebuild(world.stranger, key)


class AwayLocks(LocalLocks):
    """Of a database that is away for the next so many times."""

    def __init__(self) -> None:
        super().__init__()
        self.away = 0

    async def take(self, name: str) -> LocalHold | None:
        if self.away:
            self.away -= 1
            raise StorageUnavailableError
        return await super().take(name)


async def test_a_lock_that_could_not_be_had_is_asked_for_again(world: World, collection: Collection) -> None:
    locks = AwayLocks()
    indexer = Indexer(world.metadata, world.index, locks=locks)
    await put(world, collection, [1, 2])
    locks.away = 1
    with pytest.raises(StorageUnavailableError):
        await indexer.apply(world.principal, collection.collection_id)
    assert await indexer.apply(world.principal, collection.collection_id) == 2
    await indexer.close()


class LostLocks(LocalLocks):
    """What is held is lost to another meanwhile, the first so many times."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    async def take(self, name: str) -> LocalHold | None:
        hold = await super().take(name)
        return None if hold is None else LostHold(hold, self)


class LostHold(LocalHold):
    def __init__(self, hold: LocalHold, locks: LostLocks) -> None:
        super().__init__(hold._held, hold._name)
        self._locks = locks

    async def stands(self) -> bool:
        self._locks.times -= 1
        return self._locks.times < 0


async def test_what_was_brought_without_the_lock_is_brought_once_more(world: World, collection: Collection) -> None:
    """Another has brought a newer state and taken its rows away, before this one's older state came."""
    indexer = Indexer(world.metadata, world.index, locks=LostLocks(1))
    await put(world, collection, [1], "old")
    key = collection.collection_id
    upsert = world.index.upsert

    async def late(principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        world.index.upsert = upsert  # type: ignore[method-assign]
        await put(world, collection, [1], "new")
        await Indexer(world.metadata, world.index).apply(principal, collection_id)
        await upsert(principal, collection_id, points)

    world.index.upsert = late  # type: ignore[method-assign]
    await indexer.apply(world.principal, key)
    word: Filter = Condition("text", Operator.EQ, "new")
    assert await world.index.count(world.principal, key, word) == 1
    assert await world.metadata.read(lambda session: session.index_queue.pending_for(world.principal, key)) == 0
    await indexer.close()
