"""Where a shard lives on disk, and how its state changes in one step.

    <root>/<organization>/<namespace>/<collection>/
        meta.json          format version and features
        CURRENT            name of the generation in use; replaced by a rename
        gen-<token>/       one shard of Qdrant Edge, and built.json beside its data
        build-<token>/     a build under way: what was exported, what was written since

Whatever CURRENT does not name is the rest of a build that did not end, and is removed when the shard opens.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

FORMAT = 3
LOCK_WAIT_S = 15.0
_SAFE = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789_-")
_NAME_LIMIT = 200


def safe_name(text: str) -> str:
    """A directory's name for any text; different texts get different names, also where case is ignored."""
    name = "".join(chr(byte) if byte in _SAFE else f"%{byte:02x}" for byte in text.encode()) or "%"
    return name if len(name) <= _NAME_LIMIT else "%%" + hashlib.sha256(text.encode()).hexdigest()


@lru_cache(maxsize=4096)
def shard_key(organization_id: str, namespace_id: str, collection_id: str) -> str:
    return "/".join(safe_name(part) for part in (organization_id, namespace_id, collection_id))


def shards_under(root: Path) -> list[str]:
    """The names of those that are there, as `shard_key` makes them."""
    there = (path.parent for path in root.glob("*/*/*/meta.json"))
    return sorted(path.relative_to(root).as_posix() for path in there if "%dropped-" not in path.name)


def write_atomic(path: Path, data: bytes) -> None:
    """The file has its old content or the new one, also after a loss of power."""
    draft = _draft(path, data)
    sync_file(draft)
    draft.replace(path)
    sync_directory(path.parent)


def _draft(path: Path, data: bytes) -> Path:
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    draft.write_bytes(data)
    return draft


def sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


sync_directory = sync_file
"""Names that were made, changed and removed in it are there after a loss of power."""


def sync_tree(root: Path) -> None:
    """Whatever stands under `root` is on disk, but for what its owner removes meanwhile."""
    for folder, _, names in os.walk(root):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                sync_file(Path(folder, name))
        with contextlib.suppress(FileNotFoundError):
            sync_directory(Path(folder))


def lock(root: Path, wait_s: float = LOCK_WAIT_S) -> IO[str]:
    """Own every shard under `root`, for as long as this file is open here or in a child that inherited it.

    Processes that are about to end are waited for. Raises: TimeoutError.
    """
    root.mkdir(parents=True, exist_ok=True)
    file = (root / "index.lock").open("a+")
    deadline = time.monotonic() + wait_s
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise TimeoutError(f"another process uses the index under {root}") from None
            time.sleep(0.02)
        else:
            return file


def clear_dropped(root: Path) -> None:
    """Delete what was dropped by a process that was killed before it could."""
    for dropped in root.glob("*/*/*%dropped-*"):
        shutil.rmtree(dropped, ignore_errors=True)


class ShardFiles:
    """The directory of one shard."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def exists(self) -> bool:
        return (self.root / "CURRENT").is_file() and (self.root / "meta.json").is_file()

    def meta(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.root / "meta.json").read_bytes())
        return loaded

    def write_meta(self, features: Sequence[Any], lost: bool = False) -> None:
        meta = {"format": FORMAT, "features": list(features), "lost": lost}
        write_atomic(self.root / "meta.json", json.dumps(meta).encode())

    def current(self) -> Path:
        return self.root / (self.root / "CURRENT").read_text().strip()

    def is_current(self, generation: Path) -> bool:
        return self.exists() and self.current() == generation

    def set_current(self, generation: Path) -> None:
        write_atomic(self.root / "CURRENT", generation.name.encode())

    def draft_current(self, generation: Path) -> Path:
        """What `set_current` would write: for who waits for the disk elsewhere, then moves it over CURRENT."""
        return _draft(self.root / "CURRENT", generation.name.encode())

    def new(self, kind: str) -> Path:
        path = self.root / f"{kind}-{secrets.token_hex(6)}"
        path.mkdir(parents=True)
        return path

    def clean(self) -> None:
        """Remove what no crash-free course would have left."""
        current = self.current() if (self.root / "CURRENT").is_file() else None
        for entry in self.root.iterdir():
            if entry.is_dir() and entry != current:
                shutil.rmtree(entry, ignore_errors=True)
            elif entry.suffix == ".new":
                entry.unlink(missing_ok=True)
        if current is not None:
            # A kill inside an optimisation leaves segments there that no one will finish.
            shutil.rmtree(current / "temp_segments", ignore_errors=True)

    def remove(self) -> None:
        """Gone at once by a rename, then deleted."""
        doomed = self.root.with_name(f"{self.root.name}%dropped-{secrets.token_hex(4)}")
        with contextlib.suppress(FileNotFoundError):
            self.root.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)


def read_built(generation: Path) -> int:
    """How many points a build put into this generation."""
    try:
        return int(json.loads((generation / "built.json").read_bytes())["points"])
    except (FileNotFoundError, ValueError, KeyError):
        return 0


def read_config(generation: Path) -> dict[str, Any]:
    """What the engine keeps of how the generation was made."""
    loaded: dict[str, Any] = json.loads((generation / "edge_config.json").read_bytes())
    return loaded


def places(generation: Path) -> int:
    """How many points the engine keeps a place for, dead ones too: 8 bytes each; 0 where its files are others."""
    versions = generation.glob("segments/*/*id_tracker.versions")
    return sum(file.stat().st_size // 8 for file in versions)


def write_built(generation: Path, points: int) -> None:
    write_atomic(generation / "built.json", json.dumps({"points": points}).encode())
