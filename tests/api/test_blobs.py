"""Stored files over HTTP: by links that expire, whole and in part."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tamis.api import blobs, documents
from tamis.api.byte_ranges import Part, part_of
from tamis.api.errors import add_error_handlers
from tamis.auth.gate import Gate
from tamis.errors import ForbiddenError
from tamis.model.bucket import Upload
from tamis.model.document import BlobRef, Document, DocumentWrite
from tamis.model.organization import ApiKey
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key
from tamis.services.data.blob_links import BlobLinks
from tamis.services.data.upload_links import UploadLinks
from tests.api.test_ingestion import NOW
from tests.extraction_world import World, open_world

SECRET = b"s" * 32
DATA = bytes(range(256)) * 40
URL = "blob://col/files/a.mp4"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        await opened.blobs.put(opened.principal, "col/files/a.mp4", DATA)
        yield opened


@pytest.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    add_error_handlers(app)
    app.include_router(blobs.router)
    app.include_router(documents.router)
    made: tuple[Any, ...] = (BlobLinks(world.blobs, SECRET), world.documents, Gate(world.metadata))
    app.state.services = {type(each): each for each in made}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://tamis") as client:
        yield client


def link(world: World, lifetime_s: float = 3600.0, key: str = URL) -> str:
    made = BlobLinks(world.blobs, SECRET, None, lifetime_s).url(
        world.principal, key, "http://tamis/", "video/mp4", "ä.mp4"
    )
    assert made is not None
    return made


async def test_the_whole_file(world: World, http: httpx.AsyncClient) -> None:
    answer = await http.get(link(world))
    assert (answer.status_code, answer.content) == (200, DATA)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''%C3%A4.mp4"
    assert "sandbox" in answer.headers["content-security-policy"]
    head = await http.head(link(world))
    assert (head.headers["content-length"], head.content) == (str(len(DATA)), b"")
    again = await http.get(link(world), headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("asked", "status", "start", "end"),
    [("bytes=0-0", 206, 0, 1), ("bytes=100-", 206, 100, 10240), ("bytes=-7", 206, 10233, 10240),
     ("bytes=5-99999", 206, 5, 10240), ("bytes=0-1,4-5", 200, 0, 10240),
     ("lines=1-2", 200, 0, 10240), ("bytes=9-3", 200, 0, 10240)],
)  # fmt: skip
async def test_a_part(world: World, http: httpx.AsyncClient, asked: str, status: int, start: int, end: int) -> None:
    answer = await http.get(link(world), headers={"Range": asked})
    assert (answer.status_code, answer.content) == (status, DATA[start:end])
    assert answer.headers["content-length"] == str(end - start)
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/10240"


async def test_a_part_of_what_changed_is_the_whole(world: World, http: httpx.AsyncClient) -> None:
    etag = (await http.head(link(world))).headers["etag"]
    for held, status in ((etag, 206), ('"other"', 200)):
        answer = await http.get(link(world), headers={"Range": "bytes=1-2", "If-Range": held})
        assert answer.status_code == status


async def test_a_part_behind_the_end(world: World, http: httpx.AsyncClient) -> None:
    answer = await http.get(link(world), headers={"Range": "bytes=10240-"})
    assert (answer.status_code, answer.headers["content-range"], answer.content) == (416, "bytes */10240", b"")


async def test_links_expire_and_are_of_one_use(world: World, http: httpx.AsyncClient) -> None:
    assert (await http.get(link(world, -400))).status_code == 403
    assert (await http.get("http://tamis/v1/blobs/abc")).status_code == 403
    assert (await http.get(link(world)[:-3] + "xyz")).status_code == 403
    assert (await http.get(link(world, key="blob://col/files/none"))).status_code == 404
    upload = Upload("upl_1", "bkt_1", "a", "image/png", "k", NOW, NOW.replace(year=2999), 60)
    token = UploadLinks(SECRET).url(world.principal, upload, "").removeprefix("/v1/uploads/")
    with pytest.raises(ForbiddenError, match="not valid"):
        await BlobLinks(world.blobs, SECRET).open(token)


async def test_documents_carry_links_where_they_are_asked_for(world: World, http: httpx.AsyncClient) -> None:
    bucket = await world.bucket()
    collection = await world.collection("docs", bucket)
    own = BlobRef("key_frame", URL, "video", "artifact", "a.mp4", "video/mp4", len(DATA))
    source = {"field": "video", "url": "https://example.org/a.mp4"}
    document = Document("doc_1", collection.collection_id, {}, NOW, NOW, blobs=(own,), source_blobs=(source,))
    await world.metadata.write(
        lambda session: session.documents.put(world.principal, collection.collection_id, [DocumentWrite(document)])
    )
    owner = Principal(world.principal.organization_id)
    key = ApiKey(
        "key_1", owner.organization_id, f"usr_{'a' * 20}", "sk_0", hash_key("sk_0"), "sk", (Permission.ADMIN,), NOW
    )
    await world.metadata.write(lambda session: session.keys.insert(owner, key))
    headers = {"Authorization": "Bearer sk_0"}
    path = f"/v1/collections/{collection.collection_id}/documents/doc_1"
    plain = (await http.get(path, headers=headers)).json()
    assert plain["document_blobs"][0]["presigned_url"] is None
    assert "presigned_url" not in plain["source_blobs"][0]
    shown = (await http.get(path, headers=headers, params={"return_url": True})).json()
    assert shown["source_blobs"][0]["presigned_url"] == "https://example.org/a.mp4"
    assert (await http.get(shown["document_blobs"][0]["presigned_url"])).content == DATA


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [(None, 0, Part(0, 0, True)), ("bytes=0-", 0, None), ("bytes=-0", 9, None), ("bytes=-99", 9, Part(0, 9, False)),
     ("bytes=-", 9, Part(0, 9, True)), ("bytes=8-8", 9, Part(8, 9, False)), ("bytes=9-", 9, None)],
)  # fmt: skip
def test_parts(header: str | None, size: int, expected: Part | None) -> None:
    assert part_of(header, size) == expected
