"""Rows in and out: pandas, Arrow, and whatever speaks Arrow's stream interface, as Polars and DuckDB do.

Neither library is needed until one of its kind is asked for.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

if TYPE_CHECKING:
    import pandas
    import pyarrow

_CHUNK_ROWS = 1000
_PLACED = ("metadata", "scores", "document_id", "score")


class ArrowStream(Protocol):
    """A table of any library that shares Arrow's memory."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Rows: TypeAlias = "Iterable[Mapping[str, Any]] | pandas.DataFrame | ArrowStream"
"""Rows as mappings, a DataFrame (its index is left out), an Arrow table or record batches, a Polars frame."""


def to_pandas(rows: Sequence[Mapping[str, Any]]) -> pandas.DataFrame:
    """A column for every name that any row has, in the order of their appearance."""
    import pandas

    return pandas.DataFrame(_columns(rows))


def to_arrow(rows: Sequence[Mapping[str, Any]]) -> pyarrow.Table:
    """As `to_pandas`. A column whose values have no one type is JSON text."""
    import pyarrow

    return pyarrow.table({name: _array(values) for name, values in _columns(rows).items()})


def result_rows(documents: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Documents that an execution returned, flat: `rank`, `document_id`, `score`, fields, and `score:NAME` of the rest.

    Fields stand at a document's root and once more in its `metadata`; what is null in all of them is left out.
    """
    rows = [_result_row(rank, document) for rank, document in enumerate(documents, start=1)]
    said = {name for row in rows for name, value in row.items() if value is not None}
    return [{name: value for name, value in row.items() if name in said} for row in rows]


def _result_row(rank: int, document: Mapping[str, Any]) -> dict[str, Any]:
    fields = {name: value for name, value in document.items() if name not in _PLACED}
    scores = {f"score:{name}": value for name, value in (document.get("scores") or {}).items()}
    return {"rank": rank, "document_id": document["document_id"], "score": document["score"], **fields, **scores}


def json_lines(rows: Rows) -> Iterator[bytes]:
    """One JSON object a line, a thousand rows at a time. What is not there (None, NaN, NaT) is null.

    Raises: TypeError for what is neither rows nor a table, or holds what JSON does not know.
    """
    lines: list[str] = []
    for row in _mappings(rows):
        if not isinstance(row, Mapping):
            raise TypeError(f"a row is a mapping of names to values, not {type(row).__name__}")
        lines.append(json.dumps({str(name): _plain(value) for name, value in row.items()}, allow_nan=False))
        if len(lines) == _CHUNK_ROWS:
            yield ("\n".join(lines) + "\n").encode()
            lines = []
    if lines:
        yield ("\n".join(lines) + "\n").encode()


def _mappings(rows: Any) -> Iterator[Any]:
    if hasattr(rows, "iloc"):
        for start in range(0, len(rows), _CHUNK_ROWS):
            yield from rows.iloc[start : start + _CHUNK_ROWS].to_dict("records")
    elif hasattr(rows, "__arrow_c_stream__"):
        yield from _arrow_rows(rows)
    elif isinstance(rows, Mapping | str | bytes) or not isinstance(rows, Iterable):
        raise TypeError(f"rows are an iterable of mappings or a table, not {type(rows).__name__}")
    else:
        yield from rows


def _arrow_rows(table: Any) -> Iterator[Any]:
    import pyarrow

    for batch in pyarrow.table(table).to_batches(max_chunksize=_CHUNK_ROWS):
        yield from batch.to_pylist()


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _array(values: list[Any]) -> pyarrow.Array:
    import pyarrow

    try:
        return pyarrow.array(values)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError, OverflowError):
        return pyarrow.array([None if value is None else json.dumps(value) for value in values])


def _plain(value: Any) -> Any:
    """As JSON knows it."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, datetime.date | datetime.time):
        # NaT is a datetime that is no moment.
        return value.isoformat() if value == value else None
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return [_plain(one) for one in value]
    return _strange(value)


def _strange(value: Any) -> Any:
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if type(value).__name__ == "Decimal":
        return float(value)
    raise TypeError(f"JSON has no {type(value).__name__}")
