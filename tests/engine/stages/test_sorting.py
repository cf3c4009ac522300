"""sort_attribute, sort_relevance and limit: orders, directions, ties and what is missing."""

import math
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.stages.sort_attribute import SortAttributeParameters
from tamis.model.hits import Hit, Hits
from tests.engine.stages.shop import URI, Shop, document, hit, ids

values = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(-2, 2), st.text(max_size=3))
runs = st.lists(st.tuples(values, st.integers(0, 3)), max_size=12).map(
    lambda rows: Hits.of(hit(f"h{n:02}", float(score), value=value) for n, (value, score) in enumerate(rows))
)
relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


async def order(shop: Shop, stage: str, hits: Hits, **parameters: Any) -> list[str]:
    return ids(await shop.run(stage, parameters, hits, stage_index=1))


PRICED = Hits.of([hit("a", price=20), hit("b"), hit("c", price=5), hit("d", price=None), hit("e", price=20)])


async def test_least_or_greatest_first_and_missing_last(shop: Shop) -> None:
    assert await order(shop, "sort_attribute", PRICED, field="metadata.price", direction="asc") == list("caebd")
    assert await order(shop, "sort_attribute", PRICED, sort_field="price", order="desc") == list("aecbd")


async def test_missing_values_may_count_as_least(shop: Shop) -> None:
    for nulls in ({"nulls_last": False}, {"null_handling": "first"}):
        assert await order(shop, "sort_attribute", PRICED, field="price", direction="asc", **nulls) == list("bdcae")
        assert await order(shop, "sort_attribute", PRICED, field="price", direction="desc", **nulls) == list("aecbd")


async def test_two_in_a_row_sort_by_two_fields(shop: Shop) -> None:
    hits = Hits.of([hit("a", x=1, y=1), hit("b", x=2, y=2), hit("c", x=1, y=2), hit("d", x=2, y=1)])
    once = await shop.run("sort_attribute", {"field": "y", "direction": "asc"}, hits)
    twice = await shop.run("sort_attribute", {"field": "x", "direction": "asc"}, once.hits)
    assert ids(twice) == list("acdb")


async def test_times_are_times_and_text_is_text(shop: Shop) -> None:
    zones = Hits.of([hit("a", at="2026-01-01T12:00:00+02:00"), hit("b", at="2026-01-01T11:00:00Z"), hit("c", at="x")])
    assert await order(shop, "sort_attribute", zones, field="at", direction="asc") == list("abc")
    words = Hits.of([hit("a", name="ø"), hit("b", name="Z"), hit("c", name="日")])
    assert await order(shop, "sort_attribute", words, field="name", direction="asc") == list("bac")


async def test_the_default_is_the_newest_first(shop: Shop) -> None:
    hits = Hits.of(Hit(name, 0.0, document(name, number=day)) for name, day in (("a", 1), ("b", 3), ("c", 2)))
    assert await order(shop, "sort_attribute", hits) == list("bca")


def test_no_such_direction() -> None:
    with pytest.raises(pydantic.ValidationError, match="asc"):
        SortAttributeParameters.model_validate({"direction": "up"})


SCORED = Hits.of(
    [hit("a", 1.0, {URI: 0.2}), hit("b", 3.0, {URI: 0.9}), hit("c", 3.0), hit("d", 2.0, {"rerank": math.nan}, rank="x")]
)


async def test_by_score_with_ties_by_id(shop: Shop) -> None:
    assert await order(shop, "sort_relevance", SCORED) == list("bcda")
    assert await order(shop, "sort_relevance", SCORED, direction="asc") == list("adbc")


@pytest.mark.parametrize("name", [URI, "mixpeek://text@v1", "mixpeek://text_extractor@v1/multilingual_e5"])
async def test_by_the_score_of_a_feature(shop: Shop, name: str) -> None:
    assert await order(shop, "sort_relevance", SCORED, feature_address=name) == list("bacd")
    assert await order(shop, "sort_relevance", SCORED, score_field=name, missing_score="top") == list("cdba")
    assert await order(shop, "sort_relevance", SCORED, score_field=name, missing_score="preserve") == list("bacd")


async def test_what_is_no_number_is_missing(shop: Shop) -> None:
    assert await order(shop, "sort_relevance", SCORED, score_field="rank") == list("abcd")
    assert await order(shop, "sort_relevance", SCORED, score_field="rerank") == list("abcd")


async def test_missing_scores_keep_their_place(shop: Shop) -> None:
    hits = Hits.of([hit("a", 0.0, {"s": 1.0}), hit("b"), hit("c", 0.0, {"s": 2.0})])
    assert await order(shop, "sort_relevance", hits, score_field="s", missing_score="preserve") == list("cba")


async def test_normalized_scores(shop: Shop) -> None:
    outcome = await shop.run("sort_relevance", {"normalize": True}, SCORED, stage_index=1)
    assert [(one.id, one.score) for one in outcome.hits] == [("b", 1.0), ("c", 1.0), ("d", 0.5), ("a", 0.0)]


async def test_a_window(shop: Shop) -> None:
    assert await order(shop, "limit", PRICED, limit=2) == list("ab")
    assert await order(shop, "limit", PRICED, limit=2, offset=4) == ["e"]
    assert await order(shop, "limit", PRICED, limit=2, offset=9) == []


@given(runs, st.sampled_from(["asc", "desc"]), st.booleans())
@relaxed
async def test_sorting_moves_and_nothing_else(shop: Shop, hits: Hits, direction: str, nulls_last: bool) -> None:
    parameters = {"field": "value", "direction": direction, "nulls_last": nulls_last}
    once = (await shop.run("sort_attribute", parameters, hits, stage_index=1)).hits
    assert sorted(once, key=lambda one: one.id) == list(hits)
    assert (await shop.run("sort_attribute", parameters, once, stage_index=1)).hits == once
    missing = [one.id for one in hits if one.view()["value"] is None]
    edge = ids_of(once)[-len(missing) :] if nulls_last or direction == "desc" else ids_of(once)[: len(missing)]
    assert not missing or edge == missing


@given(runs, st.sampled_from(["asc", "desc"]))
@relaxed
async def test_relevance_is_a_total_order(shop: Shop, hits: Hits, direction: str) -> None:
    shuffled = Hits.of(reversed(hits))
    one = await shop.run("sort_relevance", {"direction": direction}, hits, stage_index=1)
    other = await shop.run("sort_relevance", {"direction": direction}, shuffled, stage_index=1)
    assert one.hits == other.hits
    if direction == "desc":
        assert one.hits == Hits.ranked(hits)


@given(runs, st.integers(1, 15), st.integers(0, 15))
@relaxed
async def test_a_limit_is_a_slice(shop: Shop, hits: Hits, limit: int, offset: int) -> None:
    outcome = await shop.run("limit", {"limit": limit, "offset": offset}, hits, stage_index=1)
    assert list(outcome.hits) == list(hits)[offset : offset + limit]


def ids_of(hits: Hits) -> list[str]:
    return [one.id for one in hits]
