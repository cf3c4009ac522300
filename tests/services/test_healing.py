"""What the index lost on disk comes back from the system of record."""

import asyncio
import json
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tamis.model.collection import Collection
from tamis.services.upkeep.healing import Healer
from tamis.storage.index import open_edge_index
from tamis.storage.index.edge import EdgeIndex
from tamis.storage.index.files import FORMAT
from tests.extraction_world import World, open_world
from tests.services.test_indexing import count, put

DOCUMENTS = 1100
PATIENCE_S = 60.0


@asynccontextmanager
async def started(root: Path) -> AsyncIterator[tuple[World, EdgeIndex]]:
    index = await open_edge_index(root / "index")
    try:
        async with open_world(root, index) as world:
            healer = Healer(world.metadata, index, world.indexer, poll_s=0.02)
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
async def test_a_start_finds_every_document_after_the_disk_lost_them(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    async with started(tmp_path) as (world, _):
        collection = await world.collection("docs", await world.bucket())
        ids = await put(world, collection, range(DOCUMENTS))
        await world.indexer.apply(world.principal, collection.collection_id)
    principal = world.principal
    damage(tmp_path)
    async with started(tmp_path) as (again, index):
        again.principal = principal
        await eventually(lambda: healed(again, collection, len(ids)))
        assert (await index.health())["needs_rebuild"] == []
        assert await again.search(collection, "word")


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
        await eventually(lambda: healed(world, collection, 50))


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
