"""The stage `taxonomy_enrich` on the shop's products, whose vectors are three numbers: all scores by hand."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.retrieving import Retrieve, Retrieved
from tamis.engine.reach import Reach
from tamis.engine.spending.allowance import Allowance
from tamis.engine.stage import Effect, Outcome, effects_of
from tamis.engine.stages import STAGES
from tamis.engine.tape import Archive, PlaybackTape, RecordingTape
from tamis.engine.taping.taped import TapedSearcher
from tamis.engine.taxonomies.taxonomy import cosines
from tamis.errors import DimensionMismatch, NotFoundError, TamisError
from tamis.errors import ValidationError as Refused
from tamis.model.document import DocumentWrite
from tamis.model.hits import Hit, Hits
from tamis.model.principal import Principal
from tamis.model.retriever import Budget, Definition, StageSpec
from tamis.model.vector import Dense
from tests.engine.pipelines import DOCS
from tests.engine.stages.shop import PRINCIPAL, Shop, document, hit, ids, run

TREE: list[dict[str, Any]] = [
    {"id": "sport", "label": "Sport", "vector": [1, 0, 0], "properties": {"floor": 1, "team": "A"}},
    {"id": "sport.trail", "label": "Trail", "parent": "sport", "vector": [0.8, 0, 0.6], "properties": {"team": "B"}},
    {"id": "home", "label": "Home", "vector": [0, 1, 0]},
    {"id": "home.read", "label": "Reading", "parent": "home", "vectors": [[0, 0, 1], [0, 0.6, 0.8]]},
]


EXISTS: dict[str, Any] = {"field": "text", "operator": "exists", "value": True}


async def enriched(shop: Shop, nodes: list[dict[str, Any]] | None = None, **more: Any) -> tuple[Hits, Outcome]:
    found = (await shop.run("attribute_filter", EXISTS)).hits
    taxonomy = {"nodes": nodes or TREE}
    parameters = {"feature_uri": "embedding", "taxonomy": taxonomy, "min_score": 0.55, **more}
    return found, await shop.run("taxonomy_enrich", parameters, found, 1)


def by_id(outcome: Outcome, path: str = "taxonomy") -> dict[str, Any]:
    return {one.id: one.extra[path] for one in outcome.hits}


async def test_the_way_down_by_hand(shop: Shop) -> None:
    """p2 is (0.8, 0, 0.6): 0.8 of Sport, all of Trail. p4 is (0.6, 0.8, 0): 0.48 of Trail, so it ends at Sport."""
    before, outcome = await enriched(shop)
    assert ids(outcome) == [one.id for one in before]
    found = by_id(outcome)
    assert found["p2"]["primary"] == {
        "id": "sport.trail", "name": "Trail", "confidence": 1.0, "level": 2, "path": "Sport > Trail",
        "ancestors": [{"id": "sport", "name": "Sport", "level": 1, "confidence": 0.8}],
        "properties": {"floor": 1, "team": "B"},
    }  # fmt: skip
    assert (found["p2"]["path"], found["p2"]["ancestors"][0]["id"]) == ("Sport > Trail", "sport")
    assert [(one["id"], one["confidence"]) for one in found["p4"]["all"]] == [("home", 0.8), ("sport", 0.6)]
    assert [(one["id"], one["confidence"]) for one in found["p5"]["all"]] == [("home.read", 1.0)]
    assert found["p6"] == {"primary": None, "all": [], "message": "no node is at least 0.55 near"}
    assert outcome.metadata == {"labelled": 5, "unlabelled": 1}


async def test_top_k_is_a_beam_and_depth_ends_it(shop: Shop) -> None:
    _, outcome = await enriched(shop, top_k=1, max_depth=1, include_ancestors=False, result_field="facts.topic")
    topics = {name: one["topic"]["primary"] for name, one in by_id(outcome, "facts").items()}
    assert topics["p4"] == {"id": "home", "name": "Home", "confidence": 0.8, "level": 1}
    assert topics["p2"]["id"] == "sport"


async def test_equal_scores_go_by_id(shop: Shop) -> None:
    nodes = [{"id": name, "vector": [2, 0, 0]} for name in ("c", "a", "b")]
    _, outcome = await enriched(shop, nodes, top_k=2)
    assert [one["id"] for one in by_id(outcome)["p1"]["all"]] == ["a", "b"]


async def test_a_parent_of_nothing_lets_through_and_labels_are_embedded(shop: Shop) -> None:
    nodes: list[dict[str, Any]] = [
        {"id": "all", "label": "All"},
        {"id": "run", "label": "running", "parent": "all"},
        {"id": "cook", "label": "x", "keywords": ["bread"], "parent": "all"},
    ]
    _, outcome = await enriched(shop, nodes, min_score=0.9)
    assert by_id(outcome)["p1"]["path"] == "All > running"
    assert by_id(outcome)["p3"]["primary"]["ancestors"] == [
        {"id": "all", "name": "All", "level": 1, "confidence": None}
    ]


async def test_the_text_of_a_field_in_place_of_the_stored_vector(shop: Shop) -> None:
    hits = Hits.of([hit("x", title="a bread knife"), hit("y", title=None)])
    taxonomy = {"nodes": TREE}
    outcome = await shop.run(
        "taxonomy_enrich", {"taxonomy": taxonomy, "content_field": "title", "min_score": 0.7}, hits
    )
    assert by_id(outcome)["x"]["primary"]["id"] == "home"
    assert by_id(outcome)["y"]["message"] == "no_text"
    assert outcome.warnings == ("1 of 2 hits could not be compared (no_text)",)
    with pytest.raises(Refused, match="content_field"):
        await shop.run("taxonomy_enrich", {"taxonomy": taxonomy, "content_field": "titel"}, hits)


async def test_a_collection_is_matched_by_its_nearest_document(shop: Shop) -> None:
    nodes = [{"id": "more", "collection_id": "more", "enrichment_fields": ["brand"]}]
    _, outcome = await enriched(shop, nodes)
    one = next(one for one in outcome.hits if one.id == "p1")
    primary: Any = one.extra["taxonomy"]
    assert primary["primary"]["document_id"] == "p2"
    assert primary["primary"]["confidence"] == pytest.approx(0.8)
    assert (primary["primary"]["properties"], one.extra["brand"]) == ({"brand": "Sole"}, "Sole")


async def test_a_flat_taxonomy_of_one_collection_has_its_documents_for_labels(shop: Shop) -> None:
    source = {"collection_id": "more", "enrichment_fields": [{"field_path": "price", "target_field": "cost"}]}
    found, _ = await enriched(shop)
    parameters = {"feature_uri": "embedding", "taxonomy": {"taxonomy_type": "flat", "source_collection": source}}
    outcome = await shop.run("taxonomy_enrich", {**parameters, "top_k": 2, "min_score": 0.1}, found, 1)
    assert [one["id"] for one in by_id(outcome)["p1"]["all"]] == ["p2", "p4"]
    assert next(one.extra["cost"] for one in outcome.hits if one.id == "p1") == 120


async def test_fields_of_the_best_label_go_onto_the_document(shop: Shop) -> None:
    fields = [{"field_path": "team", "target_field": "tags", "merge_mode": "append"}, {"field_path": "floor"}]
    found, outcome = await enriched(shop, fields=fields)
    before, after = (next(one.view() for one in all if one.id == "p2") for all in (found, outcome.hits))
    held: Any = before["tags"]
    assert (after["tags"], after["floor"]) == ([*held, "B"], 1)


class Shelves:
    """A saved retriever: running shoes are on one shelf, and what it is asked with fails for knives."""

    def __init__(self) -> None:
        self.asked: list[Retrieve] = []

    async def retrieve(self, principal: Principal, asked: Retrieve, allowance: Allowance) -> Retrieved:
        self.asked.append(asked)
        if "knife" in str(asked.inputs["query"]):
            raise TamisError("out of order")
        score = 0.9 if "shoes" in str(asked.inputs["query"]) else 0.2
        return Retrieved(({"document_id": "s1", "collection_id": "col_a", "score": score, "aisle": 4},), 1, 10)


async def test_a_retriever_is_run_for_each_document_below_what_matched(shop: Shop) -> None:
    shelves = Shelves()
    mapping = {"input_key": "query", "source_type": "payload", "path": "text"}
    node = {
        "id": "shelf", "parent": "sport", "retriever_id": "ret_x", "input_mappings": [mapping],
        "enrichment_fields": ["aisle"],
    }  # fmt: skip
    found, _ = await enriched(shop)
    context = replace(shop.context(1), reach=Reach(retrievers=shelves))
    parameters = {"feature_uri": "embedding", "taxonomy": {"nodes": [TREE[0], node]}, "min_score": 0.5}
    outcome = await run("taxonomy_enrich", parameters, found, context)
    assert sorted(str(one.inputs["query"])[:5] for one in shelves.asked) == ["parin", "runni", "trail"]
    labels = by_id(outcome)
    assert labels["p1"]["primary"]["properties"] == {"floor": 1, "team": "A", "aisle": 4}
    assert labels["p4"]["primary"]["id"] == "sport"
    assert (outcome.llm_calls, outcome.tokens_used) == (2, 20)
    assert outcome.warnings == ("node 'shelf': out of order",)


class NoShelves:
    async def retrieve(self, principal: Principal, asked: Retrieve, allowance: Allowance) -> Retrieved:
        raise NotFoundError.of("retriever", asked.retriever)


async def test_a_retriever_that_is_not_there_is_no_matter_of_documents(shop: Shop) -> None:
    found, _ = await enriched(shop)
    context = replace(shop.context(1), reach=Reach(retrievers=NoShelves()))
    with pytest.raises(NotFoundError, match="ret_x"):
        await run("taxonomy_enrich", {"taxonomy": {"nodes": [{"id": "a", "retriever_id": "ret_x"}]}}, found, context)


async def test_what_cannot_be_compared_keeps_its_place(shop: Shop) -> None:
    writes = [
        DocumentWrite(document("nan", "col_a"), {"embedding": Dense(np.array([np.nan, 0, 1], dtype=np.float32))}),
        DocumentWrite(document("zero", "col_a"), {"embedding": Dense(np.zeros(3, dtype=np.float32))}),
        DocumentWrite(document("bare", "col_a"), {}),
    ]
    await shop.metadata.write(lambda session: session.documents.put(PRINCIPAL, "col_a", writes))
    hits = Hits.of(Hit(one.document.document_id, 0.5, one.document) for one in writes)
    outcome = await shop.run("taxonomy_enrich", {"feature_uri": "embedding", "taxonomy": {"nodes": TREE}}, hits, 1)
    told = {name: one["message"] for name, one in by_id(outcome).items()}
    assert told == {"nan": "not_a_number", "zero": "zero_vector", "bare": "no_vector"}
    assert len(outcome.warnings) == 3


async def test_a_replay_reads_nothing(shop: Shop) -> None:
    found, _ = await enriched(shop)
    nodes = [*TREE, {"id": "more", "collection_id": "more"}]
    parameters = {"feature_uri": "embedding", "taxonomy": {"nodes": nodes}}
    tape, context = RecordingTape(), shop.context(1)
    first = await run(
        "taxonomy_enrich", parameters, found, replace(context, searcher=TapedSearcher(tape, shop.searcher))
    )
    calls = [call.recorded() for call in tape.calls]
    archive = Archive(collections={(one.collection_id, one.version): one for one in shop.collections})
    played = PlaybackTape(calls, archive)
    nowhere: Any = None
    again = await run("taxonomy_enrich", parameters, found, replace(context, searcher=TapedSearcher(played, nowhere)))
    assert (again, played.unasked) == (first, [])


async def test_a_stored_taxonomy_is_asked_for_by_id_and_said_to_be_missing(shop: Shop) -> None:
    with pytest.raises(Refused, match="not stored yet") as refused:
        await shop.run("taxonomy_enrich", {"taxonomy_id": "tax_1"}, Hits.of([hit("x")]))
    assert refused.value.status == 422

    class Stored:
        async def definition(self, principal: Principal, identifier: str) -> dict[str, Any]:
            return {"nodes": TREE}

    found, inline = await enriched(shop)
    context = replace(shop.context(1), reach=Reach(taxonomies=Stored()))
    parameters = {"feature_uri": "embedding", "taxonomy_id": "tax_1", "min_confidence": 0.55}
    assert (await run("taxonomy_enrich", parameters, found, context)).hits == inline.hits


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([{"id": "a"}, {"id": "a"}], "twice"),
        ([{"id": "a", "parent": "b"}], "no node"),
        ([{"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}], "own ancestor"),
        ([{"id": "a", "vector": [0, 0]}], "not all of them zero"),
        ([{"id": "a", "vector": [1], "text": "b"}], "in one way"),
        ([{"label": None}], "has an id"),
        ([{"id": "a", "retriever_id": "r", "input_mappings": [{"input_key": "v"}]}], "names its field"),
    ],
)
def test_a_taxonomy_that_is_none_is_refused(nodes: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        STAGES["taxonomy_enrich"].Parameters.model_validate({"taxonomy": {"nodes": nodes}})


async def test_another_length_names_the_node(shop: Shop) -> None:
    with pytest.raises(DimensionMismatch, match="'a' has 2 dimensions"):
        await enriched(shop, [{"id": "a", "vector": [1, 0]}])


def test_a_plan_takes_the_name_of_an_output_and_no_other() -> None:
    def plan(feature: str) -> Plan:
        parameters: dict[str, Any] = {"feature_uri": feature, "taxonomy": {"nodes": TREE}}
        stages = (StageSpec("found", "attribute_filter", EXISTS), StageSpec("labels", "taxonomy_enrich", parameters))
        return Planner(STAGES).plan(Definition(stages, {}, ("col_1",), Budget()), [DOCS], [])

    assert len(plan("embedding").stages) == 2
    with pytest.raises(Refused, match="'embeding' is not"):
        plan("embeding")


def test_only_a_retriever_reaches_out() -> None:
    stage = STAGES["taxonomy_enrich"]
    assert effects_of(stage, {"taxonomy": {"nodes": TREE}}) == frozenset()
    assert effects_of(stage, {"taxonomy": {"nodes": [{"id": "a", "retriever_id": "r"}]}}) == {
        Effect.OUTSIDE, Effect.SPENDS,
    }  # fmt: skip


_ROWS = arrays(np.float64, st.tuples(st.integers(1, 6), st.just(4)), elements=st.floats(-9, 9)).filter(
    lambda rows: bool((np.abs(rows).max(axis=1) > 1e-3).all())
)


@given(_ROWS, st.lists(_ROWS, min_size=1, max_size=4))
def test_the_nearest_of_a_nodes_vectors_counts(rows: Any, nodes: list[Any]) -> None:
    found = cosines(rows, nodes)
    for n, row in enumerate(rows):
        for m, own in enumerate(nodes):
            by_hand = max(float(row @ one) / (np.linalg.norm(row) * np.linalg.norm(one)) for one in own)
            assert found[n, m] == pytest.approx(by_hand, abs=1e-6)
