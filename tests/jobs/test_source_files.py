"""Sources' files reach extractors as paths, with the type that their content tells, wherever the store keeps them."""

import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from obstore.store import MemoryStore
from pydantic import BaseModel

from tamis.decoding.pool import DecoderPool
from tamis.engine.ports.blobs import BlobStore
from tamis.engine.ports.extraction import ExtractionFailure, MadeFile, Segment, SourceItem
from tamis.engine.ports.inference import Models
from tamis.errors import ValidationError
from tamis.jobs.source_files import SourceFiles, kind_of
from tamis.model.bucket import Blob, BucketObject
from tamis.model.ids import new_id
from tamis.model.principal import Principal
from tamis.outside.http import HttpOutside
from tamis.outside.secrets import SecretStore
from tamis.services.data.files import FileKeeping
from tamis.storage.blobs import ObstoreBlobs, open_blobs
from tamis.storage.metadata import open_sqlite
from tests.extraction_world import FILE_LIMITS, CopyExtractor, World, open_world
from tests.outside.server import Answer, Asked, served

ONE = Principal("org_one", "ns_one")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def decoding(tmp_path: Path) -> Iterator[DecoderPool]:
    pool = DecoderPool(tmp_path / "decoding")
    yield pool
    pool.close()


@pytest.fixture(params=["folder", "object store"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    return open_blobs(tmp_path / "blobs", None) if request.param == "folder" else ObstoreBlobs(MemoryStore())


@pytest.fixture
async def keeping(tmp_path: Path, blobs: BlobStore) -> AsyncIterator[FileKeeping]:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    yield FileKeeping(metadata, blobs)
    await metadata.close()


async def test_a_file_is_a_path_until_it_is_released(
    tmp_path: Path, decoding: DecoderPool, blobs: BlobStore, keeping: FileKeeping
) -> None:
    work = tmp_path / "sources"
    work.mkdir()
    (work / "left").write_bytes(b"by a server that was killed")
    files = SourceFiles(blobs, decoding, work, FILE_LIMITS, keeping)
    await blobs.put(ONE, "a/b.txt", PNG, "text/plain")
    taken = await files.take(ONE, "a/b.txt", "text/plain", "b.txt")
    assert (taken.path.read_bytes(), taken.size_bytes, taken.content_type) == (PNG, len(PNG), "image/png")
    files.release([taken])
    assert list(work.iterdir()) == []
    assert await blobs.get(ONE, "a/b.txt") == PNG


async def test_sizes_are_limited_by_what_a_file_is(
    tmp_path: Path, decoding: DecoderPool, blobs: BlobStore, keeping: FileKeeping
) -> None:
    files = SourceFiles(blobs, decoding, tmp_path / "sources", {**FILE_LIMITS, "image": 99}, keeping)
    await blobs.put(ONE, "a.txt", PNG)
    with pytest.raises(ValidationError, match="image/png of 108 bytes; image files have at most 99"):
        await files.take(ONE, "a.txt")
    with pytest.raises(ValidationError, match="'none' of the source is missing"):
        await files.take(ONE, "none")
    assert list((tmp_path / "sources").iterdir()) == []


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        ("image/svg+xml", "image"), ("text/html", "text"), ("application/pdf", "document"), ("inode/x-empty", "other"),
        ("application/vnd.openxmlformats-officedocument.presentationml.presentation", "document"),
    ],
)  # fmt: skip
def test_kinds(content_type: str, kind: str) -> None:
    assert kind_of(content_type) == kind


class DrawingExtractor(CopyExtractor):
    """Two documents of each picture, with the same thumbnail."""

    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"picture": {"type": "string", "format": "binary"}},
    }

    def __init__(self) -> None:
        self.seen: list[tuple[str, bytes]] = []

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        for item in items:
            self.seen.append((item.files["picture"].content_type, item.files["picture"].path.read_bytes()))
        drawn = MadeFile("small", "thumbnail", "image/png", PNG + b"small", "small.png")
        return [[Segment({}, files=(drawn,)), Segment({}, files=(drawn,))] for _ in items]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


async def test_what_an_extractor_makes_is_stored_once_and_taken_further(world: World) -> None:
    drawing: Any = DrawingExtractor()
    drawing.name = "drawing_extractor"
    world.shelf._all = (*world.shelf._all, drawing)
    bucket = await world.bucket(schema={"properties": {"picture": {"type": "image"}}})
    await world.blobs.put(world.principal, "files/picture", PNG)
    now = datetime.now(UTC)
    blob = Blob(new_id("blob"), "picture", "image", url="blob://files/picture", mime_type="text/plain")
    picture = BucketObject(new_id("obj"), bucket.bucket_id, now, now, (blob,))
    await world.metadata.write(lambda session: session.objects.insert(world.principal, [picture]))
    mappings = {"picture": "picture"}
    drawn = await world.collection("drawn", bucket, "drawing", input_mappings=mappings)
    further = await world.collection("further", drawn, "drawing", input_mappings={"picture": "small"})
    await world.process(bucket, [picture.object_id])

    assert drawing.seen == [("image/png", PNG), *[("image/png", PNG + b"small")] * 2]
    first, second = await world.all_documents(drawn)
    assert first.blobs == second.blobs
    [small] = first.blobs
    digest = hashlib.sha256(PNG + b"small").hexdigest()
    assert small.url.startswith(f"blob://content/{digest[:2]}/{digest}-")
    assert (small.role, small.type, small.size_bytes, small.filename) == ("thumbnail", "image", 113, "small.png")
    assert await world.blobs.get(world.principal, small.url.removeprefix("blob://")) == PNG + b"small"
    assert {source["url"] for source in (await world.all_documents(further))[0].source_blobs} == {blob.url, small.url}

    await world.collections.delete(world.principal, "further")
    await world.collections.delete(world.principal, "drawn")
    await world.sweeper.sweep()
    assert await world.blobs.size(world.principal, small.url.removeprefix("blob://")) is None


PAGE = "Das Mühlrad steht still.".encode()
LARGE = bytes((1 << 20) + 1)


def respond(asked: Asked) -> Answer:
    if asked.path == "/moved.txt":
        return Answer(status=302, headers={"location": "/a.txt"}, body=b"over there")
    found = {"/a.txt": PAGE, "/b.txt": PAGE, "/large": LARGE}.get(asked.path)
    return Answer(found, headers={"content-type": "image/png"}) if found is not None else Answer(status=404)


async def test_files_on_the_web_are_fetched_and_kept_once(tmp_path: Path) -> None:
    async with (
        served(respond) as server,
        open_world(tmp_path, outside=HttpOutside(server.rules(), SecretStore())) as world,
    ):
        bucket = await world.bucket()
        urls = [f"{server.url}/{name}" for name in ("a.txt", "b.txt", "moved.txt")]
        ids = await world.objects(bucket, [{"url": url} for url in urls])
        collection = await world.collection("docs", bucket)
        await world.process(bucket, ids)
        found = await world.all_documents(collection)
        digest = hashlib.sha256(PAGE).hexdigest()
        assert [each.fields["text"] for each in found] == [PAGE.decode()] * 3
        assert {str(each.source_blobs[0]["source_url"]) for each in found} == set(urls)
        [(url, content_type)] = {(str(one["url"]), one["content_type"]) for each in found for one in each.source_blobs}
        assert (url.rpartition("/")[2].partition("-")[0], content_type) == (digest, "text/plain")
        key = url.removeprefix("blob://")
        assert await world.blobs.get(world.principal, key) == PAGE
        assert list((tmp_path / "work" / "sources").iterdir()) == []


@pytest.mark.parametrize(
    ("url", "reason", "error_type"),
    [
        ("{server}/none", "was answered with 404", "validation"),
        ("{server}/large", "larger than 1048576 bytes", "network"),
        ("http://elsewhere.example/a", "TAMIS_OUTSIDE_DOMAINS", "validation"),
        ("s3://bucket/a.txt", "does not fetch; upload it", "validation"),
    ],
)
async def test_what_cannot_be_fetched_says_why(tmp_path: Path, url: str, reason: str, error_type: str) -> None:
    async with (
        served(respond) as server,
        open_world(tmp_path, outside=HttpOutside(server.rules(), SecretStore())) as world,
    ):
        bucket = await world.bucket()
        ids = await world.objects(bucket, [{"url": url.format(server=server.url)}])
        await world.collection("docs", bucket)
        batch = await world.process(bucket, ids)
        failed = await world.batches.failed(world.principal, bucket.name, batch.batch_id, None, None, 10, 0)
        [item] = failed.items
        assert reason in (item.error or "")
        assert item.error_type == error_type
        assert list((tmp_path / "work" / "sources").iterdir()) == []
