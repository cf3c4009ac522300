import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import permutation_test

from tamis.evaluation.comparison import compare, holm, randomisation


@settings(deadline=None, max_examples=15)
@given(st.lists(st.sampled_from([-5.0, -1.0, 0.0, 2.0, 7.0]), min_size=2, max_size=9))
def test_a_small_comparison_is_exact(differences: list[float]) -> None:
    """Whole numbers: of sums that are 0 but for the rounding of tenths, scipy counts only some as no less than 0."""
    column = np.array(differences)
    theirs = permutation_test((column,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False)
    assert randomisation(column[:, None])[0] == pytest.approx(theirs.pvalue)


def test_a_large_comparison_comes_close_and_is_the_same_each_time() -> None:
    chance = np.random.default_rng(1)
    column = chance.normal(0.1, 1.0, 200)
    theirs = permutation_test(
        (column,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=9999, rng=2
    )
    ours = randomisation(column[:, None])
    assert ours[0] == pytest.approx(theirs.pvalue, abs=0.02)
    assert randomisation(column[:, None])[0] == ours[0]


def test_holms_correction() -> None:
    """By hand: 0.01 * 4, 0.02 * 3, 0.03 * 2, then never less than the one before."""
    assert holm(np.array([0.03, 0.01, 0.9, 0.02])) == pytest.approx([0.06, 0.04, 0.9, 0.06])


def test_wins_losses_and_ties_add_up() -> None:
    a = {f"q{n}": {"ndcg@10": n / 10, "mrr@10": 1.0} for n in range(8)}
    b = {query: {"ndcg@10": values["ndcg@10"] + 0.1, "mrr@10": 1.0} for query, values in a.items()}
    b["q7"] = {"ndcg@10": 0.0, "mrr@10": 1.0}
    found = compare(a, b)
    assert (found["ndcg@10"].wins, found["ndcg@10"].losses, found["ndcg@10"].ties) == (7, 1, 0)
    assert found["ndcg@10"].difference == pytest.approx(0.0)
    assert (found["mrr@10"].p, found["mrr@10"].ties) == (1.0, 8)
    better = compare(a, {query: {**values, "ndcg@10": values["ndcg@10"] + 0.1} for query, values in a.items()})
    assert better["ndcg@10"].p == pytest.approx(2 / 2**8)
    assert better["ndcg@10"].p_holm == pytest.approx(4 / 2**8)
    assert compare({}, {}) == {}
