"""Filter, search, order and window of small lists."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import ValidationError
from tamis.services.listing import build_query, parse_sort, select, timestamp

ROWS: list[dict[str, Any]] = [
    {"name": "pears", "size": 3, "metadata": {"team": "Blue"}, "tags": ["a", "b"]},
    {"name": "Apples", "size": 10, "metadata": {"team": "red"}, "tags": []},
    {"name": "plums", "size": 3, "metadata": {}, "description": "dark blue"},
]


def names(**asked: Any) -> list[str]:
    return [row["name"] for row in select(ROWS, lambda row: row, build_query(**asked)).items]


def test_keeps_the_order_it_was_given_where_none_is_asked_for() -> None:
    assert names() == ["pears", "Apples", "plums"]


def test_filters_by_condition_shorthand_and_metadata() -> None:
    assert names(filters={"field": "size", "operator": "gt", "value": 3}) == ["Apples"]
    assert names(filters={"size": 3}) == ["pears", "plums"]
    assert names(filters={"metadata.team": "red"}) == names(filters={"team": "red"}) == ["Apples"]
    assert names(filters={"AND": [{"field": "tags", "operator": "eq", "value": "b"}]}) == ["pears"]


def test_case_sensitivity_holds_for_filters_and_search() -> None:
    assert names(filters={"name": "apples"}) == ["Apples"]
    assert names(filters={"name": "apples"}, case_sensitive=True) == []
    assert names(search="BLUE") == ["pears", "plums"]
    assert names(search="blue", case_sensitive=True) == ["plums"]


def test_sorts_numbers_as_numbers_then_by_the_next_key() -> None:
    assert names(sort=[{"field": "size", "direction": "desc"}, {"field": "name", "direction": "desc"}]) == [
        "Apples",
        "plums",
        "pears",
    ]


def test_rows_without_the_field_come_last_in_both_directions() -> None:
    assert names(sort={"field": "description"})[0] == names(sort="-description")[0] == "plums"


@pytest.mark.parametrize("raw", [{"field": "a", "direction": "desc"}, {"a": "desc"}, {"a": -1}, "-a", ["-a"]])
def test_reads_every_way_to_write_a_sort(raw: Any) -> None:
    assert parse_sort(raw) == (("a", True),)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        ({"field": "a", "direction": "up"}, ["body", "sort", "direction"]),
        ({"field": 3}, ["body", "sort", "field"]),
        ([7], ["body", "sort", 0]),
    ],
)
def test_a_bad_sort_names_its_place(raw: Any, place: list[str | int]) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_sort(raw)
    assert caught.value.problems[0]["loc"] == place


def test_a_pattern_that_is_no_pattern_is_refused_before_the_list_is_read() -> None:
    with pytest.raises(ValidationError) as caught:
        build_query(filters={"field": "name", "operator": "regex", "value": "("})
    assert caught.value.problems[0]["loc"][:2] == ["body", "filters"]


def test_count_only_gives_the_total_alone() -> None:
    page = select(ROWS, lambda row: row, build_query(filters={"size": 3}, count_only=True))
    assert (page.total, list(page.items)) == (2, [])


@given(st.lists(st.integers()), st.integers(1, 7))
def test_windows_tile_the_list(numbers: list[int], limit: int) -> None:
    def window(offset: int) -> list[int]:
        query = build_query(sort="n", limit=limit, offset=offset)
        return list(select(numbers, lambda n: {"n": n}, query).items)

    assert [n for offset in range(0, len(numbers), limit) for n in window(offset)] == sorted(numbers)


def test_timestamps_are_utc_with_milliseconds() -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=timezone(timedelta(hours=2)))
    assert timestamp(moment) == "2026-01-02T01:04:05.678Z"
    assert timestamp(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00.000Z"
    assert timestamp(None) is None
