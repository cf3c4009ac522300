"""What the studio's list of executions asks of a store of many records: pages, filters, totals and charts.

Each figure is the median of several, in milliseconds, of the service over the store; times of charts end where the
store's do, because its records begin in the past.
"""

import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from benchmarks.record_store import A_SECOND, EPOCH, ME
from tamis.engine.ports.metadata import Metadata
from tamis.model.execution import ExecutionStatus
from tamis.services.records.execution_overviews import ExecutionOverviews, Kind, Wanted
from tamis.services.runs.inflight import InFlight
from tamis.studio.executions import PAGE_SIZE, PERIODS
from tamis.wiring.clock import SystemClock

_TIMES = 15


async def ask(metadata: Metadata, count: int) -> dict[str, float]:
    overviews = ExecutionOverviews(metadata, InFlight(SystemClock()))
    end = EPOCH + timedelta(seconds=count / A_SECOND)
    asked: dict[str, Callable[[], Awaitable[Any]]] = {}
    day = Wanted(start=end - timedelta(days=1, seconds=17.3), end=end - timedelta(seconds=3.1))
    for kind in Kind:
        asked[f"page {kind}"] = _page(overviews, Wanted(kind))
        asked[f"page {kind} of a day"] = _page(overviews, replace(day, kind=kind))
        asked[f"page {kind} failed"] = _page(overviews, Wanted(kind, status=ExecutionStatus.FAILED))
        for name, (bars, bar_s) in PERIODS.items():
            asked[f"charts {kind} {name}"] = _charts(overviews, Wanted(kind), bars, bar_s, end)
    asked["page of a text that is nowhere"] = _page(overviews, Wanted(text="nowhere to be found"))
    return {name: await _median_ms(question) for name, question in asked.items()}


async def exactness(metadata: Metadata, count: int, modes: dict[str, int]) -> None:
    """modes: how many there are of each within the last 30 days of the store. Raises: ValueError."""
    overviews = ExecutionOverviews(metadata, InFlight(SystemClock()))
    bars, bar_s = PERIODS["30d"]
    end = EPOCH + timedelta(seconds=count / A_SECOND)
    for mode, expected in modes.items():
        found = await overviews.over_time(ME, Wanted(Kind(mode)), bars, bar_s, end)
        if (total := sum(one.total for one in found.bars)) != expected:
            raise ValueError(f"{total} {mode} executions are charted, {expected} there")


def _page(overviews: ExecutionOverviews, wanted: Wanted) -> Callable[[], Awaitable[Any]]:
    return lambda: overviews.find(ME, wanted, PAGE_SIZE)


def _charts(
    overviews: ExecutionOverviews, wanted: Wanted, bars: int, bar_s: int, now: Any
) -> Callable[[], Awaitable[Any]]:
    return lambda: overviews.over_time(ME, wanted, bars, bar_s, now)


async def _median_ms(question: Callable[[], Awaitable[Any]]) -> float:
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        await question()
        times.append((time.perf_counter() - began) * 1000)
    return round(statistics.median(times), 3)
