"""Execution records, and the blobs of their large inputs."""
# ruff: noqa: S101 - a contract is made of assertions

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import pytest

from tamis.engine.ports.executions import Entry, ExecutionQuery, SpanWindow
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError
from tamis.model.execution import ExecutionHeader, ExecutionStatus
from tamis.model.filters import parse_filter
from tamis.model.principal import Principal
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS, later

FAILED = ExecutionStatus.FAILED


async def _kept(metadata: Metadata, entry: Entry) -> None:
    await metadata.keep(entry)


async def _insert(metadata: Metadata, count: int = 8) -> None:
    """Pairs share a start; every third has failed; one is a saved retriever's."""

    def insert(session: Session) -> None:
        for number in range(count):
            status = FAILED if number % 3 == 0 else ExecutionStatus.COMPLETED
            session.executions.insert(ME, samples.execution(number, number // 2, status))
        session.executions.insert(ME, samples.execution(5000, 900, retriever_id="ret_1"))

    await metadata.write(insert)


async def _numbers(metadata: Metadata, query: ExecutionQuery) -> tuple[list[int], int]:
    page = await metadata.read(lambda session: session.executions.page(ME, query))
    assert await metadata.read(lambda session: session.executions.count(ME, query)) == page.total
    assert (page.limit, page.offset) == (query.limit, query.offset)
    return [int(each.execution_id.removeprefix("exec_")) for each in page.items], page.total


class ExecutionsContract:
    async def test_the_newest_come_first_whatever_is_asked_for_at_once(self, metadata: Metadata) -> None:
        executions = [Entry(ME, samples.execution(number, number // 2)) for number in range(60)]
        await asyncio.gather(*(metadata.keep(one) for one in executions))

        def both(session: Session, query: ExecutionQuery) -> tuple[list[ExecutionHeader], Sequence[ExecutionHeader]]:
            page = session.executions.page(ME, replace(query, limit=99))
            return [*session.executions.newest(ME, query)], page.items

        for query in (ExecutionQuery(), ExecutionQuery(status=ExecutionStatus.COMPLETED, end=later(20))):
            newest, paged = await metadata.read(partial(both, query=query))
            assert newest == paged
        assert await metadata.read(lambda session: [*session.executions.newest(STRANGERS[0], ExecutionQuery())]) == []

    async def test_who_has_executions_and_how_many_over_time(self, metadata: Metadata) -> None:
        await _insert(metadata)
        owners = await metadata.read(lambda session: session.executions.owners(ME))
        assert owners == {None: 8, "ret_1": 1}
        assert await metadata.read(lambda session: session.executions.owners(ME, FAILED)) == {None: 3}
        assert await metadata.read(lambda session: session.executions.owners(STRANGERS[0])) == {}

        window = SpanWindow(later(-3600), later(3600), 60)

        def series(session: Session) -> list[tuple[int, str, int]]:
            spans = session.executions.series(ME, [None, "ret_1"], window)
            first = spans[0].at
            assert later(-60) < first <= later(0)
            return [(round((one.at - first).total_seconds()), one.status.value, one.count) for one in spans]

        assert await metadata.read(series) == [(0, "completed", 5), (0, "failed", 3), (900, "completed", 1)]

        def strangers(session: Session) -> int:
            return len(session.executions.series(STRANGERS[0], [None, "ret_1"], window))

        assert await metadata.read(strangers) == 0

    async def test_inputs_are_read_by_id(self, metadata: Metadata) -> None:
        await _insert(metadata, 3)
        wanted = ["exec_0001", "exec_5000", "exec_none"]
        found = await metadata.read(lambda session: session.executions.texts(ME, wanted))
        assert found == {"exec_0001": '{"q":"wörter"}', "exec_5000": '{"q":"wörter"}'}
        assert await metadata.read(lambda session: session.executions.texts(STRANGERS[0], wanted)) == {}
        bodies = await metadata.read(lambda session: session.executions.bodies(ME, wanted))
        assert bodies.keys() == found.keys()
        whole = await metadata.read(lambda session: session.executions.get(ME, "exec_5000"))
        assert whole is not None
        assert bodies["exec_5000"] == whole.record
        assert await metadata.read(lambda session: session.executions.bodies(STRANGERS[0], wanted)) == {}

    async def test_a_record_comes_back_byte_for_byte(self, metadata: Metadata) -> None:
        stored = samples.execution(1)
        await metadata.write(lambda session: session.executions.insert(ME, stored))
        assert await metadata.read_now(lambda session: session.executions.get(ME, "exec_0001")) == stored
        assert await metadata.read(lambda session: session.executions.get(ME, "exec_none")) is None

    async def test_a_record_is_never_written_over(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.executions.insert(ME, samples.execution(1)))
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.executions.insert(ME, samples.execution(1, status=FAILED)))
        assert await metadata.read(lambda session: session.executions.get(ME, "exec_0001")) == samples.execution(1)

    async def test_records_that_come_together_are_kept_and_counted_as_if_alone(self, metadata: Metadata) -> None:
        others = [samples.execution(100 + number, 5 * number, retriever_id="ret_1") for number in range(20)]
        entries = [Entry(ME, samples.execution(number, 25 * number)) for number in range(40)]
        entries += [Entry(ME, each, {"large": b"value"}) for each in others]
        entries += [Entry(STRANGERS[0], samples.execution(number)) for number in range(5)]
        written = metadata.write(lambda session: session.executions.insert(ME, samples.execution(500, 9000)))
        await asyncio.gather(written, *(metadata.keep(entry) for entry in entries))
        assert (await _numbers(metadata, ExecutionQuery(limit=3)))[1] == 41
        assert (await _numbers(metadata, ExecutionQuery(start=later(25), end=later(500))))[1] == 20
        assert (await _numbers(metadata, ExecutionQuery(retriever_id="ret_1", start=later(1))))[1] == 19
        assert await metadata.read(lambda session: session.executions.count(STRANGERS[0], ExecutionQuery())) == 5
        assert await metadata.read(lambda session: session.input_blobs.get(ME, "large")) == b"value"

    async def test_one_that_exists_spoils_no_other_of_its_group(self, metadata: Metadata) -> None:
        await metadata.keep(Entry(ME, samples.execution(1)))
        entries = [Entry(ME, samples.execution(number, number)) for number in (0, 1, 2, 2, 3)]
        ended = await asyncio.gather(*(metadata.keep(entry) for entry in entries), return_exceptions=True)
        assert [type(each) for each in ended].count(AlreadyExistsError) == 2
        assert isinstance(ended[1], AlreadyExistsError)
        assert await _numbers(metadata, ExecutionQuery()) == ([3, 2, 1, 0], 4)

    async def test_who_is_cancelled_hears_of_it_once_his_record_is_durable(self, metadata: Metadata) -> None:
        waiting = asyncio.create_task(_kept(metadata, Entry(ME, samples.execution(1))))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await metadata.read(lambda session: session.executions.get(ME, "exec_0001")) == samples.execution(1)

    async def test_newest_first_in_windows_that_cover_all(self, metadata: Metadata) -> None:
        await _insert(metadata)
        assert await _numbers(metadata, ExecutionQuery(limit=3)) == ([7, 6, 5], 8)
        assert await _numbers(metadata, ExecutionQuery(limit=3, offset=6)) == ([1, 0], 8)
        assert await _numbers(metadata, ExecutionQuery(limit=3, oldest_first=True)) == ([0, 1, 2], 8)
        assert await _numbers(metadata, ExecutionQuery(limit=0)) == ([], 8)
        assert await _numbers(metadata, ExecutionQuery(retriever_id="ret_1")) == ([5000], 1)

    async def test_by_status_and_by_time_both_ends_included(self, metadata: Metadata) -> None:
        await _insert(metadata)
        assert await _numbers(metadata, ExecutionQuery(status=FAILED)) == ([6, 3, 0], 3)
        assert await _numbers(metadata, ExecutionQuery(start=later(1), end=later(2))) == ([5, 4, 3, 2], 4)
        assert await _numbers(metadata, ExecutionQuery(start=later(2.5))) == ([7, 6], 2)
        assert await _numbers(metadata, ExecutionQuery(status=FAILED, start=later(1), end=later(3))) == ([6, 3], 2)

    async def test_by_filter_in_either_order(self, metadata: Metadata) -> None:
        await _insert(metadata, 1007)
        some = parse_filter({"query_summary": {"$in": ["query 3", "query 1006", "query 900"]}})
        assert await _numbers(metadata, ExecutionQuery(filter=some)) == ([1006, 900, 3], 3)
        assert await _numbers(metadata, ExecutionQuery(filter=some, limit=1, offset=1)) == ([900], 3)
        assert await _numbers(metadata, ExecutionQuery(filter=some, oldest_first=True)) == ([3, 900, 1006], 3)
        assert await _numbers(metadata, ExecutionQuery(filter=some, status=FAILED)) == ([900, 3], 2)
        moment = later(1).isoformat()
        early = parse_filter({"timestamp": {"$lte": moment}})
        assert await _numbers(metadata, ExecutionQuery(filter=early)) == ([3, 2, 1, 0], 4)

    async def test_others_see_no_record(self, metadata: Metadata) -> None:
        await _insert(metadata, 2)
        await metadata.write(lambda session: session.input_blobs.put(ME, "sha", b"bytes"))
        for stranger in STRANGERS:

            def look(session: Session, who: Principal = stranger) -> list[object]:
                executions, query = session.executions, ExecutionQuery()
                return [
                    executions.get(who, "exec_0001"), executions.page(who, query).total, executions.count(who, query),
                    session.input_blobs.get(who, "sha"),
                ]  # fmt: skip

            assert await metadata.read(look) == [None, 0, 0, None]

    async def test_an_input_is_stored_once(self, metadata: Metadata) -> None:
        for _ in range(2):
            await metadata.write(lambda session: session.input_blobs.put(ME, "sha", b"\0bytes"))
        assert await metadata.read(lambda session: session.input_blobs.get(ME, "sha")) == b"\0bytes"
        assert await metadata.read(lambda session: session.input_blobs.get(ME, "none")) is None
