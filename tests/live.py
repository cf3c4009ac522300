"""A real server in a process of its own, to be used, killed and started again."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from tamis.client import Client
from tests.nursery import Nursling, nursery

_START_TIMEOUT_S = 180
_READ_LATE = ("TAMIS_", "OTEL_")


@dataclass(frozen=True)
class Room:
    """A namespace on a server that others use too, and an administrator's key to it alone."""

    url: str
    key: str
    namespace: str
    data_dir: Path

    def client(self) -> Client:
        return Client(self.url, self.key, self.namespace, retries=0)


class LiveServer:
    """`tamis serve` on a free port with the root key `key`, in a process group of its own."""

    namespace = "default"

    def __init__(self, data_dir: Path, python: str = sys.executable, **environment: str) -> None:
        self.data_dir = data_dir
        self.key = f"sk_{secrets.token_hex(20)}"
        self.url = ""
        self._python = python
        self._environment = environment
        self._process: subprocess.Popen[bytes] | Nursling | None = None

    def __enter__(self) -> "LiveServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return (self.data_dir.parent / f"{self.data_dir.name}.log").read_text()

    def start(self) -> None:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        log = self.data_dir.parent / f"{self.data_dir.name}.log"
        arguments = ["serve", "--port", "0", "--data-dir", str(self.data_dir)]
        environment = {**os.environ, "TAMIS_ROOT_KEY": self.key, **self._environment}
        if self._is_forked:
            self._process = nursery().start(arguments, environment, log)
        else:
            self._process = _started([self._python, "-m", "tamis", *arguments], environment, log)
        self.url = self._wait_until_ready()

    @property
    def _is_forked(self) -> bool:
        """What is read when the interpreter starts, or modules are imported, needs an interpreter of its own."""
        return self._python == sys.executable and all(name.startswith(_READ_LATE) for name in self._environment)

    def _wait_until_ready(self) -> str:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            assert self._process is not None
            assert self._process.poll() is None, self.log
            url = self._announced()
            if url:
                try:
                    if httpx.get(f"{url}/readyz", timeout=5).is_success:
                        return url
                except httpx.HTTPError:
                    pass
            time.sleep(0.05)
        raise AssertionError(f"not ready in {_START_TIMEOUT_S} s\n{self.log}")

    def _announced(self) -> str | None:
        """The address that this process announced, not one that was there before."""
        try:
            found = json.loads((self.data_dir / "server.json").read_text())
        except (OSError, ValueError):
            return None
        return str(found["url"]) if found["pid"] == self.pid else None

    def client(self, namespace: str | None = "default") -> Client:
        return Client(self.url, self.key, namespace, retries=0)

    def room(self, name: str) -> Room:
        """A namespace of this name, for tests that would otherwise start a server of their own."""
        with self.client() as client:
            namespace = client.post("namespaces", {"namespace_name": name})["namespace_id"]
            scope = {"resource_type": "namespace", "resource_id": namespace}
            body = {"name": name, "permissions": ["admin"], "scopes": [scope]}
            made = client.post("organizations/users/admin@localhost/api-keys", body)
        return Room(self.url, made["key"], name, self.data_dir)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.pid).children(recursive=True)

    def kill(self) -> None:
        """SIGKILL to the server alone; its children are left to notice."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(timeout=30)

    def kill_group(self) -> None:
        """SIGKILL to the server and all of its children at once."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(timeout=30)

    def hang(self, seconds: float) -> None:
        """The server alone stands still for a while, as on a machine that has too much to do."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """SIGTERM, as an operator ends it; returns the exit status."""
        if self._process is None or not self.is_running:
            return 0
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill_group()
            raise


def _started(command: list[str], environment: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as stream:
        return subprocess.Popen(command, env=environment, stdout=stream, stderr=stream, start_new_session=True)
