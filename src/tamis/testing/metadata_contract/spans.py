"""What the counters of a mode come to is what its executions add up to, whatever came and went."""
# ruff: noqa: S101, S311 - a contract is made of assertions; chance is for the tests alone

import asyncio
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from tamis.engine.ports.executions import ExecutionQuery, ExecutionSelection, SpanWindow
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.durations import step_of
from tamis.model.execution import MODES, ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later

_SPANS_S = (60, 3_600, 86_400)
_OWNERS = (None, "ret_1", "ret_2")
_STATUSES = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.DEGRADED)
_START, _END = datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def ran(chance: random.Random, number: int, seconds: float | None = None) -> StoredExecution:
    """An execution of any mode and of some minute of some days."""
    at = chance.choice([0, chance.uniform(-48, 48) * 3600]) if seconds is None else seconds
    made = samples.execution(number, at, chance.choice(_STATUSES), chance.choice(_OWNERS))
    mode = "anonymous" if made.header.retriever_id is None else chance.choice(["saved", "public"])
    header = replace(
        made.header,
        mode=mode,
        duration_ms=round(chance.choice([0.0, 0.0004, chance.lognormvariate(2, 2)]), 3),
        credits_used=chance.choice([0, 0.25, 1.5]),
        cache_hit_rate=chance.choice([None, 0.0, 0.5, 1.0]),
    )
    return replace(made, header=header)


async def insert(metadata: Metadata, executions: Iterable[StoredExecution], who: Principal = ME) -> None:
    def write(session: Session) -> None:
        for execution in executions:
            session.executions.insert(who, execution)

    await metadata.write(write)


async def delete(metadata: Metadata, headers: Sequence[ExecutionHeader]) -> None:
    def write(session: Session) -> int:
        chosen = [ExecutionSelection(one.retriever_id, (one.execution_id,)) for one in headers]
        return sum(session.executions.delete(ME, one, 1) for one in chosen)

    assert await metadata.write(write) == len(headers)


async def check(metadata: Metadata, there: Iterable[StoredExecution], who: Principal = ME) -> None:
    """Of each mode and of all, by every span, and how many there are in all and in a window that cuts minutes."""
    headers = [one.header for one in there]
    assert await metadata.read(lambda session: session.executions.is_whole())
    for mode in (None, *MODES):
        of_mode = [one for one in headers if mode in (None, one.mode)]
        for span_s in _SPANS_S:
            assert await metadata.read(partial(_told, who, mode, span_s)) == _expected(of_mode, span_s)
        for query in (ExecutionQuery(), ExecutionQuery(start=later(-7_207.3), end=later(90_001.7))):
            inside = [one for one in of_mode if query.start is None or query.start <= one.started_at <= _end(query)]
            assert await metadata.read(partial(_count, who, mode, query)) == len(inside)


def _end(query: ExecutionQuery) -> datetime:
    assert query.end is not None
    return query.end


def _told(who: Principal, mode: str | None, span_s: int, session: Session) -> Counter[tuple[object, ...]]:
    sums: Counter[tuple[object, ...]] = Counter()
    window = SpanWindow(_START, _END, span_s)
    for one in session.executions.series(who, _OWNERS, window, mode):
        values = (one.count, round(one.credits * 1e6), one.cacheable, round(one.cache_hits * 1e6))
        sums.update({(one.at, one.status, place): value for place, value in enumerate(values)})
    for at, steps in session.executions.durations(who, _OWNERS, window, mode).items():
        sums.update({(at, step): count for step, count in steps.items()})
    return +sums


def _expected(headers: Iterable[ExecutionHeader], span_s: int) -> Counter[tuple[object, ...]]:
    sums: Counter[tuple[object, ...]] = Counter()
    span = timedelta(seconds=span_s)
    for one in headers:
        at = _EPOCH + (one.started_at - _EPOCH) // span * span
        rate = one.cache_hit_rate
        values = (1, round(one.credits_used * 1e6), int(rate is not None), round((rate or 0) * 1e6))
        sums.update({(at, one.status, place): value for place, value in enumerate(values)})
        sums[at, step_of(round(one.duration_ms * 1000))] += 1
    return +sums


def _count(who: Principal, mode: str | None, query: ExecutionQuery, session: Session) -> int:
    return sum(session.executions.count(who, replace(query, retriever_id=owner), mode) for owner in _OWNERS)


def _owners(session: Session, mode: str) -> Mapping[str | None, int]:
    return session.executions.owners(ME, None, mode)


class SpansContract:
    async def test_each_mode_is_counted_by_itself(self, metadata: Metadata) -> None:
        chance = random.Random(21)
        there: dict[str, StoredExecution] = {}
        for start in range(0, 160, 20):
            some = [ran(chance, number) for number in range(start, start + 20)]
            there |= {one.header.execution_id: one for one in some}
            await insert(metadata, some)
            gone = chance.sample(sorted(there), 6)
            await delete(metadata, [there.pop(execution_id).header for execution_id in gone])
        await check(metadata, there.values())
        for stranger in STRANGERS:
            await check(metadata, (), stranger)
        await delete(metadata, [one.header for one in there.values()])
        await check(metadata, ())

    async def test_an_imported_header_is_counted_by_its_retriever(self, metadata: Metadata) -> None:
        odd = [
            replace(samples.execution(n, n, retriever_id=owner).header, mode="adhoc") for n, owner in enumerate(_OWNERS)
        ]
        await insert(metadata, [replace(samples.execution(n), header=header) for n, header in enumerate(odd)])
        assert await metadata.read(partial(_owners, mode="saved")) == {"ret_1": 1, "ret_2": 1}
        assert await metadata.read(partial(_owners, mode="public")) == {}
        asked = ExecutionQuery()
        assert await metadata.read(partial(_count, ME, "anonymous", asked)) == 1
        assert await metadata.read(partial(_count, ME, "saved", asked)) == 2

    async def test_writers_side_by_side_lose_no_sum(self, metadata: Metadata) -> None:
        chance = random.Random(22)
        every = [ran(chance, number, number % 3) for number in range(48)]

        async def write(number: int) -> None:
            await insert(metadata, [every[number]])
            if number % 4 == 0:
                await delete(metadata, [every[number].header])

        await asyncio.gather(*(write(number) for number in range(48)))
        there = [one for number, one in enumerate(every) if number % 4]
        await check(metadata, there)
        while await metadata.write(lambda session: session.executions.fold_counts(ME, _END)):
            pass
        await check(metadata, there)
