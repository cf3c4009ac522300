"""What is written into a file is what is read from it, whatever documents hold."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.api.document_imports import read_lines
from tamis.cli.document_files import pieces_of
from tamis.errors import ValidationError
from tamis.model.document import Document, DocumentWrite, Lineage, LineageStep
from tamis.model.vector import Dense, FeatureSpec, MultiDense, Sparse, Vector, VectorKind
from tamis.services.data.document_imports import prepared
from tamis.services.data.document_lines import line_of, members_of, origin_of
from tamis.services.data.document_tables import TableMaking
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import same_vectors

_COLLECTION = replace(
    samples.collection("round"),
    features=(
        FeatureSpec("look", VectorKind.DENSE, 3),
        FeatureSpec("tokens", VectorKind.MULTI_DENSE, 2),
        FeatureSpec("words", VectorKind.SPARSE),
    ),
)
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_name = st.sampled_from(["a", "b", "größe", "created_at", "vectors", "metadata", "source_type"]) | _text.filter(
    lambda name: "." not in name
)
_leaf = (
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | _text | st.datetimes().map(datetime.isoformat)
)  # fmt: skip
_value = st.recursive(_leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3))
_number = st.floats(-1e6, 1e6, width=32)
_moment = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
_id = st.none() | _text.filter(bool)


def _rows(rows: list[list[float]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.asarray(rows, "<f4")


def _sparse(values: dict[int, float]) -> Sparse:
    indices = sorted(values)
    return Sparse(np.asarray(indices, np.uint32), np.asarray([values[one] for one in indices], np.float32))


_vectors: st.SearchStrategy[dict[str, Vector]] = st.fixed_dictionaries(
    {},
    optional={
        "look": st.lists(_number, min_size=3, max_size=3).map(lambda row: Dense(np.asarray(row, "<f4"))),
        "tokens": st.lists(st.lists(_number, min_size=2, max_size=2), min_size=1, max_size=3).map(
            lambda rows: MultiDense(_rows(rows))
        ),
        "words": st.dictionaries(st.integers(0, 2**32 - 1), _number, min_size=1, max_size=3).map(_sparse),
    },
)
_lineage = st.builds(
    Lineage,
    source_type=st.sampled_from(["bucket", "collection"]), root_bucket_id=_id, root_object_id=_id, source_object_id=_id,
    source_collection_id=_id, source_document_id=_id, path=_id,
    chain=st.lists(st.builds(LineageStep, _text, _text, _moment, _id), max_size=2).map(tuple),
)  # fmt: skip


@st.composite
def _writes(draw: st.DrawFn) -> list[DocumentWrite]:
    count = draw(st.integers(1, 4))
    found = []
    for number in range(count):
        created_at = draw(_moment)
        document = Document(
            f"doc_{number:032x}", _COLLECTION.collection_id, draw(st.dictionaries(_name, _value, max_size=4)),
            created_at, created_at + timedelta(microseconds=draw(st.integers(0, 10**12))), draw(_lineage),
        )  # fmt: skip
        found.append(DocumentWrite(document, draw(_vectors)))
    return found


def _written(path: Path, writes: list[DocumentWrite]) -> Path:
    members = [members_of(write, with_vectors=True) for write in writes]
    if path.suffix == ".jsonl":
        path.write_bytes(b"".join(map(line_of, members)))
        return path
    making = TableMaking(_COLLECTION, True, path.parent)
    try:
        making.add(members)
        table = making.finish()
    finally:
        making.close()
    with table.file as file:
        path.write_bytes(file.read())
    assert path.stat().st_size == table.size_bytes
    return path


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(writes=_writes())
def test_documents_come_back_as_they_were(tmp_path: Path, kind: str, writes: list[DocumentWrite]) -> None:
    path = _written(tmp_path / f"documents.{kind}", writes)
    lines = b"".join(pieces_of(path)).splitlines()
    brought, errors = prepared(_COLLECTION, read_lines(lines, 1))
    assert errors == []
    assert [one.write.document for one in brought.values()] == [write.document for write in writes]
    for one, write in zip(brought.values(), writes, strict=True):
        assert same_vectors(one.write.vectors, write.vectors)


def test_a_tables_columns_are_what_all_documents_hold_in_them(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"whole": 1, "number": 1, "mixed": "a", "empty": None, "flag": True, "large": 2**63},
        {"number": 2.5, "mixed": 7, "flag": None, "nested": {"a": [1]}},
    ]
    first = Document(
        f"doc_{1:032x}", _COLLECTION.collection_id, rows[0], created_at=samples.NOW, updated_at=samples.NOW
    )
    writes = [DocumentWrite(first), DocumentWrite(replace(first, document_id=f"doc_{2:032x}", fields=rows[1]))]
    table = pyarrow.parquet.read_table(_written(tmp_path / "some.parquet", writes)).to_pydict()
    shown = {
        name: table[f"metadata.{name}"] for name in ("whole", "number", "mixed", "empty", "flag", "nested", "large")
    }
    assert shown == {
        "whole": [1, None], "number": [1.0, 2.5], "mixed": ['"a"', "7"], "empty": [None, None],
        "flag": [True, None], "nested": [None, '{"a":[1]}'], "large": [str(2**63), None],
    }  # fmt: skip
    assert table["_created_at"] == [samples.NOW] * 2


def test_a_table_of_somebody_else_has_fields_and_vectors_for_columns(tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    columns = {"title": ["x", None], "metadata": ["plain", "text"], "vectors.look": [[1.0, 2.0, 3.0], None]}
    pyarrow.parquet.write_table(pyarrow.table(columns), path)
    brought, errors = prepared(_COLLECTION, read_lines(b"".join(pieces_of(path)).splitlines(), 1))
    assert [error.message for error in errors] == ["body.metadata: an object of fields"] * 2
    pyarrow.parquet.write_table(pyarrow.table(columns).drop_columns("metadata"), path)
    brought, errors = prepared(_COLLECTION, read_lines(b"".join(pieces_of(path)).splitlines(), 1))
    assert (errors, [one.write.document.fields for one in brought.values()]) == ([], [{"title": "x"}, {"title": None}])
    assert [sorted(one.write.vectors) for one in brought.values()] == [["look"], []]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"source_type": "shelf"}, "source_type"),
        ({"root_object_id": 7}, "root_object_id"),
        ({"lineage_chain": [{"collection_id": "col_1"}]}, "lineage_chain"),
        ({"_created_at": "yesterday"}, "_created_at"),
        ({"_created_at": "2026-01-01T00:00:00"}, "_created_at"),
        ({"_created_at": "0001-01-01T00:00:00+10:00"}, "_created_at"),
        ({"_updated_at": "2026-01-01T00:00:00Z"}, "goes with it"),
        ({"_created_at": "2026-01-02T00:00:00Z", "_updated_at": "2026-01-01T00:00:00Z"}, "not before _created_at"),
    ],
)
def test_a_line_that_tells_nonsense_of_its_document_says_where(body: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        origin_of(body)


def test_numbers_that_are_none_are_refused() -> None:
    found, errors = prepared(_COLLECTION, read_lines([b'{"x": NaN}', b'{"x": 1e999}', b'{"x": %d}' % 2**70], 1))
    assert (found, [error.number for error in errors]) == ({}, [1, 2, 3])
