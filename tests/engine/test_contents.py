"""Files sent as a query: stored ones, objects, and what is no text."""

import base64
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tamis.decoding.pool import DecoderPool
from tamis.engine.contents.contents import Contents
from tamis.engine.contents.examples import fitting
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.outside import Fetch, Fetched
from tamis.errors import NotFoundError, ValidationError
from tamis.model.bucket import Blob, BucketObject
from tamis.model.ids import new_id
from tamis.model.principal import Principal
from tamis.model.vector import FeatureSpec, Space, VectorKind
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


@pytest.fixture
def decoding(tmp_path: Path) -> Iterator[Decoding]:
    pool = DecoderPool(tmp_path / "decoding", workers=1)
    yield pool
    pool.close()


async def read(contents: Contents, content: str, is_base64: bool = False) -> list[str | None]:
    with contents.reading(PRINCIPAL) as reading:
        return [part.text for part in (await reading.read(content, ["query"], is_base64)).parts]


async def test_a_stored_text_file(metadata: SqliteMetadata, blobs: ObstoreBlobs) -> None:
    await blobs.put(PRINCIPAL, "notes/a.txt", "héllo".encode())
    assert await read(Contents(metadata, blobs), "blob://notes/a.txt") == ["héllo"]
    with pytest.raises(NotFoundError):
        await read(Contents(metadata, blobs), "blob://notes/b.txt")
    with pytest.raises(ValidationError, match="no blob store"):
        await read(Contents(metadata), "blob://notes/a.txt")


async def test_a_file_is_what_is_in_it_and_gone_after_its_call(
    metadata: SqliteMetadata, blobs: ObstoreBlobs, decoding: Decoding
) -> None:
    sound = b"RIFF\x00\x00\x00\x00WAVEfmt "
    await blobs.put(PRINCIPAL, "cat.png", sound)
    contents = Contents(metadata, blobs, decoding)
    encoded = base64.b64encode(sound).decode()
    with contents.reading(PRINCIPAL) as reading:
        (stored,) = (await reading.read("blob://cat.png", ["query"])).parts
        (sent,) = (await reading.read(f"data:image/png;base64,{encoded}", ["query"])).parts
        again = await reading.read(f"data:image/png;base64,{encoded}", ["query"])
        assert again.parts == (sent,)
        assert [one.family for one in (stored, sent)] == ["audio", "audio"]
        # A stored one is read where it lies.
        assert stored.file == blobs.path(PRINCIPAL, "cat.png")
        assert sent.file is not None
        assert sent.file.read_bytes() == sound
    assert not sent.file.exists()
    with pytest.raises(ValidationError, match="other than texts cannot be decoded") as caught:
        await read(Contents(metadata, blobs), encoded)
    assert caught.value.problems[0]["loc"] == ["query"]


async def test_what_is_sent_may_be_text_without_saying_so(metadata: SqliteMetadata, decoding: Decoding) -> None:
    contents = Contents(metadata, decoding=decoding)
    assert await read(contents, "aGVsbG8=") == ["hello"]
    assert await read(contents, "77u/aGk=", is_base64=True) == ["hi"]
    assert await read(contents, "data:,hello%20there") == ["hello there"]
    with pytest.raises(ValidationError, match="text/plain is not UTF-8"):
        await read(contents, "data:text/plain;base64,/w==")
    with pytest.raises(ValidationError, match="image/png is empty"):
        await read(contents, "data:image/png;base64,")
    with pytest.raises(ValidationError, match="expected a data: URI, base64, an address"):
        await read(contents, "no such thing")


class Web:
    """Answers for every address."""

    def __init__(self, answer: Fetched) -> None:
        self.answer = answer
        self.asked: list[Fetch] = []

    async def fetch(self, principal: Principal, fetch: Fetch) -> Fetched:
        self.asked.append(fetch)
        return self.answer

    async def read_page(self, principal: Principal, fetch: Fetch) -> Fetched:
        raise NotImplementedError


async def test_a_file_on_the_web_comes_through_the_guards(metadata: SqliteMetadata, decoding: Decoding) -> None:
    url = "https://example.org/a.txt"
    web = Web(Fetched(url, 200, {"content-type": "text/plain; charset=utf-8"}, b"hello"))
    contents = Contents(metadata, decoding=decoding, outside=web)
    assert await read(contents, url) == ["hello"]
    assert [one.url for one in web.asked] == [url]
    web.answer = Fetched(url, 404, {}, b"")
    with pytest.raises(ValidationError, match=r"example\.org answered 404"):
        await read(contents, url)
    with pytest.raises(ValidationError, match="not fetched here"):
        await read(Contents(metadata), url)
    with pytest.raises(ValidationError, match="other stores"):
        await read(contents, "s3://bucket/key")


async def test_an_object_is_its_texts_and_its_files(
    metadata: SqliteMetadata, blobs: ObstoreBlobs, decoding: Decoding
) -> None:
    await blobs.put(PRINCIPAL, "body.txt", b"the body")
    await blobs.put(PRINCIPAL, "picture", b"\x89PNG\r\n\x1a\n")
    parts = (
        Blob("b1", "title", "text", data="A title"),
        Blob("b2", "body", "text", url="blob://body.txt", mime_type="text/plain"),
        Blob("b3", "count", "json", data=3),
        Blob("b4", "picture", "image", url="blob://picture"),
    )
    one, empty = new_id("obj"), new_id("obj")
    objects = [BucketObject(one, "bkt_1", NOW, NOW, parts), BucketObject(empty, "bkt_1", NOW, NOW)]
    await metadata.write(lambda session: session.objects.insert(PRINCIPAL, objects))
    contents = Contents(metadata, blobs, decoding)
    with contents.reading(PRINCIPAL) as reading:
        given = await reading.read(one, ["query"])
        assert [part.text for part in given.parts] == ["A title\nthe body", None]
        text, picture, sound = (FeatureSpec("one", VectorKind.DENSE, 3, space=space) for space in
                                (Space.TEXT, Space.VISUAL, Space.ACOUSTIC))  # fmt: skip
        assert [part.family for part in fitting(given, text, ["query"])] == ["text"]
        assert [part.family for part in fitting(given, picture, ["query"])] == ["image"]
        with pytest.raises(ValidationError, match="'one' is asked with a sound or a video; this is image and text"):
            fitting(given, sound, ["query"])
    with pytest.raises(ValidationError, match="holds nothing to search with"):
        await read(contents, empty)
    with pytest.raises(NotFoundError, match="object"):
        await read(contents, new_id("obj"))


async def test_among_several_plain_text_is_itself(metadata: SqliteMetadata) -> None:
    with Contents(metadata).reading(PRINCIPAL) as reading:
        values = ["aGVsbG8=", "data:;base64,aGVsbG8="]
        found = [await reading.read_or_text(value, ["query"]) for value in values]
    assert [part.text for given in found for part in given.parts] == ["aGVsbG8=", "hello"]
