"""Decoding in worker processes: started when they are needed, kept, killed at their limits, replaced when they die."""

import contextlib
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tamis.decoding.messages import Asked, Told
from tamis.decoding.process import WorkerProcess
from tamis.decoding.sniffing import content_type
from tamis.decoding.tasks import TASKS
from tamis.errors import DecodeError

T = TypeVar("T")

_RUNS_PER_WORKER = 1000
# What is of the type `resource` is tried again.
_DEATHS = {
    "SIGKILL": ("the decoder was ended from outside, as for want of memory", "resource"),
    "SIGXCPU": ("decoding it takes more computing than it may", "runtime"),
    "SIGXFSZ": ("what is in it is larger than it may be", "runtime"),
}


class DecoderPool:
    """Implements Decoding. Nothing runs before the first file."""

    def __init__(self, root: Path, workers: int = 2, memory_bytes: int = 1 << 30, timeout_s: float = 300.0) -> None:
        """root: for folders to work in; emptied here.  memory_bytes: of one worker.

        timeout_s: where a call has none.
        """
        self.root = root
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True, exist_ok=True)
        self._memory_bytes = memory_bytes
        self._timeout_s = timeout_s
        self._places = threading.Semaphore(workers)
        self._lock = threading.Lock()
        self._is_closed = False
        self.idle: list[WorkerProcess] = []
        self.busy: set[WorkerProcess] = set()

    def decode(
        self, task: str, file: Path, options: Any, kind: type[T], work: Path, timeout_s: float | None = None
    ) -> T:
        limit_s = timeout_s or self._timeout_s
        raw = msgspec.Raw(msgspec.msgpack.encode(options))
        told = self._asked(Asked(TASKS.get(task, task), os.path.abspath(file), raw, os.path.abspath(work), limit_s))
        if told.error is not None:
            raise DecodeError(told.error, told.error_type)
        return msgspec.msgpack.decode(told.answer, type=kind)

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(dir=self.root, ignore_cleanup_errors=True) as name:
            yield Path(name)

    def content_type(self, file: Path) -> str:
        return content_type(file)

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            idle, self.idle = self.idle, []
            for worker in self.busy:
                worker.kill()  # whoever waits for it ends it
        for worker in idle:
            worker.end()

    def _asked(self, asked: Asked) -> Told:
        with self._places:
            worker = self._taken()
            try:
                told = worker.ask(asked)
            except OSError:  # it died while it was idle
                self._gone(worker)
                worker = self._started()
                told = self._survived(worker, asked)
            except (TimeoutError, EOFError) as death:
                raise self._death(worker, asked, death) from None
            except BaseException:
                self._gone(worker)
                raise
            self._back(worker)
            return told

    def _survived(self, worker: WorkerProcess, asked: Asked) -> Told:
        try:
            return worker.ask(asked)
        except (OSError, TimeoutError, EOFError) as death:
            raise self._death(worker, asked, death) from None

    def _death(self, worker: WorkerProcess, asked: Asked, death: Exception) -> DecodeError:
        if isinstance(death, TimeoutError):
            self._gone(worker)
            return DecodeError(f"it was not decoded within {asked.timeout_s:g} s", "runtime")
        how = worker.ended_by()
        self._gone(worker)
        if self._is_closed:
            return DecodeError("the server is ending", "resource")
        reason, error_type = _DEATHS.get(how, (f"the decoder broke down over it ({how})", "runtime"))
        return DecodeError(reason, error_type)

    def _taken(self) -> WorkerProcess:
        with self._lock:
            if self.idle:
                worker = self.idle.pop()
                self.busy.add(worker)
                return worker
        return self._started()

    def _started(self) -> WorkerProcess:
        if self._is_closed:
            raise DecodeError("the server is ending", "resource")
        worker = WorkerProcess(self._memory_bytes)
        with self._lock:
            self.busy.add(worker)
        return worker

    def _back(self, worker: WorkerProcess) -> None:
        with self._lock:
            self.busy.discard(worker)
            if not self._is_closed and worker.runs < _RUNS_PER_WORKER:
                self.idle.append(worker)
                return
        worker.end()

    def _gone(self, worker: WorkerProcess) -> None:
        with self._lock:
            self.busy.discard(worker)
        worker.end()
