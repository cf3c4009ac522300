"""A directory that is there whole or not at all."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from tamis.errors import ConflictError, StorageError

_LOCK = ".being-made"


@contextlib.contextmanager
def made_whole(target: Path) -> Iterator[Path]:
    """A new directory to be filled, which becomes `target` once nothing was raised; what a kill leaves is cleared away
    by the next one.

    Raises: ConflictError where `target` holds something, or where another process is making it.
    """
    target = target.absolute()
    check_empty(target)
    partial = target.with_name(f"{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir(mode=0o700, exist_ok=True)
        lock = (partial / _LOCK).open("a")
    except OSError as error:
        raise StorageError(f"{target} cannot be made: {error.strerror or error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ConflictError(f"another process is making {target}") from None
        _clear(partial)
        try:
            yield partial
            (partial / _LOCK).unlink()
            # Everything in it is on the disk before its name says that it is whole.
            os.sync()
            _rename(partial, target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    _sync(target.parent)


def check_empty(target: Path) -> None:
    """Raises: ConflictError."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConflictError(f"{target} is there already and not empty; choose another path")


def _rename(partial: Path, target: Path) -> None:
    try:
        partial.rename(target)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be made: {error.strerror}; where it is a mount point, choose a directory inside of it"
        ) from error


def _clear(partial: Path) -> None:
    for left in partial.iterdir():
        if left.name != _LOCK:
            shutil.rmtree(left) if left.is_dir() else left.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
