"""What the index lost on disk comes back from the system of record."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tamis.engine.ports.index import Point, Scored, VectorSearch
from tamis.errors import IndexRebuildingError, IndexUnavailableError
from tamis.model.collection import Collection
from tamis.model.ids import derived_id
from tamis.model.principal import Principal
from tamis.services.upkeep.healing import Healer
from tamis.services.upkeep.whole_index import WholeIndex
from tamis.storage.index import open_edge_index
from tamis.storage.index.edge import EdgeIndex
from tamis.storage.index.files import FORMAT
from tamis.testing.memory_index import MemoryIndex
from tests.extraction_world import World, open_world
from tests.services.test_indexing import count, put

DOCUMENTS = 1100
BATCH = 1000
"""Documents that a shard is given at a time while it is made again."""

SOME = 60
PATIENCE_S = 60.0


@asynccontextmanager
async def started(root: Path) -> AsyncIterator[tuple[World, EdgeIndex]]:
    index = await open_edge_index(root / "index")
    try:
        async with open_world(root, index) as world:
            healer = Healer(world.metadata, index, world.indexer, poll_s=0.02, wait_s=PATIENCE_S)
            world.index = WholeIndex(index, healer)
            await healer.expect()
            healer.start()
            yield world, index
            await healer.close()
    finally:
        await index.close()


def corrupt(root: Path) -> None:
    """Every segment of every shard."""
    for path in (root / "index").rglob("segment.json"):
        path.write_bytes(b"{")


def lose_the_directory(root: Path) -> None:
    shutil.rmtree(root / "index")


def be_older(root: Path) -> None:
    """As shards that an earlier version wrote."""
    for path in (root / "index").rglob("meta.json"):
        path.write_text(json.dumps({**json.loads(path.read_text()), "format": FORMAT - 1}))


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await check():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.02)


async def healed(world: World, collection: Collection, documents: int) -> bool:
    """Every document is there, and the shard no longer says that it lost some."""
    info = await world.index.info(world.principal, collection.collection_id)
    return await count(world, collection) == documents and not info.facts["needs_rebuild"]


@pytest.mark.parametrize("damage", [corrupt, lose_the_directory, be_older])
async def test_the_first_answer_after_the_disk_lost_documents_has_them_all(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    async with started(tmp_path) as (world, _):
        collection = await world.collection("docs", await world.bucket())
        await put(world, collection, range(SOME))
        await world.indexer.apply(world.principal, collection.collection_id)
        before = await world.search(collection, "word", SOME)
    principal = world.principal
    damage(tmp_path)
    async with started(tmp_path) as (again, index):
        again.principal = principal
        found, counted = await asyncio.gather(again.search(collection, "word", SOME), count(again, collection))
        assert len(before) == counted == SOME
        assert found == before
        assert (await index.health())["needs_rebuild"] == []
        assert await healed(again, collection, SOME)


async def test_a_start_heals_every_tenant(tmp_path: Path) -> None:
    async with open_world(tmp_path) as world:
        tenants = []
        for who in (world.principal, world.stranger):
            world.principal = who
            collection = await world.collection("docs", await world.bucket())
            await put(world, collection, range(3))
            await world.indexer.apply(who, collection.collection_id)
            await world.index.drop(who, collection.collection_id)
            tenants.append((who, collection))
        assert await Healer(world.metadata, world.index, world.indexer).heal() == 2
        for who, collection in tenants:
            assert await world.index.count(who, collection.collection_id, None) == 3


async def test_damage_that_shows_while_it_runs_is_healed_too(tmp_path: Path) -> None:
    async with started(tmp_path) as (world, index):
        collection = await world.collection("docs", await world.bucket())
        await put(world, collection, range(50))
        await world.indexer.apply(world.principal, collection.collection_id)
        corrupt(tmp_path)
        assert index.pid is not None
        os.kill(index.pid, signal.SIGKILL)
        assert len(await world.search(collection, "word", 50)) == 50
        await eventually(lambda: healed(world, collection, 50))


async def test_damage_that_nobody_asks_about_is_healed_too(tmp_path: Path) -> None:
    async with started(tmp_path) as (world, index):
        collection = await world.collection("docs", await world.bucket())
        await put(world, collection, range(50))
        await world.indexer.apply(world.principal, collection.collection_id)
        corrupt(tmp_path)
        assert index.pid is not None
        os.kill(index.pid, signal.SIGKILL)
        await put(world, collection, range(50, 51))
        with contextlib.suppress(IndexUnavailableError):  # it may be away still: then the document follows
            await world.indexer.apply(world.principal, collection.collection_id)
        await eventually(lambda: raw_count(index, world, collection, 51))


async def raw_count(index: EdgeIndex, world: World, collection: Collection, documents: int) -> bool:
    try:
        return await index.count(world.principal, collection.collection_id, None) == documents
    except IndexRebuildingError:
        return False


class HaltingIndex(MemoryIndex):
    """Stops before the upsert after so many, and on its way to a search."""

    def __init__(self) -> None:
        super().__init__()
        self.upserts_left = 1 << 30
        self.halted, self.go_on = asyncio.Event(), asyncio.Event()
        self.search_halts = False
        self.searching, self.search_on = asyncio.Event(), asyncio.Event()

    async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
        if self.upserts_left == 0:
            self.halted.set()
            await self.go_on.wait()
        else:
            self.upserts_left -= 1
        await super().upsert(principal, collection_id, points)

    async def search(
        self, principal: Principal, searches: Sequence[tuple[str, VectorSearch]]
    ) -> Sequence[Sequence[Scored]]:
        if self.search_halts:
            self.searching.set()
            await self.search_on.wait()
        return await super().search(principal, searches)


@asynccontextmanager
async def half_made(root: Path, wait_s: float) -> AsyncIterator[tuple[World, HaltingIndex, Healer, Collection]]:
    """A collection that had lost its shard, of which a batch of documents is there again, and another that is well."""
    index = HaltingIndex()
    async with open_world(root, index) as world:
        bucket = await world.bucket()
        collection, well = await world.collection("docs", bucket), await world.collection("well", bucket)
        for one, documents in ((collection, DOCUMENTS), (well, 0)):
            await put(world, one, range(documents))
            await world.indexer.apply(world.principal, one.collection_id)
        await index.drop(world.principal, collection.collection_id)
        healer = Healer(world.metadata, index, world.indexer, wait_s=wait_s)
        world.index = WholeIndex(index, healer)
        index.upserts_left = 1
        await healer.expect()
        healer.start()
        await index.halted.wait()
        assert await world.search(well, "word") == []
        yield world, index, healer, collection
        await healer.close()


async def test_whoever_cannot_wait_is_told_how_far_it_is(tmp_path: Path) -> None:
    async with half_made(tmp_path, wait_s=0.0) as (world, index, _, collection):
        with pytest.raises(IndexRebuildingError, match=rf"made again: {BATCH} of {DOCUMENTS} documents") as refused:
            await world.search(collection, "word")
        assert refused.value.details["collection_id"] == collection.collection_id
        assert refused.value.details["retry_after"] >= 1
        told = await world.index.health()
        assert told["rebuilding"] == {"collections": 1, "documents": BATCH, "of": DOCUMENTS}
        for ask in (
            count(world, collection),
            world.index.ranged(world.principal, collection.collection_id, ["number"]),
        ):
            with pytest.raises(IndexRebuildingError):
                await ask
        index.go_on.set()
        await eventually(lambda: is_well(world))
        assert len(await world.search(collection, "word", DOCUMENTS)) == DOCUMENTS


async def is_well(world: World) -> bool:
    return "rebuilding" not in await world.index.health()


async def test_who_can_wait_has_every_document(tmp_path: Path) -> None:
    async with half_made(tmp_path, wait_s=PATIENCE_S) as (world, index, _, collection):
        asked = asyncio.create_task(world.search(collection, "word", DOCUMENTS))
        index.go_on.set()
        assert len(await asked) == DOCUMENTS


async def test_one_that_was_half_made_when_the_server_ended_is_made_again(tmp_path: Path) -> None:
    async with half_made(tmp_path, wait_s=0.0) as (world, index, healer, collection):
        await healer.close()
        assert await index.count(world.principal, collection.collection_id, None) == BATCH
        index.go_on.set()
        later = Healer(world.metadata, index, world.indexer)
        world.index = WholeIndex(index, later)
        await later.expect()
        assert len(await world.search(collection, "word", DOCUMENTS)) == DOCUMENTS
        await later.close()


async def test_a_search_on_its_way_while_its_shard_is_emptied_is_asked_again(tmp_path: Path) -> None:
    index = HaltingIndex()
    async with open_world(tmp_path, index) as world:
        collection = await world.collection("docs", await world.bucket())
        await put(world, collection, range(3))
        await world.indexer.apply(world.principal, collection.collection_id)
        healer = Healer(world.metadata, index, world.indexer)
        world.index = WholeIndex(index, healer)
        index.search_halts = True
        asked = asyncio.create_task(world.search(collection, "word"))
        await index.searching.wait()
        await index.delete(world.principal, collection.collection_id, [derived_id("doc", 0)])
        index.upserts_left = 0
        healing = asyncio.create_task(healer.heal())
        await index.halted.wait()
        index.search_on.set()
        index.go_on.set()
        assert len(await asked) == 3
        assert await healing == 1
        await healer.close()


async def test_a_whole_index_is_left_alone_while_documents_are_written(tmp_path: Path) -> None:
    async with started(tmp_path) as (world, _):
        collection = await world.collection("docs", await world.bucket())
        healer = Healer(world.metadata, world.index, world.indexer)
        for start in range(0, 200, 20):
            await put(world, collection, range(start, start + 20))
            made_again, _ = await asyncio.gather(
                healer.heal(), world.indexer.apply(world.principal, collection.collection_id)
            )
            assert made_again == 0
        assert await count(world, collection) == 200
