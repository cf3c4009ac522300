"""Who follows a run in the playground and stops reading, or goes."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Message

from tamis.engine.events import Sink
from tamis.engine.ports.executions import ExecutionQuery
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.streaming import Streaming
from tamis.studio.languages import languages
from tamis.studio.run_events import RunEvents
from tests.engine.stages.shop import PRINCIPAL
from tests.faults.waiting import wait_for
from tests.retrieval_world import Wait, WallClock, World, opened, specs, stage

STALL_S = 0.05


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


async def begun(world: World) -> RunEvents:
    """Of a run that finds everything and then waits for `Wait.go`."""
    everything = stage("attribute_filter", field="text", operator="exists", value=True)
    stages = specs(everything, stage("wait", limit=3))

    async def work(sink: Sink) -> Executed:
        return await world.executions.execute_anonymous(PRINCIPAL, stages, {}, RunOptions(), sink)

    stream = await Streaming(WallClock(), stall_s=STALL_S).begin(work)
    return RunEvents(stream, languages()["en"], STALL_S)


async def statuses(world: World) -> list[str]:
    page = await world.records.list_anonymous(PRINCIPAL, ExecutionQuery(limit=10))
    return [header.status.value for header in page.items]


async def stays() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("it never comes")


async def test_a_page_that_takes_nothing_is_dropped_and_the_run_goes_on(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[Any] = []

    async def send(message: Message) -> None:
        taken.append(message)
        if len(taken) > 2:
            await asyncio.Event().wait()

    sending = asyncio.create_task((await begun(world))({"type": "http"}, stays, send))
    await Wait.reached.wait()
    async with asyncio.timeout(20):
        await asyncio.to_thread(wait_for, lambda: "took nothing for 0.05 s: dropped" in caplog.text)
    assert not sending.done(), "it stays with the run, which is at work"
    Wait.go.set()
    await sending
    assert await statuses(world) == ["completed"]
    assert [message["type"] for message in taken] == ["http.response.start", *["http.response.body"] * 2]


async def test_a_page_that_is_closed_takes_its_run_along(world: World) -> None:
    async def send(message: Message) -> None:
        pass

    async def gone() -> Message:
        await Wait.reached.wait()
        return {"type": "http.disconnect"}

    await (await begun(world))({"type": "http"}, gone, send)
    assert await statuses(world) == ["cancelled"]
