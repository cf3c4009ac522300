"""One decoding worker: runs the tasks that come in on stdin, within limits, and ends when the server does."""

import math
import os
import queue
import resource
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, get_type_hints

import msgspec

from tamis.decoding.messages import HEAD_BYTES, Asked, Told, framed, length
from tamis.decoding.unreadable import UnreadableError

_MOST_FILE_BYTES = 8 << 30
_MOST_OPEN = 128
_MOST_CORES = 4
"""A task may use as much CPU time as so many cores give while it may run."""
_LONGEST_REASON = 500
INSTALL = "pip install 'tamis[media]'"


def main() -> None:
    """argv: the most bytes of memory."""
    limit(int(sys.argv[1]))
    # What a library prints must not come between the frames.
    write = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    asked: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, asked), daemon=True).start()
    _answer(write, Told())
    while True:
        request = msgspec.msgpack.decode(asked.get(), type=Asked)
        bound(request.timeout_s)
        told = run(request)
        signal.setitimer(signal.ITIMER_REAL, 0)
        _answer(write, told)


def limit(memory_bytes: int) -> None:
    """Of the process, for good."""
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, memory_bytes),
        (resource.RLIMIT_FSIZE, _MOST_FILE_BYTES),
        (resource.RLIMIT_NOFILE, _MOST_OPEN),
    ):
        resource.setrlimit(kind, (most, most))


def bound(timeout_s: float) -> None:
    """Of one task: the kernel ends the process, whatever it is at and whether there is still a server."""
    signal.setitimer(signal.ITIMER_REAL, timeout_s + 1)
    used_s = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used_s + timeout_s * _MOST_CORES) + 1, resource.RLIM_INFINITY))


def run(asked: Asked) -> Told:
    try:
        function = _function(asked.task)
        options = msgspec.msgpack.decode(asked.options, type=get_type_hints(function)["options"])
        answer = function(Path(asked.file), options, Path(asked.work))
        return Told(msgspec.Raw(msgspec.msgpack.encode(answer)))
    except UnreadableError as problem:
        return _failed(problem.message, problem.error_type)
    except ImportError as missing:
        return _failed(f"{missing.name or missing} is not installed: {INSTALL}", "dependency")
    except MemoryError:
        return _failed("decoding it takes more memory than it may", "runtime")
    except Exception as error:
        return _failed(f"it cannot be decoded: {type(error).__name__}: {error}", "validation")


def _failed(reason: str, error_type: str) -> Told:
    # Reasons of libraries may hold bytes of the file.
    return Told(error=reason.encode(errors="replace").decode()[:_LONGEST_REASON], error_type=error_type)


def _function(place: str) -> Callable[[Path, Any, Path], Any]:
    module, _, name = place.partition(":")
    found: Callable[[Path, Any, Path], Any] = getattr(import_module(module), name)
    return found


def _read(stdin: BinaryIO, asked: "queue.SimpleQueue[bytes]") -> None:
    while len(head := stdin.read(HEAD_BYTES)) == HEAD_BYTES:
        asked.put(stdin.read(length(head)))
    os._exit(0)  # the server is gone, and what is under way is for nobody


def _answer(write: BinaryIO, told: Told) -> None:
    write.write(framed(told))
    write.flush()
