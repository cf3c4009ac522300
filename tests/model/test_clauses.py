from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tamis.model.clauses import Clause, deciding, leaves
from tamis.model.edits import Edit, applied, value_at
from tamis.model.filter_edits import admitting, places
from tamis.model.filters import And, Condition, Filter, IdIn, Not, parse_filter
from tamis.model.json import JSON
from tamis.model.matching import conditions, matches

SHOE: dict[str, JSON] = {"document_id": "doc_1", "price": 90, "brand": "Sole", "tags": ["road", "trail"], "stock": None}

_VALUES = st.sampled_from([5, 90, 120.5, "Sole", "Blade", "road", "doc_1", "", "2026-01-01", True, None])
_FIELDS = st.sampled_from(["price", "brand", "tags", "stock", "metadata.price", "document_id", "nowhere.at.all"])
_COMPARED = st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte", "contains", "starts_with", "ends_with", "text"])


@st.composite
def _full(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(st.one_of(_COMPARED, st.sampled_from(["in", "nin", "exists", "is_null"])))
    value: Any = draw(_VALUES)
    if operator in ("in", "nin"):
        value = draw(st.lists(_VALUES, max_size=3))
    elif operator in ("exists", "is_null"):
        value = draw(st.booleans())
    return {"field": draw(_FIELDS), "operator": operator, "value": value}


@st.composite
def _short(draw: st.DrawFn) -> dict[str, Any]:
    held: st.SearchStrategy[Any] = st.one_of(
        _VALUES.filter(lambda one: one is not None),
        st.dictionaries(_COMPARED.map(lambda o: f"${o}"), _VALUES, min_size=1),
    )
    fields = _FIELDS.filter(lambda field: "nowhere" not in field)
    return draw(st.dictionaries(fields, held, min_size=1, max_size=2))


def _groups(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    children = st.lists(inner, min_size=1, max_size=3)
    return st.dictionaries(st.sampled_from(["AND", "OR", "NOT", "and"]), children, min_size=1, max_size=2)


RAW = st.one_of(st.recursive(st.one_of(_full(), _short()), _groups, max_leaves=8), st.lists(_full(), max_size=3))
VIEWS = st.fixed_dictionaries(
    {"document_id": st.just("doc_1")},
    optional={
        "price": st.sampled_from([5, 90, 200, "90", None]),
        "brand": st.sampled_from(["Sole", "Blade", "", None]),
        "tags": st.lists(st.sampled_from(["road", "trail", 5]), max_size=3),
        "stock": st.booleans(),
    },
)


def _turned(filter: Filter, wrong: set[int], view: dict[str, Any]) -> bool:
    """The filter with the leaves at these positions coming out the other way."""
    position = -1

    def holds(one: Filter) -> bool:
        nonlocal position
        if isinstance(one, Condition | IdIn):
            position += 1
            return matches(one, view) != (position in wrong)
        if isinstance(one, Not):
            return not holds(one.child)
        found = [holds(child) for child in one.children]
        return all(found) if isinstance(one, And) else any(found)

    return holds(filter)


@given(RAW, VIEWS)
def test_the_deciding_clauses_went_wrong_and_turning_them_all_makes_the_filter_match(raw: Any, view: Any) -> None:
    filter = parse_filter(raw)
    found = deciding(filter, view) if filter else ()
    assert bool(found) != (filter is None or matches(filter, view))
    if filter is None:
        return
    every = leaves(filter)
    assert all(every[clause.position] is clause.leaf for clause in found)
    assert all(matches(clause.leaf, view) == clause.holds for clause in found)
    wrong = {clause.position for clause in found}
    assert _turned(filter, wrong, view)
    for one in wrong:
        assert not _turned(filter, wrong - {one}, view)


@given(RAW, VIEWS)
def test_the_edits_let_the_document_in_and_shut_out_none_that_was_in(raw: Any, view: Any) -> None:
    edits = admitting(raw, view)
    before = parse_filter(raw)
    assert bool(edits) == (before is not None and not matches(before, view))
    for edit in edits:
        assert value_at(raw, edit.path) == edit.before
    after = parse_filter(applied(raw, edits))
    assert after is None or matches(after, view)


@given(RAW, VIEWS, VIEWS)
def test_what_matched_before_an_edit_still_matches(raw: Any, view: Any, other: Any) -> None:
    other = {**other, "document_id": "doc_2"}
    before, after = parse_filter(raw), parse_filter(applied(raw, admitting(raw, view)))
    if before is not None and after is not None and matches(before, other):
        assert matches(after, other)


@given(RAW)
def test_every_condition_has_a_place_in_the_order_read(raw: Any) -> None:
    assert len(list(places(raw))) == len(list(conditions(parse_filter(raw))))


def _deciding(raw: Any) -> tuple[Clause, ...]:
    filter = parse_filter(raw)
    assert filter is not None
    return deciding(filter, SHOE)


def test_the_smaller_side_of_an_or_decides() -> None:
    both = {"AND": [{"price": {"lt": 50}}, {"brand": "Blade"}]}
    (clause,) = _deciding({"OR": [both, {"tags": "office"}]})
    assert clause.text == "'tags' is any of 'road', 'trail', not eq 'office'"
    (clause,) = _deciding({"AND": [{"NOT": [{"brand": "Sole"}, {"price": {"gt": 100}}]}, {"price": {"lte": 90}}]})
    assert clause.text == "'brand' is 'Sole', and NOT eq 'Sole' is asked"
    assert clause.to_json() == {
        "field": "brand", "operator": "eq", "wanted": "Sole", "negated": True, "actual": ["Sole"],
    }  # fmt: skip
    (clause,) = _deciding({"stock": {"gt": 3}})
    assert clause.text == "'stock' is missing, not gt 3"
    assert deciding(IdIn(frozenset(["doc_2"])), SHOE)[0].text == "it is not among the documents asked for"


def test_a_bound_moves_to_the_value_and_a_value_joins_the_list() -> None:
    low = {"field": "price", "operator": "lt", "value": 20}
    assert admitting({"AND": [low]}, SHOE) == (Edit(("AND", 0), low, {**low, "operator": "lte", "value": 90}),)
    assert admitting({"price": {"$lte": 20}}, SHOE) == (Edit(("price", "$lte"), 20, 90),)
    assert admitting({"brand": "Blade"}, SHOE) == (Edit(("brand",), "Blade", {"in": ["Blade", "Sole"]}),)
    one = {"field": "stock", "operator": "gt", "value": 3}
    alone = {"OR": [one, {"field": "document_id", "operator": "eq", "value": "doc_1"}]}
    assert admitting([one], SHOE) == (Edit((0,), one, alone),)


def test_an_item_is_taken_out_by_nothing_in_its_place() -> None:
    assert applied({"a": [1, 2]}, (Edit(("a", 0), 1, None),)) == {"a": [2]}
    assert applied({"a": 1}, (Edit(("a",), 1, None),)) == {"a": None}
