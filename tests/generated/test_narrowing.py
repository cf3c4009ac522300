"""Whatever a narrowed caller asks is answered as if the documents that he may not see had never been written.

Random pipelines over all stages run twice: narrowed by a client token's filter, and, not narrowed, in a namespace that
holds only the documents that match. Answers, totals, facets and everything else that stages tell are the same.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from tamis.engine.environment import Environment
from tamis.engine.events import Event, StageFinished
from tamis.engine.planning.plan import Planner
from tamis.engine.ports.metadata import Metadata
from tamis.engine.reach import Reach
from tamis.engine.running.executor import Executor
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.stages import STAGES
from tamis.errors import TamisError
from tamis.model.document import DocumentWrite
from tamis.model.filters import parse_filter, to_json
from tamis.model.json import JSON
from tamis.model.matching import matches
from tamis.model.principal import Principal
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.inflight import InFlight
from tamis.storage.metadata import open_sqlite
from tamis.testing.memory_index import MemoryIndex
from tests.engine.stages.shop import FEATURES, PRINCIPAL, PRODUCTS, Shop, collection, product
from tests.generated.pipelines import INPUTS, Generated, pipelines
from tests.generated.reach import STUBS
from tests.retrieval_world import WallClock, specs

PRICES = PriceTable(dict.fromkeys(STAGES, Price(per_document=0.00001, per_call=0.01)))
FILTERS: tuple[dict[str, Any], ...] = (
    {"field": "brand", "operator": "eq", "value": "Sole"},
    {"OR": [{"field": "brand", "operator": "eq", "value": "Blade"}, {"field": "price", "operator": "is_null"}]},
    {"NOT": [{"field": "tags", "operator": "eq", "value": "running"}]},
    {
        "AND": [
            {"field": "price", "operator": "gte", "value": 10},
            {"field": "text", "operator": "contains", "value": "n"},
        ]
    },
    {"field": "document_id", "operator": "in", "value": ["p2", "p3", "p6"]},
    {"field": "created_at", "operator": "gt", "value": "2026-01-03"},
    {"field": "brand", "operator": "eq", "value": "nobody's"},
    {"field": "no.such", "operator": "exists", "value": False},
)
# The weight of a word in a lexical search is of the whole collection (decision 0030): here it is of the text alone.
_WEIGHTLESS = tuple(replace(one, idf=False) for one in FEATURES)
_COLLECTIONS = tuple(replace(one, features=_WEIGHTLESS) for one in (collection("col_a", "products"), collection("col_b", "more")))  # fmt: skip # noqa: E501 - two of a kind


@dataclass
class Server:
    """twins: by filter, who may see everything in a namespace of only the matching documents."""

    executions: ExecutionService
    twins: list[Principal]
    seen: Counter[str] = field(default_factory=Counter)

    async def check(self, generated: Generated, which: int, filters: JSON) -> None:
        narrowed = replace(PRINCIPAL, narrowing=parse_filter(FILTERS[which]))
        mine = await self._told(narrowed, generated, filters)
        expected = await self._told(self.twins[which], generated, filters)
        note(f"{FILTERS[which]}")
        assert mine == expected
        self.seen["failed" if isinstance(mine, str) else "found" if mine["documents"] else "empty"] += 1

    async def _told(self, principal: Principal, generated: Generated, filters: JSON) -> Any:
        """Everything that comes of it but what must differ: ids of executions and times."""
        events: list[Event] = []
        options = RunOptions(inputs=dict(INPUTS), budget=generated.budget, filters=filters)
        try:
            stages = specs(*map(_untimed, generated.raw))
            ran = await self.executions.execute_anonymous(principal, stages, {}, options, events.append)
        except TamisError as error:
            return f"{error.code} {error.message}"
        return {
            "documents": [(hit.id, hit.score, hit.scores, hit.extra) for hit in ran.documents],
            "fields": [hit.document.fields for hit in ran.documents if hit.document],
            "total": ran.pagination["total"],
            "status": ran.status,
            "warnings": ran.warnings,
            "credits": ran.credits_used,
            "stages": [
                (end.stage_name, end.processed, len(end.received), len(end.returned), end.metadata, end.parameters)
                for end in ran.stages
                if isinstance(end, StageFinished)
            ],
        }


def _untimed(value: Any) -> Any:
    """Without limits of time, which chance keeps or not."""
    if isinstance(value, dict):
        return {key: _untimed(one) for key, one in value.items() if "timeout" not in key}
    return [_untimed(one) for one in value] if isinstance(value, list) else value


async def _write_shop(shop: Shop, principal: Principal, filter: dict[str, Any] | None) -> None:
    parsed = parse_filter(filter)
    for number, (place, one) in enumerate((("col_a", 0), ("col_b", 1))):
        await shop.metadata.write(
            lambda session, number=number: session.collections.insert(principal, _COLLECTIONS[number])  # type: ignore[misc]
        )
        await shop.index.create(principal, place, _WEIGHTLESS)
        every = [product(n, place) for n in range(one, len(PRODUCTS), 2)]
        wanted = [write for write in every if parsed is None or matches(parsed, _inside(write, place).dated_view())]
        await shop.put(place, wanted, principal)


def _inside(write: DocumentWrite, collection_id: str) -> Any:
    return replace(write.document, collection_id=collection_id)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


async def _served(metadata: Metadata, compiling: bool, reach: Reach) -> Server:
    shop = Shop(metadata, MemoryIndex(compiling), collections=_COLLECTIONS)
    twins = [replace(PRINCIPAL, namespace_id=f"ns_twin_{n}") for n in range(len(FILTERS))]
    await _write_shop(shop, PRINCIPAL, None)
    for twin, filter in zip(twins, FILTERS, strict=True):
        await _write_shop(shop, twin, filter)
    clock = WallClock()
    executor = Executor(Environment(shop.searcher, shop.models, clock, reach), PRICES)
    return Server(ExecutionService(metadata, Planner(STAGES), executor, clock, InFlight(clock)), twins)


@pytest.fixture(params=[True, False], ids=["compiled", "by id"])
def server(runner: asyncio.Runner, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Server]:
    """compiled: the index answers any filter.  by id: it answers none, and is given the ids that match."""
    metadata = runner.run(open_sqlite(tmp_path / "metadata.db"))
    yield runner.run(_served(metadata, request.param, STUBS))
    runner.run(metadata.close())


def run_many(runner: asyncio.Runner, server: Server, count: int) -> None:
    wider = st.sampled_from([None, {"OR": [{"field": "price", "operator": "gte", "value": 0}, {"NOT": [FILTERS[0]]}]}])

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(pipelines(), st.integers(0, len(FILTERS) - 1), wider)
    def check(generated: Generated, which: int, filters: JSON) -> None:
        runner.run(server.check(generated, which, filters))

    check()
    assert server.seen["found"] > count / 5, server.seen


def test_the_hidden_documents_might_as_well_not_be_there(runner: asyncio.Runner, server: Server) -> None:
    run_many(runner, server, 100)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_in_very_many_pipelines(runner: asyncio.Runner, server: Server, quick: bool) -> None:
    run_many(runner, server, 1_000 if quick else 20_000)


@pytest.mark.parametrize("raw", FILTERS)
def test_a_filter_written_down_means_the_same(raw: dict[str, Any]) -> None:
    parsed = parse_filter(raw)
    assert parsed is not None
    assert parse_filter(to_json(parsed)) == parsed
