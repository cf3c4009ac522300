"""The outermost layer: a request id in and out, and a bound on what one request may send."""

import secrets
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tamis.api.errors import render
from tamis.errors import PayloadTooLargeError

_TOKEN_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:")


class Limits:
    """Plain ASGI, because it runs on every request. Uploads have a bound of their own, `upload_bytes`."""

    def __init__(self, app: ASGIApp, request_bytes: int, upload_bytes: int, upload_prefix: str) -> None:
        self.app = app
        self._request_bytes = request_bytes
        self._upload_bytes = upload_bytes
        self._upload_prefix = upload_prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), (b"x-request-id", request_id.encode())]
            await send(message)

        limit = self._upload_bytes if scope["path"].startswith(self._upload_prefix) else self._request_bytes
        if _announced(scope) > limit:
            await render(_too_large(limit))(scope, receive, send_with_id)
            return
        await self._guarded(scope, receive, send_with_id, limit)

    async def _guarded(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Count what a request without Content-Length sends."""
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise _too_large(limit)
            return message

        await self.app(scope, receive_counted, send)


def _too_large(limit: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(f"a request may send at most {limit} bytes", limit_bytes=limit)


def _header(scope: MutableMapping[str, Any], name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


def _request_id(scope: Scope) -> str:
    given = _header(scope, b"x-request-id")
    if given and len(given) <= 128 and set(given) <= _TOKEN_CHARS:
        return given
    return secrets.token_hex(8)


def _announced(scope: Scope) -> int:
    length = _header(scope, b"content-length")
    return int(length) if length and length.isascii() and length.isdigit() else 0
