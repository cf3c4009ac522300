import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.evaluation.agreement import overlap, rank_biased_overlap

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
