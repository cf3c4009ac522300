"""The builder: `python -m tamis.storage.index.builder <directory>` makes one optimised generation and ends.

It reads what the owner exported, fills the shard, optimises it, makes the index of every payload field (the graph needs
none of them, and an index made of a segment that is whole lies mapped) and
flushes it. Its priority is the lowest; it dies with the index process.
"""

import ctypes
import os
import select
import signal
import sys
import uuid
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tamis.storage.index import native
from tamis.storage.index.build import build_threads
from tamis.storage.index.files import sync_directory, write_built
from tamis.storage.index.shard import Generation
from tamis.storage.index.wire import FrameBuffer, read_frames, unpack

_PR_SET_PDEATHSIG = 1
_BATCH_POINTS = 1000
_READ_BYTES = 1 << 22


def main(work: Path) -> None:
    os.nice(19)
    die_with_parent()
    order = unpack(next(read_frames((work / "order").read_bytes())))
    target = Path(order["target"])
    generation = Generation.create(target, native.shard_config(order["features"], order["points"], build_threads()))
    points = 0
    exported = _exported(work / "points")
    while batch := dict(islice(exported, _BATCH_POINTS)):
        end_if_orphaned()
        generation.upsert(batch)
        points += len(batch)
    generation.engine.optimize()
    generation.index_fields(["t", *order["keys"]])
    generation.engine.flush()
    generation.engine.close()
    write_built(target, points)
    sync_directory(target)


def die_with_parent() -> None:
    """On Linux the kernel sees to it, for the engine's long calls leave no chance to look."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    end_if_orphaned()


def end_if_orphaned() -> None:
    if select.select([sys.stdin], [], [], 0)[0]:
        sys.exit("the index process is gone")


def _exported(path: Path) -> Iterator[tuple[uuid.UUID, tuple[dict[str, Any], dict[str, Any]]]]:
    frames = FrameBuffer()
    with path.open("rb") as file:
        while data := file.read(_READ_BYTES):
            for frame in frames.feed(data):
                identifier, vectors, kept = unpack(frame)
                yield uuid.UUID(bytes=identifier), (vectors, kept)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
