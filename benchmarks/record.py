"""What a record costs: to write on the way to the answer, to find among ten million, to keep.

    python -m benchmarks.record [--records 10000000] [--store FOLDER] [--rounds 12] [--parts cost,store]

cost: anonymous executions of two stages, each client sending its next when the last is answered, over real stores;
rounds in turn with the recorder and with nothing in its place, and the median of the rounds' ratios. Asked over HTTP by
another process (what recording costs whoever asks: this has the limit) and of the service in the server's process. The
record is durable before the answer (group commit), and nothing else is written.
store: questions asked of the API in one process (routes, authentication, services, store; no socket), each the median
of many at places drawn by chance, in a store of so many records and in one of ten thousand of the same density: a
younger store. `port_ms` is what the store itself takes of it, where a page that is not in memory weighs most.
`studio_ms` is what the studio's list and charts take (`benchmarks.record_lists`).
`benchmarks.record_store` says how stores are made and what of it is bulk-loaded. With --store the filled store is kept
there, and filled on where it is short.
bytes: of the database file, its indexes and counters included, for each record.

Prints JSON; the exit status says whether every limit was kept.
"""

import argparse
import asyncio
import contextlib
import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import uvloop
from fastapi import FastAPI

from benchmarks import record_cost, record_lists
from benchmarks.record_store import A_SECOND, EPOCH, KEY, ME, execution_id, fill, size_bytes, whose
from tamis.api import execution_records
from tamis.api.errors import add_error_handlers
from tamis.auth.gate import Gate
from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.execution import ANONYMOUS, ExecutionStatus
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.runs.inflight import InFlight
from tamis.studio.executions import PERIODS
from tamis.wiring.clock import SystemClock

LIMITS = {"throughput_loss": 0.10, "median_ms": 5.0, "ratio_to_ten_thousand": 2.0, "record_bytes": 2_500}
SMALL = 10_000
LOOK_UPS = 300
_ROUNDS = 5
_WARM = 30


class Questions:
    """What is asked of a store of `count` records, at places drawn by chance."""

    def __init__(self, metadata: Metadata, count: int) -> None:
        self._metadata = metadata
        self._count = count
        self._chance = random.Random(0)
        self._http = api(metadata)

    async def ask(self) -> tuple[dict[str, float], dict[str, float]]:
        """Median milliseconds by the kind of question: over the API, and of the store alone."""
        asked = {"get_by_id": self.get, "list_newest": self.newest, "list_status_time": self.some, "total": self.total}
        over = {name: await _median_ms(question) for name, question in asked.items()}
        within = {
            "get_by_id": await _median_ms(self.port_get),
            "list_status_time": await _median_ms(self.port_some),
            "total": await _median_ms(self.port_total),
        }
        return over, within

    async def get(self) -> None:
        answer = await self._http.get(f"/v1/retrievers/executions/{self._id()}")
        answer.raise_for_status()

    async def newest(self) -> None:
        await self._listed({})

    async def some(self) -> None:
        start, end = self._window(5_400, 7_200)
        await self._listed({"status": "failed", "start_time": start.isoformat(), "end_time": end.isoformat()})

    async def total(self) -> None:
        start, end = self._ends()
        await self._listed({"start_time": start.isoformat(), "end_time": end.isoformat(), "count_only": True})

    async def port_get(self) -> None:
        wanted = self._id()
        if await self._metadata.read_now(lambda session: session.executions.get(ME, wanted)) is None:
            raise LookupError(wanted)

    async def port_some(self) -> None:
        start, end = self._window(5_400, 7_200)
        query = ExecutionQuery(status=ExecutionStatus.FAILED, start=start, end=end)
        await self._metadata.read(lambda session: session.executions.page(ME, query))

    async def port_total(self) -> None:
        start, end = self._ends()
        query = ExecutionQuery(start=start, end=end)
        await self._metadata.read(lambda session: session.executions.count(ME, query))

    async def _listed(self, body: dict[str, Any]) -> None:
        answer = await self._http.post("/v1/retrievers/executions/list", json=body)
        answer.raise_for_status()

    def _id(self) -> str:
        """Of an anonymous one."""
        return execution_id(next(one for one in iter(self._number, -1) if whose(one)[0] == ANONYMOUS))

    def _number(self) -> int:
        return self._chance.randrange(self._count)

    def _window(self, shortest_s: float, longest_s: float) -> tuple[datetime, datetime]:
        start = EPOCH + timedelta(seconds=self._chance.uniform(0, self._count / A_SECOND - longest_s))
        return start, start + timedelta(seconds=self._chance.uniform(shortest_s, longest_s))

    def _ends(self) -> tuple[datetime, datetime]:
        """Up to the whole store."""
        ends = sorted(self._chance.uniform(0, self._count / A_SECOND) for _ in range(2))
        return EPOCH + timedelta(seconds=ends[0]), EPOCH + timedelta(seconds=ends[1])


def api(metadata: Metadata) -> httpx.AsyncClient:
    """The routes of records over this store."""
    app = FastAPI()
    clock = SystemClock()
    app.state.services = {Gate: Gate(metadata), ExecutionRecords: ExecutionRecords(metadata, InFlight(clock))}
    add_error_handlers(app)
    app.include_router(execution_records.router)
    headers = {"Authorization": f"Bearer {KEY}", "X-Namespace": ME.namespace_id}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tamis", headers=headers)


async def _median_ms(question: Callable[[], Awaitable[None]]) -> float:
    times = []
    for number in range(_WARM + LOOK_UPS):
        began = time.perf_counter()
        await question()
        if number >= _WARM:
            times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 4)


async def store(folder: Path, records: int) -> dict[str, Any]:
    began = time.monotonic()
    async with (
        filled(folder / "small.db", SMALL) as (small, few),
        filled(folder / "large.db", records) as (large, count),
    ):
        filled_s = time.monotonic() - began
        asked = Questions(small, few), Questions(large, count)
        rounds = [[await each.ask() for each in asked] for _ in range(_ROUNDS)]
        lists = [await record_lists.ask(*each) for each in ((small, few), (large, count))]
        await exactness(large, count)
    # Both in turn, so that what else the machine does strikes both alike.
    over, within = ([_medians([one[size][part] for one in rounds]) for size in range(len(asked))] for part in range(2))
    return {
        "records": count,
        "filled_in_this_run_s": round(filled_s),
        "bulk_loaded": "by executemany of the store's INSERT; counters by ten thousand; the index of inputs at the end",
        "median_ms": over[1],
        "median_ms_at_ten_thousand": over[0],
        "ratio_to_ten_thousand": {name: round(over[1][name] / over[0][name], 2) for name in over[1]},
        "port_ms": within[1],
        "port_ms_at_ten_thousand": within[0],
        "studio_ms": lists[1],
        "studio_ms_at_ten_thousand": lists[0],
        "record_bytes": round(size_bytes(folder / "large.db") / count),
    }


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: round(statistics.median(one[name] for one in rounds), 4) for name in rounds[0]}


async def exactness(metadata: Metadata, count: int) -> None:
    """The counters say what was put in, in all and within a window whose records are known by number.

    Raises: ValueError.
    """
    chance = random.Random(1)
    first, last = sorted(chance.randrange(count) for _ in range(2))
    anonymous = [
        sum(whose(number)[0] == ANONYMOUS for number in range(*part)) for part in ((count,), (first, last + 1))
    ]
    window = ExecutionQuery(start=EPOCH + timedelta(seconds=first), end=EPOCH + timedelta(seconds=last, milliseconds=1))
    for query, expected in zip((ExecutionQuery(), window), anonymous, strict=True):
        total = await metadata.read(partial(_count, query))
        if total != expected:
            raise ValueError(f"{total} records are counted, {expected} there")
    await record_lists.exactness(metadata, count, _lately(count))


def _lately(count: int) -> dict[str, int]:
    """How many records of each mode there are in the last thirty days, the last of which has begun."""
    bars, bar_s = PERIODS["30d"]
    first = max(0, (count // bar_s - bars + 1) * bar_s)
    return dict(Counter(whose(number)[0] for number in range(first, count)))


def _count(query: ExecutionQuery, session: Session) -> int:
    return session.executions.count(ME, query)


@contextlib.asynccontextmanager
async def filled(path: Path, count: int) -> AsyncIterator[tuple[Metadata, int]]:
    metadata, there = await fill(path, count)
    try:
        yield metadata, there
    finally:
        await metadata.close()


def faults(found: dict[str, Any]) -> list[str]:
    """Which limits were not kept."""
    told = []
    if "cost" in found and found["cost"]["over_http"]["throughput_loss"] > LIMITS["throughput_loss"]:
        told.append("throughput_loss")
    if "store" in found:
        kept = found["store"]
        told += [f"median_ms {name}" for name, ms in kept["median_ms"].items() if ms > LIMITS["median_ms"]]
        ratios = kept["ratio_to_ten_thousand"].items()
        told += [f"ratio {name}" for name, ratio in ratios if ratio > LIMITS["ratio_to_ten_thousand"]]
        if kept["record_bytes"] > LIMITS["record_bytes"]:
            told.append("record_bytes")
    return told


async def measure(parts: list[str], records: int, rounds: int, folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "cost" in parts:
        with tempfile.TemporaryDirectory(prefix="tamis-bench-") as scratch:
            found["cost"] = await record_cost.measure(Path(scratch), rounds)
    if "store" in parts:
        found["store"] = await store(folder, records)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--parts", default="cost,store")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as scratch:
        folder = asked.store or Path(scratch)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(measure(asked.parts.split(","), asked.records, asked.rounds, folder))
    broken = faults(found)
    print(json.dumps({**found, "limits": LIMITS, "broken": broken}, indent=2))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
