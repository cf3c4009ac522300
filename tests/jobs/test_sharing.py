"""The same content in different objects is extracted once; each object has documents of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from tamis.engine.ports.extraction import ExtractionFailure, Segment, SourceItem
from tamis.jobs import batch_run
from tamis.jobs.loading import Loaded
from tamis.jobs.sharing import Sharing
from tamis.model.batch import BatchItem
from tamis.model.bucket import Bucket
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.vector import Vector
from tests.extraction_world import BAD, LetterExtractor, LetterParameters, World, open_world


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    monkeypatch.setattr(LetterExtractor, "is_repeatable", True)
    async with open_world(tmp_path) as opened:
        yield opened


async def documents(world: World, collection: Collection) -> dict[str, list[Document]]:
    """By the object that they were made of."""
    found: dict[str, list[Document]] = {}
    for document in await world.all_documents(collection):
        found.setdefault(document.lineage.root_object_id or "", []).append(document)
    return {object_id: sorted(each, key=lambda one: int(str(one.fields["part"]))) for object_id, each in found.items()}


async def vectors(world: World, made: Sequence[Document]) -> list[np.ndarray]:
    ids = [document.document_id for document in made]
    found = await world.metadata.read(lambda session: session.documents.vectors(world.principal, ids))
    return [_values(found[document_id]["letters"]) for document_id in ids]


def _values(vector: Vector) -> np.ndarray:
    return np.asarray(vector.values)


@pytest.mark.parametrize("chunk", [1, 2, 64])
async def test_one_of_many_is_extracted_and_all_have_documents(
    world: World, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    """chunk: sources a call; those of one content come together in one call, or in several that run side by side."""
    for name in ("_FIRST", "_LARGEST"):
        monkeypatch.setattr(batch_run, name, chunk)
    bucket = await world.bucket()
    contents = ["a | b", "c | d", "a | b", "a | b", BAD, "c | d", BAD, "e"]
    ids = await world.objects(bucket, [{"text": text, "place": place} for place, text in enumerate(contents)])
    collection = await world.collection(
        "docs", bucket, parameters={"separator": " | "}, passthrough=[("metadata.place",)]
    )
    batch = await world.process(bucket, ids)
    texts = dict(zip(ids, contents, strict=True))
    seen = [texts[object_id] for object_id in world.shelf.letter.seen]
    assert sorted(text for text in seen if text != BAD) == ["a | b", "c | d", "e"]
    assert 1 <= seen.count(BAD) <= 2  # what failed is not remembered once it is committed
    assert batch.error_summary == {"validation": 2}
    made = await documents(world, collection)
    good = [object_id for object_id, text in zip(ids, contents, strict=True) if text != BAD]
    assert made.keys() == set(good)
    for object_id in good:
        place = ids.index(object_id)
        parts = contents[place].split(" | ")
        assert [(one.fields["text"], one.fields["place"]) for one in made[object_id]] == [(p, place) for p in parts]
        assert {one.lineage.source_object_id for one in made[object_id]} == {object_id}
    same = [await vectors(world, made[ids[place]]) for place in (0, 2, 3)]
    for one, other in pairwise(same):
        np.testing.assert_array_equal(one, other)
    found = await world.search(collection, "a", 3)
    assert set(found) == {made[ids[place]][0].document_id for place in (0, 2, 3)}


async def extracted(world: World, bucket: Bucket, ids: list[str]) -> int:
    world.shelf.letter.seen.clear()
    await world.process(bucket, ids)
    return len(world.shelf.letter.seen)


async def test_another_object_another_collection_and_a_later_batch_are_given_copies(world: World) -> None:
    bucket = await world.bucket()
    first, later = [await world.objects(bucket, [{"text": "a | b", "name": name}]) for name in "xy"]
    parameters = {"separator": " | "}
    passthrough = [("metadata.name", "text_of", None)]
    collection = await world.collection("docs", bucket, parameters=parameters, passthrough=passthrough)
    assert await extracted(world, bucket, first) == 1
    assert await extracted(world, bucket, later) == 0
    more = await world.collection("more", bucket, parameters=parameters, include_all=True)
    assert await extracted(world, bucket, [*first, *later]) == 0
    [one, two] = [(await documents(world, more))[object_id] for object_id in (*first, *later)]
    assert [each.fields for each in one] == [
        {"text": text, "part": part, "name": "x"} for part, text in enumerate(("a", "b"))
    ]
    assert [each.fields["name"] for each in two] == ["y", "y"]
    copies = (await documents(world, collection))[later[0]]
    assert [each.fields for each in copies] == [
        {"text": text, "part": part, "text_of": "y"} for part, text in enumerate(("a", "b"))
    ]


async def test_what_is_no_longer_as_it_was_made_is_not_copied(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a | b"}] * 3)
    collection = await world.collection("docs", bucket, parameters={"separator": " | "})
    assert await extracted(world, bucket, ids[:1]) == 1
    [first, second] = await world.all_documents(collection)
    await world.documents.patch(world.principal, collection.name, first.document_id, {"text": "mine"})
    assert await extracted(world, bucket, ids[1:2]) == 1
    await world.documents.delete(world.principal, collection.name, second.document_id)
    assert await extracted(world, bucket, ids[2:]) == 0
    for made in await documents(world, collection):
        assert made == ids[0] or len((await documents(world, collection))[made]) == 2


async def test_batches_side_by_side_extract_a_content_once(world: World) -> None:
    letter = world.shelf.letter
    buckets = [await world.bucket(name) for name in ("one", "two")]
    batches = []
    letter.go_on.clear()
    for bucket in buckets:
        ids = await world.objects(bucket, [{"text": "the same"}])
        await world.collection(f"of_{bucket.name}", bucket)
        batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
        await world.batches.submit(world.principal, bucket.name, batch.batch_id)
        batches.append(batch)
        if len(batches) == 1:
            assert await asyncio.to_thread(letter.reached.wait, 10)
    await asyncio.to_thread(letter.reached.wait, 10)
    letter.go_on.set()
    done = [await world.finish(bucket, batch.batch_id) for bucket, batch in zip(buckets, batches, strict=True)]
    assert [str(batch.status) for batch in done] == ["COMPLETED", "COMPLETED"]
    assert len(letter.seen) == 1


def loaded(source_id: str, key: str | None = "k") -> Loaded:
    return Loaded(
        BatchItem("btch", "col", source_id, 0), SourceItem(source_id, {}), LetterParameters(), content_key=key
    )


async def test_who_waits_for_one_that_gives_up_does_it_himself(world: World) -> None:
    sharing = Sharing(world.metadata, world.sweeper.keeping)
    first = await sharing.divide(world.principal, [loaded("a"), loaded("b"), loaded("c", None)], "one")
    second = await sharing.divide(world.principal, [loaded("d")], "two")
    stranger = await sharing.divide(world.stranger, [loaded("e")], "three")
    assert [[one.item.source_id for one in share.to_extract()] for share in (first, second, stranger)] == [
        ["c", "a"], [], ["e"]
    ]  # fmt: skip
    waiting = asyncio.create_task(second.wait())
    first.close()
    assert [one.item.source_id for one in await waiting] == ["d"]
    third = await sharing.divide(world.principal, [loaded("f")], "four")
    fourth = await sharing.divide(world.principal, [loaded("g")], "five")
    made = [Segment({"text": "made"})]
    third.tell({"f": made})
    assert await fourth.wait() == []
    assert fourth.results() == {"g": made}
    failure = ExtractionFailure("no")
    stranger.tell({"e": failure})
    assert stranger.results() == {"e": failure}
