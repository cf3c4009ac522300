"""Nothing that was kept for one who sees more, or less, is another's answer; nor does a record keep a secret of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tamis.model.filters import parse_filter
from tamis.model.principal import Client, Principal
from tamis.services.runs.execution_runs import CacheState, Executed, RunOptions
from tests.caching_world import CachingWorld, caching
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import search, stage

SOLE = replace(PRINCIPAL, narrowing=parse_filter({"field": "brand", "operator": "eq", "value": "Sole"}))
BLADE = replace(PRINCIPAL, narrowing=parse_filter({"field": "brand", "operator": "eq", "value": "Blade"}))
VISITOR = replace(PRINCIPAL, key_id="pub_1", client=Client("somebody", is_public=True))
SEEN: dict[Principal, list[str]] = {
    SOLE: ["p1", "p2"],
    BLADE: ["p3", "p4"],
    PRINCIPAL: ["p1", "p2", "p3", "p4", "p5", "p6"],
}


async def ask(server: CachingWorld, who: Principal, retriever_id: str) -> Executed:
    options = RunOptions(inputs={"text": "running shoes"})
    return await server.world.executions.execute_saved(who, retriever_id, options)


def ids(executed: Executed) -> list[str]:
    return sorted(hit.id for hit in executed.documents)


@pytest.mark.parametrize(
    "cache",
    [{"enabled": True, "ttl_seconds": 60}, {"enabled": True, "ttl_seconds": 60, "cache_stage_names": ["search"]}],
)
async def test_each_is_answered_with_what_he_sees(tmp_path: Path, cache: dict[str, Any]) -> None:
    async with caching(tmp_path) as server:
        retriever = await server.saved(search("{{INPUT.text}}"), stage("count"), **cache)
        for _ in range(2):
            for who, seen in SEEN.items():
                assert ids(await ask(server, who, retriever.retriever_id)) == seen
        again = await ask(server, SOLE, retriever.retriever_id)
        assert ids(again) == SEEN[SOLE]
        assert again.cache is not None
        if "cache_stage_names" not in cache:
            assert again.cache.state is CacheState.HIT


async def test_a_visitor_is_answered_from_what_is_kept_and_pays_nothing(tmp_path: Path) -> None:
    async with caching(tmp_path) as server:
        retriever = await server.saved(search("{{INPUT.text}}"), enabled=True, ttl_seconds=60)
        first = await ask(server, VISITOR, retriever.retriever_id)
        again = await ask(server, VISITOR, retriever.retriever_id)
        assert (ids(again), again.credits_used) == (ids(first), 0.0)
        assert first.credits_used > 0
