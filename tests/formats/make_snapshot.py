"""Make the sample of a snapshot's part that this version writes.

    python -m tests.formats.make_snapshot

writes `snapshot_<format>/part.msgpack` and, beside it, what every later version has to read from it. Run it once for
each format and commit both; a sample that is there is never made again.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from tamis.model.snapshot import FORMAT
from tamis.model.vector import Sparse, Vector
from tamis.services.data.snapshot_rows import Row, parts_of
from tamis.testing.metadata_contract import samples

HERE = Path(__file__).parent / f"snapshot_{FORMAT}"


def rows() -> list[Row]:
    """One of every kind."""
    write = samples.write(1)
    return [
        Row("namespace", samples.namespace()),
        Row("taxonomy", samples.taxonomy()),
        Row("bucket", samples.bucket()),
        Row("collection", replace(samples.collection(), revision=0)),
        Row("object", samples.object_(1)),
        Row("document", write.document, write.vectors),
        Row("retriever", samples.retriever()),
    ]


def plain(found: list[Row]) -> Any:
    """As JSON values."""
    return [
        {
            "kind": row.kind,
            "value": msgspec.to_builtins(row.value),
            "vectors": {name: _values(one) for name, one in (row.vectors or {}).items()},
        }
        for row in found
    ]


def _values(vector: Vector) -> dict[str, Any]:
    indices = vector.indices.tolist() if isinstance(vector, Sparse) else None
    return {"kind": type(vector).__name__, "values": vector.values.tolist(), "indices": indices}


def main() -> None:
    if HERE.exists():
        raise SystemExit(f"{HERE} exists already")
    HERE.mkdir()
    ((part, _),) = parts_of(iter(rows()))
    (HERE / "part.msgpack").write_bytes(part)
    (HERE / "rows.json").write_bytes(msgspec.json.format(msgspec.json.encode(plain(rows()))))


if __name__ == "__main__":
    main()
