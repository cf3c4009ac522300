"""`Idempotency-Key`: a POST that changes something, sent twice, changes it once and is answered twice."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Message, Scope

from tamis.auth.gate import Gate
from tamis.errors import AnswerLostError, BadRequestError
from tamis.model.client_token import is_client_token
from tamis.model.execution import ANONYMOUS
from tamis.services.access.idempotency import Answer, Asked, IdempotencyService, Made

Handle = Callable[[Request], Awaitable[Response]]

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_KEY = re.compile(r"[!-~]{1,255}")
_MADE: Mapping[str, str] = {
    "/v1/namespaces": "namespace_id",
    "/v1/buckets": "bucket_id",
    "/v1/buckets/{bucket_identifier}/objects": "object_id",
    "/v1/buckets/{bucket_identifier}/uploads": "upload_id",
    "/v1/buckets/{bucket_identifier}/batches": "batch_id",
    "/v1/collections": "collection_id",
    "/v1/collections/{collection_identifier}/documents": "document_id",
    "/v1/retrievers": "retriever_id",
}
"""What a route makes, whose GET lies one segment below."""
_EXECUTES: Mapping[str, Mapping[str, str]] = {
    "/v1/retrievers/execute": {"X-Execution-Mode": ANONYMOUS},
    "/v1/retrievers/{retriever_id}/execute": {},
    "/v1/retrievers/{retriever_id}/execute/batch": {},
    "/v1/retrievers/executions/{execution_id}/replay": {},
    "/v1/retrievers/{retriever_id}/executions/{execution_id}/replay": {},
}
"""Routes that leave records, and the headers that their answers always have."""


def answered_once(route: APIRoute, handle: Handle) -> Handle:
    """The route's handler, which heeds the header where the route takes POST."""
    if "POST" not in (route.methods or ()) or route.path_format.startswith("/v1/public/"):
        return handle
    made = _MADE.get(route.path_format)

    headers = _EXECUTES.get(route.path_format)

    async def answer(request: Request) -> Response:
        key = request.headers.get(HEADER)
        if key is None or is_client_token(request.headers.get("authorization", "").partition(" ")[2]):
            # Who has a token only reads.
            return await handle(request)
        if not _KEY.fullmatch(key):
            raise BadRequestError(f"{HEADER} is 1 to 255 visible ASCII characters", header=HEADER)
        return await _once(request, key, made, headers, handle)

    return answer


async def _once(
    request: Request, key: str, made: str | None, headers: Mapping[str, str] | None, handle: Handle
) -> Response:
    services = request.app.state.services
    authorization = request.headers.get("authorization")
    gate: Gate = services[Gate]
    principal = await gate.caller(authorization, request.headers.get("x-namespace"))
    first: list[Response] = []

    async def work() -> Answer:
        first.append(await handle(request))
        body = getattr(first[0], "body", None)
        return Answer(first[0].status_code, bytes(body) if body is not None else None)

    fingerprint = await _fingerprint(request)
    asked = Asked(key, (authorization or "").encode(), fingerprint, made, executes=headers is not None)
    service: IdempotencyService = services[IdempotencyService]
    answer = await service.once(principal, asked, work)
    if isinstance(answer, Made):
        return await _shown(request, answer)
    if not answer.is_repeated:
        return first[0]
    return Response(answer.body, answer.status, {REPLAYED: "true", **(headers or {})}, "application/json")


async def _fingerprint(request: Request) -> str:
    """Of all that says what is asked, each part with its length, so that no two requests look alike."""
    digest = hashlib.sha256()
    headers = (request.headers.get(name, "") for name in ("x-namespace", "content-type"))
    scope = request.scope
    for part in (scope["path"].encode(), scope["query_string"], *(each.encode() for each in headers)):
        digest.update(len(part).to_bytes(4, "big") + part)
    digest.update(await request.body())
    return digest.hexdigest()


async def _shown(request: Request, made: Made) -> Response:
    """What the request made, read as its GET shows it now."""
    path = f"{request.scope['path'].rstrip('/')}/{made.created_id}"
    status, body = await _get(request, path)
    if status != 200:
        raise AnswerLostError(created_id=made.created_id)
    route: APIRoute = request.scope["route"]
    return Response(body, route.status_code or 200, {REPLAYED: "true"}, "application/json")


async def _get(request: Request, path: str) -> tuple[int, bytes]:
    """Asked of the application itself, as the same caller."""
    kept = {"type", "asgi", "http_version", "scheme", "server", "client", "headers", "app", "request_id", "root_path"}
    scope: Scope = {name: value for name, value in request.scope.items() if name in kept}
    scope.update(method="GET", path=path, raw_path=path.encode(), query_string=b"", state={})
    status, parts = 500, []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await request.app(scope, receive, send)
    return status, b"".join(parts)
