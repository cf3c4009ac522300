"""A proxy before a real server that refuses, loses or passes on, as it is told."""

from __future__ import annotations

import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx

_PASSED = ("Authorization", "X-Namespace", "Content-Type", "Idempotency-Key")


class LossyProxy:
    """plan: what becomes of the requests to come, one by one: a status to refuse with, or `lose`: the server is asked,
    and its answer is not passed on. Else it is. keys: the `Idempotency-Key` of each request that came.
    """

    def __init__(self, url: str) -> None:
        self.plan: deque[int | str] = deque()
        self.keys: list[str | None] = []
        self.retry_after = "0"
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self, url))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LossyProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _handler(proxy: LossyProxy, url: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            proxy.keys.append(self.headers["Idempotency-Key"])
            step = proxy.plan.popleft() if proxy.plan else "pass"
            if isinstance(step, int):
                self._answer(step, b'{"error": {"type": "BusyError", "message": "not now"}}')
                return
            headers = {name: self.headers[name] for name in _PASSED if name in self.headers}
            answer = httpx.request(self.command, f"{url}{self.path}", content=body, headers=headers, timeout=60)
            if step == "pass":
                self._answer(answer.status_code, answer.content)

        do_GET = do_POST  # noqa: N815  the standard library's names

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if proxy.retry_after:
                self.send_header("Retry-After", proxy.retry_after)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Tests are quiet."""

    return Handler
