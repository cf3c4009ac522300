"""What records and documents cost a PostgreSQL and, put away, a column file: the constants of `scale_model`.

    python -m benchmarks.scale_measures [--records 20000] [--documents 20000] [--database-url URL] [--quick]

Records are those of `record_store` (two stages, ten hits), kept one by one through the store, 64 at a time, as
executions do; documents have a title, a price and 384 dimensions, and are written by the hundred. CPU is that of the
database's processes alone. Bytes are those of its tables with their indexes, and of all of its log (WAL). Without
--database-url a PostgreSQL of this machine is started, with `fsync` off: it is CPU and bytes that are measured here.

Prints JSON. A column file holds the same records by Parquet with zstd, ids and times as columns of their own.
"""

import argparse
import asyncio
import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import psutil
import psycopg
import uvloop
import zstandard
from sqlalchemy import make_url
from tests.servers import a_postgres

from benchmarks.record_store import EPOCH, ME, Maker, own
from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.document import Document, DocumentWrite
from tamis.model.json import JSON
from tamis.model.vector import Dense
from tamis.storage.metadata import open_postgres
from tamis.storage.metadata.execution_rows import row_of

_AT_ONCE = 64
_CHUNK = 100
_DIMENSIONS = 384
_ZSTD = b"\x28\xb5\x2f\xfd"
_LARGEST_BYTES = 1 << 24


class Watched:
    """The database from outside: CPU of its processes, bytes of its tables and of its log."""

    def __init__(self, url: str) -> None:
        parts = make_url(url)
        self._link = psycopg.connect(
            host=parts.host, port=parts.port, user=parts.username, password=parts.password, dbname=parts.database,
            autocommit=True,
        )  # fmt: skip

    def cpu_s(self) -> float:
        """Of a server on this machine: a process that ends takes what it has used with it."""
        (postmaster,) = self._one("SELECT pg_backend_pid()")
        parent = psutil.Process(int(postmaster)).parent()
        assert parent is not None
        return float(sum(sum(one.cpu_times()[:2]) for one in [parent, *parent.children()]))

    def bytes_of(self, *tables: str) -> int:
        return sum(int(self._one("SELECT pg_total_relation_size(%s::regclass)", table)[0]) for table in tables)

    def wal_bytes(self) -> int:
        return int(self._one("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')")[0])

    def _one(self, statement: str, *values: str) -> tuple[Any, ...]:
        row = self._link.execute(statement.encode(), values).fetchone()
        assert row is not None
        return row


class Spent:
    """What was used between `with` and its end."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self.cpu_s = self.wal_bytes = 0.0

    def __enter__(self) -> "Spent":
        self.cpu_s, self.wal_bytes = -self._watched.cpu_s(), -self._watched.wal_bytes()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s += self._watched.cpu_s()
        self.wal_bytes += self._watched.wal_bytes()

    def each(self, name: str, number: int) -> dict[str, float]:
        return {
            f"{name}_cpu_us": round(self.cpu_s / number * 1e6, 1),
            f"{name}_wal_bytes": round(self.wal_bytes / number),
        }


async def records(metadata: Metadata, watched: Watched, number: int) -> dict[str, Any]:
    maker = Maker(min(number, 5_000))
    made = [maker.stored(each) for each in range(number)]
    tables = ("executions", "execution_counts")
    before = watched.bytes_of(*tables)
    with Spent(watched) as spent:
        for begin in range(0, number, _AT_ONCE):
            await asyncio.gather(*(metadata.keep(Entry(ME, one)) for one in made[begin : begin + _AT_ONCE]))
    grown = watched.bytes_of(*tables) - before
    columns = parquet_bytes([row_of(ME, one) for one in made])
    return {
        "records": number,
        **spent.each("record", number),
        "record_bytes": round(grown / number),
        "record_parquet_bytes": round(columns / number),
    }


def parquet_bytes(rows: list[dict[str, Any]]) -> int:
    """Of one file. The record's own compression is undone first: zstd over a column sees what records share."""
    import pyarrow as pa
    from pyarrow import parquet

    plain = [{name: _opened(value) for name, value in row.items()} for row in rows]
    file = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist(plain), file, compression="zstd", row_group_size=10_000)
    return file.tell()


def _opened(value: Any) -> Any:
    """A record is one byte of format and then zstd (`executions.codec`)."""
    if not isinstance(value, bytes) or value[1:5] != _ZSTD:
        return value
    return zstandard.ZstdDecompressor().decompress(value[1:], max_output_size=_LARGEST_BYTES)


def documents_of(number: int) -> Iterator[list[DocumentWrite]]:
    chance = np.random.default_rng(0)
    collection = Maker(1).collections[0].collection_id
    for begin in range(0, number, _CHUNK):
        yield [_document(collection, row, chance) for row in range(begin, min(begin + _CHUNK, number))]


def _document(collection: str, row: int, chance: np.random.Generator) -> DocumentWrite:
    vector = chance.standard_normal(_DIMENSIONS, dtype=np.float32)
    fields: dict[str, JSON] = {"title": f"A thing with the number {row} on shelf {row % 50}", "price": row * 7 % 1000}
    document = Document(f"doc_{chance.bytes(16).hex()}", collection, fields, EPOCH, EPOCH)
    return DocumentWrite(document, {"embedding": Dense(vector / np.linalg.norm(vector))})


async def documents(metadata: Metadata, watched: Watched, number: int) -> dict[str, Any]:
    collection = Maker(1).collections[0]
    await metadata.write(lambda session: session.collections.insert(ME, collection))
    tables = ("documents", "document_vectors")
    before = watched.bytes_of(*tables)
    with Spent(watched) as spent:
        for writes in documents_of(number):

            def put(session: Session, writes: list[DocumentWrite] = writes) -> int:
                return session.documents.put(ME, collection.collection_id, writes)

            await metadata.write(put)
    grown = watched.bytes_of(*tables) - before
    return {"documents": number, **spent.each("document", number), "document_bytes": round(grown / number)}


async def measure(url: str, record_count: int, document_count: int) -> dict[str, Any]:
    metadata = await open_postgres(url)
    try:
        watched = Watched(url)
        await metadata.write(own)
        return {
            **await records(metadata, watched, record_count),
            **await documents(metadata, watched, document_count),
        }
    finally:
        await metadata.close()


@contextmanager
def database(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    with a_postgres() as server:
        yield server.url


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--database-url", help="an empty database of a server on this machine")
    parser.add_argument("--quick", action="store_true", help="a few hundred of each: whether it still runs")
    given = parser.parse_args()
    counts = (300, 300) if given.quick else (given.records, given.documents)
    with database(given.database_url) as url:
        print(json.dumps(uvloop.run(measure(url, *counts)), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
