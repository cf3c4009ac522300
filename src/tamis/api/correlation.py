"""The outermost layer: each request gets an id, which its answer, its log lines and its spans carry."""

import logging
import re
import secrets
import time
from collections.abc import Iterable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tamis.api.admission import TOLD
from tamis.api.errors import answer_to
from tamis.api.log_paths import logged
from tamis.engine.caller import Caller, called_by
from tamis.errors import TamisError
from tamis.telemetry.logs import FIELDS
from tamis.telemetry.watching import Telemetry

_LOG = logging.getLogger("tamis.request")
_REQUEST_ID = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")
# Version 00 is exactly this long; what a later version appends is its own business (W3C Trace Context, 4.3).
_TRACEPARENT = re.compile(rb"(?!ff)([0-9a-f]{2})-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]*)?")
_LONGEST_TRACEPARENT = 128
_TRACESTATE = re.compile(r"[ -~]{1,512}")
_LONGEST_AGENT = 256
_ASKED_BY_MACHINES = frozenset({"/livez", "/readyz", "/metrics", "/v1/health"})
_NEVER_ANSWERED = 499
STATUS = "tamis.status"
"""Where in a request's scope stands how it was answered, once it is."""


class Correlation:
    """Plain ASGI, because it runs on every request."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self.app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        caller = read_caller(scope["headers"], scope.get("client"))
        scope["request_id"] = caller.request_id
        id_header = (b"x-request-id", caller.request_id.encode())
        began = time.perf_counter()

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope[STATUS] = message["status"]
                message["headers"] = [*message.get("headers", ()), id_header, *scope.get(TOLD, ())]
            await send(message)

        with called_by(caller):
            try:
                await self.app(scope, receive, send_with_id)
            except TamisError as error:
                # Of a layer outside of the application, whose own handler has not seen it.
                if STATUS in scope:
                    raise
                await (await answer_to(Request(scope, receive), error))(scope, receive, send_with_id)
            finally:
                self._tell(scope, scope.get(STATUS, _NEVER_ANSWERED), (time.perf_counter() - began) * 1000)

    def _tell(self, scope: Scope, status: int, duration_ms: float) -> None:
        self._telemetry.answered(status)
        path = scope["path"]
        level = logging.DEBUG if path in _ASKED_BY_MACHINES else logging.INFO
        if _LOG.isEnabledFor(level):
            facts = {
                "method": scope["method"],
                "path": logged(path),
                "status": status,
                "duration_ms": round(duration_ms, 3),
            }
            client = scope.get("client")
            told = {**facts, "client": client[0] if client else None}
            _LOG.log(level, "%s %s %d in %.1f ms", *facts.values(), extra={FIELDS: told})


def read_caller(headers: Iterable[tuple[bytes, bytes]], client: tuple[str, int] | None = None) -> Caller:
    """Who asks, by the request's headers; what is malformed is as if it had not been sent.

    client: address and port of the connection.
    """
    given: dict[bytes, list[bytes]] = {b"x-request-id": [], b"traceparent": [], b"tracestate": [], b"user-agent": []}
    for name, value in headers:
        if name in given:
            given[name].append(value)
    ids = given[b"x-request-id"]
    request_id = ids[0].decode() if ids and _REQUEST_ID.fullmatch(ids[0]) else secrets.token_hex(8)
    traceparent = _traceparent(given[b"traceparent"])
    tracestate = b",".join(given[b"tracestate"]).decode("latin-1") if traceparent else ""
    agent = b" ".join(given[b"user-agent"])[:_LONGEST_AGENT].decode("latin-1")
    return Caller(
        request_id,
        traceparent,
        tracestate if _TRACESTATE.fullmatch(tracestate) else None,
        client[0] if client else None,
        agent or None,
    )


def _traceparent(values: list[bytes]) -> str | None:
    if len(values) != 1 or len(values[0]) > _LONGEST_TRACEPARENT:
        return None
    found = _TRACEPARENT.fullmatch(values[0])
    is_whole = found is not None and (found[1] != b"00" or len(values[0]) == 55)
    return values[0].decode() if is_whole else None
