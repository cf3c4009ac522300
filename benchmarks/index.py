"""The embedded index under 50,000 x 384: `python benchmarks/index.py [points]`.

Searches of a small shard beside it and health calls are timed on the server's own event loop: idle, then while the
points are written and their graph is built and taken into use. The ratios of the two are the result. Clustered random
vectors; recall against exact search in the same run.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tamis.engine.ports.index import Point, VectorSearch
from tamis.model.filters import Filter, parse_filter
from tamis.model.principal import Principal
from tamis.model.vector import Dense, FeatureSpec, FloatArray, Sparse, VectorKind
from tamis.storage.index import open_edge_index
from tamis.storage.index.edge import EdgeIndex

DIMENSIONS = 384
HERE = Principal("org_bench", "ns_bench")
COLLECTION = "col_bench"
NEIGHBOUR = "col_neighbour"
NEIGHBOUR_POINTS = 2000
PAUSE_S = 0.01
IDLE_S = 10.0
FEATURES = [FeatureSpec("e", VectorKind.DENSE, DIMENSIONS), FeatureSpec("s", VectorKind.SPARSE, idf=True)]
FILTER = parse_filter({"kind": "k3", "price": {"$lt": 500}})


def report(name: str, seconds: Sequence[float]) -> None:
    ms = np.asarray(seconds) * 1e3
    median, p99 = np.percentile(ms, [50, 99])
    print(f"{name:34} median {median:8.2f} ms   p99 {p99:8.2f} ms   max {ms.max():8.1f} ms   n {len(ms)}")


class Latencies:
    """What a server feels, one of each every few milliseconds."""

    def __init__(self, bench: "Bench") -> None:
        self._bench = bench
        self.seconds: dict[str, list[float]] = {"search of a neighbour": [], "health": [], "event loop": []}

    async def measure(self, until: "asyncio.Task[None]") -> "Latencies":
        while not until.done():
            began = time.perf_counter()
            await asyncio.sleep(PAUSE_S)
            self.seconds["event loop"].append(time.perf_counter() - began - PAUSE_S)
            took, _ = await self._bench.search(len(self.seconds["health"]), collection=NEIGHBOUR)
            self.seconds["search of a neighbour"].append(took)
            began = time.perf_counter()
            assert (await self._bench.index.health())["ok"]
            self.seconds["health"].append(time.perf_counter() - began)
        await until
        return self

    def compare(self, idle: "Latencies") -> None:
        for name, seconds in self.seconds.items():
            report(f"{name}, idle", idle.seconds[name])
            report(f"{name}, busy", seconds)
            ratios = [_figures(seconds)[n] / _figures(idle.seconds[name])[n] for n in range(3)]
            print(f"{name + ', ratio':34} median {ratios[0]:8.2f}      p99 {ratios[1]:8.2f}      max {ratios[2]:8.2f}")


def _figures(seconds: Sequence[float]) -> tuple[float, float, float]:
    median, p99 = np.percentile(seconds, [50, 99])
    return float(median), float(p99), max(seconds)


class Bench:
    def __init__(self, index: EdgeIndex, count: int) -> None:
        chance = np.random.default_rng(0)
        centres = chance.standard_normal((500, DIMENSIONS)).astype(np.float32)
        noise = chance.standard_normal((count + 500, DIMENSIONS)).astype(np.float32)
        rows: FloatArray = centres[chance.integers(0, 500, count + 500)] + np.float32(0.9) * noise
        self.index, self.count = index, count
        self.rows, self.queries = rows[:count], rows[count:]

    def point(self, number: int) -> Point:
        terms = Sparse(np.arange(25, dtype=np.uint32) * 7 + number % 1000, np.ones(25, np.float32))
        return Point(
            f"doc_{number:032x}",
            {"e": Dense(self.rows[number % self.count]), "s": terms},
            {
                "text": "some text of a document " * 20,
                "kind": f"K{number % 7}",
                "module": f"module {number % 300}",
                "price": number % 1000,
                "when": f"2024-01-{1 + number % 28:02}",
                "root_object_id": f"obj_{number // 3:032x}",
            },
        )

    async def upsert(self, start: int, count: int, collection: str = COLLECTION) -> float:
        points = [self.point(number) for number in range(start, start + count)]
        began = time.perf_counter()
        await self.index.upsert(HERE, collection, points)
        return time.perf_counter() - began

    async def search(
        self, number: int, filter: Filter | None = None, exact: bool = False, collection: str = COLLECTION
    ) -> tuple[float, set[str]]:
        query = Dense(self.queries[number % len(self.queries)])
        began = time.perf_counter()
        search = VectorSearch("e", query, 10, filter, exact=exact)
        (found,) = await self.index.search(HERE, [(collection, search)])
        return time.perf_counter() - began, {one.document_id for one in found}

    async def timed(self, name: str, count: int, filter: Filter | None = None) -> None:
        report(name, [(await self.search(number, filter))[0] for number in range(count)])

    async def recall(self, name: str, filter: Filter | None = None) -> None:
        shared = 0
        for number in range(200):
            (_, found), (_, true) = await self.search(number, filter), await self.search(number, filter, exact=True)
            shared += len(found & true)
        print(f"{name:34} {shared / 2000:.4f}")

    async def fill(self) -> None:
        """By the hundred, as documents come from extraction; builds start by themselves, the last one is waited for."""
        began = time.perf_counter()
        for start in range(0, self.count, 100):
            await self.upsert(start, 100)
        print(f"{'written':34} {time.perf_counter() - began:.1f} s")
        await self.index.optimize(HERE, COLLECTION)
        print(f"{'written and built':34} {time.perf_counter() - began:.1f} s")

    async def server_cost(self) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        for _ in range(250):
            await asyncio.gather(*(self.search(number) for number in range(16)))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - began
        print(f"{'server CPU a search, 16 in flight':34} {cpu / 4000 * 1e6:.0f} us   {4000 / wall:.0f} searches/s")


async def main(count: int) -> None:
    print(f"load average {os.getloadavg()[0]:.2f} on {os.cpu_count()} cores; {count} x {DIMENSIONS}")
    with tempfile.TemporaryDirectory() as directory:
        index = await open_edge_index(Path(directory))
        bench = Bench(index, count)
        await index.create(HERE, COLLECTION, FEATURES)
        await index.create(HERE, NEIGHBOUR, FEATURES)
        await bench.upsert(0, NEIGHBOUR_POINTS, NEIGHBOUR)
        idle = await Latencies(bench).measure(asyncio.create_task(asyncio.sleep(IDLE_S)))
        busy = await Latencies(bench).measure(asyncio.create_task(bench.fill()))
        busy.compare(idle)
        await bench.timed("search", 1000)
        await bench.timed("filtered search", 500, FILTER)
        await bench.server_cost()
        await bench.recall("recall@10")
        await bench.recall("recall@10, filtered", FILTER)
        await index.close()
    print(f"load average {os.getloadavg()[0]:.2f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000))
