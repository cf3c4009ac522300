"""A stored picture goes to the provider itself, and only its owner's."""

import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tamis.engine.ports.web_search import ImageQuery, PageQuery, Pages, Sightings
from tamis.engine.spending.allowance import Allowance
from tamis.errors import OutsideError
from tamis.model.bucket import Blob
from tamis.model.principal import Permission, Principal
from tamis.outside.search.pictures import WithStoredPictures
from tamis.storage.blobs import ObstoreBlobs, open_blobs
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract import samples

ME = Principal("org_1", "ns_1", frozenset(Permission))
OTHER = Principal("org_1", "ns_2", frozenset(Permission))
PNG = b"\x89PNG\r\n\x1a\nsome picture"


class Asked:
    """What a provider would be asked."""

    def __init__(self) -> None:
        self.images_asked: list[str] = []

    async def pages(self, principal: Principal, query: PageQuery, allowance: Allowance) -> Pages:
        return Pages(query.text)

    async def images(self, principal: Principal, query: ImageQuery, allowance: Allowance) -> Sightings:
        self.images_asked.append(query.image)
        return Sightings("asked")


class Store:
    def __init__(self, search: WithStoredPictures, asked: Asked, blobs: ObstoreBlobs) -> None:
        self.search, self.asked, self.blobs = search, asked, blobs

    async def look(self, image: str, principal: Principal = ME) -> str:
        await self.search.images(principal, ImageQuery(image), Allowance())
        return self.asked.images_asked[-1]


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    metadata = await open_sqlite(tmp_path / "metadata.db")
    blobs, asked = open_blobs(tmp_path / "blobs", None), Asked()
    pictured = Blob("blob_2", "photo", "image", url="blob://a/knife.bin")
    remote = Blob("blob_3", "photo", "image", url="https://img.example/x.png")
    text = Blob("blob_1", "content", "text", "some text")
    objects = [
        replace(samples.object_(1), object_id="obj_stored0001", blobs=(text, pictured)),
        replace(samples.object_(2), object_id="obj_remote0001", blobs=(remote,)),
        replace(samples.object_(3), object_id="obj_text000001", blobs=(text,)),
    ]
    await metadata.write(lambda session: session.objects.insert(ME, objects))
    await blobs.put(ME, "a/knife.bin", PNG)
    try:
        yield Store(WithStoredPictures(asked, metadata, blobs), asked, blobs)
    finally:
        await metadata.close()


INLINE = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"


@pytest.mark.parametrize(
    ("image", "sent"),
    [
        ("blob://a/knife.bin", INLINE),
        ("obj_stored0001", INLINE),
        ("obj_remote0001", "https://img.example/x.png"),
        ("https://img.example/y.png", "https://img.example/y.png"),
        (INLINE, INLINE),
    ],
)
async def test_what_is_sent(image: str, sent: str, store: Store) -> None:
    assert await store.look(image) == sent


@pytest.mark.parametrize("image", ["blob://a/knife.bin", "obj_stored0001"])
async def test_what_is_anothers_does_not_exist(image: str, store: Store) -> None:
    with pytest.raises(OutsideError, match="there is no"):
        await store.look(image, OTHER)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg"),
        (b"RIFF0000WEBPVP8 ", "webp"),
        (b"GIF89a", "gif"),
        (b"BM00", "bmp"),
        (b"II*\x00", "tiff"),
    ],
)
async def test_kinds_are_told_by_their_first_bytes(data: bytes, kind: str, store: Store) -> None:
    await store.blobs.put(ME, "x", data)
    assert (await store.look("blob://x")).startswith(f"data:image/{kind};base64,")


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("blob://none", "no such stored picture"),
        ("blob://large", "larger than"),
        ("blob://page", "no picture"),
        ("obj_text000001", "no picture of an object"),
        ("obj_none000001", "no picture of an object"),
    ],
)
async def test_what_is_no_picture(image: str, message: str, store: Store) -> None:
    await store.blobs.put(ME, "page", b"<html>")
    await store.blobs.put(ME, "large", b"\xff\xd8\xff" + bytes(11 << 20))
    with pytest.raises(OutsideError, match=message):
        await store.look(image)
    assert store.asked.images_asked == []
