"""A small shard made anew without what is dead, by the process that serves it, a little at a time between its calls.

Points that were deleted or changed keep their places in the engine's files and memory. A build leaves them out, and
moves the shard into a process of its own; a shard that is too small for a graph is copied instead. The builder makes an
empty generation, for each index of a field waits for the disk; the serving process opens it, copies points into it, and
waits for the disk in a thread, by the kernel and not by the engine, which would hold the GIL. Every write that comes
meanwhile goes to both generations: copied before or after it, a point ends the same. A kill at any moment leaves the
generation that CURRENT names in use, with every write in it.
"""

import contextlib
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import qdrant_edge as edge

from tamis.errors import StorageError
from tamis.storage.index.build import start_builder, sweep
from tamis.storage.index.files import sync_directory, sync_file, sync_tree
from tamis.storage.index.heap import give_back
from tamis.storage.index.shard import Generation, Shard

COPY_POINTS = 4
"""At a time: 0.6 ms."""


class Compaction:
    """One compaction of one shard. `apply` must be told of every write applied to the shard.

    waits: for the builder or the disk; `step` has nothing to do but look.  is_done: the shard has its new generation,
    and the old one is to be closed by `retire`.
    """

    def __init__(self, shard: Shard) -> None:
        self.waits = False
        self.is_done = False
        self.copied = 0
        self._shard = shard
        self._old = shard.generation
        self._work = shard.files.new("build")
        self._target = shard.files.new("gen")
        self._new: Generation | None = None
        self._steps = self._run()

    @property
    def _is_in_use(self) -> bool:
        return self._shard.generation is self._new

    def apply(self, operation: str, argument: Any) -> None:
        if self._new is not None and not self._is_in_use:
            self._new.apply(operation, argument)

    def step(self) -> None:
        """One small piece of work. Raises: StorageError, and what the engine and the disk raise."""
        self.waits = next(self._steps, False)

    def abandon(self) -> None:
        """Leave the shard as it is."""
        self._steps.close()
        if self._is_in_use:
            sync_directory(self._shard.files.root)
            self.retire()
            return
        if self._new is not None:
            self._new.engine.close()
        sweep(self._target, self._work)

    def retire(self) -> None:
        """Close what was replaced: 10 to 30 ms, and longer where the disk is busy."""
        with contextlib.suppress(Exception):
            self._old.engine.close()
        give_back()
        sweep(self._old.path, self._work)

    def _run(self) -> Generator[bool, None, None]:
        yield from self._prepare()
        new = self._new = Generation.load(self._target)
        yield False
        for records in self._old_points():
            new.put([edge.Point(record.id, record.vector or {}, record.payload or {}) for record in records])
            self.copied += len(records)
            yield False
        yield from _aside(lambda: sync_tree(new.path))
        draft = self._shard.files.draft_current(new.path)
        yield from _aside(lambda: sync_file(draft))
        self._shard.replace(new, draft)
        yield from _aside(lambda: sync_directory(self._shard.files.root))
        self.is_done = True

    def _prepare(self) -> Generator[bool, None, None]:
        (self._work / "points").touch()
        keys = sorted(self._old.keys)
        builder = start_builder(self._work, self._shard.features, keys, 0, self._target)
        try:
            while builder.poll() is None:
                yield True
        finally:
            builder.kill()
            builder.wait()
            if builder.stdin is not None:
                builder.stdin.close()
        if builder.returncode != 0:
            raise StorageError(f"the builder ended with {builder.returncode}")

    def _old_points(self) -> Iterator[list[Any]]:
        offset = None
        while True:
            request = edge.ScrollRequest(offset=offset, limit=COPY_POINTS, with_payload=True, with_vector=True)
            records, offset = self._old.engine.scroll(request)
            yield records
            if offset is None:
                return


def _aside(work: Callable[[], None]) -> Generator[bool, None, None]:
    """Until a thread has done it. Raises: OSError."""
    failed: list[OSError] = []

    def run() -> None:
        try:
            work()
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    while thread.is_alive():
        yield True
    if failed:
        raise failed[0]
