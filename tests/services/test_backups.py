"""Backups are whole or none, and a damaged one is never put back."""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tamis.errors import ConflictError, StorageError, TamisError
from tamis.model.backup import FORMAT
from tamis.model.bucket import Blob
from tamis.model.principal import Principal
from tamis.services.upkeep import backups
from tamis.services.upkeep.whole_directory import made_whole
from tamis.settings import Settings
from tamis.storage.blobs import open_blobs
from tamis.storage.datadir import DataDirectory
from tamis.storage.metadata import open_sqlite
from tamis.storage.metadata.copies import SqlCopies
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME
from tamis.wiring.backups import restore_backup, write_backup

FILES = {
    "bkt/named.bin": b"one",
    "bkt/ä ö.bin": b"two",
    "bkt/deep/er/two.bin": bytes(range(256)) * 99,
    "col/files/three": b"",
}


async def data(root: Path) -> Settings:
    """A data directory with a record, files that it names and one that it does not."""
    directory = DataDirectory(root)
    metadata = await open_sqlite(directory.metadata_path)
    blobs = open_blobs(directory.blob_path, None)
    for key, content in FILES.items():
        await blobs.put(ME, key, content)
    await blobs.put(Principal("org_other", "ns_other"), "bkt/named.bin", b"another tenant's")
    blob = Blob("blob_1", "file", "image", url="blob://bkt/named.bin", size_bytes=3)
    named = replace(samples.object_(1), blobs=(blob,))
    await metadata.write(lambda session: session.objects.insert(ME, [named]))
    await metadata.close()
    (directory.root / "upload.key").write_bytes(b"k" * 32)
    directory.close()
    return Settings(data_dir=root)


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_everything_comes_back(tmp_path: Path) -> None:
    settings = await data(tmp_path / "data")
    manifest = await write_backup(settings, tmp_path / "backup")
    assert (manifest.format, len(manifest.blobs), manifest.missing) == (FORMAT, 5, ())
    assert names(tmp_path) == ["backup", "data"]
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0
    await restore_backup(Settings(data_dir=tmp_path / "new"), tmp_path / "backup", with_index=False)
    assert tree(tmp_path / "new/blobs") == tree(tmp_path / "data/blobs")
    assert (tmp_path / "new/upload.key").read_bytes() == b"k" * 32
    assert (tmp_path / "new/layout.json").read_bytes() == (tmp_path / "data/layout.json").read_bytes()
    assert not (tmp_path / "new/server.lock").exists()


async def test_a_file_that_is_missing_is_told(tmp_path: Path) -> None:
    settings = await data(tmp_path / "data")
    await open_blobs(tmp_path / "data/blobs", None).delete(ME, "bkt/named.bin")
    manifest = await write_backup(settings, tmp_path / "backup")
    assert manifest.missing == (f"{ME.organization_id}/{ME.namespace_id}/bkt/named.bin",)


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _manifest(folder: Path, **changes: object) -> None:
    path = folder / backups.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def _blob(folder: Path) -> Path:
    return next((folder / "files").rglob("two.bin"))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "record": (lambda folder: _flip(folder / backups.RECORD), r"record\.sqlite3: its content"),
    "record gone": (lambda folder: (folder / backups.RECORD).unlink(), r"record\.sqlite3: it is missing"),
    "file": (lambda folder: _flip(_blob(folder)), r"two\.bin: its content"),
    "file cut": (lambda folder: _blob(folder).write_bytes(b""), r"two\.bin: its content"),
    "file gone": (lambda folder: _blob(folder).unlink(), r"two\.bin: it is missing"),
    "file more": (lambda folder: shutil.copy(_blob(folder), _blob(folder).with_name("x")), "does not name it"),
    "key": (lambda folder: _flip(folder / "others/upload.key"), r"upload\.key: its content"),
    "manifest gone": (lambda folder: (folder / backups.MANIFEST).unlink(), "is no backup"),
    "manifest cut": (
        lambda folder: (folder / backups.MANIFEST).write_bytes((folder / backups.MANIFEST).read_bytes()[:-50]),
        r"damaged: manifest\.json",
    ),
    "manifest of nothing": (lambda folder: (folder / backups.MANIFEST).write_text("[]"), r"damaged: manifest\.json"),
    "newer format": (lambda folder: _manifest(folder, format=FORMAT + 1), "this version reads up to"),
    "newer schema": (lambda folder: _manifest(folder, schema="9999"), "written by a newer Tamis"),
}


@pytest.mark.parametrize("kind", DAMAGE)
async def test_a_damaged_or_newer_backup_is_refused_and_nothing_is_made(tmp_path: Path, kind: str) -> None:
    damage, message = DAMAGE[kind]
    await write_backup(await data(tmp_path / "data"), tmp_path / "backup")
    damage(tmp_path / "backup")
    with pytest.raises(TamisError, match=message):
        await restore_backup(Settings(data_dir=tmp_path / "new"), tmp_path / "backup")
    assert names(tmp_path) == ["backup", "data"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("others", "../escaped"), ("others", "deep/escaped"), ("others", ".."), ("others", ""),
        ("blobs", "../../escaped"), ("blobs", "org/../../escaped"), ("blobs", "escaped"), ("blobs", "org/ns/"),
    ],
)  # fmt: skip
async def test_a_manifest_by_a_stranger_names_nothing_outside(tmp_path: Path, kind: str, name: str) -> None:
    await write_backup(await data(tmp_path / "data"), tmp_path / "backup")
    content = b"planted"
    for folder in (tmp_path / "backup", tmp_path / "backup/files"):
        (folder / "escaped").write_bytes(content)
    path = tmp_path / "backup" / backups.MANIFEST
    manifest = json.loads(path.read_text())
    digest = hashlib.sha256(content).hexdigest()
    manifest[kind].append({"name": name, "size_bytes": len(content), "sha256": digest})
    path.write_text(json.dumps(manifest))
    with pytest.raises(StorageError, match="is no name of a file of a backup"):
        await restore_backup(Settings(data_dir=tmp_path / "new"), tmp_path / "backup", with_index=False)
    assert names(tmp_path) == ["backup", "data"]


async def test_a_link_in_a_backup_is_no_file_of_it(tmp_path: Path) -> None:
    await write_backup(await data(tmp_path / "data"), tmp_path / "backup")
    key = tmp_path / "backup/others/upload.key"
    key.rename(tmp_path / "elsewhere")
    key.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError, match="it is missing"):
        await restore_backup(Settings(data_dir=tmp_path / "new"), tmp_path / "backup", with_index=False)


async def test_nothing_is_written_over(tmp_path: Path) -> None:
    settings = await data(tmp_path / "data")
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/file").write_text("mine")
    with pytest.raises(ConflictError, match="not empty"):
        await write_backup(settings, tmp_path / "taken")
    with pytest.raises(ConflictError, match="lies in the data directory"):
        await write_backup(settings, tmp_path / "data/backup")
    await write_backup(settings, tmp_path / "backup")
    with pytest.raises(ConflictError, match="not empty"):
        await restore_backup(settings, tmp_path / "backup")
    with pytest.raises(ConflictError, match="holds no data yet"):
        await write_backup(Settings(data_dir=tmp_path / "none"), tmp_path / "other")
    assert (tmp_path / "taken/file").read_text() == "mine"


async def test_an_interrupted_backup_is_none_and_the_next_one_clears_it_away(tmp_path: Path) -> None:
    settings = await data(tmp_path / "data")
    partial = tmp_path / "backup.partial"
    (partial / "files").mkdir(parents=True)
    (partial / backups.RECORD).write_bytes(b"half")
    with pytest.raises(StorageError, match="is no backup"):
        await restore_backup(Settings(data_dir=tmp_path / "new"), partial)
    with made_whole(tmp_path / "backup"), pytest.raises(ConflictError, match="another process"):
        await write_backup(settings, tmp_path / "backup")
    assert not partial.exists()


class Busy(SqlCopies):
    """A record that names another file just while it is copied for the first time."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir / "tamis.sqlite3")
        self.rounds = 0
        self._data_dir = data_dir

    def take(self, target: Path) -> str:
        self.rounds += 1
        if self.rounds == 1:
            self._rename("named.bin", "late.bin")
        schema = super().take(target)
        if self.rounds == 1:
            self._rename("late.bin", "named.bin")
        return schema

    def _rename(self, old: str, new: str) -> None:
        path = next((self._data_dir / "blobs").rglob(old))
        path.rename(path.with_name(new))
        with closing(sqlite3.connect(self._data_dir / "tamis.sqlite3")) as connection, connection:
            connection.execute("UPDATE objects SET body = replace(body, ?, ?)", (old, new))


async def test_where_a_named_file_is_gone_by_the_time_it_is_copied_the_record_is_taken_again(tmp_path: Path) -> None:
    settings = await data(tmp_path / "data")
    record = Busy(settings.data_dir)
    source, target = (open_blobs(tmp_path / name, None) for name in ("data/blobs", "backup/files"))
    manifest = await backups.Backup(record, source, target, []).write(tmp_path / "backup")
    assert (record.rounds, manifest.missing) == (2, ())
    named = list(record.named_files(tmp_path / "backup" / backups.RECORD))
    assert [file.key for file in named] == ["bkt/named.bin"]
    assert await target.get(ME, "bkt/named.bin") == FILES["bkt/named.bin"]
