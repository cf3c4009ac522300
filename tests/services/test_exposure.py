"""What leaves of a document is what was named, wherever it lies."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.model.document import BlobRef
from tamis.model.hits import Hit
from tamis.services.public.exposure import exposed
from tests.engine.stages.shop import document, hit

FIELDS: dict[str, Any] = {
    "title": "shoes",
    "cost": 31,
    "maker": {"name": "Sole", "bank": {"iban": "x", "city": "Bern"}},
    "offers": [{"price": 1, "margin": 2}, {"price": 3}, "none"],
    "picture": "blob://bkt/1.png",
    "files": {"a": ["blob://bkt/2.png", "https://elsewhere.example/3.png"]},
}


def link(url: str, content_type: str | None, filename: str | None) -> str | None:
    return url.replace("blob://", "https://here.example/") if url.startswith("blob://") else url


def shown(*fields: str, **extra: Any) -> dict[str, Any]:
    (one,) = exposed([hit("doc_1", 0.5, **FIELDS).with_extra(**extra)], fields, link)
    assert (one.pop("document_id"), one.pop("score")) == ("doc_1", 0.5)
    return one


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ((), {}),
        (("title", "metadata.cost"), {"title": "shoes", "cost": 31}),
        (("maker.name",), {"maker": {"name": "Sole"}}),
        (("maker.name", "maker.bank.city"), {"maker": {"name": "Sole", "bank": {"city": "Bern"}}}),
        (("maker.bank.city", "maker.name"), {"maker": {"name": "Sole", "bank": {"city": "Bern"}}}),
        (("offers.price",), {"offers": [{"price": 1}, {"price": 3}, {}]}),
        (("title.of.nothing", "nowhere", "maker.nothing"), {"maker": {}}),
        (("picture",), {"picture": "https://here.example/bkt/1.png"}),
        (("files",), {"files": {"a": ["https://here.example/bkt/2.png", "https://elsewhere.example/3.png"]}}),
    ],
)
def test_a_path_takes_its_own_part_along(fields: tuple[str, ...], left: dict[str, Any]) -> None:
    assert shown(*fields) == left


def test_what_a_stage_added_is_a_field_like_any_other() -> None:
    assert shown("summary", summary="short", secret="x") == {"summary": "short"}
    assert shown("title", title="renamed") == {"title": "renamed"}


def test_no_field_takes_the_place_of_id_and_score() -> None:
    (one,) = exposed([hit("doc_1", 0.5).with_extra(score=9, document_id="doc_2")], ["score", "document_id"], link)
    assert one == {"document_id": "doc_1", "score": 0.5}


def test_a_row_that_is_no_document_shows_what_is_exposed_of_it() -> None:
    (row,) = exposed([Hit("row_1", 1.0, None, {}, {"count": 3, "brand": "Sole"})], ["count"], link)
    assert row == {"document_id": "row_1", "score": 1.0, "count": 3}


def test_files_are_told_without_where_they_lie() -> None:
    made = document("doc_1")
    blobs = (BlobRef("thumbnail", "blob://bkt/secret-key.png", "image", "thumbnail", content_type="image/png"),)
    (one,) = exposed([Hit("doc_1", 1.0, replace(made, blobs=blobs))], ["document_blobs"], lambda *_: None)
    assert one["document_blobs"] == [
        {"field": "thumbnail", "type": "image", "role": "thumbnail", "content_type": "image/png", "url": None}
    ]


_JSON = st.recursive(
    st.sampled_from(["open", "SECRET"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), _JSON, max_size=3), st.lists(st.sampled_from(["a.a", "b"])))
def test_nothing_but_the_named_paths_leaves(fields: dict[str, Any], paths: list[str]) -> None:
    (one,) = exposed([hit("doc_1", 0.0, **fields)], paths, link)
    assert set(one) - {"document_id", "score"} <= {path.split(".")[0] for path in paths}
    inner = one.get("a")
    if isinstance(inner, dict):
        assert set(inner) <= {"a"}
