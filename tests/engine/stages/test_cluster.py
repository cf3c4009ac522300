"""The stage `cluster`, on the shop's own products and on vectors that are worked out by hand."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from tamis.engine.clusters.cluster_terms import leading_terms, terms_of
from tamis.engine.spending.spending import Given, spending_of
from tamis.engine.stage import Effect, Outcome, effects_of
from tamis.engine.stages import STAGES
from tamis.engine.tape import Archive, PlaybackTape, RecordingTape
from tamis.engine.taping.taped import TapedSearcher
from tamis.engine.taping.taped_reach import taped_reach
from tamis.errors import LanguageModelError, StageTimeoutError
from tamis.errors import ValidationError as Refused
from tamis.model.document import DocumentWrite
from tamis.model.hits import Hit, Hits
from tamis.model.vector import Dense
from tests.engine.stages.agents import Theatre, theatre
from tests.engine.stages.shop import PRINCIPAL, URI, Shop, document, ids
from tests.llm_server import Fault

# id, vector, text: two directions, one document apart from both, one without a vector.
THINGS: Sequence[tuple[str, list[float] | None, str]] = (
    ("a1", [1.0, 0.0, 0.0], "the red running shoe"),
    ("a2", [0.96, 0.28, 0.0], "the blue running shoe"),
    ("a3", [0.96, -0.28, 0.0], "the green running sock"),
    ("b1", [0.0, 0.0, 1.0], "the bread knife"),
    ("b2", [0.0, 0.28, 0.96], "the steel knife"),
    ("far", [-0.6, -0.8, 0.0], "the novel"),
    ("bare", None, "the bare one"),
)


async def placed(shop: Shop, things: Sequence[tuple[str, list[float] | None, str]] = THINGS) -> Hits:
    writes = []
    for number, (name, vector, text) in enumerate(things):
        vectors = {} if vector is None else {"embedding": Dense(np.array(vector, dtype=np.float32))}
        writes.append(DocumentWrite(document(name, "col_a", number, {"content": text}), vectors))
    # Past the index, which takes no odd vectors; clusters are made from the system of record.
    await shop.metadata.write(lambda session: session.documents.put(PRINCIPAL, "col_a", writes))
    return Hits.of(Hit(one.document.document_id, 1 / (n + 1), one.document) for n, one in enumerate(writes))


async def clustered(shop: Shop, hits: Hits, **parameters: Any) -> Outcome:
    return await shop.run("cluster", {"feature_uri": "embedding", **parameters}, hits, 1)


@pytest.fixture
async def things(shop: Shop) -> Hits:
    return await placed(shop)


async def test_a_row_for_each_cluster_by_hand(shop: Shop, things: Hits) -> None:
    """Around (1, 0, 0): 1 - 0.96 away twice. Of b the mean direction is half of the angle whose cosine is 0.96 off."""
    outcome = await clustered(shop, things, num_clusters=3)
    first, second, outliers = outcome.hits
    assert (first.id, first.score, first.document) == ("stage:0", 1.0, None)
    assert (first.extra["cluster_id"], first.extra["size"], first.extra["representative"]) == (0, 3, "a1")
    assert first.extra["centroid"] == pytest.approx([1.0, 0.0, 0.0])
    assert _column(first, "document_id") == ["a1", "a2", "a3"]
    assert _column(first, "content")[0] == "the red running shoe"
    assert [one["distance_to_centroid"] for one in _column(first, "cluster")] == pytest.approx([0, 0.04, 0.04])
    assert _column(second, "document_id") == ["b1", "b2"]
    half = math.cos(math.acos(0.96) / 2)
    assert [one["distance_to_centroid"] for one in _column(second, "cluster")] == pytest.approx([1 - half] * 2)
    assert outliers.extra["cluster_id"] == -1
    assert dict(zip(_column(outliers, "document_id"), _column(outliers, "outlier_reason"), strict=True)) == {
        "far": "cluster_too_small", "bare": "no_vector",
    }  # fmt: skip
    assert outcome.warnings == ("1 of 7 hits have no stored vector; they are in no cluster",)
    told = {name: outcome.metadata[name] for name in ("algorithm", "num_clusters", "total_documents", "outlier_count")}
    assert told == {"algorithm": "kmeans", "num_clusters": 2, "total_documents": 7, "outlier_count": 2}


def _column(row: Hit, name: str) -> list[Any]:
    documents: Any = row.extra["documents"]
    return [one[name] for one in documents]


async def test_the_documents_with_their_cluster_on_each(shop: Shop, things: Hits) -> None:
    outcome = await clustered(shop, things, n_clusters=3, output_mode="documents")
    assert ids(outcome) == ["a1", "a2", "a3", "b1", "b2", "far", "bare"]
    named: Any = [one.extra["cluster"] for one in outcome.hits]
    assert [one["cluster_id"] for one in named] == [0, 0, 0, 1, 1, -1, -1]
    assert [one.document for one in outcome.hits] == [one.document for one in things], "none is changed"
    assert [one.score for one in outcome.hits] == [one.score for one in things]
    assert "centroid" not in named[0]
    sampled = await shop.run(
        "sample",
        {"method": "stratified", "group_field": "cluster.cluster_id", "samples_per_group": 1},
        outcome.hits,
        2,
    )
    assert len(sampled.hits) == 3


async def test_one_document_stands_for_each(shop: Shop, things: Hits) -> None:
    outcome = await clustered(shop, things, n_clusters=3, output_mode="representatives")
    assert ids(outcome) == ["a1", "b1"], "of two at one distance the id decides"
    assert outcome.hits[0].extra["cluster"]["size"] == 3  # type: ignore[index,call-overload]


async def test_limits_of_what_is_shown(shop: Shop, things: Hits) -> None:
    outcome = await clustered(
        shop, things, n_clusters=3, max_members_per_cluster=1, include_outliers=False, include_centroids=False
    )
    assert [_column(one, "document_id") for one in outcome.hits] == [["a1"], ["b1"]]
    assert [one.extra["size"] for one in outcome.hits] == [3, 2], "sizes are of the clusters, not of what is shown"
    assert "centroid" not in outcome.hits[0].extra
    left: Any = outcome.metadata["left_out"]
    assert left["a3"] == {"cluster_id": 0, "rank": 3, "size": 3}
    assert left["bare"] == {"cluster_id": -1, "reason": "no_vector"}


async def test_the_order_of_the_hits_does_not_matter(shop: Shop, things: Hits) -> None:
    outcomes = [await clustered(shop, Hits.of(order), n_clusters=2) for order in (things, list(things)[::-1])]
    assert outcomes[0] == outcomes[1]


async def test_the_contracts_default_finds_how_many_there_are(shop: Shop) -> None:
    """hdbscan, clusters of five and more, where nothing is said."""
    chance = np.random.default_rng(0)
    axes = np.eye(3)
    made = [
        (f"d{n:02}", (axes[n % 2] + chance.normal(size=3) * 0.05).tolist(), f"theme {'ab'[n % 2]}") for n in range(24)
    ]
    outcome = await clustered(shop, await placed(shop, made))
    assert outcome.metadata["algorithm"] == "hdbscan"
    assert [one.extra["size"] for one in outcome.hits] == [12, 12]


async def test_the_only_dense_feature_is_taken_and_another_is_named(shop: Shop, things: Hits) -> None:
    plain = await shop.run("cluster", {"n_clusters": 2}, things, 1)
    for name in (URI, "features.embedding"):
        assert (await shop.run("cluster", {"n_clusters": 2, "embedding_field": name}, things, 1)).hits == plain.hits
    for wrong in ("lexical", "tokens", "nothing"):
        with pytest.raises(Refused, match="no collection given has a dense feature") as refused:
            await clustered(shop, things, feature_uri=wrong)
        assert refused.value.problems[0]["loc"] == ["parameters", "feature_uri"]


async def test_hits_that_are_no_documents_are_in_no_cluster(shop: Shop) -> None:
    rows = Hits.of(Hit(f"row:{n}", 1.0, extra={"sum": n}) for n in range(3))
    outcome = await clustered(shop, rows)
    assert _column(outcome.hits[0], "outlier_reason") == ["no_vector"] * 3
    assert _column(outcome.hits[0], "sum") == [0, 1, 2]


async def test_vectors_that_are_no_numbers_are_left_out(shop: Shop) -> None:
    odd: list[Any] = [
        ("n", [math.nan, 0, 0], "x"),
        ("z", [0.0, 0.0, 0.0], "y"),
        ("a", [1.0, 0, 0], "a"),
        ("b", [1.0, 0, 0], "b"),
    ]
    outcome = await clustered(shop, await placed(shop, odd), n_clusters=2, output_mode="documents")
    told: Any = {one.id: one.extra["cluster"] for one in outcome.hits}
    assert {key: one.get("outlier_reason") for key, one in told.items()} == {
        "a": None, "b": None, "n": "not_a_number", "z": "zero_vector",
    }  # fmt: skip
    assert len([one for one in outcome.warnings if "cannot be compared" in one]) == 2


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"algorithm": "attribute_based"}, "group_by"),
        ({"algorithm": "birch"}, "'kmeans', 'minibatch_kmeans'"),
        ({"algorithm": "hdbscan", "n_clusters": 3}, "finds the number of clusters by itself"),
        ({"algorithm": "kmeans", "algorithm_params": {"n_jobs": 8}}, "n_jobs is not supported"),
        ({"algorithm": "optics", "sample_size": 5_000}, "at most 1500 documents"),
        ({"n_clusters": 3, "algorithm_params": {"n_clusters": 4}}, "give one of them"),
        ({"n_clusters": 101}, "less than or equal to 100"),
        ({"output_mode": "tree"}, "'clusters', 'documents' or 'representatives'"),
        ({"label_prompt": "{{ DOC.text | upper }}"}, r"DOC\.path"),
    ],
)
def test_what_cannot_be_is_refused_by_name(parameters: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        STAGES["cluster"].Parameters.model_validate(parameters)


def test_effects_and_costs_are_those_of_the_names(shop: Shop) -> None:
    stage = STAGES["cluster"]
    assert effects_of(stage, {"n_clusters": 3, "label_clusters": None}) == frozenset()
    assert effects_of(stage, {"label_clusters": "{{INPUT.named}}"}) == {Effect.OUTSIDE, Effect.SPENDS}
    spends, work = spending_of(stage), Given(40)
    plain, asking = (stage.Parameters.model_validate({"n_clusters": 4, "label_clusters": one}) for one in (False, True))
    assert (spends.usage(plain, work).calls, spends.usage(asking, work).calls) == (0, 4)
    assert spends.yields(plain, work) == 5, "four clusters and those in none"


def test_terms_by_hand() -> None:
    """p ln(p / q): `shoe`, in 2 of 2 against 2 of 4, is ln 2; `red` and `the` are no more than everywhere."""
    texts = [["the red shoe", "the blue shoe"], ["the knife", "the red knives"]]
    assert leading_terms(texts, 5)[0] == ["shoe", "blue"]
    assert leading_terms([["the shoe", "the sock"]], 2) == [["the", "shoe"]], "of one cluster: what most have"


def test_terms_in_any_script_agree_with_scikit_learns_vectoriser() -> None:
    from sklearn.feature_extraction.text import CountVectorizer

    texts = ["日本語の小説", "日本の小説 2024", "Größe, größe!", "l'été d’été", "ไทย", ""]
    counted = CountVectorizer(binary=True, analyzer=lambda text: list(terms_of(text))).fit(texts)
    matrix = counted.transform(texts).toarray().sum(axis=0)
    names = counted.get_feature_names_out()
    frequencies = {name: sum(name in terms_of(text) for text in texts) for name in names}
    assert dict(zip(names, matrix.tolist(), strict=True)) == frequencies
    assert frequencies["日本"] == frequencies["小説"] == 2
    assert frequencies["grösse"] == 1
    assert "2024" not in frequencies


async def test_labels_are_the_terms_that_set_a_cluster_apart(shop: Shop, things: Hits) -> None:
    outcome = await clustered(shop, things, n_clusters=3, label_terms=2)
    first, second = outcome.hits[0].extra, outcome.hits[1].extra
    assert second["keywords"] == ["knife", "bread"]
    assert second["label"] == "knife, bread"
    assert "the" not in str(first["label"]).split(", ")
    numbered = await clustered(shop, things, n_clusters=3, label_terms=0)
    assert [one.extra["label"] for one in numbered.hits[:2]] == ["Cluster 0", "Cluster 1"]


@pytest.fixture
async def play(shop: Shop) -> AsyncIterator[Theatre]:
    async with theatre(shop) as playing:
        yield playing


def name(label: str) -> Mapping[str, Any]:
    return {"label": label, "summary": "What they are.", "keywords": ["x", "y"]}


ASKED: dict[str, Any] = {"feature_uri": "embedding", "n_clusters": 3, "label_clusters": True}


async def test_a_model_names_each_cluster_by_what_is_nearest(play: Theatre, things: Hits) -> None:
    play.server.answer = lambda body: name("Shoes" if "shoe" in str(body) else "Knives")
    outcome = await play.run("cluster", {**ASKED, "label_samples": 2}, hits=things)
    first, second = outcome.hits[0].extra, outcome.hits[1].extra
    assert (first["label"], second["label"]) == ("Shoes", "Knives")
    assert (first["summary"], first["keywords"]) == ("What they are.", ["x", "y"])
    assert (outcome.llm_calls, len(play.server.requests)) == (2, 2)
    (of_shoes,) = [text for text in play.server.texts if "shoe" in text]
    assert "the red running shoe" in of_shoes
    assert "sock" not in of_shoes, "two samples, the nearest to the centroid"
    assert "<data-" in of_shoes.partition("the red running shoe")[0], "documents stand in their fence"


async def test_a_model_that_fails_leaves_the_terms(play: Theatre, things: Hits) -> None:
    play.server.answer = lambda body: Fault(503) if "shoe" in str(body) else name("Knives")
    outcome = await play.run("cluster", ASKED, hits=things)
    assert [one.extra["label"] for one in outcome.hits[:2]] == ["running, shoe, blue", "Knives"]
    assert "their clusters are named by their terms" in outcome.warnings[-1]
    with pytest.raises(LanguageModelError, match="503"):
        await play.run("cluster", {**ASKED, "on_error": "error"}, hits=things)


async def test_an_answer_outside_the_schema_is_no_name(play: Theatre, things: Hits) -> None:
    play.server.answer = lambda body: {"label": "x" * 81, "summary": "", "keywords": []}
    outcome = await play.run("cluster", ASKED, hits=things)
    assert "does not fit the schema" in outcome.warnings[-1]
    assert "x" * 81 not in str(outcome.hits)


async def test_a_replay_asks_neither_vectors_nor_models(play: Theatre, things: Hits) -> None:
    play.server.answer = lambda body: name("Things")
    tape, context = RecordingTape(), play.context(1)
    recorded = replace(context, searcher=TapedSearcher(tape, context.searcher), reach=taped_reach(play.reach, tape))
    first = await play.run("cluster", ASKED, hits=things, context=recorded)
    asked = len(play.server.requests)
    await play.shop.metadata.write(lambda session: session.documents.delete(PRINCIPAL, "col_a", ["a1"]))
    playback = PlaybackTape([call.recorded() for call in tape.calls], Archive())
    again = replace(
        context, searcher=TapedSearcher(playback, context.searcher), reach=taped_reach(play.reach, playback)
    )
    assert await play.run("cluster", ASKED, hits=things, context=again) == first
    assert (len(play.server.requests), playback.unrecorded, playback.unasked) == (asked, [], [])


async def test_a_clustering_that_takes_too_long_is_given_up(shop: Shop) -> None:
    chance = np.random.default_rng(0)
    many = [(f"d{n:04}", chance.normal(size=3).tolist(), "") for n in range(600)]
    with pytest.raises(StageTimeoutError, match="the clustering ran past hard_timeout_ms = 1"):
        await clustered(shop, await placed(shop, many), algorithm="optics", hard_timeout_ms=1)
