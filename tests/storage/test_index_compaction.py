"""A small shard gives up what is dead in it, in the process that serves it, and loses nothing."""

import asyncio
import contextlib
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from tamis.engine.ports.index import Point, VectorSearch
from tamis.errors import IndexUnavailableError
from tamis.model.filters import parse_filter
from tamis.model.principal import Principal
from tamis.model.vector import Dense, FeatureSpec, MultiDense, Sparse, Vector, VectorKind
from tamis.storage.index import open_edge_index
from tamis.storage.index.edge import EdgeIndex
from tamis.storage.index.files import ShardFiles, shard_key
from tamis.testing.index_contract import COLLECTION, HERE
from tests.storage.test_index_process import eventually, kill

THRESHOLD = 1_000
LEAST_DEAD = THRESHOLD // 5
FEATURES = [
    FeatureSpec("dense", VectorKind.DENSE, 8),
    FeatureSpec("many", VectorKind.MULTI_DENSE, 4),
    FeatureSpec("words", VectorKind.SPARSE, idf=True),
]


def point(number: int, state: str = "new") -> Point:
    chance = np.random.default_rng(number)
    vectors: dict[str, Vector] = {
        "dense": Dense(chance.standard_normal(8).astype(np.float32)),
        "many": MultiDense(chance.standard_normal((3, 4)).astype(np.float32)),
        "words": Sparse(np.array([number % 5, 9], np.uint32), np.array([1.0, 0.5], np.float32)),
    }
    return Point(f"doc_{number:05}", vectors, {"number": number, "state": state, "on": number % 2 == 0})


@asynccontextmanager
async def opened(root: Path) -> AsyncIterator[EdgeIndex]:
    index = await open_edge_index(root, build_threshold=THRESHOLD)
    try:
        await index.create(HERE, COLLECTION, FEATURES)
        yield index
    finally:
        await index.close()


async def dead(index: EdgeIndex) -> int:
    found = (await index.info(HERE, COLLECTION)).facts["dead"]
    assert isinstance(found, int)
    return found


async def is_compact(index: EdgeIndex) -> bool:
    facts = (await index.info(HERE, COLLECTION)).facts
    return facts["compacting"] is False and await dead(index) < LEAST_DEAD


async def holds(index: EdgeIndex, expected: dict[int, str]) -> None:
    """Every point as it was written last, its vectors and fields too, and no other."""
    points = [point(number, state) for number, state in expected.items()]
    assert sorted(await index.document_ids(HERE, COLLECTION)) == sorted(one.document_id for one in points)
    assert await index.differing(HERE, COLLECTION, points) == []
    for state in ("new", "changed", "marked"):
        count = await index.count(HERE, COLLECTION, parse_filter({"state": state}))
        assert count == sum(one == state for one in expected.values())


async def disturb(index: EdgeIndex, turn: int, expected: dict[int, str]) -> None:
    """Every kind of write, of points that were copied already and of others, and searches that see them at once."""
    chance = random.Random(turn)
    there = chance.sample(sorted(expected), 12)
    new = [10_000 + turn * 4 + one for one in range(4)]
    await index.upsert(HERE, COLLECTION, [point(one) for one in new] + [point(one, "changed") for one in there[:4]])
    await index.set_fields(HERE, COLLECTION, [point(one, "marked") for one in there[4:8]])
    await index.delete(HERE, COLLECTION, [point(one).document_id for one in there[8:]])
    expected.update(
        dict.fromkeys(new, "new") | dict.fromkeys(there[:4], "changed") | dict.fromkeys(there[4:8], "marked")
    )
    for gone in there[8:]:
        del expected[gone]
    for feature in ("dense", "many"):
        wanted = point(new[0])
        search = VectorSearch(feature, wanted.vectors[feature], 1, filter=parse_filter({"state": "new"}))
        (found,) = await index.search(HERE, [(COLLECTION, search)])
        assert [one.document_id for one in found] == [wanted.document_id]


async def test_what_is_dead_goes_while_reads_and_writes_go_on(tmp_path: Path) -> None:
    expected = dict.fromkeys(range(300), "new")
    files = ShardFiles(tmp_path / shard_key(HERE.organization_id, HERE.namespace_id, COLLECTION))
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, [point(one) for one in expected])
        generations, turns = {files.current()}, iter(range(2_000))
        while len(generations) < 3:
            await disturb(index, next(turns), expected)
            generations.add(files.current())
            await asyncio.sleep(0.02)  # the builder has the lowest priority: leave it some of the machine
        await eventually(lambda: is_compact(index))
        await holds(index, expected)
        assert await index.facet(HERE, COLLECTION, "state", 5, None, True)
        health = await index.health()
        assert (health["processes"], health["restarts"], health["building"]) == (1, 0, [])
    assert [path for path in files.root.iterdir() if path.is_dir()] == [files.current()]
    async with opened(tmp_path) as index:
        await holds(index, expected)


async def test_what_a_former_life_left_dead_is_known(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, [point(one) for one in range(LEAST_DEAD)])
        await index.delete(HERE, COLLECTION, [point(one).document_id for one in range(LEAST_DEAD - 10)])
        assert await dead(index) == LEAST_DEAD - 10
    async with opened(tmp_path) as index:
        assert await dead(index) == LEAST_DEAD - 10
        await index.delete(HERE, COLLECTION, [point(one).document_id for one in range(LEAST_DEAD)])
        await eventually(lambda: is_compact(index))
        assert await dead(index) == 0
        await holds(index, {})


async def test_a_shard_that_lost_most_of_its_points_gives_its_graph_up(tmp_path: Path) -> None:
    expected = dict.fromkeys(range(500), "new")
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, [point(one) for one in expected])
        await index.optimize(HERE, COLLECTION)
        assert (await index.info(HERE, COLLECTION)).indexed == 500
        await index.delete(HERE, COLLECTION, [point(one).document_id for one in range(400)])
        await eventually(lambda: is_compact(index))
        assert (await index.info(HERE, COLLECTION)).indexed == 0
        await holds(index, {one: "new" for one in expected if one >= 400})
    async with opened(tmp_path) as index:
        assert (await index.info(HERE, COLLECTION)).facts["owner_pid"] == index.pid


async def test_kills_while_it_is_compacted_lose_nothing(tmp_path: Path) -> None:
    await _kill_during_compactions(tmp_path, 4)


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_many_kills_while_it_is_compacted_lose_nothing(tmp_path: Path, quick: bool) -> None:
    await _kill_during_compactions(tmp_path, 10 if quick else 100)


async def _kill_during_compactions(root: Path, trials: int) -> None:
    chance = random.Random(7)
    expected = dict.fromkeys(range(300), "new")
    async with opened(root) as index:
        await index.upsert(HERE, COLLECTION, [point(one) for one in expected])
        for trial in range(trials):
            await _wear(index, expected)
            # Before the copy there is the builder, whom a busy machine keeps waiting; then copy, disk and change-over.
            begins, delay_s = chance.random() < 0.2, chance.uniform(0.0, 0.25)
            killer = asyncio.create_task(_kill_later(index, begins, delay_s))
            await _write_until_killed(index, trial, expected)
            await killer
            await holds(index, expected)
        assert (await index.health())["restarts"] == trials
        await eventually(lambda: is_compact(index))
        await holds(index, expected)


async def _kill_later(index: EdgeIndex, begins: bool, delay_s: float) -> None:
    """begins: at once, else as soon as points are copied or all have been."""

    async def is_copying() -> bool:
        return (await index.info(HERE, COLLECTION)).facts["copied"] != 0

    if not begins:
        await eventually(is_copying)
    await asyncio.sleep(delay_s)
    kill(index.pid)


async def _wear(index: EdgeIndex, expected: dict[int, str]) -> None:
    """Until a compaction begins."""
    chosen = [point(one, "changed") for one in sorted(expected)[:64]]
    while (await index.info(HERE, COLLECTION)).facts["compacting"] is False:
        await index.upsert(HERE, COLLECTION, chosen)
    expected.update({int(one.document_id[4:]): "changed" for one in chosen})


async def _write_until_killed(index: EdgeIndex, trial: int, expected: dict[int, str]) -> None:
    """What is acknowledged stands in `expected`; what was under way is written again, for it may be there or not."""
    number = 20_000 + trial * 10_000
    with contextlib.suppress(IndexUnavailableError):
        while True:
            await index.upsert(HERE, COLLECTION, [point(number)])
            expected[number] = "new"
            if number % 3 == 0:
                await index.delete(HERE, COLLECTION, [point(number).document_id])
                del expected[number]
            number += 1
            await asyncio.sleep(0.02)  # the builder has the lowest priority: leave it some of the machine
    while True:
        with contextlib.suppress(IndexUnavailableError):
            await index.upsert(HERE, COLLECTION, [point(number)])
            expected[number] = "new"
            return


@pytest.mark.skipif(sys.platform != "linux", reason="what a process has of its own is told by /proc")
async def test_memory_is_given_back_and_a_neighbour_left_alone(tmp_path: Path) -> None:
    """Two tenants in one process: one changes its points without end, the other finds its own."""
    there = Principal(organization_id="org_there", namespace_id="ns_there")
    async with opened(tmp_path) as index:
        await index.create(there, COLLECTION, [])
        await index.upsert(there, COLLECTION, [Point("doc_mine", {}, {"state": "mine"})])
        settled = await _size_after_changes(index, there, 10**9)
        await _size_after_changes(index, there, int(1.1 * settled))
        assert await index.count(HERE, COLLECTION, None) == 200


async def _size_after_changes(index: EdgeIndex, there: Principal, most_bytes: int) -> int:
    """What the process has of its own at last, when so much has been given back that it is less than `most_bytes`."""
    for turn in range(24):
        changed = [Point(f"doc_{one}", {}, {"turn": f"{turn} {one} {most_bytes}"}) for one in range(200)]
        await index.upsert(HERE, COLLECTION, changed)
        assert await index.document_ids(there, COLLECTION) == ["doc_mine"]
    await eventually(lambda: is_compact(index))

    async def is_given_back() -> bool:
        return _own_bytes(index.pid) < most_bytes

    await eventually(is_given_back)
    return _own_bytes(index.pid)


def _own_bytes(pid: int | None) -> int:
    memory = psutil.Process(pid).memory_info()
    return int(memory.rss - memory.shared)
