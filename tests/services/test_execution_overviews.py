"""Executions found and summed up, against the plain way of doing it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import Metadata
from tamis.model.durations import ERROR
from tamis.model.execution import ExecutionHeader, ExecutionStatus
from tamis.services.records import execution_overviews
from tamis.services.records.execution_overviews import Cursor, ExecutionOverviews, Kind, Wanted
from tamis.services.runs.inflight import InFlight
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later
from tests.retrieval_world import WallClock

OWNERS = (None, "ret_1", "ret_2")
WORDS = ("red shoes", "blue HATS", "grüne Socken")


def entry(number: int) -> Entry:
    stored = samples.execution(number, number // 3 * 7, [*ExecutionStatus][1 + number % 4], OWNERS[number % 5 % 3])
    mode = "public" if number % 15 == 2 else stored.header.mode
    rate = None if number % 3 else number % 4 / 3
    header = replace(
        stored.header, mode=mode, credits_used=number % 7 / 10, duration_ms=float(number % 11), cache_hit_rate=rate
    )
    return Entry(ME, replace(stored, header=header, inputs=f'{{"query":"{WORDS[number % 3]}"}}'))


ENTRIES = [entry(number) for number in range(150)]
HEADERS = sorted((one.execution.header for one in ENTRIES), key=lambda one: (one.started_at, one.execution_id))[::-1]
TEXTS = {one.execution.header.execution_id: one.execution.inputs for one in ENTRIES}


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[Metadata]:
    opened = await open_sqlite(tmp_path / "metadata.db")
    await asyncio.gather(*(opened.keep(one) for one in ENTRIES))
    yield opened
    await opened.close()


def plainly(wanted: Wanted) -> list[str]:
    def matches(one: ExecutionHeader) -> bool:
        kind = "anonymous" if one.retriever_id is None else "public" if one.mode == "public" else "saved"
        return (
            wanted.kind.value in ("any", kind)
            and wanted.retriever_id in (None, one.retriever_id)
            and wanted.status in (None, one.status)
            and (wanted.start is None or one.started_at >= wanted.start)
            and (wanted.end is None or one.started_at < wanted.end)
            and wanted.text.casefold() in TEXTS[one.execution_id].casefold()
            and one.credits_used >= wanted.credits
            and one.duration_ms >= wanted.duration_ms
        )

    return [one.execution_id for one in HEADERS if matches(one)]


async def paged(overviews: ExecutionOverviews, wanted: Wanted, limit: int) -> list[str]:
    found: list[str] = []
    after: Cursor | None = None
    while True:
        page = await overviews.find(ME, wanted, limit, after)
        found += [one.execution_id for one in page.items]
        if page.total is not None:
            assert page.total == len(plainly(wanted))
        if page.more is None:
            return found
        after = page.more


wanteds = st.builds(
    Wanted,
    kind=st.sampled_from(Kind),
    retriever_id=st.sampled_from([None, None, "ret_1", "ret_none"]),
    status=st.sampled_from([None, None, *ExecutionStatus]),
    start=st.none() | st.integers(-5, 400).map(later),
    end=st.none() | st.integers(-5, 400).map(later),
    text=st.sampled_from(["", "", "HATS", "socken", "none of them"]),
    credits=st.sampled_from([0.0, 0.3]),
    duration_ms=st.sampled_from([0.0, 5.0]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=wanteds, limit=st.integers(1, 60))
async def test_page_by_page_they_are_what_a_plain_search_finds(metadata: Metadata, wanted: Wanted, limit: int) -> None:
    assert await paged(ExecutionOverviews(metadata, InFlight(WallClock())), wanted, limit) == plainly(wanted)


async def test_strangers_see_none(metadata: Metadata) -> None:
    overviews = ExecutionOverviews(metadata, InFlight(WallClock()))
    for stranger in STRANGERS:
        found = await overviews.find(stranger, Wanted(), 10)
        assert (found.items, found.total) == ([], 0)
        bars = (await overviews.over_time(stranger, Wanted(), 4, 3600, later(400))).bars
        assert [one.total for one in bars] == [0, 0, 0, 0]


async def test_it_stops_looking_and_goes_on_from_there(
    metadata: Metadata, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(execution_overviews, "MOST_LOOKED_AT", 50)
    overviews = ExecutionOverviews(metadata, InFlight(WallClock()))
    wanted = Wanted(text="none of them")
    first = await overviews.find(ME, wanted, 5)
    assert (first.items, first.stopped, first.total) == ([], True, None)
    assert first.more == Cursor(HEADERS[49].started_at, HEADERS[49].execution_id)
    assert await paged(overviews, Wanted(text="hats"), 4) == plainly(Wanted(text="hats"))


async def test_bars_are_of_all_executions(metadata: Metadata) -> None:
    overviews = ExecutionOverviews(metadata, InFlight(WallClock()))
    for wanted in (*(Wanted(kind=kind) for kind in Kind), Wanted(retriever_id="ret_2")):
        bars = (await overviews.over_time(ME, wanted, 10, 60, later(400))).bars
        assert len(bars) == 10
        assert bars[-1].end == bars[0].start + timedelta(seconds=600)
        for bar in bars:
            inside = [
                one for one in HEADERS
                if one.execution_id in set(plainly(replace(wanted, start=bar.start, end=bar.end)))
            ]  # fmt: skip
            assert bar.total == len(inside)
            assert bar.failed == sum(one.status is ExecutionStatus.FAILED for one in inside)
            assert bar.p50_ms == about(nearest(inside, 50))
            assert bar.p95_ms == about(nearest(inside, 95))
            assert bar.p99_ms == about(nearest(inside, 99))
            assert bar.credits == pytest.approx(sum(one.credits_used for one in inside))
            rates = [one.cache_hit_rate for one in inside if one.cache_hit_rate is not None]
            assert bar.cache_hit_rate == (pytest.approx(sum(rates) / len(rates), abs=1e-6) if rates else None)


def about(ms: float | None) -> object:
    """Within what a step of durations is wide; below a microsecond all are one."""
    return None if ms is None else pytest.approx(ms, rel=ERROR * 1.001, abs=0.002)


def nearest(headers: Sequence[ExecutionHeader], percent: int) -> float | None:
    ordered = sorted(one.duration_ms for one in headers)
    return ordered[-(-percent * len(ordered) // 100) - 1] if ordered else None


async def test_spans_begin_where_the_clock_has_them(metadata: Metadata) -> None:
    overviews = ExecutionOverviews(metadata, InFlight(WallClock()))
    bars = (await overviews.over_time(ME, Wanted(), 3, 1800, datetime(2026, 5, 1, 10, 47, tzinfo=UTC))).bars
    assert [one.start.strftime("%H:%M") for one in bars] == ["09:30", "10:00", "10:30"]
