"""Executions followed as they run: queued, shared, cancelled, not read."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tamis.engine.events import ExecutionStarted, Sink, StageFinished, StageStarted
from tamis.engine.ports.executions import ExecutionQuery
from tamis.errors import NotFoundError
from tamis.model.execution import ExecutionStatus
from tamis.model.hits import Hit, Hits
from tamis.model.retriever import Retriever
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.streaming import ExecutionCancelledError, ExecutionStream, Progress, Streaming, Work
from tests.caching_world import CachingWorld, Count, caching
from tests.engine.stages.shop import NOW, PRINCIPAL
from tests.retrieval_world import Wait, WallClock, search, stage

SEARCH = search("{{INPUT.text}}")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[CachingWorld]:
    async with caching(tmp_path) as opened:
        yield opened


def running(world: CachingWorld, retriever: Retriever) -> Work:
    options = RunOptions(inputs={"text": "running shoes"})
    return lambda sink: world.world.executions.execute_saved(PRINCIPAL, retriever.retriever_id, options, sink)


async def begin(world: CachingWorld, retriever: Retriever, heartbeat_s: float = 15.0) -> ExecutionStream:
    return await Streaming(WallClock(), heartbeat_s).begin(running(world, retriever))


async def followed(stream: ExecutionStream) -> tuple[list[Progress], Executed]:
    async with asyncio.timeout(20):
        steps = [step async for step in stream.steps() if step is not None]
    return steps, stream.result()


async def statuses(world: CachingWorld, retriever: Retriever) -> list[str]:
    page = await world.world.records.list_saved(PRINCIPAL, retriever.retriever_id, ExecutionQuery())
    return sorted(header.status.value for header in page.items)


def ids(executed: Executed) -> list[str]:
    return [hit.id for hit in executed.documents]


async def test_an_answer_from_the_cache_is_told_stage_by_stage_too(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("count"), enabled=True)
    (told, fresh), (retold, kept) = [await followed(await begin(world, retriever)) for _ in range(2)]
    assert Count.runs == 1
    assert ids(fresh) == ids(kept) != []
    assert [type(step.event) for step in told] == [type(step.event) for step in retold]
    assert [type(step.event) for step in told] == [StageStarted, StageFinished] * 2
    assert (told[-1].spent.credits_used, retold[-1].spent.credits_used) == (fresh.credits_used, 0.0)


async def test_who_waits_for_another_s_run_may_leave_or_stay(world: CachingWorld) -> None:
    """Three follow identical requests: the first, who runs it, hangs up, and so does one of those who wait for it."""
    retriever = await world.saved(SEARCH, stage("wait"), enabled=True)
    leader = await begin(world, retriever)
    await asyncio.wait_for(Wait.reached.wait(), 10)
    queued, waiting = [await begin(world, retriever, heartbeat_s=0.05) for _ in range(2)]
    assert (queued.execution_id, queued.has_ended) == (None, False)
    assert await leader.close() is None
    assert await queued.close() is None
    with pytest.raises(ExecutionCancelledError):
        leader.result()
    Wait.go.set()
    steps, executed = await followed(waiting)
    assert len(ids(executed)) == 6
    assert [step.event.stage_name for step in steps] == ["search", "search", "wait", "wait"]
    assert await statuses(world, retriever) == ["cancelled", "cancelled", "completed"]


async def test_a_queued_execution_beats_until_it_begins(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, stage("wait"), enabled=True)
    leader = await begin(world, retriever)
    await asyncio.wait_for(Wait.reached.wait(), 10)
    queued = await begin(world, retriever, heartbeat_s=0.05)
    steps = queued.steps()
    assert [await anext(steps) for _ in range(3)] == [None] * 3
    Wait.go.set()
    assert ids((await followed(leader))[1]) == ids((await followed(queued))[1])


async def test_what_is_wrong_before_the_run_is_raised_before_the_stream(world: CachingWorld) -> None:
    options = RunOptions(collections=("nowhere",))
    retriever = await world.saved(SEARCH)
    with pytest.raises(NotFoundError):
        await Streaming(WallClock()).begin(
            lambda sink: world.world.executions.execute_saved(PRINCIPAL, retriever.retriever_id, options, sink)
        )
    assert await statuses(world, retriever) == []


async def test_leaving_before_the_run_begins_cancels_what_prepares_it() -> None:
    ended = asyncio.Event()

    async def prepare(sink: Sink) -> Executed:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError("nothing sets the event")

    beginning = asyncio.ensure_future(Streaming(WallClock()).begin(prepare))
    await asyncio.sleep(0)
    beginning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beginning
    assert ended.is_set()


async def test_what_nobody_reads_is_let_go() -> None:
    """A reader who was dropped keeps no hits alive: neither those that waited for him nor any that come."""
    go = asyncio.Event()
    held: list[weakref.ref[Hit]] = []

    class Seen(Hit):
        __slots__ = ("__weakref__",)

    def tell(sink: Sink, index: int) -> None:
        hit = Seen(f"doc_{index}", 1.0)
        held.append(weakref.ref(hit))
        sink(StageFinished(index, f"s{index}", "limit", None, Hits(), Hits((hit,)), 1, 1.0, 0.0))

    async def run(sink: Sink) -> Executed:
        sink(ExecutionStarted("exec_1", NOW, {}, "", "", 1, 2))
        tell(sink, 0)
        await go.wait()
        tell(sink, 1)
        raise NotFoundError("gone")

    stream = await Streaming(WallClock()).begin(run)
    gc.collect()
    assert [one() is not None for one in held] == [True]
    letting_go = asyncio.ensure_future(stream.run_unread())
    await asyncio.sleep(0)
    gc.collect()
    assert [one() for one in held] == [None]
    go.set()
    await letting_go
    gc.collect()
    assert [one() for one in held] == [None, None]
    with pytest.raises(NotFoundError):
        stream.result()


async def test_a_stream_that_nobody_reads_holds_two_steps_a_stage(world: CachingWorld) -> None:
    retriever = await world.saved(SEARCH, *({**stage("limit", limit=5), "stage_name": f"s{n}"} for n in range(30)))
    stream = await begin(world, retriever)
    while not stream.has_ended:  # noqa: ASYNC110 - nothing is read, so nothing tells
        await asyncio.sleep(0.01)
    assert stream.result().status is ExecutionStatus.COMPLETED
    assert await statuses(world, retriever) == ["completed"]
    steps, _ = await followed(stream)
    assert len(steps) == 2 * 31
