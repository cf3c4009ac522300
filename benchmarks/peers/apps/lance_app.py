"""LanceDB behind FastAPI: IVF-HNSW-SQ refined by the vectors themselves, scalar indexes, full text, RRF."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import lancedb
import numpy as np
import orjson
import pyarrow as pa
from embedding import embedded
from fastapi import FastAPI, Request, Response
from lancedb.index import FTS, Bitmap, BTree, HnswSq
from lancedb.rerankers import RRFReranker

_COLUMNS = ["number", "text", "shelf", "price"]
_SCHEMA = pa.schema(
    [
        ("number", pa.int32()),
        ("text", pa.string()),
        ("shelf", pa.string()),
        ("price", pa.int32()),
        ("vector", pa.list_(pa.float32(), 384)),
    ]
)
_EF, _REFINE = 100, 2


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    database = await lancedb.connect_async(os.environ["PEER_FOLDER"] + "/lance")
    app.state.table = await database.create_table("documents", schema=_SCHEMA)
    app.state.reranker = RRFReranker()
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.post("/fill")
async def fill(request: Request) -> dict[str, int]:
    rows = orjson.loads(await request.body())
    await app.state.table.add(pa.Table.from_pylist(rows, schema=_SCHEMA))
    return {"filled": len(rows)}


@app.post("/filled")
async def filled() -> dict[str, bool]:
    table = app.state.table
    await table.optimize()
    await table.create_index("vector", config=HnswSq(distance_type="cosine", num_partitions=1, ef_construction=100))
    await table.create_index("shelf", config=Bitmap())
    await table.create_index("price", config=BTree())
    await table.create_index("text", config=FTS())
    return {"indexed": True}


@app.post("/search")
async def search(request: Request) -> Response:
    given = orjson.loads(await request.body())
    query = app.state.table.query().nearest_to(np.asarray(given["vector"], np.float32)).distance_type("cosine")
    query = query.ef(_EF).refine_factor(_REFINE).limit(given["limit"]).select([*_COLUMNS, "_distance"])
    if "shelf" in given:
        query = query.where(f"shelf = '{given['shelf']}'")
    return _answer(await query.to_list())


@app.post("/hybrid")
async def hybrid(request: Request) -> Response:
    given = orjson.loads(await request.body())
    query = app.state.table.query().nearest_to(embedded(given["text"])).distance_type("cosine").ef(_EF)
    query = query.nearest_to_text(given["text"], columns="text").where(f"price < {int(given['price'])}")
    found = await query.limit(given["depth"]).rerank(app.state.reranker).to_list()
    return _answer(sorted(found, key=lambda row: row["price"])[: given["limit"]])


def _answer(rows: list[dict[str, Any]]) -> Response:
    shown = [{name: row[name] for name in _COLUMNS} for row in rows]
    return Response(orjson.dumps(shown), media_type="application/json")
