"""A hit's view, whole and in part."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tamis.model.document import Document, Lineage
from tamis.model.filters import parse_filter
from tamis.model.hits import Hit
from tamis.model.matching import looked_at, matches

NAMES = ["price", "a", "a.b", "score", "document_id", "collection_id", "root_object_id", "lineage_path", "added"]
AT = datetime(2026, 1, 1, tzinfo=UTC)
fields: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from([*NAMES, "other"]), st.none() | st.integers(0, 3) | st.just({"b": 2}) | st.just([{"b": 1}])
)


@st.composite
def hits(draw: st.DrawFn) -> Hit:
    document = Document("doc_1", "col_1", draw(fields), AT, AT, Lineage(root_object_id="obj_1"))
    return Hit("doc_1", 0.5, draw(st.sampled_from([document, None])), {}, draw(fields))


@given(hits(), st.frozensets(st.sampled_from(NAMES)))
def test_a_part_is_what_the_view_has_under_these_names(hit: Hit, names: frozenset[str]) -> None:
    assert hit.part(names) == {name: value for name, value in hit.view().items() if name in names}


@given(hits(), st.sampled_from(NAMES), st.sampled_from(["eq", "ne", "gte", "in"]), st.integers(0, 3))
def test_what_a_filter_looks_at_is_enough_to_match(hit: Hit, path: str, operator: str, value: int) -> None:
    wanted = parse_filter(
        {"NOT": [{"field": path, "operator": operator, "value": [value] if operator == "in" else value}]}, ["filters"]
    )
    assert wanted is not None
    assert matches(wanted, hit.part(looked_at(wanted))) == matches(wanted, hit.view())
