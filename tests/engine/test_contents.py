"""Files sent as a query: stored ones, objects, and what is no text."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tamis.engine.contents import Contents
from tamis.errors import NotFoundError, ValidationError
from tamis.extractors import ExtractorRegistry
from tamis.model.bucket import Blob, BucketObject
from tamis.model.ids import new_id
from tamis.storage.blobs import ObstoreBlobs, open_blobs
from tamis.storage.metadata import SqliteMetadata, open_sqlite
from tests.engine.stages.shop import NOW, PRINCIPAL


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[SqliteMetadata]:
    opened = await open_sqlite(tmp_path / "metadata.db")
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
def blobs(tmp_path: Path) -> ObstoreBlobs:
    return open_blobs(tmp_path / "blobs", None)


async def test_a_stored_text_file(metadata: SqliteMetadata, blobs: ObstoreBlobs) -> None:
    await blobs.put(PRINCIPAL, "notes/a.txt", "héllo".encode())
    assert await Contents(metadata, blobs).read(PRINCIPAL, "blob://notes/a.txt", ["query"]) == "héllo"
    with pytest.raises(NotFoundError):
        await Contents(metadata, blobs).read(PRINCIPAL, "blob://notes/b.txt", ["query"])
    with pytest.raises(ValidationError, match="no blob store"):
        await Contents(metadata).read(PRINCIPAL, "blob://notes/a.txt", ["query"])


async def test_a_stored_picture_is_refused_by_its_type(metadata: SqliteMetadata, blobs: ObstoreBlobs) -> None:
    await blobs.put(PRINCIPAL, "cat.png", b"\x89PNG\r\n")
    with pytest.raises(ValidationError, match="image/png needs an extractor that takes 'image', and none") as caught:
        await Contents(metadata, blobs, ExtractorRegistry()).read(PRINCIPAL, "blob://cat.png", ["query"])
    assert caught.value.problems[0]["loc"] == ["query"]


async def test_an_object_is_its_texts(metadata: SqliteMetadata, blobs: ObstoreBlobs) -> None:
    await blobs.put(PRINCIPAL, "body.txt", b"the body")
    parts = (
        Blob("b1", "title", "text", data="A title"),
        Blob("b2", "body", "text", url="blob://body.txt", mime_type="text/plain"),
        Blob("b3", "count", "json", data=3),
    )
    one, empty = new_id("obj"), new_id("obj")
    objects = [BucketObject(one, "bkt_1", NOW, NOW, parts), BucketObject(empty, "bkt_1", NOW, NOW)]
    await metadata.write(lambda session: session.objects.insert(PRINCIPAL, objects))
    contents = Contents(metadata, blobs)
    assert await contents.read(PRINCIPAL, one, ["query"]) == "A title\nthe body"
    with pytest.raises(ValidationError, match="holds no text"):
        await contents.read(PRINCIPAL, empty, ["query"])
    with pytest.raises(NotFoundError, match="object"):
        await contents.read(PRINCIPAL, new_id("obj"), ["query"])


async def test_among_several_plain_text_is_itself(metadata: SqliteMetadata) -> None:
    contents = Contents(metadata)
    assert await contents.read_or_text(PRINCIPAL, "aGVsbG8=", ["query"]) == "aGVsbG8="
    assert await contents.read_or_text(PRINCIPAL, "data:;base64,aGVsbG8=", ["query"]) == "hello"
    assert await contents.decode(PRINCIPAL, "data:text/plain;charset=utf-8;base64,77u/aGk=", ["query"]) == "hi"
