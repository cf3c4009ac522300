"""Grouped aggregation: by hand, and the same as SQLite and numpy give."""

import sqlite3
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.groups.aggregation import Aggregation, GroupKey, Having, RangeBuckets, Row, aggregate, part, truncated
from tamis.engine.groups.metrics import Function, Metric, correlation, percentile, variance
from tamis.errors import ValidationError
from tamis.model.instants import instant

COUNT = Metric("n", Function.COUNT)
VIEWS: list[dict[str, Any]] = [
    {"kind": "a", "price": 10, "tags": ["x", "y"], "at": "2026-01-05T10:30:15Z"},
    {"kind": "b", "price": 2.5, "tags": [], "at": "2026-01-11T23:00:00-02:00"},
    {"kind": "a", "price": None, "tags": ["y", "z", "y"], "at": "2026-02-01"},
    {"kind": "a", "price": "much", "tags": "x", "at": "soon"},
    {"price": 7},
]


def figure(function: str, field: str | None = None, views: list[dict[str, Any]] | None = None, **more: Any) -> Any:
    metric = Metric("it", Function(function), field, **more)
    return aggregate(VIEWS if views is None else views, Aggregation((metric,))).items[0].metrics["it"]


def grouped(*rows: Row) -> list[tuple[Any, ...]]:
    return [(*row.group.values(), *row.metrics.values()) for row in rows]


@pytest.mark.parametrize(
    ("function", "field", "value"),
    [
        ("count", None, 5),
        ("count", "price", 4),
        ("count", "tags", 3),
        ("count_distinct", "kind", 2),
        ("count_distinct", "tags", 3),
        ("sum", "price", 19.5),
        ("avg", "price", 6.5),
        ("min", "price", 2.5),
        ("max", "price", "much"),
        ("min", "at", "2026-01-05T10:30:15Z"),
        ("first", "tags", ["x", "y"]),
        ("last", "kind", "a"),
        ("collect", "kind", ["a", "b", "a", "a"]),
        ("collect_distinct", "tags", ["x", "y", "z"]),
        ("percentile", "price", 7),
        ("variance", "price", 14.25),
        ("stddev", "price", 14.25**0.5),
        ("frequency", "tags", [{"value": "y", "count": 3}, {"value": "x", "count": 2}, {"value": "z", "count": 1}]),
        ("histogram", "kind", {"buckets": [{"key": "a", "count": 3}, {"key": "b", "count": 1}]}),
    ],
)
def test_every_function_by_hand(function: str, field: str | None, value: Any) -> None:
    assert figure(function, field) == value


@pytest.mark.parametrize(
    ("function", "value"),
    [
        ("count", 0), ("count_distinct", 0), ("sum", 0), ("avg", None), ("min", None), ("max", None), ("first", None),
        ("last", None), ("collect", []), ("collect_distinct", []), ("percentile", None), ("stddev", None),
        ("variance", None), ("frequency", []), ("histogram", {"buckets": []}),
    ],
)  # fmt: skip
def test_of_nothing(function: str, value: Any) -> None:
    assert figure(function, "absent") == value
    assert figure(function, "price", []) == value


def test_pairs() -> None:
    assert figure("co_occurrence", "kind", field_b="tags", top_k=2) == [
        {"value": "a", "value_b": "x", "count": 2},
        {"value": "a", "value_b": "y", "count": 2},
    ]
    assert figure("co_occurrence", "tags", field_b="tags") == [
        {"value": "x", "value_b": "y", "count": 1},
        {"value": "y", "value_b": "z", "count": 1},
    ]
    views: list[dict[str, Any]] = [{"x": 1, "y": 2}, {"x": 2, "y": 4}, {"x": 3, "y": 7}, {"x": 4}, {"x": "5", "y": 1}]
    assert figure("correlation", "x", views, field_b="y") == pytest.approx(np.corrcoef([1, 2, 3], [2, 4, 7])[0, 1])
    assert figure("correlation", "x", [{"x": 1, "y": 1}], field_b="y") is None
    assert figure("correlation", "x", [{"x": 1, "y": 1}, {"x": 2, "y": 1}], field_b="y") is None


def test_true_is_not_one_and_not_a_number() -> None:
    views: list[dict[str, Any]] = [{"v": True}, {"v": 1}, {"v": 1.0}, {"v": "1"}, {"v": float("nan")}]
    assert figure("count_distinct", "v", views[:4]) == 3
    assert figure("sum", "v", views) == 2


def test_whole_numbers_add_up_exactly() -> None:
    assert figure("sum", "v", [{"v": 2**60}, {"v": 1}]) == 2**60 + 1
    assert figure("sum", "v", [{"v": 0.1}] * 10) == 1.0


def test_groups_keep_the_order_of_their_first_document() -> None:
    rows = aggregate(VIEWS, Aggregation((COUNT,), (GroupKey("metadata.kind", "kind"),)))
    assert grouped(*rows.items) == [("a", 3), ("b", 1), (None, 1)]
    assert (rows.total, rows.views) == (3, 5)
    assert [list(row.group) for row in rows.items] == [["kind"]] * 3


def test_sorted_cut_and_filtered_groups() -> None:
    total = Metric("total", Function.SUM, "price")
    keys = (GroupKey("kind"),)
    rows = aggregate(VIEWS, Aggregation((total,), keys, sort_by="total", descending=False, limit=2))
    assert grouped(*rows.items) == [("b", 2.5), (None, 7)]
    assert rows.total == 3
    having = aggregate(
        VIEWS, Aggregation((COUNT, total), keys, having=(Having("total", "gte", 7), Having("n", "lt", 3)))
    )
    assert grouped(*having.items) == [(None, 1, 7)]
    assert having.total == 1
    named = aggregate(VIEWS, Aggregation((COUNT,), keys, having=(Having("kind", "eq", "a"),)))
    assert grouped(*named.items) == [("a", 3)]


def test_unwound_arrays() -> None:
    rows = aggregate(VIEWS, Aggregation((COUNT,), (GroupKey("tags"),), unwind="metadata.tags", sort_by="n"))
    assert grouped(*rows.items) == [("y", 3), ("x", 2), ("z", 1)]
    nested: list[dict[str, Any]] = [{"a": {"b": [1, 2], "c": 5}}, {"a": {"b": 3, "c": 6}}, {"a": {}}, {}]
    figures = (Metric("b", Function.COLLECT, "a.b"), Metric("c", Function.COLLECT, "a.c"))
    assert aggregate(nested, Aggregation(figures, unwind="a.b")).items[0].metrics == {"b": [1, 2, 3], "c": [5, 5, 6]}
    assert aggregate([{"a.b": [1, 2]}], Aggregation((COUNT,), unwind="a.b")).views == 2


def test_ranges() -> None:
    buckets = RangeBuckets("price", (0, 5, 10), "else")
    views = [{"price": price} for price in (0, 5, 5.1, 10, 11, -1, None, "much", True)]
    rows = aggregate(views, Aggregation((COUNT,), range_buckets=(buckets,)))
    assert grouped(*rows.items) == [("0-5", 2), ("5-10", 2), ("else", 5)]


def test_times() -> None:
    rows = aggregate(VIEWS, Aggregation((COUNT,), (GroupKey("at", "month", date_trunc="month"),)))
    assert grouped(*rows.items) == [
        ("2026-01-01T00:00:00+00:00", 2), ("2026-02-01T00:00:00+00:00", 1), (None, 2),
    ]  # fmt: skip
    days = aggregate(VIEWS, Aggregation((COUNT,), (GroupKey("at", date_part="dayOfWeek"),)))
    # 5 January 2026 is a Monday; 11 January 23:00 at -02:00 is Monday the 12th in UTC; 1 February is a Sunday.
    assert grouped(*days.items) == [(1, 2), (7, 1), (None, 2)]
    seconds = aggregate([{"at": 0}, {"at": 1e99}], Aggregation((COUNT,), (GroupKey("at", date_part="year"),)))
    assert grouped(*seconds.items) == [(1970, 1), (None, 1)]


@pytest.mark.parametrize(
    ("unit", "start", "number"),
    [
        ("year", "2026-01-01T00:00:00Z", 2026), ("month", "2026-03-01T00:00:00Z", 3),
        ("week", "2026-03-02T00:00:00Z", 10), ("day", "2026-03-04T00:00:00Z", 4),
        ("hour", "2026-03-04T05:00:00Z", 5), ("minute", "2026-03-04T05:06:00Z", 6),
        ("second", "2026-03-04T05:06:07Z", 7),
    ],
)  # fmt: skip
def test_units(unit: str, start: str, number: int) -> None:
    moment = instant("2026-03-04T05:06:07.89Z")
    assert moment is not None
    assert truncated(moment, unit) == instant(start)
    assert part(moment, unit) == number
    assert part(moment, "dayOfYear") == 31 + 28 + 4


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (Aggregation((COUNT, COUNT)), "two of them"),
        (Aggregation((COUNT,), sort_by="m"), "there are: n"),
        (Aggregation((COUNT,), having=(Having("m", "eq", 1),)), "not computed"),
        (Aggregation((COUNT,), having=(Having("n", "like", 1),)), "unknown operator"),
        (Aggregation((COUNT,), range_buckets=(RangeBuckets("p", (2, 1)),)), "ascend"),
    ],
)
def test_what_makes_no_sense(wanted: Aggregation, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        aggregate([], wanted)


numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30)


@given(numbers, st.floats(0, 100))
def test_numpy_gives_the_same_percentile(values: list[float], rank: float) -> None:
    assert percentile(values, rank) == pytest.approx(float(np.percentile(values, rank)), abs=1e-6)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=30))
def test_numpy_gives_the_same_variance(values: list[float]) -> None:
    assert variance(values) == pytest.approx(float(np.var(values, ddof=1)), rel=1e-6, abs=1e-6)


@given(st.lists(st.tuples(st.integers(-100, 100), st.integers(-100, 100)), min_size=2, max_size=20))
def test_correlation_is_between_minus_one_and_one(pairs: list[tuple[float, float]]) -> None:
    value = correlation(pairs)
    assert value is None or -1.0 <= value <= 1.0
    assert value == pytest.approx(correlation([(b, a) for a, b in pairs]))


rows_of = st.lists(
    st.tuples(st.sampled_from(["a", "b", None]), st.one_of(st.none(), st.integers(-9, 9))), min_size=1, max_size=30
)


@given(rows_of)
def test_sqlite_gives_the_same_groups(rows: list[tuple[str | None, int | None]]) -> None:
    database = sqlite3.connect(":memory:")
    try:
        database.execute("CREATE TABLE t (kind TEXT, v INTEGER)")
        database.executemany("INSERT INTO t VALUES (?, ?)", rows)
        theirs = database.execute(
            "SELECT kind, count(*), count(v), count(DISTINCT v), coalesce(sum(v), 0), avg(v), min(v), max(v) "
            "FROM t GROUP BY kind HAVING count(*) >= 2 ORDER BY kind NULLS LAST"
        ).fetchall()
    finally:
        database.close()
    functions = ("count_distinct", "sum", "avg", "min", "max")
    metrics = (COUNT, Metric("v", Function.COUNT, "v"), *(Metric(f, Function(f), "v") for f in functions))
    wanted = Aggregation(metrics, (GroupKey("k"),), having=(Having("n", "gte", 2),), sort_by="k", descending=False)
    ours = aggregate([{"k": kind, "v": value} for kind, value in rows], wanted)
    assert grouped(*ours.items) == theirs
