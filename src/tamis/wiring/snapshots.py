"""Snapshots, what takes them and what puts them back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.jobs.restoring import RestoreWorker
from tamis.jobs.snapshotting import SnapshotWorker
from tamis.services.data.files import FileKeeping
from tamis.services.data.snapshots import SnapshotService
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.indexing import Indexer
from tamis.wiring.backends import Backends


def snapshots_of(
    backends: Backends, keeping: FileKeeping, indexer: Indexer, clearing: Clearing, clock: Clock, folder: Path,
    forget: Callable[[], None],
) -> Sequence[Any]:  # fmt: skip
    """folder: for what is being taken.  forget: called when a namespace was made."""
    metadata, blobs, locks = backends.metadata, backends.blobs, backends.locks
    taking = SnapshotWorker(metadata, blobs, clearing, clock, folder, locks)
    restoring = RestoreWorker(metadata, blobs, keeping, indexer, clearing, clock, locks)

    def wake() -> None:
        taking.wake()
        restoring.wake()

    return taking, restoring, SnapshotService(metadata, indexer, clearing, clock, wake, forget)
