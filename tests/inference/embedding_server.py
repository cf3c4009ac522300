"""A service that speaks OpenAI's `/embeddings` on a loopback port: an embedding counts a text's letters a, b and c."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LETTERS = "abc"


@dataclass
class EmbeddingServer:
    """requests: the bodies that came, in order.  keys: with each.  script: statuses, or answers, that come first."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    script: deque[Any] = field(default_factory=deque)
    headers: dict[str, str] = field(default_factory=dict)


def embedded(texts: list[str]) -> dict[str, Any]:
    """In reverse order: an answer says by `index` what belongs to what."""
    rows = [{"index": n, "embedding": [text.count(one) for one in LETTERS]} for n, text in enumerate(texts)]
    return {"object": "list", "data": rows[::-1], "usage": {"prompt_tokens": 1, "total_tokens": 1}}


@contextmanager
def serving() -> Iterator[EmbeddingServer]:
    service = EmbeddingServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.requests.append(body)
            service.keys.append(self.headers.get("Authorization", ""))
            scripted = service.script.popleft() if service.script else None
            status = scripted if isinstance(scripted, int) else 200
            answer = embedded(body["input"]) if scripted is None else scripted
            data = b"secret text" if status != 200 else json.dumps(answer).encode()
            self.send_response(status if self.path == "/v1/embeddings" else 404)
            for name, value in {"Content-Length": str(len(data)), **service.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Tests want no lines on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
