"""Folders of this machine that the operator lets connections read."""

import asyncio
import hashlib
import os
import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tamis.errors import OutsideRefusedError, StorageConnectionError
from tamis.model.storage_connection import SourceFile, SourceFolder
from tamis.storage.sources.paths import parts_of

_PAGE = 1000
_READ_BYTES = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK, opening a pipe would wait for who writes to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class AllowedFolder:
    """organization_id: whose connections may read it; None lets everybody's."""

    path: Path
    organization_id: str | None = None


def open_folder(
    organization_id: str, folder: str, allowed: Sequence[AllowedFolder], own: Sequence[Path]
) -> "FolderStorage":
    """own: folders of the server itself, which no connection reads. Raises: OutsideRefusedError."""
    path = Path(folder)
    if not path.is_absolute() or ".." in path.parts:
        raise OutsideRefusedError("provider_config.folder is an absolute path without '..'")
    mine = [one.path.resolve() for one in allowed if one.organization_id in (None, organization_id)]
    real = path.resolve()
    if real != path or not any(real.is_relative_to(one) for one in mine):
        # One answer for all of it: what lies elsewhere on this machine is not to be found out by asking.
        raise OutsideRefusedError(
            f"{folder!r} is not among the folders that connections may read, by its real path; "
            "the operator allows it with TAMIS_CONNECTION_FOLDERS"
        )
    for one in (each.resolve() for each in own):
        if real.is_relative_to(one) or one.is_relative_to(real):
            raise OutsideRefusedError(f"{folder!r} holds data of this server itself, which no connection reads")
    return FolderStorage(real)


class FolderStorage:
    """Implements OpenStorage. Every step down is taken without following links, and only plain files are read."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def check(self, path: str = "") -> str:
        await asyncio.to_thread(lambda: os.close(self._opened(parts_of(path))))
        return "the folder is there and can be read"

    async def files(self, path: str) -> AsyncIterator[Sequence[SourceFile]]:
        pages = _pages(self._found(parts_of(path)))
        while page := await asyncio.to_thread(next, pages, None):
            yield page

    async def folder(self, path: str, most: int) -> SourceFolder:
        return await asyncio.to_thread(self._listed, parts_of(path), most)

    async def fetch(self, path: str, into: Path, most_bytes: int) -> str:
        return await asyncio.to_thread(self._copied, parts_of(path), into, most_bytes)

    def _opened(self, parts: Sequence[str], flags: int = _FOLDER) -> int:
        """Raises: StorageConnectionError."""
        try:
            current = os.open(self._root, _FOLDER)
            for place, part in enumerate(parts):
                above, last = current, place == len(parts) - 1
                try:
                    current = os.open(part, flags if last else _FOLDER, dir_fd=above)
                finally:
                    os.close(above)
            return current
        except OSError as error:
            raise _told("/".join(parts), error) from None

    def _found(self, parts: Sequence[str]) -> Iterator[SourceFile]:
        start = self._opened(parts)
        try:
            for above, folders, names, at in os.fwalk(".", onerror=_raise, follow_symlinks=False, dir_fd=start):
                folders.sort()
                here = [*parts, *Path(above).parts]
                for name in sorted(names):
                    found = _looked_at("/".join((*here, name)), name, at)
                    if found is not None:
                        yield found
        except OSError as error:
            raise _told("/".join(parts), error) from None
        finally:
            os.close(start)

    def _listed(self, parts: Sequence[str], most: int) -> SourceFolder:
        at = self._opened(parts)
        try:
            with os.scandir(at) as entries:
                every = sorted((each.name, each.is_dir(follow_symlinks=False)) for each in entries)
            folders = tuple("/".join((*parts, name)) for name, is_folder in every if is_folder)
            names = [name for name, is_folder in every if not is_folder]
            looked = (_looked_at("/".join((*parts, name)), name, at) for name in names)
            files = [one for one in looked if one is not None]
            return SourceFolder(folders, tuple(files[:most]), len(files) <= most)
        except OSError as error:
            raise _told("/".join(parts), error) from None
        finally:
            os.close(at)

    def _copied(self, parts: Sequence[str], into: Path, most_bytes: int) -> str:
        name = "/".join(parts)
        digest, size_bytes = hashlib.sha256(), 0
        with os.fdopen(self._opened(parts, _FILE), "rb") as source, into.open("wb") as target:
            if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
                raise StorageConnectionError(f"{name!r} is no plain file")
            while chunk := source.read(_READ_BYTES):
                size_bytes += len(chunk)
                if size_bytes > most_bytes:
                    raise StorageConnectionError(f"{name!r} is larger than {most_bytes} bytes")
                digest.update(chunk)
                target.write(chunk)
        return digest.hexdigest()


def _pages(files: Iterator[SourceFile]) -> Iterator[Sequence[SourceFile]]:
    page: list[SourceFile] = []
    for file in files:
        page.append(file)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


def _looked_at(path: str, name: str, at: int) -> SourceFile | None:
    """None for what is no plain file, has gone meanwhile, or has a name that is no text."""
    try:
        found = os.stat(name, dir_fd=at, follow_symlinks=False)
        path.encode()
    except (FileNotFoundError, UnicodeEncodeError):
        return None
    if not stat.S_ISREG(found.st_mode) or not path.isprintable() or "\\" in path:
        return None
    changed = datetime.fromtimestamp(found.st_mtime, UTC)
    return SourceFile(path, found.st_size, changed, f"{found.st_ino:x}-{found.st_mtime_ns:x}-{found.st_size:x}")


def _raise(error: OSError) -> None:
    """A folder that cannot be read is not an empty one; one that has gone meanwhile is."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _told(path: str, error: OSError) -> StorageConnectionError:
    reasons = {FileNotFoundError: "is not there", PermissionError: "may not be read by this server"}
    reason = next((text for kind, text in reasons.items() if isinstance(error, kind)), "cannot be read as a path here")
    return StorageConnectionError(f"{path or '/'!r} {reason}")
