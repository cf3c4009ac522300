"""The data directory: what lies where, which layout it has, and that only one server uses it."""

import fcntl
import json
import os
from pathlib import Path
from typing import IO

from tamis.errors import DataDirectoryInUse, StorageError

LAYOUT = 1


class DataPaths:
    """What lies where, whether or not a server uses it."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @property
    def metadata_path(self) -> Path:
        return self.root / "tamis.sqlite3"

    @property
    def index_path(self) -> Path:
        return self.root / "index"

    @property
    def blob_path(self) -> Path:
        return self.root / "blobs"

    @property
    def work_path(self) -> Path:
        """For files while something is made of them; nothing in it outlives the server."""
        return self.root / "work"

    @property
    def address_path(self) -> Path:
        return self.root / "server.json"

    def others(self) -> list[Path]:
        """Files that are neither the record, the index nor the blobs, and that belong to the data all the same."""
        passing = {"server.lock", "server.json"}
        return sorted(
            path
            for path in self.root.iterdir()
            if path.is_file()
            and path.name not in passing
            and not path.name.startswith(self.metadata_path.name)
            and path.suffix != ".partial"
        )


class DataDirectory(DataPaths):
    """Opened by one server at a time; the lock goes with the process, however it ends.

    Raises: DataDirectoryInUse where another server has it, StorageError where its layout is newer than this code.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.root.mkdir(parents=True, exist_ok=True)
        self._lock = self._take_lock()
        self._check_layout()

    def announce(self, url: str) -> None:
        """Leave a note where commands on this machine find the running server."""
        partial = self.address_path.with_suffix(".partial")
        partial.write_text(json.dumps({"url": url, "pid": os.getpid()}))
        partial.replace(self.address_path)

    def close(self) -> None:
        self.address_path.unlink(missing_ok=True)
        self._lock.close()

    def _take_lock(self) -> IO[str]:
        handle = open(self.root / "server.lock", "a+")  # noqa: SIM115 - held open for as long as the server lives
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.close()
            raise DataDirectoryInUse(
                f"another Tamis server is using {self.root}; stop it, or choose another --data-dir",
                data_dir=str(self.root),
            ) from error
        return handle

    def _check_layout(self) -> None:
        marker = self.root / "layout.json"
        if not marker.exists():
            marker.write_text(json.dumps({"layout": LAYOUT}))
            return
        found = json.loads(marker.read_text())["layout"]
        if found > LAYOUT:
            self._lock.close()
            raise StorageError(f"{self.root} has layout {found}, this Tamis knows up to {LAYOUT}; install a newer one")


def read_address(root: Path) -> str | None:
    """The URL of the server that uses this data directory, if one said so."""
    try:
        found = json.loads((root / "server.json").read_text())
        os.kill(found["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    url = found["url"]
    return url if isinstance(url, str) else None
