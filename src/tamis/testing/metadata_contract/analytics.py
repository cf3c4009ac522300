"""Figures are what the records that are there add up to, whatever came and went, and in which order."""
# ruff: noqa: S101, S311 - a contract is made of assertions; chance is for the tests alone

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from tamis.engine.ports.executions import ExecutionSelection
from tamis.engine.ports.metadata import Metadata, Session
from tamis.executions.codec import Body, StageRow, decode, encode
from tamis.executions.columns import Ids, Ranking
from tamis.model.durations import ERROR, percentile, step_of
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.figures import Tally
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later

_HOUR = timedelta(hours=1)
_START = datetime(2026, 3, 1, tzinfo=UTC)
_END = datetime(2026, 3, 8, tzinfo=UTC)
_STATUSES = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.DEGRADED)
_OWNERS = (None, "ret_1", "ret_2")
_STAGES = (("search", "feature_search"), ("kept", "attribute_filter"), ("few", "limit"))


def measured(chance: random.Random, number: int, retriever_id: str | None = "ret_1") -> StoredExecution:
    """An execution with a readable record of up to three stages, of some hour of some days."""
    seconds = chance.choice([0, chance.uniform(-48, 48) * 3600])
    made = samples.execution(number, seconds, chance.choice(_STATUSES), retriever_id)
    took_ms = round(chance.choice([0.0, 0.0004, chance.lognormvariate(2, 2), 86_400_000.0]), 3)
    header = replace(made.header, duration_ms=took_ms, credits_used=chance.choice([0, 0.25]), total_returned=number % 7)
    stages = [_row(chance, index) for index in range(chance.randint(0, len(_STAGES)))]
    ids = Ids(texts=[f"doc_{n}" for n in range(70_000 if number == 7 else 40)])
    definition = {"stages": [{"stage_name": name, "stage_id": kind, "parameters": {}} for name, kind in _STAGES]}
    body = Body(
        msgspec.Raw(msgspec.msgpack.encode(definition)),
        b"hash",
        1,
        7,
        "code",
        {},
        [],
        ids,
        [0] * len(ids.texts),
        stages,
    )
    if number == 7 and stages:
        stages[0].returned = _ranking(70_000)
    return replace(made, header=header, record=encode(body))


def _row(chance: random.Random, index: int) -> StageRow:
    took_ms = round(chance.lognormvariate(0, 2), 3)
    received = None if chance.random() < 0.7 else _ranking(chance.choice([0, 3, 15, 16, 40]))
    returned = None if chance.random() < 0.2 else _ranking(chance.choice([0, 1, 15, 16, 17]))
    cached = chance.choice([None, True, False])
    outcome = chance.choice(["completed", "completed", "skipped", "failed"])
    return StageRow(index, outcome, None, received, returned, 3, took_ms, cache_hit=cached)


def _ranking(length: int) -> Ranking:
    return Ranking([*range(length)], bytes(8 * length))


def whole(executions: Iterable[StoredExecution], retriever_id: str) -> Counter[tuple[object, ...]]:
    """What the figures of whole executions have to say, by the decoder that reads everything."""
    sums: Counter[tuple[object, ...]] = Counter()
    for execution in executions:
        header = execution.header
        if header.retriever_id == retriever_id:
            asked = [one.cache_hit for one in decode(execution).stages if one.cache_hit is not None]
            cached = None if not asked else asked.count(True) == len(asked)
            hour = header.started_at.replace(minute=0, second=0, microsecond=0)
            took_us = round(header.duration_ms * 1000)
            key = (hour, header.status.value, cached)
            sums[hour, step_of(took_us)] += 1
            values = (1, took_us, header.total_processed, header.total_returned, round(header.credits_used * 1e6))
            sums.update({(*key, place): value for place, value in enumerate(values)})
    return +sums


def by_stage(executions: Iterable[StoredExecution], retriever_id: str) -> Counter[tuple[object, ...]]:
    sums: Counter[tuple[object, ...]] = Counter()
    for execution in executions:
        if execution.header.retriever_id == retriever_id:
            for place, stage in enumerate(decode(execution).stages, 1):
                took_us = round(stage.duration_ms * 1000)
                key = (stage.stage_name, stage.stage_id, place, stage.outcome.value, stage.cache_hit)
                sums[stage.stage_name, stage.stage_id, step_of(took_us)] += 1
                values = (1, took_us, len(stage.received), len(stage.returned), 0)
                sums.update({(*key, number): value for number, value in enumerate(values)})
    return +sums


def told(found: Iterable[tuple[tuple[object, ...], Tally]], places: bool) -> Counter[tuple[object, ...]]:
    sums: Counter[tuple[object, ...]] = Counter()
    for group, tally in found:
        sums.update({(*group, step): count for step, count in tally.steps.items()})
        for one in tally.figures:
            assert one.count > 0
            key = (*group, *((one.place,) if places else ()), one.outcome, one.was_cached)
            values = (one.count, one.duration_us, one.received, one.returned, one.micro_credits)
            sums.update({(*key, number): value for number, value in enumerate(values)})
    return +sums


async def insert(metadata: Metadata, executions: Sequence[StoredExecution], who: Principal = ME) -> None:
    def write(session: Session) -> None:
        for execution in executions:
            session.executions.insert(who, execution)

    await metadata.write(write)


async def check(metadata: Metadata, there: Iterable[StoredExecution], who: Principal = ME) -> None:
    """Every figure of both retrievers, against the records themselves."""
    every = list(there)
    for retriever_id in ("ret_1", "ret_2"):

        def read(session: Session, owner: str = retriever_id) -> tuple[Counter[Any], Counter[Any]]:
            asked = (who, owner, _START, _END)
            hours = (((at,), tally) for at, tally in session.analytics.executions(*asked).items())
            return told(hours, places=False), told(session.analytics.stages(*asked).items(), places=True)

        executions, by_stages = await metadata.read(read)
        assert executions == whole(every, retriever_id)
        assert by_stages == by_stage(every, retriever_id)
        await _check_slowest(metadata, every, retriever_id, who)


async def _check_slowest(metadata: Metadata, every: list[StoredExecution], owner: str, who: Principal) -> None:
    for limit in (1, 3, 100):
        found = await metadata.read(partial(_slowest, owner=owner, limit=limit, who=who))
        took = sorted((one.header.duration_ms for one in every if one.header.retriever_id == owner), reverse=True)
        assert [one.duration_ms for one in found] == took[:limit]
        headers = {one.header.execution_id: one.header for one in every}
        assert all(headers[one.execution_id] == one for one in found)


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


def _in_groups(session: Session, hours: int) -> Mapping[datetime, Tally]:
    return session.analytics.executions(ME, "ret_1", _START, later(90 * 24 * 3600), hours)


def _slowest(session: Session, owner: str, limit: int, who: Principal) -> Sequence[ExecutionHeader]:
    return session.analytics.slowest(who, owner, _START, _END, limit)


async def delete(metadata: Metadata, header: ExecutionHeader) -> None:
    selection = ExecutionSelection(header.retriever_id, (header.execution_id,))
    assert await metadata.write(lambda session: session.executions.delete(ME, selection, 1)) == 1


class AnalyticsContract:
    async def test_figures_are_what_the_records_add_up_to(self, metadata: Metadata) -> None:
        chance = random.Random(4)
        there: dict[str, StoredExecution] = {}
        for number in range(160):
            execution = measured(chance, number, chance.choice(_OWNERS))
            there[execution.header.execution_id] = execution
            await insert(metadata, [execution])
            if chance.random() < 0.3:
                gone = chance.choice(list(there.values())).header
                await delete(metadata, gone)
                del there[gone.execution_id]
        await check(metadata, there.values())
        for stranger in STRANGERS:
            await check(metadata, (), stranger)

    async def test_a_window_takes_the_hours_in_it(self, metadata: Metadata) -> None:
        every = [samples.execution(n, (n - 3) * 1800, retriever_id="ret_1") for n in range(7)]
        await insert(metadata, every)
        start, end = (later(seconds).replace(minute=0, second=0, microsecond=0) for seconds in (-3600, 3600))
        found = await metadata.read(lambda session: session.analytics.executions(ME, "ret_1", start, end))
        inside = [one for one in every if start <= one.header.started_at < end]
        assert 0 < len(inside) < len(every)
        assert sum(one.count for tally in found.values() for one in tally.figures) == len(inside)
        assert list(found) == [start, start + _HOUR]

    async def test_hours_are_added_up_to_days_and_weeks(self, metadata: Metadata) -> None:
        every = [samples.execution(n, n * 29 * 3600, retriever_id="ret_1") for n in range(12)]
        await insert(metadata, every)
        for hours, begins in ((24, _midnight), (168, lambda at: _midnight(at) - timedelta(days=at.weekday()))):
            found = await metadata.read(partial(_in_groups, hours=hours))
            counts = {at: sum(tally.steps.values()) for at, tally in found.items()}
            assert counts == Counter(begins(one.header.started_at) for one in every)
            assert list(counts) == sorted(counts)

    async def test_what_is_trimmed_takes_its_part_away(self, metadata: Metadata) -> None:
        chance = random.Random(5)
        every = [measured(chance, number, _OWNERS[number % 3]) for number in range(60)]
        await insert(metadata, every)
        assert await metadata.write(lambda session: session.executions.trim(ME, 21, None, 100)) == 39
        left = sorted(every, key=lambda one: (one.header.started_at, one.header.execution_id))[39:]
        await check(metadata, left)
        assert await metadata.write(lambda session: session.executions.trim(ME, 0, None, 100)) == 21
        await check(metadata, ())

    async def test_of_a_full_hour_the_slowest_are_found_whatever_was_deleted(self, metadata: Metadata) -> None:
        chance = random.Random(6)
        took = [round(chance.uniform(1, 900), 3) for _ in range(300)]
        every = [samples.execution(number, number % 60, retriever_id="ret_1") for number in range(300)]
        every = [replace(one, header=replace(one.header, duration_ms=ms)) for one, ms in zip(every, took, strict=True)]
        for start in range(0, 300, 50):
            await insert(metadata, every[start : start + 50])
        await _check_slowest(metadata, every, "ret_1", ME)
        by_time = sorted(every, key=lambda one: -one.header.duration_ms)
        gone = tuple(one.header.execution_id for one in by_time[:150])
        await metadata.write(lambda session: session.executions.delete(ME, ExecutionSelection("ret_1", gone), 300))
        await _check_slowest(metadata, by_time[150:], "ret_1", ME)
        await insert(metadata, by_time[:10])
        await _check_slowest(metadata, [*by_time[:10], *by_time[150:]], "ret_1", ME)

    async def test_writers_side_by_side_lose_no_figure(self, metadata: Metadata) -> None:
        chance = random.Random(7)
        every = [measured(chance, number) for number in range(48)]

        async def write(number: int) -> None:
            await insert(metadata, [every[number]])
            if number % 4 == 0:
                await delete(metadata, every[number].header)

        await asyncio.gather(*(write(number) for number in range(48)))
        there = [one for number, one in enumerate(every) if number % 4]
        await check(metadata, there)
        while await metadata.write(lambda session: session.analytics.fold(_END)):
            pass
        await check(metadata, there)

    async def test_what_cannot_be_read_counts_by_its_header(self, metadata: Metadata) -> None:
        await insert(metadata, [samples.execution(1, retriever_id="ret_1")])
        asked = (ME, "ret_1", _START, _END)
        (tally,) = (await metadata.read(lambda session: session.analytics.executions(*asked))).values()
        (one,) = tally.figures
        assert (one.count, one.was_cached, one.duration_us) == (1, None, 3250)
        assert await metadata.read(lambda session: session.analytics.stages(*asked)) == {}
        await metadata.write(lambda session: session.executions.delete(ME, ExecutionSelection("ret_1"), 1))
        assert await metadata.read(lambda session: session.analytics.executions(*asked)) == {}

    async def test_a_namespace_takes_its_figures_with_it(self, metadata: Metadata) -> None:
        mine, other = measured(random.Random(8), 1), measured(random.Random(9), 2)
        await insert(metadata, [mine])
        await insert(metadata, [other], STRANGERS[0])
        await metadata.write(lambda session: session.purge_namespace(ME))
        await check(metadata, ())
        await check(metadata, [other], STRANGERS[0])

    async def test_a_percentile_is_as_near_as_is_said(self) -> None:
        chance = random.Random(10)
        for _ in range(50):
            took = sorted(max(1, round(chance.lognormvariate(9, 3))) for _ in range(chance.randint(1, 400)))
            counts: defaultdict[int, int] = defaultdict(int)
            for each in took:
                counts[step_of(each)] += 1
            for share in (0.0, 0.5, 0.95, 0.99, 1.0):
                exact = took[max(0, -int(-share * len(took) // 1) - 1)]
                assert abs(percentile(counts, share) - exact) <= exact * ERROR + 1e-9
        assert percentile({}, 0.5) == 0
