"""rerank, maxsim_rerank and mmr: their maths by hand, their laws, their errors, their replay."""

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.searching.diversity import choose, field_likeness, mixed, vector_likeness
from tamis.engine.searching.late_interaction import max_sim
from tamis.engine.spending.allowance import Allowance
from tamis.engine.spending.prices import Price
from tamis.engine.spending.spending import Cap, Given, KnobKind, Usage, changes, lowered, spending_of
from tamis.engine.stage import Context
from tamis.engine.stages import STAGES
from tamis.engine.stages.mmr import MmrParameters
from tamis.engine.stages.rerank import RerankParameters
from tamis.errors import ModelMissingError, StageTimeoutError, ValidationError
from tamis.executions.replaying import ReplayMode
from tamis.model.hits import Hits
from tamis.model.vector import FloatArray
from tests.engine.stages.shop import PRINCIPAL, Shop, hit, ids, run
from tests.retrieval_world import HEADERS, World, opened, search, stage

TOKENS = "mixpeek://text_extractor@v1/tokens"
WORDS = {"inference_name": "shared-words", "query": "bread knife", "document_field": "text"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as found:
        yield found


def pool(*texts: str | None) -> Hits:
    return Hits.of(hit(f"h{n}", 1.0 - n / 10, text=text) for n, text in enumerate(texts))


async def test_the_model_decides_the_order(shop: Shop) -> None:
    hits = pool("a novel", "a bread bin", "the bread knife", None, "knife")
    outcome = await shop.run("rerank", WORDS, hits)
    assert [(one.id, one.score) for one in outcome.hits] == [
        ("h2", 1.0), ("h1", 0.5), ("h4", 0.5), ("h0", 0.0), ("h3", 0.7),
    ]  # fmt: skip
    best = outcome.hits[0]
    assert (best.extra["original_score"], best.extra["rerank_position"]) == (0.8, 1)
    assert best.scores == {"stage": 1.0, "rerank": 1.0}
    assert outcome.warnings == ("1 of 5 candidates have no text at 'text' and were not scored",)
    assert (outcome.llm_calls, outcome.processed) == (1, 5)


async def test_depth_batches_and_cut(shop: Shop) -> None:
    hits = pool("x", "knife", "y", "bread knife", "bread knife")
    outcome = await shop.run("rerank", {**WORDS, "max_candidates": 4, "batch_size": 3, "top_n": 2}, hits)
    assert ids(outcome) == ["h3", "h1"]
    assert sorted(shop.models.shared_words.batches) == [1, 3]
    beyond = await shop.run("rerank", {**WORDS, "max_candidates": 2}, hits)
    assert ids(beyond) == ["h1", "h0", "h2", "h3", "h4"]


async def test_only_so_many_characters_are_read(shop: Shop) -> None:
    outcome = await shop.run("rerank", {**WORDS, "max_document_chars": 100}, pool("x " * 60 + "bread knife"))
    assert outcome.hits[0].score == 0.0


async def test_text_where_there_is_no_content_and_the_score_in_a_field(shop: Shop) -> None:
    parameters = {"model": "shared-words", "query": "bread", "score_field": "facts.relevance"}
    hits = Hits.of([hit("a", text="knife"), hit("b", content="bread", text="knife")])
    outcome = await shop.run("rerank", parameters, hits)
    assert [(one.id, one.extra["facts"]) for one in outcome.hits] == [
        ("b", {"relevance": 1.0}),
        ("a", {"relevance": 0.0}),
    ]


async def test_the_query_is_the_input_where_none_is_given(shop: Shop) -> None:
    parameters = {"model": "shared-words"}
    outcome = await run("rerank", parameters, pool("a", "knife"), shop.context(query={"text": "knife"}))
    assert ids(outcome) == ["h1", "h0"]
    with pytest.raises(ValidationError, match=r"parameters\.query"):
        await shop.run("rerank", parameters, pool("a"))


async def test_a_model_that_is_not_there_is_an_error(shop: Shop) -> None:
    with pytest.raises(ModelMissingError):
        await shop.run("rerank", {"query": "q"}, pool("a"))


async def test_what_the_budget_refuses_stays_behind(shop: Shop) -> None:
    context = shop.context()
    paid = Context(
        PRINCIPAL, {}, (), 7, "stage", 0, context.searcher, shop.models, context.clock, context.render,
        Allowance(Price(per_call=1.0), left=2.0),
    )  # fmt: skip
    hits = pool("x", "knife", "bread knife", "bread")
    outcome = await run("rerank", {**WORDS, "batch_size": 1, "max_concurrent_batches": 1}, hits, paid)
    assert ids(outcome) == ["h1", "h0", "h2", "h3"]
    assert outcome.llm_calls == 2
    assert "2 candidates were not scored" in outcome.warnings[0]


async def test_a_time_limit_is_the_stages_error(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()

    def wait(query: str, texts: list[str]) -> FloatArray:
        held.wait(30)
        return np.zeros(len(texts), np.float32)

    monkeypatch.setattr(shop.models.shared_words, "score", wait)
    try:
        with pytest.raises(StageTimeoutError, match="hard_timeout_ms = 1"):
            await shop.run("rerank", {**WORDS, "hard_timeout_ms": 1}, pool("a"))
    finally:
        held.set()


@pytest.mark.parametrize("name", ["feature_uri"])
def test_what_is_not_supported_says_what_to_do_instead(name: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=f"{name} is not supported: "):
        RerankParameters.model_validate({name: "x"})


@given(
    st.lists(st.one_of(st.none(), st.text(max_size=8), st.just("bread knife"), st.integers()), max_size=8),
    st.integers(1, 9),
)
async def test_reranking_is_a_permutation(texts: list[Any], depth: int) -> None:
    shop = Shop(metadata=None)  # type: ignore[arg-type]  # nothing is stored here
    hits = Hits.of(hit(f"h{n}", float(n), text=text) for n, text in enumerate(texts))
    outcome = await shop.run("rerank", {**WORDS, "max_candidates": depth}, hits)
    assert sorted(ids(outcome)) == [one.id for one in hits]
    assert ids(outcome)[depth:] == [one.id for one in hits[depth:]]


def test_max_sim_by_hand() -> None:
    query = np.array([[1, 0], [0, 1]], np.float32)
    document = np.array([[0.6, 0.8], [1, 0], [-1, 0]], np.float32)
    # The first token finds 1, the second 0.8.
    assert max_sim(query, document) == pytest.approx(1.8)


async def test_late_interaction_on_stored_tokens(shop: Shop) -> None:
    found = await shop.run("attribute_filter", {"field": "text", "operator": "exists", "value": True})
    parameters = {"feature_uri": TOKENS, "query": "running knife"}
    outcome = await shop.run("maxsim_rerank", parameters, found.hits, stage_index=1)
    # Only p4 has a word of either theme: 1 + 1; p6 has none. Ties go by id.
    assert [(one.id, one.score) for one in outcome.hits] == [
        ("p4", 2.0), ("p1", 1.0), ("p2", 1.0), ("p3", 1.0), ("p5", 0.0), ("p6", 0.0),
    ]  # fmt: skip


async def test_hits_without_tokens(shop: Shop) -> None:
    hits = Hits.of([hit("none", 9.0), hit("p3"), hit("other", 5.0, holder="p4")])
    parameters = {"feature_uri": TOKENS, "query": "running knife"}
    bottom = await shop.run("maxsim_rerank", parameters, hits)
    assert ids(bottom) == ["p3", "none", "other"]
    assert bottom.warnings == ("2 hits have no token vectors and were put behind the others",)
    assert ids(await shop.run("maxsim_rerank", {**parameters, "missing": "drop"}, hits)) == ["p3"]
    assert ids(await shop.run("maxsim_rerank", {**parameters, "match_on": "holder"}, hits))[0] == "other"
    with pytest.raises(ValidationError, match="such as none"):
        await shop.run("maxsim_rerank", {**parameters, "missing": "error"}, hits)
    with pytest.raises(ValidationError, match="token_vectors"):
        await shop.run("maxsim_rerank", {**parameters, "feature_uri": TOKENS.replace("tokens", "embedding")}, hits)


def test_mmr_by_hand() -> None:
    alike = np.array([[1, 0.9, 0.1], [0.9, 1, 0.2], [0.1, 0.2, 1]], np.float64)
    picks = choose([0.95, 0.90, 0.5], alike, 0.5, 3)
    # After the first: 0.45 - 0.45 = 0 against 0.25 - 0.05 = 0.2; then 0.45 - 0.5 * max(0.9, 0.2) = 0.
    assert [one.place for one in picks] == [0, 2, 1]
    assert [one.penalty for one in picks] == pytest.approx([0, 0.1, 0.9])
    assert [one.score for one in picks] == pytest.approx([0.475, 0.2, 0.0])
    assert [one.place for one in choose([0.95, 0.90, 0.5], alike, 1.0, 2)] == [0, 1]
    assert [one.place for one in choose([0.95, 0.90, 0.5], alike, 0.0, 2)] == [0, 2]


def test_likeness_by_hand() -> None:
    rows = np.array([[3, 4], [6, 8], [4, -3]], np.float32)
    assert vector_likeness(rows, "cosine")[0].tolist() == pytest.approx([1, 1, 0])
    assert vector_likeness(rows, "dot")[0].tolist() == pytest.approx([25, 50, 0])
    assert vector_likeness(rows, "euclidean")[0].tolist() == pytest.approx([1, 1 / 6, 1 / (1 + 50**0.5)])
    fields = field_likeness(["a", ["a", "b"], None])
    assert fields[0].tolist() == [1, 0.5, 0]
    assert fields[2].tolist() == [0, 0, 0]
    assert mixed([(1.0, np.ones((2, 2))), (3.0, np.zeros((2, 2)))])[0].tolist() == [0.25, 0.25]


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=8), st.floats(0, 1), st.integers(1, 9))
def test_mmr_chooses_each_once(relevance: list[float], balance: float, count: int) -> None:
    relevance.sort(reverse=True)
    rows = np.array([[np.cos(n), np.sin(n)] for n in range(len(relevance))], np.float32)
    picks = choose(relevance, vector_likeness(rows, "cosine"), balance, count)
    places = [one.place for one in picks]
    assert len(places) == len(set(places)) == min(count, len(relevance))
    assert relevance[places[0]] == max(relevance)
    if balance == 1:
        assert [relevance[n] for n in places] == relevance[:count]


async def test_mmr_over_stored_vectors(shop: Shop) -> None:
    hits = Hits.of([hit("p1", 0.9), hit("p2", 0.8), hit("p3", 0.5), hit("gone", 0.7)])
    outcome = await shop.run("mmr", {"lambda": 0.5, "top_n": 10}, hits)
    # p2 is like p1 by 0.8: 0.4 - 0.4 = 0. p3 is not at all: 0.25.
    assert ids(outcome) == ["p1", "p3", "p2", "gone"]
    assert outcome.hits[2].extra["mmr"] == {
        "relevance_score": 0.8, "diversity_penalty": pytest.approx(0.8), "mmr_score": pytest.approx(0.0, abs=1e-6),
        "selection_order": 3,
    }  # fmt: skip
    assert "1 hits have no vector" in outcome.warnings[0]
    by_name = await shop.run("mmr", {"lambda": 0.5, "embedding_field": "features.embedding"}, hits)
    assert by_name.hits == outcome.hits


async def test_mmr_by_fields_and_its_errors(shop: Shop) -> None:
    hits = Hits.of([hit("a", 0.9, brand="x"), hit("b", 0.8, brand="x"), hit("c", 0.5, brand="y")])
    outcome = await shop.run("mmr", {"lambda": 0.5, "diversity_fields": ["brand"], "top_k": 2}, hits)
    assert ids(outcome) == ["a", "c"]
    with pytest.raises(ValidationError, match="no collection given has a dense feature 'nothing'"):
        await shop.run("mmr", {"diversity_feature_uri": "nothing"}, hits)
    with pytest.raises(pydantic.ValidationError, match="not among diversity_fields"):
        MmrParameters.model_validate({"diversity_field_weights": {"brand": 1}})
    with pytest.raises(pydantic.ValidationError, match="less than or equal to 1"):
        MmrParameters.model_validate({"lambda": 1.5})


def test_a_budget_may_shorten_the_depth() -> None:
    spends = spending_of(STAGES["rerank"])
    assert [(knob.kind, knob.path) for knob in spends.knobs] == [(KnobKind.RERANK_DEPTH, ("max_candidates",))]
    asked = RerankParameters.model_validate({"batch_size": 10, "top_k": 5})
    assert spends.usage(asked, Given(250)) == Usage(documents=100, calls=10)
    fewer = lowered(asked, [Cap(("max_candidates",), 25)])
    assert spends.usage(fewer, Given(250)) == Usage(documents=25, calls=3)
    assert changes(asked, [Cap(("max_candidates",), 25)]) == {"max_candidates": [100, 25]}
    assert spends.yields(asked, Given(250)) == 5


async def test_all_three_replay_from_the_record(world: World) -> None:
    body = {
        "collection_identifiers": ["col_a", "col_b"],
        "stages": [
            search("running shoes"),
            stage("rerank", **WORDS),
            stage("mmr", **{"lambda": 0.5, "top_k": 5}),
            stage("maxsim_rerank", feature_uri=TOKENS, query="running knife"),
        ],
        "inputs": {},
    }
    async with world.client() as client:
        answer = (await client.post("/v1/retrievers/execute", json=body, headers=HEADERS)).json()
        assert answer["status"] == "completed", answer
        world.shop.models.shared_words.batches.clear()
        replayed = await world.replays.replay(PRINCIPAL, answer["execution_id"], ReplayMode.FROZEN)
    assert replayed.verdict.value == "identical"
    assert world.shop.models.shared_words.batches == []


async def test_the_score_is_found_by_its_name_afterwards(shop: Shop) -> None:
    ranked = await shop.run("rerank", WORDS, pool("bread", "x", "bread knife"))
    again = await shop.run("sort_relevance", {"score_field": "scores.rerank", "direction": "asc"}, ranked.hits)
    assert ids(again) == ["h1", "h0", "h2"]
    squeezed = await shop.run("score_normalize", {"score_field": "scores.rerank", "max_value": 0.5}, ranked.hits)
    assert [one.score for one in squeezed.hits] == [1.0, 1.0, 0.0]


async def test_token_vectors_can_be_searched_by_text(shop: Shop) -> None:
    searches = [{"feature_uri": TOKENS, "query": "running knife", "top_k": 1}]
    outcome = await shop.run("feature_search", {"searches": searches, "final_top_k": 1})
    assert ids(outcome) == ["p4"]


async def test_a_cut_hit_says_so(world: World) -> None:
    body = {
        "collection_identifiers": ["col_a", "col_b"],
        "stages": [search("running shoes"), stage("rerank", **WORDS, top_k=1)],
        "inputs": {},
    }
    async with world.client() as client:
        answer = (await client.post("/v1/retrievers/execute", json=body, headers=HEADERS)).json()
        assert [one["document_id"] for one in answer["documents"]] == ["p3"]
        path = f"/v1/retrievers/executions/{answer['execution_id']}/why"
        told = (await client.post(path, json={"document_id": "p1"}, headers=HEADERS)).json()
    assert "the model put 1 of 6 before it" in str(told)
