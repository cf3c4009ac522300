from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tamis.model.ordering import order, sort_key

SCALARS = st.one_of(
    st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=4), st.just("2026-01-31T00:00:00Z")
)
VALUES = st.one_of(st.none(), SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(st.text(max_size=2), SCALARS))


def ordered(values: list[Any], **how: bool) -> list[Any]:
    return sorted(values, key=lambda value: sort_key({"v": value}, "v", **how))


def test_kinds_stand_apart_and_each_has_its_own_order() -> None:
    values = ["b", 2, None, "2026-02-01", True, "a", 1.5, "2026-01-31T23:00:00-05:00", False]
    expected = [False, True, 1.5, 2, "2026-02-01", "2026-01-31T23:00:00-05:00", "a", "b", None]
    assert ordered(values) == expected
    assert ordered(values, descending=True) == [*reversed(expected[:-1]), None]
    assert ordered(values, nulls_last=False)[0] is None
    assert ordered(values, descending=True, nulls_last=False)[0] is None


def test_an_array_counts_by_its_least_or_greatest_element() -> None:
    assert ordered([[5, 1], 2, [9, 3]]) == [[5, 1], 2, [9, 3]]
    assert ordered([[5, 1], 2, [9, 3]], descending=True) == [[9, 3], [5, 1], 2]
    assert ordered([[], 2, [None]]) == [2, [], [None]]


def test_large_integers_are_not_rounded() -> None:
    assert ordered([2**60 + 1, 2**60]) == [2**60, 2**60 + 1]


@given(st.lists(VALUES, max_size=8), st.booleans(), st.booleans())
def test_any_values_sort_and_their_first_order_does_not_matter(values: list[Any], down: bool, last: bool) -> None:
    keys = [sort_key({"v": value}, "v", down, last) for value in values]
    forwards, backwards = sorted(keys), sorted(reversed(keys))
    assert forwards == backwards
    assert all(not after < before for before, after in pairwise(forwards))


@given(SCALARS, SCALARS, SCALARS)
def test_the_order_is_total_and_transitive(a: Any, b: Any, c: Any) -> None:
    x, y, z = order(a), order(b), order(c)
    assert (x < y) + (y < x) + (x == y) == 1
    assert not (x <= y <= z) or x <= z
