"""Feature search over two collections: every score worked out by hand."""

import asyncio
import base64
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.searching.search_parameters import FeatureSearchParameters
from tamis.engine.stage import Effect, Outcome, effects_of
from tamis.engine.stages.feature_search import FeatureSearch
from tamis.errors import DimensionMismatch, NotFoundError, StageTimeoutError, ValidationError
from tamis.model.document import DocumentWrite
from tamis.model.hits import Hits
from tamis.storage.metadata import open_sqlite
from tamis.testing.memory_index import MemoryIndex
from tests.engine.stages.shop import (
    KITCHEN,
    LEXICAL,
    PRINCIPAL,
    PRODUCTS,
    READING,
    RUNNING,
    URI,
    Shop,
    collection,
    document,
    filled,
    hit,
    ids,
)  # fmt: skip


def vector(values: Any, **more: Any) -> dict[str, Any]:
    return {"feature_uri": URI, "query": {"input_mode": "vector", "value": values}, **more}


def text(words: Any, **more: Any) -> dict[str, Any]:
    return {"feature_uri": URI, "query": words, **more}


def ranking(outcome: Outcome) -> list[Any]:
    """Ids and scores, these good enough to be compared with sums done by hand."""
    return [(one.id, pytest.approx(one.score, abs=1e-6)) for one in outcome.hits]


async def search(shop: Shop, *searches: dict[str, Any], hits: Hits | None = None, **more: Any) -> Any:
    parameters = {"searches": list(searches), **more}
    return await shop.run("feature_search", parameters, hits or Hits(), 0 if hits is None else 1)


async def test_a_single_search_keeps_the_scores_of_the_index(shop: Shop) -> None:
    outcome = await search(shop, vector(RUNNING))
    assert ranking(outcome) == [
        ("p1", 1.0), ("p2", 0.8), ("p4", 0.6), ("p3", 0.0), ("p5", 0.0), ("p6", 0.0),
    ]  # fmt: skip
    assert outcome.hits[0].scores == {URI: 1.0, "stage": 1.0}
    assert outcome.hits[1].document.fields["text"] == "trail running shoes"
    assert outcome.processed == 6
    assert outcome.metadata["searches"] == [{"feature": URI, "candidates": 6}]


async def test_hybrid_by_reciprocal_ranks(shop: Shop) -> None:
    outcome = await search(shop, text("knife"), text("knife", lexical=True), final_top_k=3)
    # Dense: p3 1.0, p4 0.8, p5 0.6, the rest 0. Lexical: p3 is the shorter of the two texts with the word.
    assert ranking(outcome) == [
        ("p3", 1 / 61 + 1 / 61), ("p4", 1 / 62 + 1 / 62), ("p5", 1 / 63),
    ]  # fmt: skip
    assert set(outcome.hits[0].scores) == {URI, LEXICAL, "stage"}
    assert set(outcome.hits[2].scores) == {URI, "stage"}
    assert outcome.hits[0].scores[LEXICAL] > outcome.hits[1].scores[LEXICAL] > 0
    assert outcome.processed == 6
    assert outcome.metadata["fusion"] == "rrf"


async def test_all_searches_of_all_collections_are_one_call(shop: Shop) -> None:
    await search(shop, vector(RUNNING), vector(KITCHEN), text("novel", lexical=True), text("novel"))
    assert shop.index.calls == 1


async def test_equal_texts_are_embedded_once(shop: Shop) -> None:
    await search(shop, text("knife"), text({"input_mode": "text", "value": "knife"}), text("bread"))
    assert sorted(shop.models.themes.asked) == ["bread", "knife"]


async def test_words_are_found_in_any_script(shop: Shop) -> None:
    assert ids(await search(shop, text("小説", lexical=True))) == ["p6"]


@pytest.mark.parametrize(
    ("strategy", "best"),
    [("rrf", "p5"), ("dbsf", "p5"), ("weighted", "p5"), ("max", "p3")],
)
async def test_every_fusion(shop: Shop, strategy: str, best: str) -> None:
    outcome = await search(shop, vector(KITCHEN), vector(READING), fusion=strategy)
    assert ids(outcome)[0] == best
    if strategy == "weighted":
        assert outcome.hits[0].score == pytest.approx(0.6 + 0.8)
    assert outcome.hits[0].scores.keys() >= {URI, f"{URI}#2"}


async def test_weights(shop: Shop) -> None:
    outcome = await search(shop, vector(KITCHEN, weight=1.0), vector(READING, weight=0.1), fusion="weighted")
    assert ranking(outcome)[:3] == [
        ("p3", 1.0), ("p4", 0.8), ("p5", 0.68),
    ]  # fmt: skip


async def test_min_score_and_top_k_cut_before_fusion(shop: Shop) -> None:
    outcome = await search(shop, vector(RUNNING, min_score=0.7), vector(READING, top_k=1))
    assert sorted(ids(outcome)) == ["p1", "p2", "p6"]
    assert outcome.processed == 3


async def test_final_top_k_does_not_change_what_was_processed(shop: Shop) -> None:
    outcome = await search(shop, vector(RUNNING), final_top_k=2)
    assert (ids(outcome), outcome.processed) == (["p1", "p2"], 6)


async def test_a_stored_document_as_the_query(shop: Shop) -> None:
    query = {"input_mode": "document", "document_ref": {"document_id": "p4", "collection_id": "col_b"}}
    outcome = await search(shop, {"feature_uri": URI, "query": query})
    assert ids(outcome)[:2] == ["p4", "p3"]
    assert outcome.hits[0].score == pytest.approx(1.0)


async def test_a_document_that_is_not_there(shop: Shop) -> None:
    for reference in ({"document_id": "p9"}, {"document_id": "p4", "collection_id": "col_a"}):
        with pytest.raises(NotFoundError, match="document"):
            await search(shop, {"feature_uri": URI, "query": {"document_ref": reference}})


async def test_content_is_read_as_text(shop: Shop) -> None:
    encoded = base64.b64encode(b"bread knife").decode()
    for query in (
        {"input_mode": "content", "value": f"data:text/plain;base64,{encoded}"},
        {"input_mode": "content", "value": encoded},
        {"content": {"base64": encoded}},
        {"content": {"url": "data:text/plain,bread%20knife"}},
        {"input_mode": "multi_content", "values": ["bread", f"data:;base64,{encoded}"]},
    ):
        assert ids(await search(shop, {"feature_uri": URI, "query": query}))[0] == "p3", query


async def test_several_contents_are_one_query(shop: Shop) -> None:
    outcome = await search(shop, {"feature_uri": URI, "query": {"values": ["running", "bread"]}})
    # The mean of [1, 0, 0] and [0, 1, 0], at unit length; p4 is [0.6, 0.8, 0].
    assert ids(outcome)[0] == "p4"
    assert outcome.hits[0].score == pytest.approx(1.4 / 2**0.5)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("https://example.org/cat.png", "not fetched"),
        ("data:image/png;base64,iVBORw0KGgo=", "other than texts cannot be decoded"),
        ("data:text/plain;base64,/w==", "not UTF-8"),
        ("data:nonsense", "data:<type>"),
        ("no base64!", "base64"),
    ],
)
async def test_content_that_cannot_be_text(shop: Shop, content: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        await search(shop, {"feature_uri": URI, "query": {"input_mode": "content", "value": content}})


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([1.0, 0.0], DimensionMismatch, "3 dimensions, not 2"),
        (["a", 1, 2], ValidationError, "list of numbers"),
        ([float("nan"), 0, 0], ValidationError, "finite"),
        ([[1, 0, 0], [0, 1, 0]], ValidationError, "takes one vector"),
        ("not json", ValidationError, "list of numbers"),
    ],
)
async def test_bad_vectors(shop: Shop, value: Any, error: type[ValidationError], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        await search(shop, vector(value))
    assert caught.value.problems[0]["loc"] == ["body", "stages", 0, "config", "parameters", "searches", 0, "query"]


async def test_vectors_in_every_spelling(shop: Shop) -> None:
    for query in (RUNNING, {"value": RUNNING}, {"input_mode": "vector", "value": "[1, 0, 0]"}, [RUNNING]):
        assert ids(await search(shop, {"feature_uri": URI, "query": query}))[0] == "p1"


EMPTY: list[Any] = [
    "",
    "  ",
    None,
    {"value": None},
    {"input_mode": "vector", "value": []},
    {"document_ref": {"document_id": None}},
    {"content": {}},
    {"values": [""]},
]


@pytest.mark.parametrize("query", EMPTY)
async def test_an_empty_query(shop: Shop, query: Any) -> None:
    empty = {"feature_uri": URI, "query": query}
    with pytest.raises(ValidationError, match="on_empty"):
        await search(shop, empty, vector(RUNNING))
    outcome = await search(shop, {**empty, "on_empty": "skip"}, vector(RUNNING))
    assert outcome.hits[0].score == pytest.approx(1.0)
    assert "query is empty" in outcome.warnings[0]
    with pytest.raises(ValidationError, match="skipped"):
        await search(shop, {**empty, "on_empty": "skip"})


async def test_an_empty_query_may_draw_at_random(shop: Shop) -> None:
    drawn = await search(shop, text("", on_empty="random", top_k=4))
    again = await search(shop, text("", on_empty="random", top_k=4))
    assert drawn.hits == again.hits
    assert len(set(ids(drawn))) == 4
    assert all(0 <= one.score < 1 and URI not in one.scores for one in drawn.hits)
    parameters = FeatureSearchParameters.model_validate({"searches": [text("", on_empty="random", top_k=4)]})
    other = [await _run(shop, parameters, seed) for seed in range(8)]
    assert len({tuple(one) for one in other}) > 1


async def _run(shop: Shop, parameters: FeatureSearchParameters, seed: int) -> list[str]:
    return ids(await FeatureSearch(parameters).run(Hits(), shop.context(seed=seed)))


async def test_an_optional_search_is_skipped_while_its_index_is_empty(shop: Shop) -> None:
    empty = collection("col_c", "empty")
    await shop.metadata.write(lambda session: session.collections.insert(PRINCIPAL, empty))
    await shop.index.create(PRINCIPAL, "col_c", empty.features)
    outcome = await search(shop, vector(RUNNING, optional=True, collection_identifiers=["empty"]), vector(KITCHEN))
    assert ids(outcome)[0] == "p3"
    assert "index is empty" in outcome.warnings[0]
    required = await search(shop, vector(RUNNING, collection_identifiers=["empty"]), vector(KITCHEN))
    assert not required.warnings


async def test_collections_by_name_or_id(shop: Shop) -> None:
    assert ids(await search(shop, vector(RUNNING), collection_identifiers=["more"])) == ["p2", "p4", "p6"]
    assert ids(await search(shop, vector(RUNNING), collection_ids=["col_a"])) == ["p1", "p3", "p5"]
    mixed = await search(shop, vector(RUNNING, collection_identifiers=["col_a"]))
    assert ids(mixed) == ["p1", "p3", "p5"]
    with pytest.raises(NotFoundError, match="nowhere"):
        await search(shop, vector(RUNNING), collection_identifiers=["nowhere"])


async def test_a_collection_without_the_feature_is_left_out(shop: Shop) -> None:
    shop.collections = (*shop.collections, collection("col_p", "plain", extractor="passthrough_extractor"))
    assert len((await search(shop, vector(RUNNING))).hits) == 6
    with pytest.raises(ValidationError, match="no collection given has the feature"):
        await search(shop, {**vector(RUNNING), "feature_uri": "mixpeek://image_extractor@v1"})


CHEAP = {"field": "metadata.price", "operator": "lte", "value": 20}
KNIFE = {"field": "text", "operator": "contains", "value": "kni"}


@pytest.mark.parametrize("compiling", [True, False])
async def test_filters_are_exact_whether_the_index_compiles_them(tmp_path: Path, compiling: bool) -> None:
    metadata = await open_sqlite(tmp_path / "m.db")
    try:
        shop = await filled(metadata, MemoryIndex(compiling))
        assert ids(await search(shop, vector(RUNNING), filters=CHEAP)) == ["p4", "p3", "p5"]
        assert ids(await search(shop, vector(RUNNING, filters=KNIFE), filters=CHEAP)) == ["p4", "p3", "p5"]
        assert ids(await search(shop, vector(RUNNING), filters={"NOT": [KNIFE]})) == ["p1", "p2", "p6"]
        nothing = await search(shop, vector(RUNNING), filters={"brand": "nobody"})
        assert (ids(nothing), nothing.processed) == ([], 0)
    finally:
        await metadata.close()


async def test_each_search_has_its_own_filter(shop: Shop) -> None:
    outcome = await search(
        shop, vector(RUNNING, filters={"brand": "Sole"}), vector(KITCHEN, filters={"brand": "Blade"})
    )
    assert sorted(ids(outcome)) == ["p1", "p2", "p3", "p4"]


async def test_filters_alone_list_documents(shop: Shop) -> None:
    outcome = await search(shop, pre_filters=CHEAP, final_top_k=2)
    assert ids(outcome) == ["p3", "p5"]
    assert outcome.metadata["more"] is True


async def test_groups_stand_in_place_of_final_top_k(shop: Shop) -> None:
    outcome = await search(
        shop, vector(RUNNING), group_by={"field": "metadata.brand", "limit": 2, "max_per_group": 2}, final_top_k=1
    )
    assert ids(outcome) == ["p1", "p2", "p4", "p3"]
    assert [one.extra["group"]["rank"] for one in outcome.hits] == [1, 1, 2, 2]
    assert outcome.hits[0].extra["group"] == {"key": "Sole", "count": 2, "rank": 1}
    assert outcome.metadata["total_groups"] == 4


async def test_the_best_of_each_group(shop: Shop) -> None:
    by_brand = {"field": "brand", "output_mode": "first", "group_size": 5}
    assert ids(await search(shop, vector(RUNNING), group_by=by_brand)) == ["p1", "p4", "p5", "p6"]
    flat = await search(shop, vector(RUNNING), group_by={**by_brand, "output_mode": "flatten"})
    assert all(not one.extra for one in flat.hits)


async def test_what_shares_a_value_is_fused_as_one_thing(shop: Shop) -> None:
    """As passages and fields of one object are: of each search its best counts, whichever document that was."""
    outcome = await search(shop, vector(RUNNING), text("knife", lexical=True), fuse_by="metadata.brand")
    # Dense: Sole by p1, Blade by p4, and p5, p6 with 0. Lexical: Blade by p3, before p4.
    assert ranking(outcome) == [("p4", 1 / 62 + 1 / 61), ("p1", 1 / 61), ("p5", 1 / 63), ("p6", 1 / 64)]
    words = await search(shop, text("knife", lexical=True))
    assert outcome.hits[0].scores[LEXICAL] == words.hits[0].scores[LEXICAL] > words.hits[1].scores[LEXICAL]
    assert [one["candidates"] for one in outcome.metadata["searches"]] == [6, 2]
    assert outcome.processed == 4


async def test_one_search_alone_shows_the_best_of_each_thing(shop: Shop) -> None:
    assert ids(await search(shop, vector(RUNNING), fuse_by="brand", final_top_k=2)) == ["p1", "p4"]
    assert len(ids(await search(shop, vector(RUNNING), fuse_by="no.such"))) == 6
    with pytest.raises(pydantic.ValidationError, match="fuse_by"):
        await search(shop, vector(RUNNING), fuse_by="")


async def test_facets_count_all_that_could_be_found(shop: Shop) -> None:
    facets = ["metadata.brand", {"key": "tags", "limit": 2, "exact": True}]
    outcome = await search(shop, vector(RUNNING, top_k=1), facets=facets, final_top_k=1)
    assert outcome.metadata["facets"]["metadata.brand"] == [
        {"value": "Blade", "count": 2}, {"value": "Sole", "count": 2}, {"value": "Kobo", "count": 1},
    ]  # fmt: skip
    assert outcome.metadata["facets"]["tags"] == [{"value": "running", "count": 3}, {"value": "a", "count": 2}]


async def test_facets_obey_the_filters(shop: Shop) -> None:
    outcome = await search(shop, vector(RUNNING, filters=KNIFE), filters=CHEAP, facets=["brand"])
    assert outcome.metadata["facets"] == {"brand": [{"value": "Blade", "count": 2}]}
    either = await search(
        shop, vector(RUNNING, filters={"brand": "Kobo"}), vector(RUNNING, filters={"brand": "Sole"}), facets=["brand"]
    )
    assert either.metadata["facets"]["brand"] == [{"value": "Sole", "count": 2}, {"value": "Kobo", "count": 1}]


async def test_after_another_stage_it_ranks_what_came_in(shop: Shop) -> None:
    first = await search(shop, vector(RUNNING), filters=CHEAP)
    marked = Hits.of(one.with_extra(note=one.id) for one in first.hits)
    outcome = await search(shop, vector(READING), hits=marked)
    assert ids(outcome) == ["p5", "p3", "p4"]
    assert outcome.hits[0].extra == {"note": "p5"}
    assert outcome.processed == 3
    elsewhere = await search(shop, vector(READING), hits=marked, collection_identifiers=["more"])
    assert ids(elsewhere)[0] == "p6"


async def test_rows_without_documents_cannot_be_searched(shop: Shop) -> None:
    outcome = await search(shop, vector(READING), hits=Hits.of([replace(hit("p1"), document=None)]))
    assert (ids(outcome), shop.index.calls) == ([], 0)


async def test_what_was_deleted_meanwhile_makes_room(shop: Shop) -> None:
    await shop.metadata.write(lambda session: session.documents.delete(PRINCIPAL, "col_a", ["p1"]))
    assert ids(await search(shop, vector(RUNNING), final_top_k=2)) == ["p2", "p4"]


async def test_a_document_without_the_vector_cannot_be_a_query(shop: Shop) -> None:
    await shop.put("col_a", [DocumentWrite(document("bare"), {})])
    with pytest.raises(ValidationError, match="no vector"):
        await search(shop, {"feature_uri": URI, "query": {"document_ref": {"document_id": "bare"}}})


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "at least one search"),
        ({"searches": [vector(RUNNING)], "learning_config": {}}, "goes with fusion 'learned'"),
        ({"searches": [vector(RUNNING)], "fusion": "sum"}, "rrf"),
        ({"searches": [vector(RUNNING, query_preprocessing={"max_chunks": 2})]}, "not cut up"),
        ({"searches": [vector(RUNNING, filters={"field": "a", "operator": "like", "value": 1})]}, "unknown operator"),
        ({"searches": [{"feature_uri": URI}]}, "query"),
        ({"searches": [{"feature_uri": URI, "query": {"input_mode": "smell"}}]}, "input_mode is text"),
        ({"searches": [vector(RUNNING)] * 11}, "at most 10"),
        ({"searches": [vector(RUNNING, top_k=0)]}, "greater than or equal to 1"),
    ],
)
def test_parameters_that_make_no_sense(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        FeatureSearchParameters.model_validate(parameters)


def test_the_older_spelling_of_the_stage_pages() -> None:
    old = {"feature_uris": [{"input": {"text": "shoes"}, "uri": URI}], "limit": 50}
    new = {"searches": [{"feature_uri": URI, "query": {"input_mode": "text", "value": "shoes"}}], "final_top_k": 50}
    assert FeatureSearchParameters.model_validate(old) == FeatureSearchParameters.model_validate(new)


async def test_a_search_that_runs_past_its_time_is_told_apart_from_a_fault(shop: Shop) -> None:
    class Slow(MemoryIndex):
        async def search(self, principal: Any, searches: Any) -> Any:
            await asyncio.sleep(30)

    slow = Slow()
    shop.index = slow
    with pytest.raises(StageTimeoutError, match="hard_timeout_ms = 1"):
        await search(shop, vector(RUNNING), hard_timeout_ms=1)


def expected(query: list[float], keep: set[str]) -> list[str]:
    scored = [(-round(sum(a * b for a, b in zip(query, v, strict=True)), 6), key) for key, _, _, _, v in PRODUCTS]
    return [key for _, key in sorted(scored) if key in keep]


@given(
    query=st.sampled_from([RUNNING, KITCHEN, READING]),
    brands=st.sets(st.sampled_from(["Sole", "Blade", "Kobo"])),
    top=st.integers(1, 8),
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_it_is_what_brute_force_gives(shop: Shop, query: list[float], brands: set[str], top: int) -> None:
    keep = {key for key, _, brand, _, _ in PRODUCTS if brand in brands}
    filters = {"field": "brand", "operator": "in", "value": sorted(brands)}
    assert ids(await search(shop, vector(query), filters=filters, final_top_k=top)) == expected(query, keep)[:top]


@pytest.mark.parametrize(
    ("query", "does"),
    [
        ({"input_mode": "content", "value": "https://example.org/cat.png"}, True),
        ({"content": {"url": "http://example.org/cat.png"}}, True),
        ({"values": ["a cat", "https://example.org/cat.png"]}, True),
        ({"input_mode": "content", "value": "data:,cat"}, False),
        ({"input_mode": "text", "value": "https://example.org/cat.png"}, False),
        ("https://example.org", False),
    ],
)
def test_a_query_from_the_web_is_an_effect(query: Any, does: bool) -> None:
    written = {"searches": [{"feature_uri": "mixpeek://text_extractor@v1/embedding", "query": query}]}
    assert effects_of(FeatureSearch, written) == ({Effect.OUTSIDE} if does else frozenset())
