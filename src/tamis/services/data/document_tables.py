"""Documents as a Parquet table. The columns follow from all of the documents, so that they are written down first."""

import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

import numpy as np
import orjson

from tamis.errors import NotSetUpError
from tamis.model.collection import Collection
from tamis.model.vector import FeatureSpec, VectorKind
from tamis.services.data.document_lines import CREATED_AT, LINEAGE, UPDATED_AT, line_of

FIELDS, VECTORS = "metadata", "vectors"
"""`metadata`: all of a document's fields, as JSON; `metadata.NAME`: one of them for whoever computes with it."""
MOST_COLUMNS = 1000
_ROWS = 2000
_INT64 = range(-(2**63), 2**63)


def require_tables() -> None:
    """Raises: NotSetUpError."""
    if find_spec("pyarrow") is None:
        raise NotSetUpError("Parquet (pip install 'tamis[tables]'; or take format=jsonl)")


@dataclass(frozen=True, slots=True)
class TableFile:
    """Closed by whoever reads it; there is nothing of it afterwards."""

    collection_id: str
    file: IO[bytes]
    size_bytes: int


class TableMaking:
    """In one thread at a time. Memory: some thousand documents, however many there are."""

    def __init__(self, collection: Collection, vectors: bool, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._features = collection.features if vectors else ()
        self._folder = folder
        self._collection_id = collection.collection_id
        self._kinds: dict[str, str] = {}
        self._lines = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as this is

    def add(self, page: Sequence[Mapping[str, Any]]) -> None:
        """page: documents, as the members of their lines."""
        for members in page:
            self._lines.write(line_of(members))
            for name, value in members[FIELDS].items():
                self._see(name, value)

    def finish(self) -> TableFile:
        import pyarrow
        import pyarrow.parquet

        columns = _columns(self._features, self._kinds)
        schema = pyarrow.schema([(column.name, column.kind) for column in columns])
        with ExitStack() as stack:
            table = stack.enter_context(tempfile.TemporaryFile(dir=self._folder))
            with pyarrow.parquet.ParquetWriter(table, schema, compression="zstd") as writer:
                for rows in self._rows():
                    writer.write_batch(_batch(rows, schema, columns))
            size_bytes = table.tell()
            table.seek(0)
            stack.pop_all()
        return TableFile(self._collection_id, table, size_bytes)

    def close(self) -> None:
        self._lines.close()

    def _see(self, name: str, value: Any) -> None:
        before = self._kinds.get(name)
        if before is None and len(self._kinds) >= MOST_COLUMNS:
            return
        kind = _kind(value)
        if before in (None, "null"):
            self._kinds[name] = kind
        elif kind not in (before, "null"):
            self._kinds[name] = "float64" if {before, kind} == {"int64", "float64"} else "json"

    def _rows(self) -> Iterator[list[dict[str, Any]]]:
        self._lines.seek(0)
        while lines := list(islice(self._lines, _ROWS)):
            yield [orjson.loads(line) for line in lines]


def _kind(value: Any) -> str:
    """Of a column; `json` for what is no single value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int64" if value in _INT64 else "json"
    return "float64" if isinstance(value, float) else "string" if isinstance(value, str) else "json"


@dataclass(frozen=True, slots=True)
class _Column:
    """kind: pyarrow's.  value: of a line's members."""

    name: str
    kind: Any
    value: Callable[[Mapping[str, Any]], Any]


def _columns(features: Sequence[FeatureSpec], kinds: Mapping[str, str]) -> list[_Column]:
    import pyarrow

    moment, text = pyarrow.timestamp("us", tz="UTC"), pyarrow.string()
    plain = {"bool": pyarrow.bool_(), "int64": pyarrow.int64(), "float64": pyarrow.float64()}
    numbers = pyarrow.list_(pyarrow.float32())
    sparse = pyarrow.struct([("indices", pyarrow.list_(pyarrow.uint32())), ("values", numbers)])
    of_kind = {VectorKind.DENSE: numbers, VectorKind.MULTI_DENSE: pyarrow.list_(numbers), VectorKind.SPARSE: sparse}
    return [
        _Column("document_id", text, itemgetter("document_id")),
        *(_Column(name, moment, partial(_moment, name)) for name in (CREATED_AT, UPDATED_AT)),
        *(_Column(name, text, partial(_member, name)) for name in LINEAGE),
        *(_Column(name, text, partial(_as_json, name)) for name in ("lineage_chain", FIELDS)),
        *(
            _Column(f"{FIELDS}.{name}", plain.get(kind, text), partial(_field, name, kind))
            for name, kind in sorted(kinds.items())
        ),
        *(_Column(f"{VECTORS}.{spec.name}", of_kind[spec.kind], partial(_numbers, spec)) for spec in features),
    ]


def _batch(rows: Sequence[Mapping[str, Any]], schema: Any, columns: Sequence[_Column]) -> Any:
    import pyarrow

    arrays = [pyarrow.array([column.value(row) for row in rows], column.kind) for column in columns]
    return pyarrow.record_batch(arrays, schema=schema)


def _moment(name: str, row: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(row[name])


def _member(name: str, row: Mapping[str, Any]) -> Any:
    return row.get(name)


def _as_json(name: str, row: Mapping[str, Any]) -> str | None:
    return orjson.dumps(row[name]).decode() if name in row else None


def _field(name: str, kind: str, row: Mapping[str, Any]) -> Any:
    value = row[FIELDS].get(name)
    return orjson.dumps(value).decode() if kind == "json" and value is not None else value


def _numbers(spec: FeatureSpec, row: Mapping[str, Any]) -> Any:
    value = row.get(VECTORS, {}).get(spec.name)
    if not isinstance(value, str):
        return value
    rows = np.frombuffer(b64decode(value), "<f4")
    return list(rows.reshape(-1, spec.dimensions or 1)) if spec.kind is VectorKind.MULTI_DENSE else rows
