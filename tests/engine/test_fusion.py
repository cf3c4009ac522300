"""Fusion: small numbers by hand, the same as other people's code, and laws."""

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from qdrant_client.http.models import ScoredPoint
from qdrant_client.hybrid.fusion import distribution_based_score_fusion

from tamis.engine.ports.index import Scored
from tamis.engine.searching.fusion import FEWEST, Fusion, fuse, merge, ranked

BUILT = tuple(Fusion)
DENSE = [Scored("a", 0.9), Scored("b", 0.8), Scored("c", 0.1)]
LEXICAL = [Scored("c", 7.0), Scored("b", 5.0), Scored("d", 3.0)]

scores = st.floats(-100, 100, allow_nan=False).map(lambda score: round(score, 3))


@st.composite
def rankings(draw: st.DrawFn) -> list[Scored]:
    found = draw(st.dictionaries(st.sampled_from("abcdefghij"), scores, min_size=1, max_size=10))
    return ranked(Scored(key, score) for key, score in found.items())


def as_dict(ranking: list[Scored]) -> dict[str, float]:
    return {entry.document_id: entry.score for entry in ranking}


def test_reciprocal_ranks_by_hand() -> None:
    fused = fuse(Fusion.RRF, [DENSE, LEXICAL])
    assert as_dict(fused) == {"a": 1 / 61, "b": 1 / 62 + 1 / 62, "c": 1 / 63 + 1 / 61, "d": 1 / 63}
    assert [entry.document_id for entry in fused] == ["c", "b", "a", "d"]


def test_weights_scale_a_search() -> None:
    assert as_dict(fuse(Fusion.RRF, [DENSE, LEXICAL], [0.5, 0.0]))["a"] == 0.5 / 61
    assert as_dict(fuse(Fusion.WEIGHTED, [DENSE, LEXICAL], [2.0, 0.5])) == {"a": 1.8, "b": 4.1, "c": 3.7, "d": 1.5}


def test_max_takes_the_greatest_score_and_no_weight() -> None:
    fused = fuse(Fusion.MAX, [DENSE, LEXICAL], [9.0, 0.1])
    assert as_dict(fused) == {"a": 0.9, "b": 5.0, "c": 7.0, "d": 3.0}


def test_distribution_by_hand() -> None:
    fused = as_dict(fuse(Fusion.DBSF, [[Scored("a", 3.0), Scored("b", 2.0), Scored("c", 1.0)]]))
    # Mean 2, deviation of the sample 1: from -1 to 5.
    assert fused == pytest.approx({"a": 4 / 6, "b": 3 / 6, "c": 2 / 6})


def test_distribution_without_spread_is_a_half() -> None:
    assert as_dict(fuse(Fusion.DBSF, [[Scored("a", 3.0)]])) == {"a": 0.5}
    assert as_dict(
        fuse(Fusion.DBSF, [[Scored("a", 11.398), Scored("b", 11.398), Scored("c", 11.398)]])
    ) == dict.fromkeys("abc", 0.5)
    assert as_dict(fuse(Fusion.DBSF, [[Scored("a", 0.1), Scored("b", 0.1)]], [0.4])) == {"a": 0.2, "b": 0.2}


def test_ties_are_ordered_by_id() -> None:
    fused = fuse(Fusion.RRF, [[Scored("b", 1.0), Scored("a", 0.5)], [Scored("a", 1.0), Scored("b", 0.5)]])
    assert [entry.document_id for entry in fused] == ["a", "b"]


def test_learned_fuses_by_distribution_with_weights_that_others_found() -> None:
    arms, weights = [DENSE, LEXICAL], [0.3, 0.7]
    assert fuse(Fusion.LEARNED, arms, weights) == fuse(Fusion.DBSF, arms, weights)


def test_what_has_none_of_the_words_scored_zero() -> None:
    """29 zeros beside one score of 3: mean 0.1, deviation of the sample sqrt(0.3)."""
    alone = as_dict(fuse(Fusion.DBSF, [[Scored("a", 3.0)]], exhausted=[True]))
    assert alone == pytest.approx({"a": 0.5 + (3.0 - 0.1) / (6 * math.sqrt(0.3))})
    many = [Scored(f"{n:03}", 100.0 - n) for n in range(FEWEST)]
    assert fuse(Fusion.DBSF, [many], exhausted=[True]) == fuse(Fusion.DBSF, [many])
    assert fuse(Fusion.RRF, [DENSE], exhausted=[True]) == fuse(Fusion.RRF, [DENSE])


def test_a_weight_for_each_ranking() -> None:
    with pytest.raises(ValueError, match="1 weights for 2 rankings"):
        fuse(Fusion.RRF, [DENSE, LEXICAL], [1.0])


def test_no_rankings_no_result() -> None:
    assert all(fuse(strategy, []) == [] and fuse(strategy, [[], []]) == [] for strategy in BUILT)


@pytest.mark.filterwarnings("ignore::numba.core.errors.NumbaTypeSafetyWarning")
def test_ranx_fuses_the_same() -> None:
    from ranx import Run
    from ranx import fuse as ranx_fuse
    from ranx.fusion import rrf as ranx_rrf

    runs = [Run({"q": as_dict(one)}) for one in (DENSE, LEXICAL)]
    ranks = ranx_rrf(runs, k=60)
    summed = ranx_fuse(runs=runs, norm=None, method="wsum", params={"weights": (0.7, 0.3)})
    greatest = ranx_fuse(runs=runs, norm=None, method="max")
    assert as_dict(fuse(Fusion.RRF, [DENSE, LEXICAL])) == pytest.approx(dict(ranks.run["q"]))
    assert as_dict(fuse(Fusion.WEIGHTED, [DENSE, LEXICAL], [0.7, 0.3])) == pytest.approx(dict(summed.run["q"]))
    assert as_dict(fuse(Fusion.MAX, [DENSE, LEXICAL])) == pytest.approx(dict(greatest.run["q"]))


@given(st.lists(rankings(), min_size=1, max_size=4))
def test_qdrant_computes_the_same_distribution(given_rankings: list[list[Scored]]) -> None:
    # Of equal scores, 0.5 each here, theirs may find a deviation of 1e-15 and place them by it.
    assume(all(len(one) == 1 or len({entry.score for entry in one}) > 1 for one in given_rankings))

    def point(entry: Scored) -> Any:
        return ScoredPoint(id=ord(entry.document_id), version=0, score=entry.score)

    theirs = distribution_based_score_fusion([[point(entry) for entry in one] for one in given_rankings], 100)
    ours = as_dict(fuse(Fusion.DBSF, given_rankings))
    assert {chr(int(entry.id)): entry.score for entry in theirs} == pytest.approx(ours, rel=1e-6, abs=1e-6)


@given(st.lists(st.tuples(rankings(), st.floats(0, 1)), min_size=1, max_size=5), st.randoms(), st.sampled_from(BUILT))
def test_the_order_of_the_searches_does_not_matter(
    arms: list[tuple[list[Scored], float]], chance: Any, strategy: Fusion
) -> None:
    shuffled = list(arms)
    chance.shuffle(shuffled)
    one, other = ([list(part) for part in zip(*each, strict=True)] for each in (arms, shuffled))
    assert fuse(strategy, one[0], one[1]) == fuse(strategy, other[0], other[1])


@given(st.lists(rankings(), min_size=1, max_size=4), st.sampled_from(BUILT))
def test_every_document_comes_out_once_in_a_total_order(arms: list[list[Scored]], strategy: Fusion) -> None:
    fused = fuse(strategy, arms)
    assert {entry.document_id for entry in fused} == {entry.document_id for one in arms for entry in one}
    keys = [(-entry.score, entry.document_id) for entry in fused]
    assert keys == sorted(set(keys))
    assert all(math.isfinite(entry.score) for entry in fused)


@given(rankings(), st.sampled_from([Fusion.RRF, Fusion.DBSF, Fusion.WEIGHTED, Fusion.MAX]))
def test_one_search_alone_keeps_its_order(ranking: list[Scored], strategy: Fusion) -> None:
    by_score: dict[str, float] = as_dict(ranking)
    fused = [by_score[entry.document_id] for entry in fuse(strategy, [ranking])]
    assert fused == sorted(fused, reverse=True)


@given(rankings(), st.integers(1, 4), st.integers(1, 12))
def test_merging_shards_is_as_if_there_were_one(ranking: list[Scored], shards: int, limit: int) -> None:
    parts = [[entry for n, entry in enumerate(ranking) if n % shards == shard][:limit] for shard in range(shards)]
    assert list(merge(parts, limit)) == ranking[:limit]
