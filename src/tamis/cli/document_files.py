"""Files of documents: JSON lines as the server sends and takes them, and Parquet tables as the same lines."""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from tamis.cli.terminal import fail
from tamis.client.tables import json_lines

_PIECE_BYTES = 1 << 20
_ROWS = 1000


def is_table(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def pieces_of(path: Path) -> Iterator[bytes]:
    """Its documents as JSON lines."""
    if is_table(path):
        yield from json_lines(_members(row) for row in _rows(path))
        return
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def first_of(path: Path) -> Any:
    """The first document's members. Raises: orjson.JSONDecodeError."""
    if is_table(path):
        return next((_members(row) for row in _rows(path)), None)
    with path.open("rb") as file:
        return orjson.loads(next((line for line in file if line.strip()), b""))


def last_id(path: Path) -> str:
    """Of the last whole line; what a break left of one behind it is cut off. Empty where there is none."""
    with path.open("r+b") as file:
        end, last = 0, b""
        for line in file:
            if not line.endswith(b"\n"):
                break
            end, last = end + len(line), line
        file.truncate(end)
    try:
        return str(orjson.loads(last)["document_id"]) if last else ""
    except (orjson.JSONDecodeError, KeyError, TypeError):
        fail(f"{path}: its last line is no document: this is no file of an export")


def _rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        fail("a Parquet file is read with pyarrow: pip install 'tamis[tables]'")
    try:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=_ROWS):
            yield from batch.to_pylist()
    except pyarrow.ArrowInvalid as error:
        fail(f"{path}: this is no Parquet file: {error}")


def _members(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of an export's row; of any other, each column is a field."""
    whole = "_created_at" in row
    said: dict[str, Any] = {}
    vectors: dict[str, Any] = {}
    for name, value in row.items():
        kind, _, rest = name.partition(".")
        if kind == "vectors" and rest:
            vectors |= {rest: _vector(value)} if value is not None else {}
        elif whole and name in ("metadata", "lineage_chain"):
            said |= {name: orjson.loads(value)} if value is not None else {}
        elif not (whole and kind == "metadata") and (value is not None or not whole):
            said[name] = value
    return {**said, "vectors": vectors}


def _vector(value: Any) -> Any:
    if isinstance(value, list) and value and not isinstance(value[0], list):
        return b64encode(np.asarray(value, "<f4").tobytes()).decode()
    return value
