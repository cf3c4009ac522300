"""A pipeline that was rewritten gives what it would have given as it was written."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.planning.definition import parse_stages, with_filters
from tamis.engine.planning.rewrites import rewrites
from tamis.model.json import JSON
from tamis.services.runs.execution_runs import Executed, RunOptions
from tests.engine.stages.shop import PRINCIPAL, URI
from tests.retrieval_world import World, opened, search, stage

BRAND = st.builds(
    lambda operator, value: {"field": "brand", "operator": operator, "value": value},
    st.sampled_from(["eq", "ne"]), st.sampled_from(["Sole", "Blade", "Kobo", "Nobody"]),
)  # fmt: skip
PRICE = st.builds(
    lambda operator, value: {"field": "price", "operator": operator, "value": value},
    st.sampled_from(["lt", "gte", "ne"]), st.sampled_from([8, 20, 90, 1000]),
)  # fmt: skip
LEAVES = st.one_of(BRAND, PRICE)
TREES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.builds(lambda one: {"AND": [one]}, LEAVES),
    lambda inner: st.builds(
        lambda kind, parts: {kind: parts},
        st.sampled_from(["AND", "OR", "NOT"]), st.lists(st.one_of(LEAVES, inner), min_size=1, max_size=3),
    ),
    max_leaves=5,
)  # fmt: skip
QUERIES = st.sampled_from(["running shoes", "bread knife", "a novel", "kitchen reading"])
LEXICAL = {"searches": [{"feature_uri": URI, "query": "running knife", "top_k": 100, "lexical": True}]}
LATER = [stage("sort_attribute", field="price"), stage("limit", limit=3)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as one:
        yield one


async def answer(world: World, *stages: dict[str, Any], filters: Any = None) -> Executed:
    return await world.executions.execute_anonymous(PRINCIPAL, parse_stages(stages), {}, RunOptions(filters=filters))


def ranking(executed: Executed) -> list[tuple[str, float, Mapping[str, float]]]:
    return [(hit.id, hit.score, hit.scores) for hit in executed.documents]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(filters=TREES, query=QUERIES, has_more=st.booleans())
async def test_a_filter_in_the_search_is_the_filter_behind_it(
    world: World, filters: dict[str, Any], query: str, has_more: bool
) -> None:
    later = LATER if has_more else []
    for first in (
        search(query),
        {"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": LEXICAL}},
    ):
        written = await answer(world, first, stage("attribute_filter", conditions=filters), *later)
        rewritten = await answer(world, first, *later, filters=filters)
        assert ranking(rewritten) == ranking(written)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(listed=TREES, filters=TREES)
async def test_a_filter_behind_the_first_stage_is_one_more_of_its_conditions(
    world: World, listed: dict[str, Any], filters: dict[str, Any]
) -> None:
    rewritten = await answer(world, stage("attribute_filter", conditions=listed), filters=filters)
    more = {**stage("attribute_filter", conditions=filters), "stage_name": "more"}
    written = await answer(world, stage("attribute_filter", conditions=listed), more)
    assert [hit.id for hit in rewritten.documents] == [hit.id for hit in written.documents]


def test_before_and_after_are_told() -> None:
    wanted: dict[str, JSON] = {"field": "brand", "operator": "eq", "value": "Sole"}
    stages = parse_stages([search(filters={"AND": []}), stage("limit", limit=1)])
    (one,) = rewrites(stages, with_filters(stages, wanted))
    assert (one.kind, one.stage_name) == ("filter_into_search", "search")
    assert (one.before, one.after) == ({"filters": {"AND": []}}, {"filters": {"AND": [{"AND": []}, wanted]}})
    listing = parse_stages([stage("attribute_filter", conditions={"AND": [wanted]})])
    (other,) = rewrites(listing, with_filters(listing, wanted))
    assert (other.kind, other.after) == ("filter_behind_first_stage", {"post_filters": wanted})
    assert list(rewrites(stages, with_filters(stages, None))) == []
