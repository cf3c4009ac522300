"""Server processes that begin with everything imported, which is half of what a start costs a processor.

A process of its own imports what `tamis serve` does and nothing else, and has no other thread. It forks for each server
that is asked for: from there on that is `tamis serve` as anybody starts it, in a session of its own, to be killed as
any other.
"""

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

_POLL_S = 0.01
_INHERITED = frozenset(os.environ)
_IMPORTED = ("tamis.__main__", "tamis.cli.serving", "tamis.telemetry.logs", "tamis.app")


class Nursling:
    """A process of the nursery's. What tests want of `subprocess.Popen`."""

    def __init__(self, nursery: "Nursery", pid: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._status: int | None = None

    def poll(self) -> int | None:
        """Its exit status, less than 0 where a signal ended it; None while it runs."""
        if self._status is None:
            self._status = self._nursery.ask(poll=self.pid)
        return self._status

    def wait(self, timeout: float) -> int:
        """Raises: subprocess.TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(["tamis", "serve"], timeout)
            time.sleep(_POLL_S)
        return status

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)


class Nursery:
    """The process that forks, and what it is told."""

    def __init__(self) -> None:
        ours, its = socket.socketpair()
        command = [sys.executable, "-m", "tests.nursery", str(its.fileno())]
        root = Path(__file__).parents[1]
        self._process = subprocess.Popen(command, pass_fds=[its.fileno()], cwd=root, stdin=subprocess.DEVNULL)
        its.close()
        self._orders = ours.makefile("rwb")
        self._lock = threading.Lock()
        atexit.register(self._close)

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> Nursling:
        order = {"arguments": list(arguments), "environment": dict(environment), "log": str(log), "cwd": os.getcwd()}
        return Nursling(self, self.ask(start=order))

    def ask(self, **order: Any) -> Any:
        with self._lock:
            self._orders.write(json.dumps(order).encode() + b"\n")
            self._orders.flush()
            return json.loads(self._orders.readline())

    def _close(self) -> None:
        self._process.kill()
        self._process.wait()


@cache
def nursery() -> Nursery:
    return Nursery()


def _serve_orders(orders: socket.socket) -> None:
    with orders.makefile("rwb") as lines:
        for line in lines:
            order = json.loads(line)
            answer = _born(orders, order["start"]) if "start" in order else _ended(order["poll"])
            lines.write(json.dumps(answer).encode() + b"\n")
            lines.flush()


def _born(orders: socket.socket, order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            os.close(orders.fileno())
            _become(order)
        finally:
            os._exit(70)
    return pid


def _become(order: dict[str, Any]) -> None:
    os.setsid()
    os.chdir(order["cwd"])
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for stream in (1, 2):
        os.dup2(log, stream)
    for name in _INHERITED - order["environment"].keys():
        del os.environ[name]
    os.environ.update(order["environment"])
    sys.argv = ["tamis", *order["arguments"]]
    sys.modules["tamis.__main__"].main()


def _ended(pid: int) -> int | None:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    gc.disable()  # as `tamis serve` does before it imports
    for name in _IMPORTED:
        import_module(name)
    _serve_orders(socket.socket(fileno=int(sys.argv[1])))
