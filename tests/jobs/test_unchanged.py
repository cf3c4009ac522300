"""What was extracted before, of the same content with the same parameters, is not extracted again."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import BaseModel

from tamis.engine.ports.inference import ModelInfo, Models
from tamis.engine.ports.metadata import Session
from tamis.errors import ModelMissingError
from tamis.jobs import unchanged
from tamis.model.bucket import Bucket
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.json import JSON
from tests.extraction_world import BAD, LetterExtractor, World, open_world


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(LetterExtractor, "is_repeatable", True)
    async with open_world(tmp_path) as opened:
        yield opened


async def seen(world: World, bucket: Bucket, ids: list[str]) -> list[str]:
    """The sources that the extractor was given, in a batch of these."""
    world.shelf.letter.seen.clear()
    await world.process(bucket, ids)
    return sorted(world.shelf.letter.seen)


async def change(world: World, object_id: str, **fields: JSON) -> None:
    def write(session: Session) -> None:
        found = session.objects.get_many(world.principal, [object_id])[object_id]
        changed = replace(found, fields={**found.fields, **fields}, updated_at=datetime.now(UTC))
        session.objects.replace(world.principal, [changed])

    await world.metadata.write(write)


async def test_a_second_batch_extracts_what_has_changed_and_keeps_the_rest(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": f"a | b {place}", "price": place} for place in range(4)])
    collection = await world.collection(
        "docs", bucket, parameters={"separator": "|"}, passthrough=[("metadata.price",)]
    )
    assert await seen(world, bucket, ids) == sorted(ids)
    before = await documents(world, collection)
    assert len(before) == 8
    assert await seen(world, bucket, ids) == []
    assert await documents(world, collection) == before
    await change(world, ids[0], title="not an input and not passed on")
    assert await seen(world, bucket, ids) == []
    await change(world, ids[1], price=99)
    assert await seen(world, bucket, ids) == []  # its documents are made again of what they were made of
    assert [one.fields["price"] for one in await of_source(world, collection, ids[1])] == [99, 99]
    await world.metadata.write(lambda session: change_text(session, world, ids[2], "c | d"))
    assert await seen(world, bucket, ids) == [ids[2]]


def change_text(session: Session, world: World, object_id: str, text: str) -> None:
    found = session.objects.get_many(world.principal, [object_id])[object_id]
    blobs = tuple(replace(blob, data=text) for blob in found.blobs)
    session.objects.replace(world.principal, [replace(found, blobs=blobs, updated_at=datetime.now(UTC))])


async def test_what_somebody_else_wrote_to_or_deleted_is_made_again(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a | b"}, {"text": "c | d"}, {"text": BAD}])
    collection = await world.collection("docs", bucket, parameters={"separator": "|"})
    await world.process(bucket, ids)
    one, two = await of_source(world, collection, ids[0])
    await world.documents.delete(world.principal, collection.name, two.document_id)
    assert await seen(world, bucket, ids) == sorted([ids[0], ids[2]])
    await world.documents.patch(world.principal, collection.name, one.document_id, {"text": "mine"})
    assert await seen(world, bucket, ids) == sorted([ids[0], ids[2]])


async def test_other_parameters_another_version_and_files_count(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}])
    await world.collection("docs", bucket)
    await world.process(bucket, ids)
    more = await world.collection("more", bucket, parameters={"separator": "|"})
    assert await seen(world, bucket, ids) == ids
    monkeypatch.setattr(unchanged, "__version__", "99")
    assert await seen(world, bucket, ids) == [ids[0], ids[0]]
    assert len(await world.all_documents(more)) == 1


async def test_other_weights_under_the_same_name_count_and_a_missing_model_is_no_reason_to_stand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = ["one"]

    def made_with(self: LetterExtractor, parameters: BaseModel, models: Models) -> list[ModelInfo]:
        if not weights:
            raise ModelMissingError
        return [ModelInfo("speech", weights[0], 0, 0, "Apache-2.0")]

    monkeypatch.setattr(LetterExtractor, "made_with", made_with, raising=False)
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}])
    await world.collection("docs", bucket)
    await world.process(bucket, ids)
    assert await seen(world, bucket, ids) == []
    weights[0] = "other"
    assert await seen(world, bucket, ids) == ids
    assert await seen(world, bucket, ids) == []
    weights.clear()
    assert await seen(world, bucket, ids) == ids


async def test_collections_further_down_are_fed_all_the_same(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a | b"}])
    first = await world.collection("first", bucket, parameters={"separator": "|"})
    await world.process(bucket, ids)
    below = await world.collection("below", first)
    batch = await world.process(bucket, ids)
    assert len(await world.all_documents(below)) == 2
    assert batch.error is None


async def documents(world: World, collection: Collection) -> list[Document]:
    return sorted(await world.all_documents(collection), key=lambda document: document.document_id)


async def of_source(world: World, collection: Collection, source_id: str) -> list[Document]:
    found = await world.all_documents(collection)
    return [document for document in found if document.lineage.root_object_id == source_id]
