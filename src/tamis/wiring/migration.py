"""An installation moved to other stores, whole and verified."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tamis.errors import ConflictError, StorageError
from tamis.model.backup import Manifest
from tamis.services.upkeep.backups import RECORD
from tamis.services.upkeep.whole_directory import check_empty
from tamis.settings import Settings
from tamis.storage.datadir import DataPaths
from tamis.storage.metadata.copies import SqlCopies
from tamis.wiring.backups import restore_backup, write_backup
from tamis.wiring.verification import verify

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Place:
    """Where an installation has its stores. data_dir: to be made; the rest: None where it is in there."""

    data_dir: Path
    database_url: str | None = None
    index_url: str | None = None
    index_api_key: str | None = None
    blob_url: str | None = None

    def settings(self) -> Settings:
        """As those of this process, but for the stores."""
        return Settings(
            data_dir=self.data_dir, database_url=self.database_url, index_url=self.index_url,
            index_api_key=self.index_api_key, blob_url=self.blob_url,
        )  # fmt: skip


async def migrate(source: Settings, place: Place, scratch: Path | None, told: Callable[[str], None]) -> Manifest:
    """Everything of `source` at `place`, compared with the original row by row and byte by byte before this returns.

    Nobody can write to the source meanwhile, and nothing there is changed. What was being written is finished first, so
    that from now on either of the two is whole.
    scratch: where a copy of everything but the index lies meanwhile.  told: each step as it begins.
    Raises: ConflictError where the place is not empty, StorageError.
    """
    target = place.settings()
    record = SqlCopies(DataPaths(source.data_dir).metadata_path, source.database_url)
    check_empty(target.data_dir)
    _check_apart(source, target)
    with record.held(), tempfile.TemporaryDirectory(prefix="tamis-migration-", dir=scratch) as folder:
        copy = Path(folder) / "copy"
        told("copying the record and the files")
        manifest = await write_backup(source, copy)
        told("writing them to their new place, and making the index")
        await restore_backup(target, copy)
        told("comparing")
        await _compare(record, target, copy / RECORD, Path(folder) / RECORD)
    return manifest


def _check_apart(source: Settings, target: Settings) -> None:
    """Files in a store of their own may stay where they are only by copying them: two would write to one store."""
    for name in ("database_url", "blob_url"):
        url = getattr(target, name)
        if url is not None and url == getattr(source, name):
            raise ConflictError(f"the {name} to move to is the one that is moved from: {url.rpartition('@')[2]}")


async def _compare(record: SqlCopies, target: Settings, copy: Path, again: Path) -> None:
    SqlCopies(DataPaths(target.data_dir).metadata_path, target.database_url).take(again)
    differing = record.differing(copy, again)
    if differing:
        raise StorageError(f"the new record is not what the old one was, in {', '.join(differing)}")
    report = await verify(target, deep=True)
    if report.left:
        first = "; ".join(f"{fault.where}: {fault.problem}" for fault in report.left[:_MOST_TOLD])
        raise StorageError(f"the new installation does not agree with itself in {len(report.left)} places: {first}")
