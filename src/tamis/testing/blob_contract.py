"""What every BlobStore must do. Subclass it in a test module and give it a fixture `blobs`."""

# ruff: noqa: S101 - this is a suite of tests, for plug-in authors too
from collections.abc import AsyncIterator

import pytest

from tamis.engine.ports.blobs import BlobStore
from tamis.errors import NotFoundError, ValidationError
from tamis.model.principal import Principal

ONE = Principal("org_one", "ns_a")
SIBLING = Principal("org_one", "ns_b")
OTHER = Principal("org_two", "ns_a")


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def broken(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    raise ConnectionResetError("the client went away")


class BlobStoreContract:
    async def test_gives_back_what_was_put(self, blobs: BlobStore) -> None:
        await blobs.put(ONE, "a/b.txt", b"words", "text/plain")
        assert await blobs.get(ONE, "a/b.txt") == b"words"
        assert await blobs.size(ONE, "a/b.txt") == 5

    async def test_put_replaces(self, blobs: BlobStore) -> None:
        await blobs.put(ONE, "k", b"old and long")
        await blobs.put(ONE, "k", b"new")
        assert await blobs.get(ONE, "k") == b"new"

    async def test_keeps_names_in_any_script(self, blobs: BlobStore) -> None:
        for key in ("日本語/ファイル.txt", "naïve café #1?.txt", "100%/%2e%2e/x", "~", "a b"):
            await blobs.put(ONE, key, key.encode())
            assert await blobs.get(ONE, key) == key.encode()

    async def test_what_is_not_there_is_not_found(self, blobs: BlobStore) -> None:
        with pytest.raises(NotFoundError):
            await blobs.get(ONE, "nothing")
        assert await blobs.size(ONE, "nothing") is None
        await blobs.delete(ONE, "nothing")

    async def test_tenants_do_not_see_each_other(self, blobs: BlobStore) -> None:
        await blobs.put(ONE, "k", b"mine")
        for stranger in (SIBLING, OTHER):
            assert await blobs.size(stranger, "k") is None
            await blobs.delete(stranger, "k")
            await blobs.delete_prefix(stranger, "")
        assert await blobs.get(ONE, "k") == b"mine"

    @pytest.mark.parametrize("key", ["", "/k", "k/", "a//b", ".", "..", "../ns_b/k", "a/../../k", "a\\b", "a\x00b"])
    async def test_a_key_cannot_leave_its_place(self, blobs: BlobStore, key: str) -> None:
        with pytest.raises(ValidationError):
            await blobs.put(ONE, key, b"")
        with pytest.raises(ValidationError):
            await blobs.put_stream(ONE, key, stream(b""))
        with pytest.raises(ValidationError):
            await blobs.get(ONE, key)
        with pytest.raises(ValidationError):
            await blobs.delete(ONE, key)

    async def test_streams_large_and_empty_bodies(self, blobs: BlobStore) -> None:
        chunk = bytes(range(256)) * 4096
        assert await blobs.put_stream(ONE, "large", stream(*[chunk] * 12)) == len(chunk) * 12
        assert await blobs.get(ONE, "large") == chunk * 12
        assert await blobs.put_stream(ONE, "empty", stream()) == 0
        assert await blobs.get(ONE, "empty") == b""

    async def test_a_broken_stream_leaves_nothing_behind(self, blobs: BlobStore) -> None:
        with pytest.raises(ConnectionResetError):
            await blobs.put_stream(ONE, "k", broken(b"x" * 9_000_000))
        assert await blobs.size(ONE, "k") is None

    @pytest.mark.parametrize(
        ("start", "end", "expected"), [(0, None, b"0123456789"), (3, None, b"3456789"), (2, 5, b"234"), (4, 4, b"")]
    )
    async def test_streams_a_part(self, blobs: BlobStore, start: int, end: int | None, expected: bytes) -> None:
        await blobs.put(ONE, "k", b"0123456789")
        assert b"".join([chunk async for chunk in blobs.stream(ONE, "k", start, end)]) == expected
        with pytest.raises(NotFoundError):
            await anext(aiter(blobs.stream(SIBLING, "k")))

    async def test_a_path_is_the_file(self, blobs: BlobStore) -> None:
        await blobs.put(ONE, "a/b.png", b"picture")
        path = blobs.path(ONE, "a/b.png")
        assert path is None or path.read_bytes() == b"picture"
        assert blobs.path(ONE, "a/none.png") is None
        assert blobs.path(OTHER, "a/b.png") is None

    async def test_a_broken_stream_leaves_the_old_bytes(self, blobs: BlobStore) -> None:
        await blobs.put(ONE, "k", b"old")
        with pytest.raises(ConnectionResetError):
            await blobs.put_stream(ONE, "k", broken(b"x" * 9_000_000))
        assert await blobs.get(ONE, "k") == b"old"

    async def test_deletes_by_prefix_and_only_there(self, blobs: BlobStore) -> None:
        for key in ("a/1", "a/b/2", "ab", "c"):
            await blobs.put(ONE, key, b"x")
        await blobs.delete_prefix(ONE, "a")
        left = [key for key in ("a/1", "a/b/2", "ab", "c") if await blobs.size(ONE, key) is not None]
        assert left == ["ab", "c"]
        await blobs.delete_prefix(ONE, "")
        assert await blobs.size(ONE, "c") is None

    async def test_deletes_many(self, blobs: BlobStore) -> None:
        for number in range(120):
            await blobs.put(ONE, f"many/{number}", b"x")
        await blobs.delete_prefix(ONE, "many")
        assert [n for n in range(120) if await blobs.size(ONE, f"many/{n}") is not None] == []

    async def test_is_healthy(self, blobs: BlobStore) -> None:
        assert await blobs.health() is True
