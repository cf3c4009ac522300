"""Run pipelines. Mounted before the saved retrievers, whose paths would take these for names."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from typing import Annotated, Any

import pydantic
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from tamis.api.access import RetrieverSearching, Searching, service
from tamis.api.answers import executed_response, json_response, show_executed
from tamis.api.bodies import JsonRoute
from tamis.api.caching import asks_for_changes, cached_response
from tamis.api.departure import while_connected
from tamis.api.idempotency import HEADER as IDEMPOTENCY_KEY
from tamis.api.known_requests import Asked
from tamis.api.links import Link, links
from tamis.api.schemas.execution import (
    AnonymousExecuteRequest,
    ExecuteBatchRequest,
    ExecuteRetrieverRequest,
    ExecutionAnswer,
    ExecutionOptions,
)
from tamis.api.schemas.execution_wire import (
    read_options,
)
from tamis.api.schemas.retriever_wire import read_fields, read_stages
from tamis.api.schemas.stream import stream_content
from tamis.api.streams import streamed
from tamis.engine.events import Sink, ignore
from tamis.errors import BadRequestError, TamisError, ValidationError
from tamis.model.execution import ANONYMOUS
from tamis.model.principal import Principal
from tamis.services.runs.execution_runs import Executed, RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.result_pages import PageMethod, PageRequest
from tamis.services.runs.retrievers import RetrieverService
from tamis.services.runs.streaming import Work

router = APIRouter(prefix="/v1/retrievers", route_class=JsonRoute)

Executions = Annotated[ExecutionService, Depends(service(ExecutionService))]
Retrievers = Annotated[RetrieverService, Depends(service(RetrieverService))]
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "model": ExecutionAnswer,
        "description": "The answer; with `stream: true`, server-sent events that end with it.",
        "content": stream_content(),
    }
}
_ANONYMOUS = {"X-Execution-Mode": ANONYMOUS}
_SAVED: Mapping[str, str] = {}


class _AskedInUrl(BaseModel):
    """What clients put beside the body."""

    return_urls: bool = False
    return_vectors: bool = False
    skip_cache: bool = False
    include_legacy_results: bool | None = None


NOTHING_ASKED = _AskedInUrl()


async def _asked_in_url(request: Request) -> _AskedInUrl:
    """Read by hand: declared one by one, five parameters that are hardly ever sent cost every request 0.1 ms of CPU."""
    query = request.scope["query_string"]
    if not query:
        return NOTHING_ASKED
    try:
        return _AskedInUrl.model_validate(dict(request.query_params))
    except pydantic.ValidationError as error:
        fault = error.errors()[0]
        raise ValidationError.at(["query", *fault["loc"]], fault["msg"]) from None


AskedInUrl = Annotated[_AskedInUrl, Depends(_asked_in_url)]
_IN_URL = {
    "parameters": [
        {"name": name, "in": "query", "required": False, "schema": {"type": "boolean", "default": False}}
        for name in ("return_urls", "return_vectors")
    ]
}


@router.post("/execute", response_model=None, responses=_ANSWER, openapi_extra=_IN_URL, tags=["anonymous retrievers"])
async def execute_anonymous_retriever(
    principal: Searching,
    request: Request,
    body: AnonymousExecuteRequest,
    executions: Executions,
    asked: AskedInUrl,
) -> Response:
    """Run a pipeline sent whole. It is not stored; its record is."""

    options = _options(body, asked)

    def work(sink: Sink) -> Coroutine[Any, Any, Executed]:
        stages, schema = read_stages(body.stages), read_fields(body.input_schema)
        return executions.execute_anonymous(principal, stages, schema, options, sink)

    return await _answered(request, principal, executions, work, body, asked, _ANONYMOUS)


@router.post(
    "/{retriever_id}/execute", response_model=None, responses=_ANSWER, openapi_extra=_IN_URL, tags=["retrievers"]
)
async def execute_retriever(
    principal: RetrieverSearching,
    request: Request,
    retriever_id: str,
    body: ExecuteRetrieverRequest,
    executions: Executions,
    asked: AskedInUrl,
) -> Response:
    """Run a saved retriever."""
    options = _options(body, asked)

    def work(sink: Sink) -> Coroutine[Any, Any, Executed]:
        return executions.execute_saved(principal, retriever_id, options, sink)

    return await _answered(request, principal, executions, work, body, asked, _SAVED)


async def run_known(
    principal: Principal, request: Request, retriever_id: str, asked: Asked, executions: ExecutionService
) -> Response:
    """A request that was read before it came here. retriever_id: empty where it brings its pipeline."""
    pipeline, options = asked.pipeline, asked.options

    def work(sink: Sink) -> Coroutine[Any, Any, Executed]:
        if pipeline is None:
            return executions.execute_saved(principal, retriever_id, options, sink)
        return executions.execute_anonymous(principal, *pipeline, options, sink)

    headers = _SAVED if pipeline is None else _ANONYMOUS
    return await _answered(request, principal, executions, work, asked.body, NOTHING_ASKED, headers)


@router.post("/{retriever_id}/execute/batch", response_model=None, tags=["retrievers"])
async def execute_batch(
    principal: RetrieverSearching,
    request: Request,
    retriever_id: str,
    body: ExecuteBatchRequest,
    executions: Executions,
    retrievers: Retrievers,
    asked: AskedInUrl,
) -> Response:
    """Run a saved retriever for each of the queries; each is an execution with a record, and fails alone."""
    if body.stream:
        raise ValidationError.at(["body", "stream"], "a batch answers once, whole; stream single executions instead")
    await retrievers.get(principal, retriever_id)
    shared = _options(ExecuteRetrieverRequest(settings=body.settings, return_vectors=body.return_vectors), asked)
    if shared.page.size is None:
        shared = replace(shared, page=PageRequest(PageMethod.CURSOR, 10))
    link = links(request, principal, asked.return_urls or body.return_presigned_urls)
    room = asyncio.Semaphore(body.concurrency)

    async def one(index: int) -> dict[str, Any]:
        query = body.queries[index]
        options = replace(shared, inputs=query.inputs, filters=query.filters)
        async with room:
            return await _entry(
                index, executions.execute_saved(principal, retriever_id, options), executions.results_alias, link
            )

    work = asyncio.gather(*(one(index) for index in range(len(body.queries))))
    results = await while_connected(request, _all(work))
    return json_response({"results": results, "total": len(results)})


def _options(body: ExecutionOptions, asked: _AskedInUrl) -> RunOptions:
    return read_options(body, return_vectors=asked.return_vectors, skip_cache=asked.skip_cache)


async def _answered(
    request: Request,
    principal: Principal,
    executions: ExecutionService,
    work: Work,
    body: ExecutionOptions,
    asked: _AskedInUrl,
    headers: Mapping[str, str],
) -> Response:
    wanted = asked.include_legacy_results if body.include_legacy_results is None else body.include_legacy_results
    with_results = executions.results_alias if wanted is None else wanted
    link = links(request, principal, asked.return_urls or body.return_urls)
    if body.stream:
        if IDEMPOTENCY_KEY in request.headers:
            raise BadRequestError(
                f"a streamed answer cannot be kept for {IDEMPOTENCY_KEY}: leave out the header, or stream",
                header=IDEMPOTENCY_KEY,
            )
        return await streamed(request, executions.streaming, work, with_results, headers, link)
    executed = await while_connected(request, work(ignore))
    shown = show_executed(executed, with_results, link)
    if executed.cache is None and not asks_for_changes(request):
        return executed_response(shown, headers)
    return cached_response(request, executed, shown, headers)


async def _entry(
    index: int, work: Coroutine[Any, Any, Executed], results_alias: bool, link: Link | None
) -> dict[str, Any]:
    try:
        return {"index": index, **show_executed(await work, results_alias, link)}
    except TamisError as error:
        told = {"message": error.message, "type": error.code, "details": error.details or None}
        execution_id = error.details.get("execution_id")
        return {"index": index, "status": "failed", "execution_id": execution_id, "documents": [], "error": told}


async def _all(work: asyncio.Future[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    return await work
