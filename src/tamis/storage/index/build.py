"""A build as its owner sees it: export, wait for the builder, replay, swap. Nothing here takes more than milliseconds.

The owner copies the shard's points into a file a few at a time, between the calls that it serves; the builder, a child
of low priority, makes an optimised generation of that file. Every write applied meanwhile is also kept in a journal,
which is replayed onto the new generation, a few at a time again, until none is left; then CURRENT is moved.
Replaying the whole journal over a copy taken at any moment of it ends in the same state, for each write stands for
itself. A kill at any point leaves the old generation in use, with every write in it.
"""

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

import qdrant_edge as edge

from tamis.storage.index import native
from tamis.storage.index.payload import indexed_keys
from tamis.storage.index.shard import Generation, Shard
from tamis.storage.index.wire import pack, read_frames, unpack

EXPORT_POINTS = 64
_log = logging.getLogger(__name__)


class Phase(Enum):
    EXPORT = "export"
    BUILD = "build"
    REPLAY = "replay"
    DONE = "done"
    FAILED = "failed"


class Build:
    """One build of one shard. `step` goes on with it; `record` must be told of every write applied to the shard."""

    def __init__(self, shard: Shard) -> None:
        self.phase = Phase.EXPORT
        self.shard = shard
        self.error = ""
        self._work = shard.files.new("build")
        self._target = shard.files.new("gen")
        self._export: BinaryIO = (self._work / "points").open("wb")
        self._journal: BinaryIO = (self._work / "journal").open("wb")
        self._offset: Any = None
        self._keys: set[str] = set()
        self._points = 0
        self._builder: subprocess.Popen[bytes] | None = None
        self._next: Generation | None = None
        self.retired: Generation | None = None
        self._replay: Iterator[bytes] = iter(())
        self._read_bytes = 0

    @property
    def builder_pid(self) -> int | None:
        return self._builder.pid if self._builder else None

    def record(self, operation: str, argument: Any) -> None:
        self._journal.write(pack([operation, argument]))

    def step(self) -> bool:
        """One small piece of work; False where there is nothing to do but wait."""
        try:
            return self._step()
        except Exception as error:
            _log.exception("a build failed in phase %s", self.phase.value)
            self._fail(f"{type(error).__name__}: {error}")
            return True

    def _step(self) -> bool:
        if self.phase is Phase.EXPORT:
            self._export_some()
        elif self.phase is Phase.BUILD:
            return self._check_builder()
        elif self.phase is Phase.REPLAY:
            self._replay_some()
        return True

    def _export_some(self) -> None:
        request = edge.ScrollRequest(offset=self._offset, limit=EXPORT_POINTS, with_payload=True, with_vector=True)
        records, self._offset = self.shard.generation.engine.scroll(request)
        for record in records:
            vectors = {name: native.raw_vector(value) for name, value in (record.vector or {}).items()}
            kept = record.payload or {}
            self._keys.update(indexed_keys(kept))
            self._export.write(pack([record.id.bytes, vectors, kept]))
        self._points += len(records)
        if self._offset is None:
            self._export.close()
            self._start_builder()

    def _start_builder(self) -> None:
        order = {"features": list(self.shard.features), "keys": sorted(self._keys), "target": str(self._target)}
        (self._work / "order").write_bytes(pack(order))
        command = [sys.executable, "-m", "tamis.storage.index.builder", str(self._work)]
        # The builder watches its standard input: it ends when this process does.
        self._builder = subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own module
        self.phase = Phase.BUILD

    def _check_builder(self) -> bool:
        assert self._builder is not None  # noqa: S101 - phase BUILD begins with it
        code = self._builder.poll()
        if code is None:
            return False
        self._close_pipe()
        if code != 0:
            self._fail(f"the builder ended with {code}")
            return True
        self._next = Generation.load(self._target)
        self.phase = Phase.REPLAY
        return True

    def _replay_some(self) -> None:
        assert self._next is not None  # noqa: S101 - phase REPLAY begins with it
        frame = next(self._replay, None)
        if frame is not None:
            operation, argument = unpack(frame)
            self._next.apply(operation, argument)
            return
        self._journal.flush()
        written = self._journal.tell()
        if written == self._read_bytes:
            self._swap(self._next)
            return
        with (self._work / "journal").open("rb") as journal:
            journal.seek(self._read_bytes)
            self._replay = read_frames(journal.read(written - self._read_bytes))
        self._read_bytes = written

    def _swap(self, new: Generation) -> None:
        old = self.shard.generation
        with contextlib.suppress(OSError):
            self.shard.files.set_current(new.path)
        if self.shard.files.current() != new.path:
            raise OSError("CURRENT could not be moved")
        self.shard.generation = new
        self.retired = old
        self.phase = Phase.DONE
        self._journal.close()

    def retire(self) -> None:
        """Close what was swapped out. Takes a second where it was large, so the host waits for a quiet moment."""
        old, self.retired = self.retired, None
        if old is not None:
            with contextlib.suppress(Exception):
                old.engine.close()
            self._sweep(old.path, self._work)

    def _fail(self, reason: str) -> None:
        self.error = reason
        self.phase = Phase.FAILED
        self.abandon()

    def abandon(self) -> None:
        """Leave the old generation as it is and clear away what was made."""
        if self._builder is not None and self._builder.poll() is None:
            self._builder.kill()
            self._builder.wait()
        self._close_pipe()
        self._export.close()
        self._journal.close()
        if self._next is not None:
            self._next.engine.close()
        self._sweep(self._target, self._work)

    def _close_pipe(self) -> None:
        if self._builder is not None and self._builder.stdin is not None:
            with contextlib.suppress(OSError):
                self._builder.stdin.close()

    def _sweep(self, *paths: Path) -> None:
        """Deleting is the kernel's work and lets go of the GIL; what a kill leaves is removed at the next opening."""
        for path in paths:
            threading.Thread(target=shutil.rmtree, args=(path, True), daemon=True).start()


def build_threads() -> int:
    return max(1, (os.cpu_count() or 2) // 2)
