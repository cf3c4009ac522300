"""The blob store over a folder, over memory and over S3."""

from pathlib import Path

import pytest

from tamis.errors import StorageError
from tamis.model.principal import Principal
from tamis.storage.blobs import ObstoreBlobs, open_blobs
from tamis.testing.blob_contract import ONE, BlobStoreContract, broken
from tests.servers import ObjectStore


def files(root: Path) -> list[str]:
    return [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]


class TestLocalBlobs(BlobStoreContract):
    @pytest.fixture
    def blobs(self, tmp_path: Path) -> ObstoreBlobs:
        return open_blobs(tmp_path / "blobs", None)


class TestS3Blobs(BlobStoreContract):
    """Against a real S3 server, each test under a prefix of its own."""

    @pytest.fixture
    def blobs(self, s3: ObjectStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ObstoreBlobs:
        for name, value in s3.environment.items():
            monkeypatch.setenv(name, value)
        return open_blobs(None, f"s3://{s3.bucket}/{tmp_path.name}")


class TestMemoryBlobs(BlobStoreContract):
    @pytest.fixture
    def blobs(self) -> ObstoreBlobs:
        return open_blobs(None, "memory:///")


async def test_files_lie_under_their_tenant(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path, None)
    await blobs.put(ONE, "a/b", b"x")
    assert files(tmp_path) == ["org_one/ns_a/a/b"]


async def test_a_broken_stream_leaves_no_file_of_any_name(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path, None)
    with pytest.raises(ConnectionResetError):
        await blobs.put_stream(ONE, "k", broken(b"x" * 9_000_000))
    assert files(tmp_path) == []


async def test_survives_reopening(tmp_path: Path) -> None:
    await open_blobs(tmp_path, None).put(ONE, "k", b"kept")
    assert await open_blobs(tmp_path, None).get(ONE, "k") == b"kept"


async def test_a_principal_without_a_namespace_reaches_nothing(tmp_path: Path) -> None:
    with pytest.raises(StorageError):
        await open_blobs(tmp_path, None).delete_prefix(Principal("org_one"), "")


async def test_says_so_when_it_cannot_write(tmp_path: Path) -> None:
    blobs = open_blobs(tmp_path / "blobs", None)
    (tmp_path / "blobs").rmdir()
    (tmp_path / "blobs").write_text("a file where the folder was")
    assert await blobs.health() is False


def test_needs_a_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for root, url in ((None, None), (tmp_path / "file" / "blobs", None), (None, "nonsense://x")):
        with pytest.raises(StorageError):
            open_blobs(root, url)
