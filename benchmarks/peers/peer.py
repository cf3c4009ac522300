"""What the benchmark wants of every server."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Protocol

import httpx

from benchmarks.peers.corpus import Corpus

DENSE, FILTERED, HYBRID = "dense", "filtered", "hybrid"
_START_TIMEOUT_S = 120
APPS = Path(__file__).parent / "apps"


class Peer(Protocol):
    """One server. kinds: the searches that it can do.

    `request` is (method, path, body); `found` the document numbers of an answer, the best first.
    """

    name: ClassVar[str]
    kinds: ClassVar[Sequence[str]]
    port: int
    headers: Mapping[str, str]

    def start(self, folder: Path) -> None: ...
    def fill(self, corpus: Corpus) -> None: ...
    def request(self, kind: str, corpus: Corpus, query: int) -> tuple[str, str, Any]: ...
    def found(self, answer: Any) -> list[int]: ...
    def stop(self) -> None: ...


def raw_request(peer: Peer, method: str, path: str, body: Any) -> bytes:
    """The bytes of a whole HTTP/1.1 request."""
    content = json.dumps(body).encode()
    headers = {
        "Host": f"127.0.0.1:{peer.port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        **peer.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + content


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """A server in a process of its own, on a free port, until `stop`."""

    headers: Mapping[str, str] = {}

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, command: Sequence[str | Path], folder: Path, ready: str, **environment: str) -> None:
        """ready: a path that answers 200 once the server is up."""
        with (folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                cwd=folder,
                env={**os.environ, **environment},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_TIMEOUT_S
        while True:
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((folder / "server.log").read_text()[-4000:])
            try:
                if httpx.get(self.url + ready).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)

    def serve_app(self, python: Path, module: str, folder: Path, **environment: str) -> None:
        """One of `apps/`, by uvicorn, one worker."""
        options = ["--port", str(self.port), "--log-level", "warning", "--no-access-log"]
        command: list[str | Path] = [python, "-m", "uvicorn", "--app-dir", APPS, f"{module}:app", *options]
        self.serve(command, folder, "/ready", **environment)

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(60)
