"""The edge's side of rate limits: what kind of operation a route is, and what its answers say of the limits."""

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from tamis.auth.gate import Gate
from tamis.engine.change import in_one_change
from tamis.errors import TamisError
from tamis.model.limits import OperationKind
from tamis.model.principal import Principal
from tamis.services.access.admission import Admission

Handle = Callable[[Request], Awaitable[Response]]

TOLD = "tamis.told_headers"
"""Where a request's scope holds headers that its answer is given, whatever it is."""
_ADMITTED = "tamis.admitted"
_FREE = re.compile(r"/v1/(health|discovery|public)\b|/(?!v1/)")
_KINDS = (
    (re.compile(r"POST .*/(execute|execute/batch|execute/explain|replay|why)"), OperationKind.SEARCH),
    (
        re.compile(r"(POST|PUT|PATCH) .*/uploads\b(?!/list).*|(POST|PUT) .*/objects(/batch|/{\w+})?"),
        OperationKind.UPLOAD,
    ),
    (
        re.compile(r"POST .*/(submit|retry|trigger|enrich|inference|evaluations)|POST .*/execute/{\w+}"),
        OperationKind.COMPUTE,
    ),
    (
        re.compile(r"\S+ .*/(documents|objects|uploads|batches|executions|interactions|tasks|datasets)\b.*"),
        OperationKind.DATA,
    ),
)


_QUOTAS = {
    "/v1/namespaces": "namespaces",
    "/v1/buckets": "buckets",
    "/v1/collections": "collections",
    "/v1/collections/{collection_identifier}/documents": "documents",
    "/v1/buckets/{bucket_identifier}/batches/{batch_id}/submit": "documents",
    "/v1/retrievers": "retrievers",
    "/v1/templates/buckets/{template_id}/instantiate": "buckets",
    "/v1/templates/collections/{template_id}/instantiate": "collections",
    "/v1/templates/retrievers/{template_id}/instantiate": "retrievers",
    "/v1/retrievers/{retriever_id}/clone": "retrievers",
    "/v1/organizations/users/{user_email}/api-keys": "api_keys",
}
"""What a POST makes more of. A manifest, and a namespace of a template, count what they make themselves."""


def kind_of(method: str, path: str) -> OperationKind:
    """path: a route's, with its parameters in braces. What is none of the others is metadata."""
    operation = f"{method} {path}"
    return next((kind for pattern, kind in _KINDS if pattern.fullmatch(operation)), OperationKind.METADATA)


def admitted(route: APIRoute, handle: Handle) -> Handle:
    """The route's handler, behind the limits of whoever calls; what nobody needs a key for is not counted."""
    if _FREE.match(route.path_format):
        return handle
    noun = _QUOTAS.get(route.path_format) if "POST" in (route.methods or ()) else None
    kinds = {method: kind_of(method, route.path_format) for method in route.methods or ()}

    async def answer(request: Request) -> Response:
        services = request.app.state.services
        admission: Admission | None = services.get(Admission)
        authorization = request.headers.get("authorization")
        if admission is None or authorization is None or _ADMITTED in request.scope:
            return await handle(request)
        principal = await _caller(services[Gate], request, authorization)
        if principal is None:
            return await handle(request)
        await admit(admission, principal, request.scope, kinds.get(request.method, OperationKind.METADATA))
        quota = admission.quota(principal, noun) if noun else None
        if quota is None:
            return await handle(request)
        with in_one_change() as change:
            change.before.append(quota)
            return await handle(request)

    return answer


@contextmanager
def making(request: Request, principal: Principal, noun: str) -> Iterator[None]:
    """What is done inside makes one more of a noun of `NOUNS`, for routes that do so only sometimes."""
    admission: Admission | None = request.app.state.services.get(Admission)
    quota = admission.quota(principal, noun) if admission is not None else None
    with in_one_change() as change:
        if quota is not None:
            change.before.append(quota)
        yield


async def admit(admission: Admission, principal: Principal, scope: Scope, kind: OperationKind) -> None:
    """Count the request once. Raises: TooManyRequestsError."""
    scope[_ADMITTED] = True
    admitted = await admission.admit(principal, kind)
    if admitted is None:
        return
    scope[TOLD] = admitted.allowed.headers()
    if admitted.refusal is not None:
        raise admitted.refusal


async def _caller(gate: Gate, request: Request, authorization: str) -> Principal | None:
    """None where the route says better what is wrong with the key or the token."""
    try:
        return await gate.caller(authorization, request.headers.get("x-namespace"))
    except TamisError:
        return None
