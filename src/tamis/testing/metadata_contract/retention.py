"""Executions counted, deleted and trimmed: the counters always say what is there, and nothing of a record stays."""
# ruff: noqa: S101, S311 - a contract is made of assertions; chance is for the tests alone

import asyncio
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from tamis.engine.ports.executions import ExecutionQuery, ExecutionSelection
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later

_STATUSES = (ExecutionStatus.COMPLETED, ExecutionStatus.FAILED, ExecutionStatus.DEGRADED)
_OWNERS = (None, "ret_1", "ret_2")
_HOUR_S = 3600


def hashed(number: int, inputs_hash: str, seconds: float = 0) -> StoredExecution:
    execution = samples.execution(number, seconds)
    return replace(execution, header=replace(execution.header, inputs_hash=inputs_hash))


async def insert(metadata: Metadata, executions: Iterable[StoredExecution], who: Principal = ME) -> None:
    def write(session: Session) -> None:
        for execution in executions:
            session.executions.insert(who, execution)

    await metadata.write(write)


async def delete(metadata: Metadata, selection: ExecutionSelection, who: Principal = ME, limit: int = 1000) -> int:
    return await metadata.write(lambda session: session.executions.delete(who, selection, limit))


async def trim(metadata: Metadata, keep: int | None, before: datetime | None, limit: int, who: Principal = ME) -> int:
    return await metadata.write(lambda session: session.executions.trim(who, keep, before, limit))


async def count(metadata: Metadata, query: ExecutionQuery) -> int:
    return await metadata.read(lambda session: session.executions.count(ME, query))


async def listed(metadata: Metadata, query: ExecutionQuery) -> Page[ExecutionHeader]:
    return await metadata.read(lambda session: session.executions.page(ME, query))


async def left(metadata: Metadata, who: Principal = ME, retriever_id: str | None = None) -> list[int]:
    """Numbers of what is there, oldest first."""
    query = ExecutionQuery(retriever_id, limit=10_000, oldest_first=True)
    page = await metadata.read(lambda session: session.executions.page(who, query))
    assert page.total == len(page.items)
    return [int(each.execution_id.removeprefix("exec_")) for each in page.items]


def expected(headers: Iterable[ExecutionHeader], query: ExecutionQuery) -> int:
    return sum(
        header.retriever_id == query.retriever_id
        and query.status in (None, header.status)
        and (query.start is None or query.start <= header.started_at)
        and (query.end is None or header.started_at <= query.end)
        for header in headers
    )


class RetentionContract:
    async def test_counts_follow_inserts_and_deletes_whatever_the_window_cuts(self, metadata: Metadata) -> None:
        chance = random.Random(1)
        there: dict[str, ExecutionHeader] = {}
        for number in range(300):
            seconds = chance.choice([0, chance.uniform(-90, 90) * 24 * _HOUR_S, chance.randint(-50, 50) * _HOUR_S])
            execution = samples.execution(number, seconds, chance.choice(_STATUSES), chance.choice(_OWNERS))
            there[execution.header.execution_id] = execution.header
            await insert(metadata, [execution])
            if chance.random() < 0.3:
                gone = chance.choice(list(there.values()))
                named = ExecutionSelection(gone.retriever_id, (gone.execution_id,))
                assert await delete(metadata, named) == 1
                del there[gone.execution_id]
        for query in self._windows(chance, [header.started_at for header in there.values()]):
            found = await count(metadata, query)
            assert found == expected(there.values(), query), query

    @staticmethod
    def _windows(chance: random.Random, starts: list[datetime]) -> Iterable[ExecutionQuery]:
        for _ in range(150):
            ends = sorted(chance.choice(starts) + timedelta(seconds=chance.choice([0, -1e-6, 1800])) for _ in range(2))
            start, end = (moment if chance.random() < 0.7 else None for moment in ends)
            yield ExecutionQuery(chance.choice(_OWNERS), chance.choice([None, *_STATUSES]), start, end)

    async def test_what_is_named_to_stay_stays(self, metadata: Metadata) -> None:
        await insert(metadata, (samples.execution(number, number) for number in range(5)))
        selection = ExecutionSelection(end=later(3), but_not=("exec_0001", "exec_0002"))
        assert [await delete(metadata, selection, limit=1) for _ in range(3)] == [1, 1, 0]
        assert await left(metadata) == [1, 2, 4]

    async def test_writers_side_by_side_lose_no_count(self, metadata: Metadata) -> None:
        async def write(number: int) -> None:
            await insert(metadata, [samples.execution(number, number % 3)])
            if number % 4 == 0:
                assert await delete(metadata, ExecutionSelection(execution_ids=(f"exec_{number:04}",))) == 1

        await asyncio.gather(*(write(number) for number in range(80)))
        assert len(await left(metadata)) == 60
        windowed = ExecutionQuery(start=later(-_HOUR_S * 30), end=later(_HOUR_S * 30))
        assert await metadata.read(lambda session: session.executions.count(ME, windowed)) == 60

    async def test_folding_changes_no_count(self, metadata: Metadata) -> None:
        await asyncio.gather(*(insert(metadata, [samples.execution(n, n * _HOUR_S)]) for n in range(40)))
        far = later(60 * 24 * _HOUR_S)
        while await metadata.write(lambda session: session.executions.fold_counts(ME, far)):
            pass
        queries = [ExecutionQuery(), ExecutionQuery(start=later(0.5)), ExecutionQuery(end=later(30 * _HOUR_S))]
        counts = [await count(metadata, query) for query in queries]
        assert counts == [40, 39, 31]
        assert await metadata.write(lambda session: session.executions.fold_counts(ME, far)) == 0

    async def test_what_two_delete_at_once_is_counted_once(self, metadata: Metadata) -> None:
        await insert(metadata, (samples.execution(number) for number in range(30)))
        ids = tuple(f"exec_{number:04}" for number in range(20))
        selections = [ExecutionSelection(execution_ids=part) for part in (ids, ids[::-1], ids[5:15])]
        counts = await asyncio.gather(*(delete(metadata, selection) for selection in selections))
        assert sum(counts) == 20
        assert await left(metadata) == list(range(20, 30))

    async def test_delete_by_id_by_inputs_and_by_time(self, metadata: Metadata) -> None:
        await insert(metadata, [hashed(n, "a" * 40 if n % 2 else "b" * 40, n) for n in range(10)])
        await insert(metadata, [samples.execution(77, retriever_id="ret_1")])
        odd = ExecutionSelection(inputs_hash="a" * 40, end=later(5))
        assert await delete(metadata, odd, limit=2) == 2
        assert await delete(metadata, odd) == 1
        assert await left(metadata) == [0, 2, 4, 6, 7, 8, 9]
        assert await delete(metadata, ExecutionSelection(start=later(6), end=later(8))) == 3
        assert await delete(metadata, ExecutionSelection(execution_ids=("exec_0000", "exec_0077", "none"))) == 1
        assert await left(metadata) == [2, 4, 9]
        assert await left(metadata, retriever_id="ret_1") == [77]
        assert await delete(metadata, ExecutionSelection("ret_1")) == 1
        assert await left(metadata, retriever_id="ret_1") == []

    async def test_nobody_deletes_what_is_anothers(self, metadata: Metadata) -> None:
        await insert(metadata, [hashed(1, "a" * 40)])
        for stranger in STRANGERS:
            for selection in (
                ExecutionSelection(execution_ids=("exec_0001",)), ExecutionSelection(inputs_hash="a" * 40),
                ExecutionSelection(start=later(-1)),
            ):  # fmt: skip
                assert await delete(metadata, selection, stranger) == 0
            assert await trim(metadata, 0, None, 10, stranger) == 0
        assert await left(metadata) == [1]

    async def test_an_input_goes_with_the_last_record_that_refers_to_it(self, metadata: Metadata) -> None:
        def write(session: Session) -> None:
            session.executions.insert(ME, samples.execution(1), {"shared": b"both", "own": b"one"})
            session.executions.insert(ME, samples.execution(2), {"shared": b"both"})

        await metadata.write(write)
        assert await self._inputs(metadata) == (b"both", b"one")
        await delete(metadata, ExecutionSelection(execution_ids=("exec_0001",)))
        assert await self._inputs(metadata) == (b"both", None)
        await delete(metadata, ExecutionSelection(execution_ids=("exec_0002",)))
        assert await self._inputs(metadata) == (None, None)

    @staticmethod
    async def _inputs(metadata: Metadata) -> tuple[bytes | None, bytes | None]:
        return await metadata.read(lambda s: (s.input_blobs.get(ME, "shared"), s.input_blobs.get(ME, "own")))

    async def test_an_input_stays_while_records_come_and_go_at_once(self, metadata: Metadata) -> None:
        def write(number: int, session: Session) -> None:
            session.executions.insert(ME, samples.execution(number), {"shared": b"both"})

        async def come_and_go(number: int) -> None:
            await metadata.write(partial(write, number))
            assert (await self._inputs(metadata))[0] == b"both"
            if number % 5:
                await delete(metadata, ExecutionSelection(execution_ids=(f"exec_{number:04}",)))

        for start in range(0, 40, 8):
            await asyncio.gather(*(come_and_go(number) for number in range(start + 1, start + 9)))
            stay = await left(metadata)
            assert (await self._inputs(metadata))[0] == (b"both" if stay else None)
            for number in stay:
                await delete(metadata, ExecutionSelection(execution_ids=(f"exec_{number:04}",)))
            assert (await self._inputs(metadata))[0] is None

    async def test_the_oldest_are_trimmed_whosever_they_are(self, metadata: Metadata) -> None:
        await insert(metadata, [samples.execution(n, n, retriever_id=_OWNERS[n % 3]) for n in range(100)])
        assert await trim(metadata, 95, None, 3) == 3
        assert await trim(metadata, 95, None, 10) == 2
        assert await trim(metadata, 95, None, 10) == 0
        assert await trim(metadata, None, later(10), 100) == 5
        assert await trim(metadata, 50, later(20), 100) == 40
        every = [number for owner in _OWNERS for number in await left(metadata, retriever_id=owner)]
        assert sorted(every) == list(range(50, 100))
        assert await trim(metadata, 0, None, 100) == 50

    async def test_deep_pages_are_those_that_reading_on_gives(self, metadata: Metadata) -> None:
        chance = random.Random(2)
        starts = [chance.choice([0, chance.uniform(0, 40 * _HOUR_S)]) for _ in range(2_300)]
        await insert(metadata, (samples.execution(n, at, _STATUSES[n % 2]) for n, at in enumerate(starts)))
        windows = [{}, {"start": later(3000), "end": later(39.5 * _HOUR_S)}, {"status": _STATUSES[0]}]
        for newest, window in [(newest, window) for newest in (False, True) for window in windows]:
            query = ExecutionQuery(limit=5000, oldest_first=newest, **window)  # type: ignore[arg-type] # two kinds
            every = (await listed(metadata, query)).items
            for offset in (2_000, 2_050, len(every) - 2, len(every)):
                deep = replace(query, offset=offset, limit=20)
                page = await listed(metadata, deep)
                assert (page.items, page.total) == (every[offset : offset + 20], len(every))

    async def test_a_namespace_takes_all_of_its_records_with_it(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.executions.insert(ME, samples.execution(1), {"shared": b"both"}))
        assert [each.namespace_id for each in await metadata.read(lambda s: s.executions.tenants())] == [
            ME.namespace_id
        ]
        await metadata.write(lambda session: session.purge_namespace(ME))
        assert await left(metadata) == []
        assert await metadata.read(lambda session: session.executions.tenants()) == []
        assert (await self._inputs(metadata))[0] is None

    async def test_every_tenants_namespaces_are_found(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.namespaces.insert(ME, samples.namespace()))
        found = await metadata.read(lambda session: session.every_namespace())
        assert [(who.organization_id, who.namespace_id, each) for who, each in found] == [
            (ME.organization_id, samples.namespace().namespace_id, samples.namespace())
        ]
