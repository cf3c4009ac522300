"""The law of caches: off, cold, warm, whole or by stages, the same ids, scores and documents."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.errors import TamisError
from tests.caching_world import CachingWorld, caching, shown
from tests.engine.stages.shop import URI
from tests.retrieval_world import search, stage

TEXTS = st.sampled_from(["running shoes", "bread knife", "novel", "kitchen"])
LEXICAL = {"feature_uri": URI, "query": "{{INPUT.text}}", "lexical": True}
FIRST = st.sampled_from(
    [
        search("{{INPUT.text}}"),
        search("{{INPUT.text}}", facets=["brand"], final_top_k=4),
        search("", searches=[{"feature_uri": URI, "query": "{{INPUT.text}}"}, LEXICAL], fusion="rrf"),
        search("", searches=[{"feature_uri": URI, "query": "", "on_empty": "random"}]),
        search({"input_mode": "document", "document_ref": {"document_id": "p1"}}),
        stage("attribute_filter", field="price", operator="lt", value="{{INPUT.below}}"),
    ]
)
LATER = st.sampled_from(
    [
        stage("attribute_filter", field="price", operator="lt", value="{{INPUT.below}}"),
        stage("sort_attribute", field="price", direction="asc"),
        stage("score_normalize"),
        stage("limit", limit=3),
        stage("sample", count=2),
        stage("deduplicate", fields=["brand"], strategy="field"),
        stage("group_by", field="brand"),
        stage("aggregate", aggregations=[{"function": "count", "alias": "n"}], group_by="brand"),
        stage("clocked"),
        stage("seeded"),
        stage("limit", limit="{{STAGE.search.count}}"),
    ]
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[CachingWorld]:
    async with caching(tmp_path) as opened:
        yield opened


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(FIRST, st.lists(LATER, max_size=3), TEXTS, st.sampled_from([15, 100]), st.booleans())
async def test_caches_change_nothing(
    world: CachingWorld, first: dict[str, Any], later: list[dict[str, Any]], text: str, below: int, is_written: bool
) -> None:
    stages = [{**one, "stage_name": f"s{n}" if n else "search"} for n, one in enumerate([first, *later])]
    names = [str(one["stage_name"]) for one in stages]
    try:
        off = await world.saved(*stages)
        plain = await world.run(off, text=text, below=below)
    except TamisError:
        return  # a pipeline that cannot run: nothing to compare
    await world.cache.clear()
    for config in ({"enabled": True}, {"cache_stage_names": names}):
        retriever = await world.saved(*stages, **config)
        cold, warm = [await world.run(retriever, text=text, below=below) for _ in range(2)]
        _same(world, plain, cold, warm)
    if is_written:
        await world.write("p3", price=below - 1)
        again = await world.run(retriever, text=text, below=below)
        _same(world, await world.run(retriever, skip_cache=True, text=text, below=below), again)


def _same(_world: CachingWorld, *answers: Any) -> None:
    first, *rest = [(shown(one), [end.processed for end in one.stages], one.status) for one in answers]
    for other in rest:
        assert other == first
