"""The way that requests to execute take past the framework's machinery, a good part of what they would cost.

It reads the request, lets the gate decide and calls the very functions that the routes call. Whatever is not plain
(a query string, another content type, an idempotency key, anything wrong in key, namespace or body) goes on to the
application itself, body and all, and is answered there.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pydantic
from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tamis.api import executions
from tamis.api.admission import admit
from tamis.api.errors import answer_to
from tamis.api.idempotency import HEADER
from tamis.api.known_requests import KnownRequests
from tamis.api.metering import ENDPOINT, PRINCIPAL
from tamis.auth.gate import Gate
from tamis.errors import TamisError
from tamis.model.limits import OperationKind
from tamis.model.principal import Principal
from tamis.services.access.admission import Admission
from tamis.services.runs.executions import ExecutionService

_PREFIX = "/v1/retrievers/"
_SUFFIX = "/execute"
_ANONYMOUS = "/v1/retrievers/execute"
_SAVED_ENDPOINT = "/v1/retrievers/{retriever_id}/execute"
_ONCE = HEADER.lower().encode()

Call = Callable[[Request], Awaitable[Response]]


class Express:
    """Plain ASGI around the application."""

    def __init__(self, app: ASGIApp, services: Mapping[type[Any], Any]) -> None:
        self.app = app
        self._gate: Gate = services[Gate]
        self._executions: ExecutionService = services[ExecutionService]
        self._admission: Admission | None = services.get(Admission)
        self._requests = KnownRequests()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        retriever = _retriever(scope)
        headers = {} if retriever is None else dict(scope["headers"])
        if retriever is None or headers.get(b"content-type") != b"application/json" or _ONCE in headers:
            await self.app(scope, receive, send)
            return
        messages, body = await _read(receive)
        call = await self._call(scope, retriever, headers, body)
        if call is None:
            await self.app(scope, _again(messages, receive), send)
            return
        await _answer(call, Request(scope, receive), send)

    async def _call(self, scope: Scope, retriever: str, headers: Mapping[bytes, bytes], body: bytes) -> Call | None:
        """What the request asks for; None where the application had better say what is wrong with it."""
        try:
            principal = await self._gate.enter_searching(
                _text(headers.get(b"authorization")), _text(headers.get(b"x-namespace")), partly=bool(retriever)
            )
            asked = self._requests.read(body, is_anonymous=not retriever)
        except (TamisError, pydantic.ValidationError, ValueError, TypeError):
            return None
        if asked.body.return_urls:  # the application makes links
            return None
        scope[PRINCIPAL], scope[ENDPOINT] = principal, _SAVED_ENDPOINT if retriever else _ANONYMOUS
        return self._limited(
            principal,
            lambda request: executions.run_known(principal, request, retriever, asked, self._executions),
        )

    def _limited(self, principal: Principal, call: Call) -> Call:
        """Behind the caller's limits, where there are any; what goes on to the application is counted there."""
        admission = self._admission
        if admission is None or not admission.bounds(principal):
            return call

        async def limited(request: Request) -> Response:
            await admit(admission, principal, request.scope, OperationKind.SEARCH)
            return await call(request)

        return limited


def _retriever(scope: Scope) -> str | None:
    """The saved retriever that is to run, "" for an anonymous pipeline; None for any other request."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    path: str = scope["path"]
    if path == _ANONYMOUS:
        return ""
    if not (path.startswith(_PREFIX) and path.endswith(_SUFFIX)):
        return None
    name = path[len(_PREFIX) : -len(_SUFFIX)]
    return name if name and "/" not in name else None


async def _read(receive: Receive) -> tuple[list[Message], bytes]:
    messages = [await receive()]
    while messages[-1].get("more_body"):
        messages.append(await receive())
    return messages, b"".join([message.get("body", b"") for message in messages])


def _again(messages: list[Message], receive: Receive) -> Receive:
    """What has been read is received once more, then what comes after it."""
    waiting = iter(messages)

    async def next_message() -> Message:
        for message in waiting:
            return message
        return await receive()

    return next_message


async def _answer(call: Call, request: Request, send: Send) -> None:
    """As the application does it: an error becomes an answer, and a crash goes on to the server's log."""
    crash: Exception | None = None
    try:
        response = await call(request)
    except Exception as error:
        response = await answer_to(request, error)
        crash = None if isinstance(error, TamisError) else error
    await response(request.scope, request.receive, send)
    if crash is not None:
        raise crash


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
