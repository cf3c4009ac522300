"""Data directories that older versions left are upgraded, read and found whole; newer ones are refused."""

import asyncio
import json
import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tamis.errors import StorageError
from tamis.settings import Settings
from tamis.storage.datadir import LAYOUT
from tamis.storage.metadata.schema import REVISION
from tamis.wiring.system import open_system
from tamis.wiring.verification import Report, verify
from tests.formats import make_directory
from tests.live import LiveServer

# Of Python 3.11 only the later releases know it; the samples are our own.
_CAREFULLY: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
SAMPLES = sorted(make_directory.HERE.glob("directory-*.tar.gz"))


def test_this_layout_has_a_sample() -> None:
    assert any(path.name.startswith(f"directory-{LAYOUT}-") for path in SAMPLES)


def extracted(sample: Path, folder: Path) -> tuple[Path, dict[str, Any]]:
    """(the directory, what has to be read from it)"""
    with tarfile.open(sample) as archive:
        archive.extractall(folder, **_CAREFULLY)
    return folder / "data", json.loads(sample.with_suffix("").with_suffix(".json").read_text())


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: str(path.name))
def test_an_old_directory_is_upgraded_and_has_everything(sample: Path, tmp_path: Path) -> None:
    data_dir, expected = extracted(sample, tmp_path)
    server = LiveServer(data_dir)
    server.key = expected["key"]
    with server, server.client() as client:
        assert make_directory.read(client, expected["made"]) == expected["read"]
        assert client.get("health", metrics=True)["meta"]["metadata"]["schema"] == REVISION
    blobs = [path.read_bytes() for path in (data_dir / "blobs").rglob("*") if path.is_file()]
    assert make_directory.FILE in blobs
    assert asyncio.run(verify(Settings(data_dir=data_dir), deep=True)) == Report((), ())


def test_a_directory_of_a_newer_schema_is_refused_and_left_alone(tmp_path: Path) -> None:
    data_dir, _ = extracted(SAMPLES[-1], tmp_path)
    with closing(sqlite3.connect(data_dir / "tamis.sqlite3")) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    before = (data_dir / "tamis.sqlite3").read_bytes()
    with pytest.raises(StorageError, match="written by a newer Tamis: its schema is '9999'"):
        asyncio.run(open_system(Settings(data_dir=data_dir)))
    assert (data_dir / "tamis.sqlite3").read_bytes() == before


def test_a_directory_of_a_newer_layout_is_refused_and_left_alone(tmp_path: Path) -> None:
    data_dir, _ = extracted(SAMPLES[-1], tmp_path)
    (data_dir / "layout.json").write_text(json.dumps({"layout": LAYOUT + 1}))
    with pytest.raises(StorageError, match="install a newer one"):
        asyncio.run(open_system(Settings(data_dir=data_dir)))
    assert not (data_dir / "tamis.sqlite3-wal").exists()
