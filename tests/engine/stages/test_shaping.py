"""unwind, json_transform, rag_prepare and document_enrich: what becomes of documents."""

from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.stages import STAGES
from tamis.engine.text import tokens
from tamis.errors import NotFoundError, ValidationError
from tamis.model.hits import Hits
from tests.engine.stages.shop import Shop, hit, ids

relaxed = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
elements = st.one_of(st.none(), st.integers(), st.text(max_size=4), st.just([1]), st.just({"a": None}))


async def test_each_element_is_a_hit_in_its_arrays_place(shop: Shop) -> None:
    hits = Hits.of([hit("a", 2.0, tags=["x", "y"]), hit("b", 1.0, tags="z"), hit("c", tags=[]), hit("d")])
    found = (await shop.run("unwind", {"field": "metadata.tags", "include_array_index": "at"}, hits, 1)).hits
    assert [(one.id, one.view()["tags"], one.view().get("at"), one.score) for one in found] == [
        ("a", "x", 0, 2.0),
        ("a#1.000001", "y", 1, 2.0),
        ("b", "z", None, 1.0),
    ]
    kept = (await shop.run("unwind", {"field": "tags", "preserve_null_and_empty": True}, hits, 1)).hits
    assert [one.view()["tags"] for one in kept] == ["x", "y", "z", None, None]


async def test_an_element_may_go_elsewhere_and_below_other_fields(shop: Shop) -> None:
    hits = Hits.of([hit("a", content={"segments": [1, 2], "title": "t"})])
    aside = await shop.run("unwind", {"field": "content.segments", "output_field": "now"}, hits, 1)
    assert [one.view()["now"] for one in aside.hits] == [1, 2]
    assert aside.hits[1].view()["content"] == {"segments": [1, 2], "title": "t"}
    inside = await shop.run("unwind", {"field": "content.segments"}, hits, 1)
    assert [one.view()["content"] for one in inside.hits] == [{"segments": n, "title": "t"} for n in (1, 2)]
    with pytest.raises(pydantic.ValidationError, match="known by"):
        STAGES["unwind"].Parameters.model_validate({"field": "tags", "output_field": "score"})


@relaxed
@given(st.lists(st.lists(elements, max_size=12), max_size=5))
async def test_unwind_then_group_is_the_whole(shop: Shop, arrays: list[list[Any]]) -> None:
    hits = Hits.of(hit(f"h{n}", float(-n), tags=tags) for n, tags in enumerate(arrays))
    apart = (await shop.run("unwind", {"field": "tags", "preserve_null_and_empty": True}, hits, 1)).hits
    assert len({one.id for one in apart}) == len(apart)
    whole = (await shop.run("group_by", {"field": "document_id", "max_per_group": 100}, apart, 2)).hits
    found: dict[str, list[object]] = {}
    for one in whole:
        assert one.document is not None
        found.setdefault(one.document.document_id, []).append(one.view()["tags"])
    assert found == {f"h{n}": tags or [None] for n, tags in enumerate(arrays)}


async def test_a_template_makes_the_document(shop: Shop) -> None:
    hits = Hits.of([hit("a", 0.5, text='say "日本"', n=1), hit("b", 0.25)])
    template = '{"said": {{ DOC.text | tojson }}, "n": {{ DOC.n }}}'
    outcome = await shop.run("json_transform", {"template": template}, hits, 1)
    (one,) = outcome.hits
    assert (one.id, one.score, one.view()) == ("a", 0.5, {"said": 'say "日本"', "n": 1, "score": 0.5})
    assert "1 documents" in outcome.warnings[0]
    assert "DOC has no 'text'" in outcome.warnings[0]
    with pytest.raises(ValidationError, match="'b'"):
        await shop.run("json_transform", {"template": template, "fail_on_error": True}, hits, 1)


@pytest.mark.parametrize("template", ["[1]", "7", '{"a": NaN}', "{{ DOC.text }}", '{"a": "{{ DOC.text }}"}'])
async def test_what_is_no_object_is_left_out(shop: Shop, template: str) -> None:
    outcome = await shop.run("json_transform", {"template": template}, Hits.of([hit("a", text='"')]), 1)
    assert not outcome.hits
    assert outcome.warnings


def test_tokens_are_counted_by_one_rule() -> None:
    assert tokens.count("running shoes, 2024 日本") == 2 + 1 + 1 + 2 + 2
    assert tokens.cut("one two three", 2) == "one two"
    assert tokens.cut("one", 5) == "one"


async def test_context_is_cited_best_first(shop: Shop) -> None:
    hits = Hits.of([hit("low", 1.0, content="second", title="L"), hit("top", 2.0, content="first", title="T")])
    (row,) = (await shop.run("rag_prepare", {}, hits, 1)).hits
    assert row.extra["rag_context"] == "[1] first\n\n\n[2] second\n\n"
    assert row.extra["citations"] == [
        {"index": 1, "document_id": "top", "title": "T"},
        {"index": 2, "document_id": "low", "title": "L"},
    ]
    template = {"document_template": "{{CONTEXT.CITATION}}{{CONTEXT.INDEX}} {{DOC.metadata.title}}"}
    listed = {**template, "output_mode": "formatted_list", "citation": {"style": "footnote"}}
    found = (await shop.run("rag_prepare", listed, hits, 1)).hits
    assert [one.extra["formatted_content"] for one in found] == ["¹1 T", "²2 L"]


@pytest.mark.parametrize(
    ("strategy", "sizes"), [("priority_truncate", [60, 38]), ("drop_last", [60]), ("proportional", [48, 48])]
)
async def test_context_keeps_within_its_tokens(shop: Shop, strategy: str, sizes: list[int]) -> None:
    hits = Hits.of(hit(f"h{n}", float(-n), content="w " * 60) for n in range(2))
    given = {"max_tokens": 100, "truncation_strategy": strategy, "separator": "||"}
    given["document_template"] = "{{DOC.content}}"
    outcome = await shop.run("rag_prepare", given, hits, 1)
    context = str(outcome.hits[0].extra["rag_context"])
    found = [tokens.count(part) for part in context.split("||")]
    assert tokens.count(context) <= 100
    assert found == (sizes if strategy != "proportional" else [49, 49])


async def test_documents_are_joined_by_key(shop: Shop) -> None:
    hits = Hits.of([hit("a", 2.0, brand="Sole"), hit("b", 1.0, brand="Nobody"), hit("c", 0.5)])
    one = {"collection_id": "products", "lookup_field": "brand", "source_field": "metadata.brand"}
    outcome = await shop.run("document_enrich", {**one, "select_fields": ["price"]}, hits, 1)
    assert [row.extra["enriched_data"] for row in outcome.hits] == [{"price": 90}, None, None]
    listed = await shop.run("document_enrich", {**one, "multiple": True, "result_field": "all"}, hits, 1)
    assert [len(row.view()["all"]) for row in listed.hits] == [1, 0, 0]  # type: ignore[arg-type]
    inner = await shop.run("document_enrich", {**one, "allow_missing": False}, hits, 1)
    assert ids(inner) == ["a"]
    meant = {"field": "brand", "operator": "eq", "value": "Nobody"}
    some = await shop.run("document_enrich", {**one, "when": meant}, hits, 1)
    assert ["enriched_data" in row.extra for row in some.hits] == [False, True, False]


async def test_an_unknown_collection_fails_the_stage(shop: Shop) -> None:
    given = {"target_collection_id": "elsewhere", "source_field": "brand"}
    with pytest.raises(NotFoundError):
        await shop.run("document_enrich", given, Hits.of([hit("a", brand="Sole")]), 1)
