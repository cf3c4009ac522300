"""A bound on what one request may send."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tamis.api.errors import render
from tamis.errors import PayloadTooLargeError


class Limits:
    """Plain ASGI, because it runs on every request. Bodies that are read as they come have a bound of their own.

    uploads: paths that `upload_bytes` bounds.
    """

    def __init__(self, app: ASGIApp, request_bytes: int, upload_bytes: int, uploads: re.Pattern[str]) -> None:
        self.app = app
        self._request_bytes = request_bytes
        self._upload_bytes = upload_bytes
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._upload_bytes if self._uploads.match(scope["path"]) else self._request_bytes
        announced = _announced(scope)
        if announced is None:
            await self._guarded(scope, receive, send, limit)
        elif announced > limit:
            await render(_too_large(limit))(scope, receive, send)
        else:
            await self.app(scope, receive, send)  # the server lets no more through than was announced

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


def _announced(scope: Scope) -> int | None:
    """None where it is not known before the end."""
    length: bytes | None = None
    for name, value in scope["headers"]:
        if name == b"transfer-encoding":
            return None
        if name == b"content-length":
            length = value
    return int(length) if length is not None and length.isdigit() else None
