"""What a request to a published retriever shows of its visitor, and which pages of others may send one."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Header, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tamis.api.admission import TOLD
from tamis.api.schemas.published_wire import PUBLIC_PATH
from tamis.auth.addresses import Addresses
from tamis.auth.gate import Gate
from tamis.engine.ports.rates import Decision
from tamis.errors import BadRequestError, ForbiddenError, NotFoundError
from tamis.model.principal import Principal
from tamis.services.public.public_limits import Visitor, check
from tamis.services.public.public_retrievers import Door, PublicRetrievers, Visit

_HEADERS = "Authorization, Content-Type, X-Public-API-Key, X-Retriever-Password, X-Retriever-Grant, X-Session-ID"
_EXPOSED = "Retry-After, X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Window"
_PREFLIGHT_S = 600
_ELSEWHERE = "this client token is for another namespace than the published retriever's"


def visitor_of(request: Request) -> Visitor:
    addresses: Addresses = request.app.state.services[Addresses]
    return Visitor(addresses.of(request.scope))


async def _visit(
    request: Request,
    x_public_api_key: Annotated[str, Header()],
    x_retriever_password: Annotated[str | None, Header()] = None,
    x_retriever_grant: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Visit:
    return Visit(visitor_of(request), x_public_api_key, x_retriever_password, x_retriever_grant)


async def _telling(
    request: Request, x_public_api_key: Annotated[str, Header()], x_session_id: Annotated[str | None, Header()] = None
) -> Visit:
    grant = request.headers.get("x-retriever-grant")
    password = request.headers.get("x-retriever-password")
    return Visit(visitor_of(request), x_public_api_key, password, grant, session_id=(x_session_id or "")[:255] or None)


Visiting = Annotated[Visit, Depends(_visit)]
Telling = Annotated[Visit, Depends(_telling)]


async def looking(request: Request) -> None:
    """A dependency of what anybody may look at. Raises: TooManyRequestsError."""
    public: PublicRetrievers = request.app.state.services[PublicRetrievers]
    tell(request, await public.look(visitor_of(request)), datetime.now(UTC).timestamp())


LOOKED = Depends(looking)


async def narrowed(request: Request, door: Door, visit: Visit) -> Visit:
    """With what a client token says of the visitor, where he brings one. Raises: UnauthorizedError, ForbiddenError."""
    authorization = request.headers.get("authorization")
    if authorization is None:
        return visit
    gate: Gate = request.app.state.services[Gate]
    try:
        principal = await gate.recognize_within(authorization, door.principal.namespace_id)
    except (NotFoundError, BadRequestError):
        raise ForbiddenError(_ELSEWHERE) from None
    _check_token(principal, door)
    name = principal.client.visitor if principal.client else ""
    return Visit(
        Visitor(visit.visitor.address, name), visit.public_key, visit.password, visit.grant, narrowed=principal
    )


def _check_token(principal: Principal, door: Door) -> None:
    if principal.client is None:
        raise ForbiddenError("an API key is not for published retrievers: leave it out, or send a client token")
    mine = (principal.organization_id, principal.namespace_id)
    if mine != (door.principal.organization_id, door.principal.namespace_id):
        raise ForbiddenError(_ELSEWHERE)
    if not principal.may_retriever(door.published.retriever_id):
        raise ForbiddenError("this client token is for other retrievers")


def tell(request: Request, decision: Decision, reset_at: float) -> None:
    """Say where the limits stand on whatever answer comes. Raises: TooManyRequestsError."""
    nearest = decision.tightest
    if nearest is not None:
        rate = nearest.claim.rate
        request.scope[TOLD] = [
            (b"x-ratelimit-limit", b"%d" % rate.limit),
            (b"x-ratelimit-remaining", b"%d" % nearest.remaining),
            (b"x-ratelimit-reset", b"%d" % round(reset_at + nearest.reset_s)),
            (b"x-ratelimit-window", b"%d" % rate.window_s),
        ]
    check(decision)


class PublicOrigins:
    """Plain ASGI: lets scripts of other sites' pages ask a published retriever, where its publisher names the site.

    Everything else is answered without a word of CORS, so that a browser keeps it from them.
    """

    def __init__(self, app: ASGIApp, retrievers: PublicRetrievers) -> None:
        self.app = app
        self._retrievers = retrievers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PUBLIC_PATH + "/"):
            await self.app(scope, receive, send)
            return
        origin = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"origin"), None)
        if origin is None:
            await self.app(scope, receive, send)
            return
        allowed = await self._allowed(scope["path"], origin)
        if scope["method"] == "OPTIONS":
            await _preflight(allowed)(scope, receive, send)
            return
        await self.app(scope, receive, _saying(send, allowed))

    async def _allowed(self, path: str, origin: str) -> list[tuple[bytes, bytes]]:
        """The headers for this origin; that there is no such retriever looks as if it did not allow it."""
        name = path[len(PUBLIC_PATH) + 1 :].partition("/")[0]
        try:
            door = await self._retrievers.find(name)
        except NotFoundError:
            return []
        origins = door.published.allowed_origins
        if origin not in origins and "*" not in origins:
            return [(b"vary", b"Origin")]
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", _EXPOSED.encode()),
            (b"cross-origin-resource-policy", b"cross-origin"),
            (b"vary", b"Origin"),
        ]


def _preflight(allowed: list[tuple[bytes, bytes]]) -> Response:
    response = Response(status_code=204)
    for name, value in allowed:
        response.headers[name.decode()] = value.decode("latin-1")
    if len(allowed) > 1:
        response.headers["access-control-allow-methods"] = "GET, POST"
        response.headers["access-control-allow-headers"] = _HEADERS
        response.headers["access-control-max-age"] = str(_PREFLIGHT_S)
    return response


def _saying(send: Send, headers: list[tuple[bytes, bytes]]) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return send_with_headers
