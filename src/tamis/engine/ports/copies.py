"""The system of record as a whole: copied at one moment, and put back."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from tamis.model.backup import NamedFile


class RecordCopies(Protocol):
    """An operator's commands call these, on no event loop: they block. Of every tenant."""

    def take(self, target: Path) -> str:
        """Copy everything as it is at one moment into one file, beside whoever writes; returns its schema's revision.

        Raises: ConflictError where there is nothing yet, or where another version of Tamis wrote it; StorageError.
        """
        ...

    def put_back(self, source: Path) -> None:
        """Make the copy at `source` the system of record. Raises: ConflictError where there is one; StorageError."""
        ...

    def knows(self, schema: str) -> bool:
        """Whether a copy of this revision can be put back by this version."""
        ...

    def named_files(self, copy: Path) -> Iterator[NamedFile]:
        """Every file of the blob store that a copy names."""
        ...

    def held(self) -> AbstractContextManager[None]:
        """Nobody writes while this is open: who tries waits, then is answered 503; reads go on.

        Raises: StorageError.
        """
        ...

    def differing(self, copy: Path, other: Path) -> Sequence[str]:
        """Tables whose rows are not the same in two copies, but for what belongs to an index. Copies may be changed."""
        ...
