"""Budgets end to end: an index process that stands still, and what the record says of what was cut."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import pytest

from tamis.engine.environment import Environment
from tamis.engine.planning.plan import Planner
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stages import STAGES
from tamis.executions.codec import decode
from tamis.executions.record import Record, StageOutcome
from tamis.model.execution import ExecutionStatus
from tamis.model.retriever import Budget
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.storage.index import open_edge_index
from tamis.storage.index.edge import EdgeIndex
from tamis.storage.metadata import open_sqlite
from tests.engine.stages.shop import PRINCIPAL, Shop, filled
from tests.retrieval_world import WallClock, search, specs, stage

LISTED = stage("attribute_filter", conditions={"AND": [{"field": "price", "operator": "exists"}]})
PRICES = PriceTable({"feature_search": Price(per_document=0.01)})


class Kitchen:
    """The shop over a real index process."""

    def __init__(self, shop: Shop, index: EdgeIndex) -> None:
        clock = WallClock()
        self.shop, self.index = shop, index
        executor = Executor(Environment(shop.searcher, shop.models, clock), PRICES)
        self.service = ExecutionService(shop.metadata, Planner(STAGES), executor, clock, InFlight(clock))

    async def run(self, *stages: dict[str, Any], budget: Budget | None = None) -> tuple[Executed, Record]:
        work = self.service.execute_anonymous(PRINCIPAL, specs(*stages), {}, RunOptions(budget=budget))
        executed = await asyncio.wait_for(work, timeout=30)
        stored = await self.shop.metadata.read(
            lambda session: session.executions.get(PRINCIPAL, executed.execution_id)
        )  # fmt: skip
        assert stored is not None
        return executed, decode(stored)


@pytest.fixture
async def kitchen(tmp_path: Path) -> AsyncIterator[Kitchen]:
    metadata = await open_sqlite(tmp_path / "metadata.db")
    index = await open_edge_index(tmp_path / "index")
    try:
        shop = await filled(metadata, cast(Any, index))
        yield Kitchen(shop, index)
    finally:
        await index.close()
        await metadata.close()


async def test_an_index_process_that_stands_still_is_not_waited_for(kitchen: Kitchen) -> None:
    whole, _ = await kitchen.run(LISTED, search())
    assert whole.status is ExecutionStatus.COMPLETED
    pid = kitchen.index.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        executed, record = await kitchen.run(LISTED, search(), budget=Budget(max_time_ms=400))
    finally:
        os.kill(pid, signal.SIGCONT)
    assert executed.status is ExecutionStatus.DEGRADED
    assert len(executed.documents) == len(whole.documents) == 5
    assert executed.warnings == ("budget max_time_ms: stage 'search' ran out of time",)
    listed, cut = record.stages
    assert (listed.outcome, cut.outcome, cut.limit) == (StageOutcome.COMPLETED, StageOutcome.CUT, "max_time_ms")
    assert record.header.status is ExecutionStatus.DEGRADED
    again, _ = await kitchen.run(LISTED, search())
    assert [hit.id for hit in again.documents] == [hit.id for hit in whole.documents]


async def test_the_record_says_what_the_budget_took(kitchen: Kitchen) -> None:
    executed, record = await kitchen.run(search(), stage("limit", limit=2), budget=Budget(max_credits=0.04))
    assert executed.status is ExecutionStatus.DEGRADED
    first, _ = record.stages
    assert first.shrunk == {"searches.0.top_k": [100, 4]}
    searches = cast(list[dict[str, Any]], first.parameters["searches"])
    assert searches[0]["top_k"] == 4
    assert first.processed == 4
    assert first.credits_used == pytest.approx(0.04)
    assert record.header.credits_used == pytest.approx(0.04)
    assert record.warnings == executed.warnings
