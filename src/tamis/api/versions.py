"""`ETag` on what can be changed, `If-Match` and `If-None-Match` on what changes it.

The condition is looked at inside the transaction that makes the change: of two who read the same state, one changes it
and the other is told. A GET takes its tag before it reads, so that a tag is never newer than what came with it.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from tamis.auth.gate import Gate
from tamis.engine.change import in_one_change
from tamis.engine.ports.metadata import Session
from tamis.errors import PreconditionFailedError, TamisError
from tamis.model.principal import Principal
from tamis.services.access.versions import VersionService, tag_of

Handle = Callable[[Request], Awaitable[Response]]

_IN_BUCKET = "/v1/buckets/{bucket_identifier}"
NOUNS: Mapping[str, str] = {
    "/v1/organizations": "organization",
    "/v1/organizations/users/{user_email}/api-keys/{key_name}": "API key",
    "/v1/namespaces/{namespace_identifier}": "namespace",
    _IN_BUCKET: "bucket",
    f"{_IN_BUCKET}/objects/{{object_identifier}}": "object",
    f"{_IN_BUCKET}/uploads/{{upload_id}}": "upload",
    f"{_IN_BUCKET}/batches/{{batch_id}}": "batch",
    "/v1/tasks/{task_id}": "task",
    "/v1/collections/{collection_identifier}": "collection",
    "/v1/collections/{collection_identifier}/documents/{document_id}": "document",
    "/v1/retrievers/{retriever_id}": "retriever",
}
"""What lies under a path."""
_OF_THE_ORGANIZATION = frozenset({"organization", "API key", "namespace"})
_CHANGING = frozenset({"PUT", "PATCH", "DELETE"})


def versioned(route: APIRoute, handle: Handle) -> Handle:
    """The route's handler, with the tag of what lies under its path."""
    noun = NOUNS.get(route.path_format)
    methods = route.methods or set()
    if noun is None:
        return handle
    if "GET" in methods:
        return lambda request: _read(noun, request, handle)
    if methods & _CHANGING:
        return lambda request: _changed(noun, request, handle)
    return handle


async def _read(noun: str, request: Request, handle: Handle) -> Response:
    tag = await _tag(noun, request)
    response = await handle(request)
    if tag is not None and response.status_code == 200:
        response.headers["ETag"] = tag
    return response


async def _tag(noun: str, request: Request) -> str | None:
    service: VersionService | None = request.app.state.services.get(VersionService)
    if service is None:
        return None
    try:
        return await service.tag(noun, await _principal(noun, request), request.path_params)
    except TamisError:
        return None  # the route says better what is wrong


async def _changed(noun: str, request: Request, handle: Handle) -> Response:
    """The answer has the tag of what the change left, so that who changes again need not read again."""
    try:
        principal = await _principal(noun, request)
    except TamisError:
        return await handle(request)
    names, left = request.path_params, list[str | None]()
    wanted, unwanted = _tags(request, "if-match"), _tags(request, "if-none-match")

    def before(session: Session) -> None:
        tag = tag_of(session, noun, principal, names)
        if tag is not None and not _holds(tag, wanted, unwanted):
            raise PreconditionFailedError(current_etag=tag)

    def after(session: Session, value: Any) -> None:
        left[:] = [tag_of(session, noun, principal, names)]

    with in_one_change() as change:
        if wanted is not None or unwanted is not None:
            change.before.append(before)
        if request.method != "DELETE":
            change.after.append(after)
        response = await handle(request)
    if left and left[0] is not None and response.status_code < 300:
        response.headers["ETag"] = left[0]
    return response


async def _principal(noun: str, request: Request) -> Principal:
    gate: Gate = request.app.state.services[Gate]
    authorization = request.headers.get("authorization")
    if noun in _OF_THE_ORGANIZATION:
        return await gate.recognize(authorization)
    return await gate.recognize_within(authorization, request.headers.get("x-namespace"))


def _tags(request: Request, header: str) -> frozenset[str] | None:
    """None where the header is not sent. A weak tag is one that somebody's proxy made of ours."""
    values = request.headers.getlist(header)
    return frozenset(tag.strip().removeprefix("W/") for tag in ",".join(values).split(",")) if values else None


def _holds(tag: str, wanted: frozenset[str] | None, unwanted: frozenset[str] | None) -> bool:
    """RFC 9110, 13.2.2, of a resource that is there."""
    if wanted is not None and "*" not in wanted and tag not in wanted:
        return False
    return unwanted is None or not ("*" in unwanted or tag in unwanted)
