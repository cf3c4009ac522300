"""Filtering hits, and listing documents where nothing came before."""

from dataclasses import replace
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.stages import attribute_filter
from tamis.engine.stages.attribute_filter import AttributeFilterParameters
from tamis.errors import ValidationError
from tamis.model.filters import parse_filter
from tamis.model.hits import Hits
from tamis.model.matching import matches
from tests.engine.stages.shop import Shop, hit, ids, run

HITS = Hits.of(
    [
        hit("a", 3.0, brand="Sole", price=90, size=90),
        hit("b", 2.0, brand="sole", price=10, size=11),
        hit("c", 1.0, price=None, tags=["x", "Y"]),
        hit("d", 0.0, brand="日本", price=float("nan")),
    ]
)


async def keep(shop: Shop, **parameters: Any) -> list[str]:
    return ids(await shop.run("attribute_filter", parameters, HITS, stage_index=1))


async def test_one_condition(shop: Shop) -> None:
    assert await keep(shop, field="metadata.price", operator="lte", value=50) == ["b"]
    assert await keep(shop, field="brand", value="日本") == ["d"]
    assert await keep(shop, field="tags", value="y") == ["c"]
    assert await keep(shop, field="score", operator="gte", value=2) == ["a", "b"]


async def test_conditions(shop: Shop) -> None:
    either = {"OR": [{"field": "brand", "value": "日本"}, {"field": "price", "operator": "gt", "value": 50}]}
    assert await keep(shop, conditions=either) == ["a", "d"]
    assert await keep(shop, NOT=[either]) == ["b", "c"]
    assert await keep(shop, AND=[{"field": "score", "operator": "gte", "value": 2}], NOT=[either]) == ["b"]


async def test_missing_fields_and_null(shop: Shop) -> None:
    assert await keep(shop, field="price", operator="is_null") == ["c"]
    assert await keep(shop, field="price", operator="eq", value=None) == ["c"]
    assert await keep(shop, field="brand", operator="exists", value=False) == ["c"]
    assert await keep(shop, field="brand", operator="ne", value="Sole") == ["c", "d"]


async def test_case(shop: Shop) -> None:
    assert await keep(shop, field="brand", value="SOLE") == ["a", "b"]
    assert await keep(shop, field="brand", value="Sole", case_sensitive=True) == ["a"]
    exact = {"case_sensitive": True, "AND": [{"field": "brand", "value": "Sole"}]}
    assert await keep(shop, conditions=exact) == ["a"]
    assert await keep(shop, conditions=exact, case_insensitive=True) == ["a", "b"]


async def test_a_value_may_name_the_document(shop: Shop) -> None:
    present = {"AND": [{"field": "size", "operator": "exists", "value": True}]}
    some = Hits.of(one for one in HITS if one.id in "ab")
    outcome = await shop.run("attribute_filter", {"field": "size", "value": "{{ DOC.price }}"}, some, stage_index=1)
    assert ids(outcome) == ["a"]
    assert await keep(shop, conditions=present) == ["a", "b"]


async def test_as_the_first_stage_it_lists_documents(shop: Shop) -> None:
    outcome = await shop.run("attribute_filter", {"field": "metadata.price", "operator": "lte", "value": 20})
    assert ids(outcome) == ["p3", "p5", "p4"]
    assert outcome.processed == 3
    assert outcome.hits[0].scores == {"stage": 1.0}
    assert not outcome.warnings


async def test_a_list_that_is_cut_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_filter, "MAX_LISTED", 2)
    outcome = await shop.run("attribute_filter", {"field": "text", "operator": "exists"})
    assert len(outcome.hits) == 2
    assert "more than 2" in outcome.warnings[0]


async def test_later_without_input_it_lists_nothing(shop: Shop) -> None:
    outcome = await shop.run("attribute_filter", {"field": "text", "operator": "exists"}, stage_index=1)
    assert not outcome.hits


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "give conditions"),
        ({"field": "a"}, "give conditions"),
        ({"natural_language": "like {{DOC.brand}}"}, "llm_filter"),
        ({"natural_language": "cheap", "conditions": {"field": "a", "value": 1}}, "either"),
        ({"field": "a", "value": 1, "field_hints": ["a"]}, "goes with natural_language"),
        ({"conditions": {"AND": []}, "value": 1}, "either"),
        ({"conditions": {"field": "a", "operator": "near", "value": 1}}, "unknown operator"),
        ({"field": "a", "operator": "geo_radius", "value": 1}, "starts_with"),
        ({"field": "a", "operator": "in", "value": 1}, "takes a list"),
        ({"field": "a", "operator": "regex", "value": "("}, "RE2"),
    ],
)
def test_parameters_that_make_no_sense(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        AttributeFilterParameters.model_validate(parameters)


def test_what_a_template_may_still_make_right_is_left_alone() -> None:
    AttributeFilterParameters.model_validate({"field": "a", "operator": "in", "value": "{{ DOC.names }}"})


async def test_and_fails_where_it_does_not(shop: Shop) -> None:
    with pytest.raises(ValidationError, match="takes a list"):
        await keep(shop, field="a", operator="in", value="{{ DOC.score }}")


@pytest.mark.parametrize("text", ["{{", "{{ nothing }}", "{{ DOC.brand }}", "{% if %}"])
async def test_braces_that_came_out_of_an_input_are_text(shop: Shop, text: str) -> None:
    """The executor renders only what the definition holds: here nothing."""
    literal = replace(shop.context(1), render=lambda value, hit, here=None: value)
    hits = Hits.of([hit("a", brand=text), hit("b", brand="Sole")])
    assert ids(await run("attribute_filter", {"field": "brand", "value": text}, hits, literal)) == ["a"]


conditions = st.recursive(
    st.builds(
        lambda field, operator, value: {"field": field, "operator": operator, "value": value},
        st.sampled_from(["price", "brand", "size", "score", "nothing"]),
        st.sampled_from(["eq", "ne", "gt", "lte"]),
        st.sampled_from([10, 90, "Sole", 2.0, True]),
    ),
    lambda inner: st.builds(
        lambda key, items: {key: items}, st.sampled_from(["AND", "OR", "NOT"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
)


@given(conditions)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_it_keeps_in_order_exactly_what_matches(shop: Shop, tree: dict[str, Any]) -> None:
    kept = await keep(shop, conditions=tree)
    filter = parse_filter(tree)
    assert filter is not None
    assert kept == [one.id for one in HITS if matches(filter, one.view())]
    assert sorted(kept + await keep(shop, conditions={"NOT": [tree]})) == ["a", "b", "c", "d"]
