"""A small service that stands where a Qdrant cluster would: the client's own local mode, over the HTTP that it speaks.

    python -m tests.qdrant_service PORT

What it proves is that several servers share one index by this adapter. Of a cluster's speed, shards, replicas and
failures it says nothing.
"""

import sys
import warnings
from collections import defaultdict
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import uvicorn
from qdrant_client import AsyncQdrantClient, models
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# Local mode says at each call that it has no need of indexes and parameters.
warnings.simplefilter("ignore")

Answer = Callable[[str, Any], Awaitable[Any]]


class Service:
    def __init__(self) -> None:
        self._client = AsyncQdrantClient(location=":memory:")
        self._schemas: defaultdict[str, dict[str, Any]] = defaultdict(dict)

    async def exists(self, name: str, _: Any) -> Any:
        return {"exists": await self._client.collection_exists(name)}

    async def create(self, name: str, body: Any) -> Any:
        asked = models.CreateCollection.model_validate(body)
        return await self._client.create_collection(
            name, vectors_config=asked.vectors, sparse_vectors_config=asked.sparse_vectors
        )

    async def delete_collection(self, name: str, _: Any) -> Any:
        self._schemas.pop(name, None)
        return await self._client.delete_collection(name)

    async def describe(self, name: str, _: Any) -> Any:
        told = (await self._client.get_collection(name)).model_dump(mode="json")
        return {**told, "payload_schema": self._schemas[name]}

    async def every(self, _: str, __: Any) -> Any:
        return await self._client.get_collections()

    async def index(self, name: str, body: Any) -> Any:
        asked = models.CreateFieldIndex.model_validate(body)
        schema = asked.field_schema
        kind = getattr(schema, "type", schema)
        self._schemas[name][asked.field_name] = {"data_type": getattr(kind, "value", kind), "points": 0}
        return _done()

    async def upsert(self, name: str, body: Any) -> Any:
        await self._client.upsert(name, models.PointsList.model_validate(body).points)
        return _done()

    async def delete(self, name: str, body: Any) -> Any:
        await self._client.delete(name, models.PointIdsList.model_validate(body).points)
        return _done()

    async def change(self, name: str, body: Any) -> Any:
        await self._client.batch_update_points(name, models.UpdateOperations.model_validate(body).operations)
        return [_done()]

    async def retrieve(self, name: str, body: Any) -> Any:
        asked = models.PointRequest.model_validate(body)
        return await self._client.retrieve(
            name, asked.ids, with_payload=_told(asked.with_payload, True), with_vectors=_told(asked.with_vector, False)
        )

    async def scroll(self, name: str, body: Any) -> Any:
        asked = models.ScrollRequest.model_validate(body)
        records, following = await self._client.scroll(
            name, asked.filter, limit=asked.limit or 10, offset=asked.offset,
            with_payload=_told(asked.with_payload, True), with_vectors=_told(asked.with_vector, False),
        )  # fmt: skip
        return models.ScrollResult(points=records, next_page_offset=following)

    async def query(self, name: str, body: Any) -> Any:
        asked = models.QueryRequest.model_validate(body)
        return await self._client.query_points(
            name, query=asked.query, using=asked.using, query_filter=asked.filter, limit=asked.limit or 10,
            with_payload=_told(asked.with_payload, False),
        )  # fmt: skip

    async def count(self, name: str, body: Any) -> Any:
        return await self._client.count(name, count_filter=models.CountRequest.model_validate(body).filter)

    async def facet(self, name: str, body: Any) -> Any:
        asked = models.FacetRequest.model_validate(body)
        return await self._client.facet(name, asked.key, facet_filter=asked.filter, limit=asked.limit or 10)


def _told(value: Any, otherwise: Any) -> Any:
    return otherwise if value is None else value


def _done() -> dict[str, Any]:
    return {"operation_id": 0, "status": "completed"}


def application() -> Starlette:
    service = Service()
    here = "/collections/{name}"

    async def root(_: Request) -> Response:
        return JSONResponse({"title": "stand-in", "version": version("qdrant-client")})

    return Starlette(
        routes=[
            Route("/", root),
            _route("GET", "/collections", service.every),
            _route("GET", f"{here}/exists", service.exists),
            _route("PUT", here, service.create),
            _route("DELETE", here, service.delete_collection),
            _route("GET", here, service.describe),
            _route("PUT", f"{here}/index", service.index),
            _route("PUT", f"{here}/points", service.upsert),
            _route("POST", f"{here}/points", service.retrieve),
            _route("POST", f"{here}/points/delete", service.delete),
            _route("POST", f"{here}/points/batch", service.change),
            _route("POST", f"{here}/points/scroll", service.scroll),
            _route("POST", f"{here}/points/query", service.query),
            _route("POST", f"{here}/points/count", service.count),
            _route("POST", f"{here}/facet", service.facet),
        ]
    )


def _route(method: str, path: str, answer: Answer) -> Route:
    async def handle(request: Request) -> Response:
        body = await request.json() if await request.body() else None
        try:
            result = await answer(request.path_params.get("name", ""), body)
        except ValueError as error:
            status = 404 if "not found" in str(error) else 400
            return JSONResponse({"status": {"error": str(error)}, "time": 0.0}, status)
        told = result.model_dump(mode="json") if hasattr(result, "model_dump") else _plain(result)
        return JSONResponse({"result": told, "status": "ok", "time": 0.0})

    return Route(path, handle, methods=[method])


def _plain(result: Any) -> Any:
    return [one.model_dump(mode="json") for one in result] if _is_models(result) else result


def _is_models(result: Any) -> bool:
    return isinstance(result, list) and bool(result) and hasattr(result[0], "model_dump")


if __name__ == "__main__":
    uvicorn.run(application(), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
