"""A build as its owner sees it: export, wait for the builder, hand over. Nothing here takes more than milliseconds.

The owner copies the shard's points into a file a few at a time, between the calls that it serves; the builder, a child
of low priority, makes an optimised generation of that file. Every write applied meanwhile is also kept in a journal,
which the next owner replays onto the new generation (`handover`). A kill at any point leaves the generation that
CURRENT names in use, with every write in it.
"""

import contextlib
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

import qdrant_edge as edge

from tamis.storage.index import native
from tamis.storage.index.heap import give_back
from tamis.storage.index.payload import indexed_keys
from tamis.storage.index.shard import Shard
from tamis.storage.index.wire import pack

EXPORT_POINTS = 16
"""At a time: a call that comes meanwhile waits for 0.4 ms, with 64 for 1.7 ms, and the export takes as long."""

_log = logging.getLogger(__name__)


class Phase(Enum):
    EXPORT = "export"
    BUILD = "build"
    HANDOVER = "handover"
    DONE = "done"
    FAILED = "failed"


class Build:
    """One build of one shard. `step` goes on with it; `record` must be told of every write applied to the shard."""

    def __init__(self, shard: Shard) -> None:
        self.phase = Phase.EXPORT
        self.shard = shard
        self.error = ""
        self.work = shard.files.new("build")
        self.target = shard.files.new("gen")
        self._export: BinaryIO = (self.work / "points").open("wb")
        self._journal: BinaryIO = (self.work / "journal").open("wb")
        self._offset: Any = None
        self._keys: set[str] = set()
        self._points = 0
        self._builder: subprocess.Popen[bytes] | None = None

    @property
    def builder_pid(self) -> int | None:
        return self._builder.pid if self._builder else None

    def record(self, operation: str, argument: Any) -> None:
        """Readable by the next owner when it returns. Where it cannot be written, the build has failed."""
        try:
            self._journal.write(pack([operation, argument]))
            self._journal.flush()
        except OSError as error:
            self.fail(f"the journal could not be written: {error}")

    def step(self) -> bool:
        """One small piece of work; False where there is nothing to do but wait."""
        try:
            return self._step()
        except Exception as error:
            _log.exception("a build failed in phase %s", self.phase.value)
            self.fail(f"{type(error).__name__}: {error}")
            return True

    def _step(self) -> bool:
        if self.phase is Phase.EXPORT:
            self._export_some()
        elif self.phase is Phase.BUILD:
            return self._check_builder()
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
        # Those that there are an index of already first: there may be more than a shard takes.
        there = self.shard.generation.keys
        keys = sorted(self._keys, key=lambda key: (key not in there, key))
        self._builder = start_builder(self.work, self.shard.features, keys, self._points, self.target)
        self.phase = Phase.BUILD

    def _check_builder(self) -> bool:
        assert self._builder is not None  # noqa: S101 - phase BUILD begins with it
        code = self._builder.poll()
        if code is None:
            return False
        self._close_pipe()
        if code != 0:
            self.fail(f"the builder ended with {code}")
            return True
        self.phase = Phase.HANDOVER
        return True

    def handed_over(self) -> None:
        self.phase = Phase.DONE
        self._journal.close()

    def retire(self) -> None:
        """Close what was replaced. That takes a moment where it was large, so the host waits for a quiet one."""
        old = self.shard.generation
        with contextlib.suppress(Exception):
            old.engine.close()
        give_back()
        sweep(old.path, self.work)

    def fail(self, reason: str, clear: bool = False) -> None:
        """clear: no process is taking the generation over any more."""
        self.error = reason
        self.abandon(clear)
        self.phase = Phase.FAILED

    def abandon(self, clear: bool = False) -> None:
        """Leave the old generation as it is and clear away what was made, unless another process may be taking it."""
        if self._builder is not None and self._builder.poll() is None:
            self._builder.kill()
            self._builder.wait()
        self._close_pipe()
        self._export.close()
        self._journal.close()
        if clear or self.phase is not Phase.HANDOVER:
            sweep(self.target, self.work)

    def _close_pipe(self) -> None:
        if self._builder is not None and self._builder.stdin is not None:
            with contextlib.suppress(OSError):
                self._builder.stdin.close()


def start_builder(
    work: Path, features: Sequence[Any], keys: Sequence[str], points: int, target: Path
) -> subprocess.Popen[bytes]:
    """Make the generation `target` of so many points in the file `points` of `work`, with an index of each key."""
    order = {"features": list(features), "keys": list(keys), "points": points, "target": str(target)}
    (work / "order").write_bytes(pack(order))
    command = [sys.executable, "-m", "tamis.storage.index.builder", str(work)]
    # The builder watches its standard input: it ends when this process does.
    return subprocess.Popen(command, stdin=subprocess.PIPE)  # noqa: S603 - our own module


def sweep(*paths: Path) -> None:
    """Deleting is the kernel's work and lets go of the GIL; what a kill leaves is removed at the next opening."""
    for path in paths:
        threading.Thread(target=shutil.rmtree, args=(path, True)).start()


def build_threads() -> int:
    return max(1, (os.cpu_count() or 2) // 2)
