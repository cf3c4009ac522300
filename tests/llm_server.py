"""A deterministic language model behind OpenAI's chat protocol, on a loopback port: answers, or fails, as it is told.

`LanguageServer(answer)` calls `answer` with each request's body and sends what it gives back: a text, a JSON value
(sent as text), or a `Fault`. `script` comes first where it is not empty: one item for each request, in order.
"""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Fault:
    """status: the answer's.  body: as it is; None is an error as OpenAI writes it.  wait_s: before anything is sent.

    breaks_off: the connection ends in the midst of the answer.
    """

    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    wait_s: float = 0.0
    breaks_off: bool = False


Body = dict[str, Any]
Answer = Any
"""A text, a `Fault`, or JSON."""


def instance_of(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """The plainest value that validates: the same for the same schema. root: what its references lead into."""
    whole = schema if root is None else root
    if "$ref" in schema:
        return instance_of(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    for key in ("anyOf", "oneOf"):
        if schema.get(key):
            return instance_of(schema[key][0], whole)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: instance_of(one, whole) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance_of(schema.get("items", {"type": "string"}), whole)] * schema.get("minItems", 0)
    return {"string": "text", "integer": schema.get("minimum", 0), "number": schema.get("minimum", 0.0),
            "boolean": True, "null": None}[kind]  # fmt: skip


def schema_in(body: Body) -> dict[str, Any] | None:
    """The schema that a request asks its answer to fit."""
    found: dict[str, Any] | None = (body.get("response_format") or {}).get("json_schema", {}).get("schema")
    return found


def text_in(body: Body) -> str:
    """All that a request's messages say, images left out."""
    parts: list[str] = []
    for message in body["messages"]:
        content = message["content"]
        parts += [content] if isinstance(content, str) else [one["text"] for one in content if one["type"] == "text"]
    return "\n".join(parts)


def plain(body: Body) -> Answer:
    schema = schema_in(body)
    return "an answer" if schema is None else instance_of(schema)


@dataclass
class LanguageServer:
    """requests: the bodies it was sent, in order.  keys: what came as bearer with each."""

    answer: Callable[[Body], Answer] = plain
    script: deque[Answer] = field(default_factory=deque)
    requests: list[Body] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    url: str = ""
    running: int = 0
    most_at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, body: Body, key: str) -> Answer:
        with self._lock:
            self.requests.append(body)
            self.keys.append(key)
            self.running += 1
            self.most_at_once = max(self.most_at_once, self.running)
            scripted = self.script.popleft() if self.script else None
        return self.answer(body) if scripted is None else scripted

    def done(self) -> None:
        with self._lock:
            self.running -= 1

    @property
    def texts(self) -> list[str]:
        return [text_in(body) for body in self.requests]


@contextmanager
def serving(answer: Callable[[Body], Answer] = plain) -> Iterator[LanguageServer]:
    """A server that runs until the block ends; `url` is what a client takes as base URL."""
    model = LanguageServer(answer)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(model))
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(model: LanguageServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = model.take(body, self.headers.get("Authorization", "").removeprefix("Bearer "))
            try:
                self._send(answer, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                model.done()

        def _send(self, answer: Answer, body: Body) -> None:
            fault = answer if isinstance(answer, Fault) else None
            status, headers, text = 200, {}, ""
            if fault is not None:
                time.sleep(fault.wait_s)
                status, headers = fault.status, dict(fault.headers)
                text = fault.body if fault.body is not None else _error(status)
            else:
                text = _completion(body, answer if isinstance(answer, str) else json.dumps(answer))
            data = text.encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            cut = fault is not None and fault.breaks_off
            self.wfile.write(data[: len(data) // 2] if cut else data)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Tests want no lines on standard error."""

    return Handler


def _error(status: int) -> str:
    return json.dumps({"error": {"message": "scripted", "type": "scripted", "code": f"scripted_{status}"}})


def _completion(body: Body, text: str) -> str:
    """Tokens are words, so that a test can count them."""
    told, said = len(text_in(body).split()), len(text.split())
    usage = {"prompt_tokens": told, "completion_tokens": said, "total_tokens": told + said}
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": body["model"]}
    return json.dumps({**whole, "choices": [choice], "usage": usage})
