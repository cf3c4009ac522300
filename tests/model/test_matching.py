import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import ValidationError
from tamis.model.filters import And, Condition, Filter, IdIn, Not, Operator, Or, canonical_path, parse_filter
from tamis.model.instants import instant
from tamis.model.json import JSON
from tamis.model.matching import check_filter, conditions, is_missing, matcher, matches, resolve

SHOE: dict[str, JSON] = {
    "document_id": "doc_1",
    "title": "Trail Running Shoe",
    "price": 90,
    "rating": 4.5,
    "in_stock": True,
    "sold_out": False,
    "tags": ["outdoor", "Sale", 7],
    "sizes": [[38, 39], [42]],
    "released": "2026-01-31T12:00:00+02:00",
    "maker": {"name": "Sole", "country": None, "sites": [{"city": "Ibadan"}, {"city": "Kyoto", "staff": 12}]},
    "notes": None,
    "empty": [],
    "japanese": "日本語の小説です",
    "yoruba": "ọ̀rọ̀ Yorùbá",
}


def holds(raw: Any, view: dict[str, JSON] | None = None) -> bool:
    parsed = parse_filter(raw)
    assert parsed is not None
    return matches(parsed, SHOE if view is None else view)


@pytest.mark.parametrize(
    ("path", "operator", "value", "expected"),
    [
        ("price", "eq", 90, True),
        ("price", "eq", 90.0, True),
        ("price", "eq", "90", False),
        ("metadata.price", "eq", 90, True),
        ("in_stock", "eq", True, True),
        ("in_stock", "eq", 1, False),
        ("price", "eq", True, False),
        ("title", "eq", "trail running shoe", True),
        ("title", "ne", "TRAIL RUNNING SHOE", False),
        ("title", "ne", "boot", True),
        ("nowhere", "ne", "boot", True),
        ("tags", "eq", "outdoor", True),
        ("tags", "ne", "outdoor", False),
        ("tags", "eq", ["OUTDOOR", "sale", 7], True),
        ("tags", "eq", ["sale", "outdoor", 7], False),
        ("sizes", "eq", 42, True),
        ("sizes", "eq", [42], True),
        ("maker", "eq", {"name": "Sole"}, False),
        ("notes", "eq", None, True),
        ("price", "ne", None, True),
        ("price", "gt", 89.5, True),
        ("price", "gt", 90, False),
        ("price", "gte", 90, True),
        ("price", "lt", 91, True),
        ("price", "lte", 89, False),
        ("price", "lt", "91", False),
        ("in_stock", "gte", 0, False),
        ("title", "gt", "Snow boot", True),
        ("nowhere", "gt", 0, False),
        ("sizes", "gt", 41, True),
        ("released", "gte", "2026-01-31T10:00:00Z", True),
        ("released", "gt", "2026-01-31T10:00:00Z", False),
        ("released", "gt", "2026-01-31", True),
        ("released", "lt", "2026-02-01", True),
        ("price", "in", [80, 90], True),
        ("tags", "in", ["SALE"], True),
        ("nowhere", "in", [1, None], True),
        ("price", "in", [], False),
        ("price", "nin", [80, 90], False),
        ("price", "nin", [80], True),
        ("nowhere", "nin", ["x"], True),
        ("title", "contains", "running", True),
        ("tags", "contains", "sale", True),
        ("tags", "contains", "out", False),
        ("sizes", "contains", 39, True),
        ("price", "contains", "9", False),
        ("maker.sites.city", "contains", "yot", True),
        ("title", "starts_with", "trail", True),
        ("title", "ends_with", "SHOE", True),
        ("tags", "starts_with", "out", True),
        ("title", "starts_with", "shoe", False),
        ("title", "regex", "^trail .*shoe$", True),
        ("tags", "regex", "door$", True),
        ("price", "regex", "9", False),
        ("title", "exists", True, True),
        ("nowhere", "exists", True, False),
        ("nowhere", "exists", False, True),
        ("notes", "exists", True, False),
        ("empty", "exists", True, False),
        ("maker.country", "is_null", True, True),
        ("maker.name", "is_null", True, False),
        ("maker.name", "is_null", False, True),
        ("nowhere.deep", "is_null", True, True),
        ("title", "text", "shoe trail", True),
        ("title", "text", "shoe trai", False),
        ("japanese", "text", "小説", True),
        ("japanese", "text", "小話", False),
        ("yoruba", "text", "ọ̀rọ̀", True),
        ("yoruba", "text", "yorùbá ọ̀rọ̀", True),
        ("maker.sites.city", "eq", "kyoto", True),
        ("maker.sites.staff", "gte", 12, True),
        ("maker.name.deeper", "exists", True, False),
    ],
)
def test_each_operator_on_one_document(path: str, operator: str, value: JSON, expected: bool) -> None:
    assert holds({"field": path, "operator": operator, "value": value}) is expected


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("eq", "trail running shoe"), ("in", ["trail running shoe"]), ("contains", "running"), ("starts_with", "trail"),
        ("ends_with", "shoe"), ("text", "trail"), ("regex", "trail"),
    ],
)  # fmt: skip
def test_case_counts_only_where_asked(operator: str, value: JSON) -> None:
    condition = {"field": "title", "operator": operator, "value": value}
    assert holds(condition)
    assert not holds({**condition, "case_sensitive": True})
    assert not holds({"AND": [condition], "case_sensitive": True})


def test_case_folds_by_unicode() -> None:
    assert holds({"street": "STRASSE"}, {"street": "Straße"})


def test_groups_nest() -> None:
    raw = {
        "AND": [
            {"field": "price", "operator": "lt", "value": 100},
            {"OR": [{"field": "maker.name", "value": "Blade"}, {"field": "tags", "value": "sale"}]},
        ],
        "NOT": [{"field": "title", "operator": "contains", "value": "boot"}],
    }
    assert holds(raw)
    assert not holds({**raw, "NOT": [{"field": "in_stock", "value": True}]})


def test_a_missing_field_is_true_under_not() -> None:
    assert holds({"NOT": [{"field": "nowhere", "operator": "gt", "value": 1}]})
    assert holds({"NOT": [{"field": "nowhere", "operator": "eq", "value": 1}]})


def test_shorthands() -> None:
    assert holds({"price": {"$gte": 90, "lt": 91}, "title": "trail running shoe"})
    assert not holds({"price": {"$gt": 90}})


def test_ids() -> None:
    assert matches(IdIn(frozenset({"doc_1"})), SHOE)
    assert not matches(IdIn(frozenset({"doc_2"})), SHOE)


@pytest.mark.parametrize("pattern", ["(", "((a{100}){100}){100}", r"a(?=b)", r"(a)\1", 7])
def test_a_pattern_that_re2_refuses_is_named(pattern: Any) -> None:
    parsed = parse_filter({"OR": [{"field": "title", "operator": "regex", "value": pattern}]})
    with pytest.raises(ValidationError, match=re.escape("body.filters")) as caught:
        check_filter(parsed, ["body", "filters"])
    assert caught.value.problems[0]["loc"] == ["body", "filters"]


def test_a_hostile_pattern_takes_linear_time() -> None:
    assert not holds({"text": {"regex": "(a+)+$"}}, {"text": "a" * 50_000 + "b"})


def test_paths_lead_through_arrays_and_stop_at_scalars() -> None:
    assert resolve(SHOE, "maker.sites.city") == ["Ibadan", "Kyoto"]
    assert resolve(SHOE, "sizes") == [[[38, 39], [42]]]
    assert resolve(SHOE, "title.length") == []
    assert resolve({"a.b": 1}, "a.b") == [1]
    assert canonical_path("metadata.price") == "price"
    assert is_missing(resolve(SHOE, "maker.country"))


def test_a_text_is_an_instant_only_where_it_is_one() -> None:
    assert instant("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    assert instant("2026-01-31t10:00:00z") == datetime(2026, 1, 31, 10, tzinfo=UTC)
    assert [instant(text) for text in ("", "20260131", "2026-13-01", "2026-W05-1", "2026-01-31x", "1999-1-1")] == [
        None
    ] * 6
    assert instant("0001-01-01T00:00:00+14:00") is None


SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 3), st.floats(-3, 3), st.sampled_from(["a", "A", "ab", ""])
)
VALUES: st.SearchStrategy[Any] = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=4)
PATHS = st.sampled_from(["a", "b", "a.b", "b.a"])
VIEWS = st.dictionaries(
    st.sampled_from(["a", "b"]), st.one_of(VALUES, st.dictionaries(st.sampled_from(["a", "b"]), VALUES)), max_size=2
)


@st.composite
def one_condition(draw: st.DrawFn) -> Condition:
    operator = draw(st.sampled_from([one for one in Operator if one is not Operator.REGEX]))
    value: Any
    if operator in (Operator.IN, Operator.NIN):
        value = draw(st.lists(SCALARS, max_size=3))
    elif operator in (Operator.EXISTS, Operator.IS_NULL):
        value = draw(st.booleans())
    else:
        value = draw(SCALARS)
    return Condition(draw(PATHS), operator, value, draw(st.booleans()))


FILTERS: st.SearchStrategy[Filter] = st.recursive(
    one_condition(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda children: And(tuple(children))),
        st.lists(inner, max_size=3).map(lambda children: Or(tuple(children))),
        inner.map(Not),
    ),
    max_leaves=6,
)


@given(FILTERS, VIEWS)
def test_a_matcher_matches_the_same(one: Filter, view: dict[str, JSON]) -> None:
    assert matcher(one)(view) is matches(one, view)


@given(FILTERS, VIEWS)
def test_not_is_the_opposite(one: Filter, view: dict[str, JSON]) -> None:
    assert matches(Not(one), view) is not matches(one, view)
    assert len(list(conditions(Not(one)))) == len(list(conditions(one)))


@given(st.lists(FILTERS, max_size=3), VIEWS)
def test_de_morgan(children: list[Filter], view: dict[str, JSON]) -> None:
    neither = And(tuple(Not(child) for child in children))
    assert matches(Not(Or(tuple(children))), view) is matches(neither, view)


@given(PATHS, SCALARS, st.booleans(), VIEWS)
def test_opposites(path: str, value: Any, exact: bool, view: dict[str, JSON]) -> None:
    def one(operator: Operator, wanted: Any) -> bool:
        return matches(Condition(path, operator, wanted, exact), view)

    assert one(Operator.NE, value) is not one(Operator.EQ, value)
    assert one(Operator.IN, [value]) is one(Operator.EQ, value)
    assert one(Operator.NIN, [value]) is one(Operator.NE, value)
    assert one(Operator.IS_NULL, True) is one(Operator.EXISTS, False)
    assert one(Operator.EXISTS, True) is one(Operator.NE, None)


@given(st.integers() | st.floats(allow_nan=False), st.integers() | st.floats(allow_nan=False))
def test_numbers_are_ordered(left: float, right: float) -> None:
    def one(operator: Operator) -> bool:
        return matches(Condition("n", operator, right), {"n": left})

    assert [one(Operator.LT), one(Operator.EQ), one(Operator.GT)].count(True) == 1
    assert one(Operator.LTE) is (one(Operator.LT) or one(Operator.EQ))
    assert one(Operator.GTE) is (one(Operator.GT) or one(Operator.EQ))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1)), st.integers(-12, 14), st.integers(-12, 14))
def test_the_zone_that_an_instant_is_written_in_does_not_matter(moment: datetime, here: int, there: int) -> None:
    utc = moment.replace(tzinfo=UTC)
    left, right = (utc.astimezone(timezone(timedelta(hours=hours))).isoformat() for hours in (here, there))
    assert matches(Condition("at", Operator.GTE, left), {"at": right})
    assert matches(Condition("at", Operator.LTE, left), {"at": right})
    assert not matches(Condition("at", Operator.LT, left), {"at": right})
