"""The index process lives, dies, builds and comes back without losing what it acknowledged."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from tamis.engine.ports.index import IndexInfo, Point, VectorSearch
from tamis.errors import IndexUnavailableError
from tamis.model.filters import IdIn, parse_filter
from tamis.model.vector import Dense, FeatureSpec, VectorKind
from tamis.storage.index import open_edge_index
from tamis.storage.index.edge import EdgeIndex
from tamis.storage.index.files import ShardFiles, shard_key
from tamis.testing.index_contract import COLLECTION, HERE

T = TypeVar("T")
DIMENSIONS = 64
FEATURES = [FeatureSpec("embedding", VectorKind.DENSE, DIMENSIONS)]
PATIENCE_S = 60.0
SHARD = Path(shard_key(HERE.organization_id, HERE.namespace_id, COLLECTION))


def vectors(count: int, seed: int = 0) -> list[Dense]:
    rows = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    return [Dense(row) for row in rows]


def points(count: int, start: int = 0, **fields: str) -> list[Point]:
    made = vectors(count, start)
    return [
        Point(f"doc_{start + n:05}", {"embedding": one}, {"number": start + n, **fields}) for n, one in enumerate(made)
    ]


@asynccontextmanager
async def opened(root: Path, threshold: int = 1_000_000) -> AsyncIterator[EdgeIndex]:
    index = await open_edge_index(root, build_threshold=threshold)
    try:
        await index.create(HERE, COLLECTION, FEATURES)
        yield index
    finally:
        await index.close()


async def eventually(check: Callable[[], Awaitable[bool]]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await check():
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie has ended: whoever started it has yet to ask.
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def kill(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)


async def info(index: EdgeIndex) -> IndexInfo:
    return await index.info(HERE, COLLECTION)


async def present(index: EdgeIndex, document_ids: set[str]) -> int:
    return await index.count(HERE, COLLECTION, IdIn(frozenset(document_ids)))


async def phase(index: EdgeIndex, wanted: str) -> bool:
    return (await info(index)).facts["build_phase"] == wanted


async def test_what_was_acknowledged_survives_kills_while_writing(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    async with opened(tmp_path) as index:
        chance = random.Random(4)
        for life in range(4):
            await index.upsert(HERE, COLLECTION, points(1, start=life * 20_000))
            killer = asyncio.get_running_loop().call_later(chance.uniform(0.02, 0.3), kill, index.pid)
            with pytest.raises(IndexUnavailableError):
                await _write_on(index, life * 20_000, acknowledged)
            killer.cancel()
            assert await present(index, acknowledged) == len(acknowledged)
        assert (await index.health())["restarts"] == 4
    async with opened(tmp_path) as index:
        assert await present(index, acknowledged) == len(acknowledged) > 0


async def _write_on(index: EdgeIndex, start: int, acknowledged: set[str]) -> None:
    for batch in range(1000):
        some = points(20, start=start + batch * 20)
        await index.upsert(HERE, COLLECTION, some)
        acknowledged.update(one.document_id for one in some)


async def test_reads_wait_for_the_restart_and_writes_say_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        some = points(10)
        await index.upsert(HERE, COLLECTION, some)
        kill(index.pid)
        search = VectorSearch("embedding", some[3].vectors["embedding"], 1)
        answers = await asyncio.gather(*(index.search(HERE, [(COLLECTION, search)]) for _ in range(20)))
        assert {found[0][0].document_id for found in answers} == {"doc_00003"}
        kill(index.pid)
        with pytest.raises(IndexUnavailableError):
            await index.upsert(HERE, COLLECTION, some)


async def test_a_build_starts_by_itself_and_covers_the_points(tmp_path: Path) -> None:
    async with opened(tmp_path, threshold=500) as index:
        await index.upsert(HERE, COLLECTION, points(499))
        assert (await info(index)).indexed == 0
        await index.upsert(HERE, COLLECTION, points(1, start=499))

        async def built() -> bool:
            return (await info(index)).indexed == 500

        await eventually(built)


async def test_writes_and_searches_during_a_build_are_neither_lost_nor_held_up(tmp_path: Path) -> None:
    base = points(3000, state="base")
    expected = {one.document_id: "base" for one in base}
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, base)
        building = asyncio.create_task(index.optimize(HERE, COLLECTION))
        rounds = 0
        while not building.done():
            await _disturb(index, base, rounds % 90, expected)
            rounds += 1
            await asyncio.sleep(0.05)  # the builder has the lowest priority: leave it some of the machine
        await building
        assert rounds > 3  # it went on while the builder worked
        await _agrees(index, expected)
        assert 0 < (await info(index)).indexed < 3000
    async with opened(tmp_path) as index:
        await _agrees(index, expected)


async def _disturb(index: EdgeIndex, base: list[Point], turn: int, expected: dict[str, str]) -> None:
    """Every kind of write, and a search that has to see it at once."""
    new = points(5, start=10_000 + turn * 5, state="new")
    changed = [Point(one.document_id, one.vectors, {"state": "changed"}) for one in base[turn * 30 : turn * 30 + 5]]
    marked = [Point(one.document_id, {}, {"state": "marked"}) for one in base[turn * 30 + 5 : turn * 30 + 10]]
    gone = [one.document_id for one in base[turn * 30 + 10 : turn * 30 + 15]]
    marked = [one for one in marked if one.document_id in expected]
    await index.upsert(HERE, COLLECTION, new + changed)
    await index.set_fields(HERE, COLLECTION, marked)
    await index.delete(HERE, COLLECTION, gone)
    expected.update({one.document_id: str(one.fields["state"]) for one in new + changed + marked})
    for name in gone:
        expected.pop(name, None)
    found = await index.search(HERE, [(COLLECTION, VectorSearch("embedding", new[0].vectors["embedding"], 1))])
    assert found[0][0].document_id == new[0].document_id


async def _agrees(index: EdgeIndex, expected: dict[str, str]) -> None:
    assert await index.count(HERE, COLLECTION, None) == len(expected)
    for state in ("base", "new", "changed", "marked"):
        names = {name for name, held in expected.items() if held == state}
        assert await index.count(HERE, COLLECTION, parse_filter({"state": state})) == len(names)
        assert await present(index, names) == len(names)


async def test_a_field_that_appears_late_is_answered_at_once_and_indexed_by_the_next_build(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(600))
        late = [Point(one.document_id, one.vectors, {"late": ["x", "y"], "rank": 7}) for one in points(40)]
        await index.upsert(HERE, COLLECTION, late)
        before = (await info(index)).facts["indexed_fields"]
        answers = [await _about_late(index)]
        await index.optimize(HERE, COLLECTION)
        after = (await info(index)).facts["indexed_fields"]
        answers.append(await _about_late(index))
        assert answers[0] == answers[1] == ([("x", 40), ("y", 40)], 40, 0)
        assert isinstance(before, int)
        assert after == before + 3


async def test_a_document_of_many_fields_does_not_wait_for_their_indexes(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        many = {f"field_{number}": "x" for number in range(60)}
        late = [Point(one.document_id, one.vectors, {**many, "late": ["x", "y"], "rank": 7}) for one in points(40)]
        await index.upsert(HERE, COLLECTION, late)
        early = (await info(index)).facts["indexed_fields"]
        assert isinstance(early, int)
        assert early < 20
        answers = [await _about_late(index)]

        async def all_are_indexed() -> bool:
            return (await info(index)).facts["indexed_fields"] == 1 + len(many) + 1 + 2

        await eventually(all_are_indexed)
        assert [*answers, await _about_late(index)] == [([("x", 40), ("y", 40)], 40, 0)] * 2


async def test_a_signal_to_the_whole_group_leaves_the_end_to_the_server(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(3))
        pid = index.pid
        assert pid is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(pid, number)
        assert await index.count(HERE, COLLECTION, None) == 3
        assert index.pid == pid


async def _about_late(index: EdgeIndex) -> tuple[list[tuple[object, int]], int, int]:
    found = await index.facet(HERE, COLLECTION, "late", 5, None, True)
    inside, outside = parse_filter({"rank": {"$gte": 7}}), parse_filter({"rank": {"$gt": 7}})
    counts = [await index.count(HERE, COLLECTION, one) for one in (inside, outside)]
    return [(one.value, one.count) for one in found], counts[0], counts[1]


async def test_a_killed_builder_is_replaced(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(2000))
        building = asyncio.create_task(index.optimize(HERE, COLLECTION))
        await eventually(lambda: phase(index, "build"))
        builder = (await info(index)).facts["builder_pid"]
        assert isinstance(builder, int)
        kill(builder)
        await building
        assert (await info(index)).indexed == 2000
        assert await index.count(HERE, COLLECTION, None) == 2000


async def test_an_index_is_well_while_a_large_shard_is_being_opened(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(1500))
        await index.optimize(HERE, COLLECTION)
    index = await open_edge_index(tmp_path)
    try:
        counting = asyncio.create_task(index.count(HERE, COLLECTION, None))
        await asyncio.sleep(0)  # as far as asking the process that is to open it
        health = await index.health()
        assert (health["ok"], health["processes"], health["opening"]) == (True, 2, 1)
        assert await counting == 1500
        health = await index.health()
        assert (health["ok"], health["processes"], health["opening"]) == (True, 2, 0)
    finally:
        await index.close()


@pytest.mark.parametrize("moment", ["export", "build"])
async def test_a_kill_during_a_build_leaves_the_shard_whole(tmp_path: Path, moment: str) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(1500))
        building = asyncio.create_task(index.optimize(HERE, COLLECTION))
        await eventually(lambda: phase(index, moment))
        builder = (await info(index)).facts["builder_pid"]
        await index.upsert(HERE, COLLECTION, points(100, start=5000))
        kill(index.pid)
        await building  # asked again of the new process
        assert await index.count(HERE, COLLECTION, None) == 1600
        assert (await info(index)).indexed == 1600
        assert builder is None or (isinstance(builder, int) and not is_alive(builder))
    left = sorted(path.name for path in (tmp_path / SHARD).iterdir() if path.is_dir())
    async with opened(tmp_path) as index:
        assert await index.count(HERE, COLLECTION, None) == 1600
        kept = [path for path in (tmp_path / SHARD).iterdir() if path.is_dir()]
        assert kept == [ShardFiles(tmp_path / SHARD).current()], left


_PARENT = """
import asyncio, sys
from pathlib import Path
from tests.storage.test_index_process import *
async def main():
    async with opened(Path(sys.argv[1])) as index:
        await index.upsert(HERE, COLLECTION, points(3000))
        building = asyncio.create_task(index.optimize(HERE, COLLECTION))
        await eventually(lambda: phase(index, "build"))
        print(index.pid, (await info(index)).facts["builder_pid"], flush=True)
        await building
        await asyncio.sleep(60)
asyncio.run(main())
"""


def test_a_killed_parent_leaves_no_child_and_the_next_start_waits_for_it(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", _PARENT, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout:
        children = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(children) == 2
    assert all(is_alive(pid) for pid in children)
    parent.kill()
    parent.wait()
    assert asyncio.run(_count(tmp_path)) == 3000
    deadline = time.monotonic() + PATIENCE_S
    while any(is_alive(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def index_processes(root: Path) -> set[int]:
    """Those that serve, and one that is about to: it is asked nothing yet."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            command = (entry / "cmdline").read_bytes().decode().split("\0")
            if "tamis.storage.index.process" in command and str(root) in command:
                found.add(int(entry.name))
    return found


async def only(count: int, root: Path) -> bool:
    return len(index_processes(root)) == count


class Traffic:
    """Writes that are tried until they are acknowledged, each found by the next search; deaths are waited out."""

    def __init__(self, index: EdgeIndex, start: int) -> None:
        self.index, self.next = index, start
        self.acknowledged: set[str] = set()
        self._going = True
        self._task = asyncio.create_task(self._go())

    async def stop(self) -> None:
        self._going = False
        await self._task

    async def _go(self) -> None:
        while self._going:
            some = points(5, start=self.next)
            self.next += len(some)
            await waited_out(partial(self.index.upsert, HERE, COLLECTION, some))
            self.acknowledged.update(one.document_id for one in some)
            search = VectorSearch("embedding", some[0].vectors["embedding"], 1)
            (found,) = await waited_out(partial(self.index.search, HERE, [(COLLECTION, search)]))
            assert [one.document_id for one in found] == [some[0].document_id]
            await asyncio.sleep(0.05)


async def waited_out(ask: Callable[[], Awaitable[T]]) -> T:
    """What is answered once the processes are back: on a busy machine a start takes longer than a read waits."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            return await ask()
        except IndexUnavailableError:
            assert time.monotonic() < deadline, "it never came back"
            await asyncio.sleep(0.02)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
async def test_kills_during_a_handover_lose_nothing(tmp_path: Path) -> None:
    await _kill_during_handovers(tmp_path, ["old", "new", "both"])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
async def test_many_kills_during_handovers_lose_nothing(tmp_path: Path, quick: bool) -> None:
    await _kill_during_handovers(tmp_path, ["old", "new", "both"] * (2 if quick else 20))


async def _kill_during_handovers(tmp_path: Path, victims: list[str]) -> None:
    chance = random.Random(5)
    acknowledged = {one.document_id for one in points(600)}
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(600))
        for trial, victim in enumerate(victims):
            traffic = Traffic(index, 10_000 + trial * 5_000)
            before = index_processes(tmp_path)
            old = (await info(index)).facts["owner_pid"]
            assert isinstance(old, int)
            building = asyncio.create_task(waited_out(partial(index.optimize, HERE, COLLECTION)))
            await eventually(lambda: phase(index, "handover"))
            await asyncio.sleep(chance.uniform(0, 0.7))
            new = index_processes(tmp_path) - before
            for pid in {"old": {old}, "new": new, "both": {old, *new}}[victim]:
                with contextlib.suppress(ProcessLookupError):  # an old owner may have ended by itself
                    kill(pid)
            await building
            await traffic.stop()
            acknowledged |= traffic.acknowledged
            assert await present(index, acknowledged) == len(acknowledged)
            assert (await info(index)).facts["owner_pid"] != index.pid
            assert await index.count(HERE, COLLECTION, None) == len(acknowledged)
        await eventually(lambda: only(2, tmp_path))  # the last owner closes what it had open
    assert index_processes(tmp_path) == set()
    async with opened(tmp_path) as index:
        assert await present(index, acknowledged) == len(acknowledged)


_GROUP = """
import asyncio, sys
from pathlib import Path
from tests.storage.test_index_process import *
async def main():
    async with opened(Path(sys.argv[1])) as index:
        await index.upsert(HERE, COLLECTION, points(1000))
        building = asyncio.create_task(index.optimize(HERE, COLLECTION))
        while not await phase(index, "handover"):
            await asyncio.sleep(0.01)
        print("handover", flush=True)
        for start in range(10_000, 90_000, 5):
            await index.upsert(HERE, COLLECTION, points(5, start=start))
            print(start + 5, flush=True)
asyncio.run(main())
"""


@pytest.mark.parametrize("delay_s", [0.25, 0.45, 0.65])
def test_a_killed_group_in_a_handover_loses_nothing_acknowledged(tmp_path: Path, delay_s: float) -> None:
    command = [sys.executable, "-c", _GROUP, str(tmp_path)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == "handover\n"
        time.sleep(delay_s)
        os.killpg(parent.pid, signal.SIGKILL)
        told = parent.stdout.read().splitlines()
    parent.wait()
    written = {one.document_id for one in points(1000)}
    written |= {f"doc_{number:05}" for number in range(10_000, int(told[-1]) if told else 10_000)}
    assert asyncio.run(_present(tmp_path, written)) == len(written)


async def _present(root: Path, document_ids: set[str]) -> int:
    async with opened(root) as index:
        return await present(index, document_ids)


async def test_a_shard_that_was_built_has_a_process_of_its_own_for_as_long_as_it_is_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(300))
        assert (await info(index)).facts["owner_pid"] == index.pid
        await index.optimize(HERE, COLLECTION)
        assert (await info(index)).facts["owner_pid"] != index.pid
    async with opened(tmp_path) as index:
        await index.create(HERE, "col_other", FEATURES)
        await index.upsert(HERE, "col_other", points(5))
        search = VectorSearch("embedding", points(5)[4].vectors["embedding"], 1)
        found = await index.search(HERE, [(COLLECTION, search), ("col_other", search), (COLLECTION, search)])
        assert [[one.document_id for one in hits] for hits in found] == [["doc_00004"]] * 3
        assert (await info(index)).facts["owner_pid"] != index.pid
        assert (await index.health())["processes"] == 2
        await index.drop(HERE, COLLECTION)
        assert (await index.health())["processes"] == 1
        await index.create(HERE, COLLECTION, FEATURES)
        assert (await info(index)).facts["owner_pid"] == index.pid


def test_it_runs_on_uvloop_too(tmp_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop")
    assert uvloop.run(_count(tmp_path)) == 0


async def _count(root: Path) -> int:
    async with opened(root) as index:
        return await index.count(HERE, COLLECTION, None)


async def test_the_rest_of_a_build_is_cleared_away(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(100))
    files = ShardFiles(tmp_path / SHARD)
    for name in ("gen-half", "build-half"):
        (files.root / name / "segments").mkdir(parents=True)
        (files.root / name / "segments" / "torn").write_bytes(b"\x00" * 100)
    (files.current() / "temp_segments" / "unfinished").mkdir(parents=True)
    (files.root / "CURRENT.ab12.new").write_text("gen-half")
    async with opened(tmp_path) as index:
        assert await index.count(HERE, COLLECTION, None) == 100
        assert not (files.current() / "temp_segments" / "unfinished").exists()
        assert sorted(one.name for one in files.root.iterdir()) == sorted(
            ["CURRENT", "meta.json", files.current().name]
        )


async def test_a_shard_that_does_not_open_says_that_it_lost_its_points(tmp_path: Path) -> None:
    async with opened(tmp_path) as index:
        await index.upsert(HERE, COLLECTION, points(100))
    for path in ShardFiles(tmp_path / SHARD).current().rglob("segment.json"):
        path.write_bytes(b"{")
    async with opened(tmp_path) as index:
        told = await info(index)
        assert (told.points, told.facts["needs_rebuild"]) == (0, True)
        assert (await index.health())["needs_rebuild"] == [str(SHARD)]
        await index.drop(HERE, COLLECTION)
        await index.create(HERE, COLLECTION, FEATURES)
        await index.upsert(HERE, COLLECTION, points(100))
        told = await info(index)
        assert (told.points, told.facts["needs_rebuild"]) == (100, False)
