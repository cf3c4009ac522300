import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from tamis.evaluation.agreement import kappa, overlap, rank_biased_overlap

RANKINGS = st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=10)


def test_overlap() -> None:
    assert overlap("abcd", "bae", 2) == 1.0
    assert overlap("abcd", "bae", 10) == 0.5
    assert (overlap("", "", 10), overlap("a", "", 10)) == (1.0, 0.0)


def test_rank_biased_overlap_by_hand() -> None:
    """p = 0.5: agreement 0, 1 and 2/3 at the three depths, the last one going on for ever."""
    assert rank_biased_overlap("abc", "bad", 0.5) == pytest.approx(0.5 * (0 + 0.5 * 1 + 0.25 * 2 / 3) + 2 / 3 * 0.125)


@given(RANKINGS, RANKINGS)
def test_rank_biased_overlap_is_fair_and_bounded(a: list[str], b: list[str]) -> None:
    found = rank_biased_overlap(a, b)
    assert found == pytest.approx(rank_biased_overlap(b, a))
    assert -1e-9 <= found <= 1 + 1e-9
    assert rank_biased_overlap(a, a) == pytest.approx(1.0)
    # What goes on from a shorter ranking as it began is taken to agree.
    assert rank_biased_overlap(a[: len(a) // 2], a) == pytest.approx(1.0 if len(a) > 1 or not a else 0.0)


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_scikit_learn_s(seed: int) -> None:
    chance = random.Random(seed)
    a = [chance.randint(0, 3) for _ in range(40)]
    b = [one if chance.random() < 0.6 else chance.choice([-1, 0, 1, 3]) for one in a]
    labels = list(range(min(a + b), max(a + b) + 1))
    assert kappa(a, b) == pytest.approx(cohen_kappa_score(a, b))
    assert kappa(a, b, is_weighted=True) == pytest.approx(cohen_kappa_score(a, b, labels=labels, weights="quadratic"))


def test_kappa_of_what_says_nothing() -> None:
    assert kappa([], []) is None
    assert kappa([1, 1], [1, 1]) is None
    assert kappa([0, 1, 2], [0, 1, 2]) == 1.0
    assert kappa([0, 0, 1, 1], [0, 1, 0, 1], is_weighted=True) == 0.0
