"""A fixed body."""

from typing import Any

import orjson
from fastapi import FastAPI, Request, Response

app = FastAPI()
_BODY = orjson.dumps([{"number": number, "text": "some text " * 40, "price": number} for number in range(10)])


@app.get("/ready")
async def ready() -> dict[str, bool]:
    return {"ready": True}


@app.post("/search")
async def search(request: Request) -> Response:
    given: Any = orjson.loads(await request.body())
    assert given["vector"]
    return Response(_BODY, media_type="application/json")
