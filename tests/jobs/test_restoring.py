"""Snapshots: of one moment while others write, and put back whole under a new name, each row once."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tamis.errors import AlreadyExistsError, ConflictError, NotFoundError
from tamis.model.batch import Task, TaskStatus
from tamis.model.bucket import Blob
from tamis.model.collection import Collection
from tamis.model.document import Document, DocumentWrite
from tamis.model.ids import derived_id
from tamis.model.namespace import Namespace
from tamis.model.principal import Principal
from tamis.model.snapshot import Included, SnapshotStatus
from tamis.services.data.files import Payload
from tamis.services.data.restorations import RESTORE_TASK
from tests.extraction_world import World, open_world
from tests.jobs.snapshot_world import Snapshots

TEXTS = [f"one {number}|two {number}" for number in range(12)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


async def _furnished(world: World) -> None:
    bucket = await world.bucket()
    docs = await world.collection("docs", bucket, parameters={"separator": "|"})
    await world.collection("copies", docs, "copy", include_all=True)
    await world.process(bucket, await world.objects(bucket, [{"text": text} for text in TEXTS]))


async def _held(world: World, inside: Principal) -> Any:
    """All that a snapshot holds of a namespace, without what is new with every write."""

    def read(session: Any) -> Any:
        collections = sorted(session.collections.list(inside), key=lambda one: one.name)
        writes = [
            (replace(write.document, revision=0), {name: one.values.tolist() for name, one in write.vectors.items()})
            for one in collections
            for write in session.documents.scan_writes(inside, one.collection_id)
        ]
        buckets = session.buckets.list(inside)
        objects = [one for bucket in buckets for one in session.objects.scan(inside, bucket.bucket_id)]
        return [replace(one, revision=0) for one in collections], buckets, objects, writes

    return await world.metadata.read(read)


async def test_a_namespace_comes_back_as_it_was(world: World) -> None:
    await _furnished(world)
    snapshots = Snapshots(world)
    before = await _held(world, world.principal)
    taken = await snapshots.service.create(world.principal, "monday")
    await snapshots.drain()
    taken = await snapshots.service.get(world.principal, "monday")
    assert (taken.status, taken.counts["document"], taken.counts["object"]) == (SnapshotStatus.COMPLETED, 48, 12)
    bucket = (await world.metadata.read(lambda session: session.buckets.list(world.principal)))[0]
    await world.process(bucket, await world.objects(bucket, [{"text": "later|still"}]))

    restored = await snapshots.service.restore(world.principal, "monday", "as-on-monday")
    with pytest.raises(ConflictError, match="puts it back"):
        await snapshots.service.delete(world.principal, "monday")
    with pytest.raises(AlreadyExistsError):
        await snapshots.service.restore(world.principal, "monday", "as-on-monday")
    await snapshots.drain()
    assert restored.namespace is not None
    inside = world.principal.within(restored.namespace.namespace_id)
    assert await _held(world, inside) == before
    (docs, _) = sorted(before[0], key=lambda one: one.name != "docs")
    found = await world.index.count(inside, docs.collection_id, None)
    assert found == 24
    # A batch finds the documents that are there: their ids are those that it gives.
    moved = replace(world, principal=inside)
    await moved.process(bucket, [one.object_id for one in before[2]])
    again = (await _held(world, inside))[3]
    assert [(one.document_id, one.fields) for one, _ in again] == [
        (one.document_id, one.fields) for one, _ in before[3]
    ]

    await snapshots.service.delete(world.principal, "monday")
    assert [blob.key async for blob in world.blobs.every() if "snapshots" in blob.key] == []
    with pytest.raises(NotFoundError):
        await snapshots.service.get(world.principal, "monday")


async def test_a_collection_comes_back_beside_itself(world: World) -> None:
    await _furnished(world)
    snapshots = Snapshots(world)
    await snapshots.service.create(world.principal, "docs-then", "docs")
    await snapshots.drain()
    restored = await snapshots.service.restore(world.principal, "docs-then", "docs-again")
    await snapshots.drain()
    before = (await world.collections.get(world.principal, "docs")).collection
    after = (await world.collections.get(world.principal, "docs-again")).collection
    assert (after.collection_id, after.is_standby, after.enabled) == (restored.collection_id, False, True)
    assert after.extractor == before.extractor
    old, new = await world.all_documents(before), await world.all_documents(after)
    assert sorted(str(one.fields) for one in old) == sorted(str(one.fields) for one in new)
    assert {one.document_id for one in new} == {
        derived_id("doc", after.collection_id, one.lineage.source_object_id or "", place)
        for one in new
        for place in (0, 1)
    }
    assert await world.index.count(world.principal, after.collection_id, None) == 24


async def test_it_is_of_one_moment_while_others_write(world: World) -> None:
    """Two collections that are always written together have the same documents in it."""
    bucket = await world.bucket()
    first, second = [await world.collection(name, bucket) for name in ("first", "second")]
    (template,) = await world.objects(bucket, [{"text": "one"}])
    await world.process(bucket, [template])
    pairs = [(one, (await world.all_documents(one))[0]) for one in (first, second)]
    snapshots, is_over = Snapshots(world), asyncio.Event()

    async def write() -> int:
        count = 0
        while not is_over.is_set():
            number = count = count + 1

            def put(session: Any, number: int = number) -> None:
                for collection, document in pairs:
                    fields = {**document.fields, "number": number}
                    session.documents.put_fields(
                        world.principal, collection.collection_id, [replace(document, fields=fields)]
                    )

            await world.metadata.write(put)
            await asyncio.sleep(0)
        return count

    writing = asyncio.create_task(write())
    for number in range(5):
        await snapshots.service.create(world.principal, f"at-{number}")
        await snapshots.drain()
        restored = await snapshots.service.restore(world.principal, f"at-{number}", f"then-{number}")
        await snapshots.drain()
        assert restored.namespace is not None
        inside = replace(world, principal=world.principal.within(restored.namespace.namespace_id))
        numbers = {one.fields.get("number") for each in (first, second) for one in await inside.all_documents(each)}
        assert len(numbers) == 1
    is_over.set()
    assert await writing > 5


async def test_files_come_with_the_rows_that_name_them(world: World) -> None:
    bucket = await world.bucket()
    (object_id,) = await world.objects(bucket, [{"title": "with a file"}])
    content, holder = "ab" * 32, world.sweeper.keeping.holder()
    keys = await world.sweeper.keeping.put(world.principal, holder, [Payload(content, 5, b"bytes")])
    await world.blobs.put(world.principal, "uploads/a b", b"older")
    urls = (f"blob://{keys[content]}", "blob://uploads/a b")

    def name(session: Any) -> None:
        (found,) = session.objects.get_many(world.principal, [object_id]).values()
        blobs = tuple(Blob(f"blob_{n}", "file", "file", url=url) for n, url in enumerate(urls))
        session.objects.replace(world.principal, [replace(found, blobs=blobs)])
        session.files.release(world.principal, holder)

    await world.metadata.write(name)
    snapshots = Snapshots(world)
    await snapshots.service.create(world.principal, "files")
    await snapshots.drain()
    await world.metadata.write(lambda session: session.objects.delete(world.principal, [object_id]))
    await world.sweeper.sweep()
    restored = await snapshots.service.restore(world.principal, "files", "files-again")
    await snapshots.drain()
    assert restored.namespace is not None
    inside = world.principal.within(restored.namespace.namespace_id)
    found = await world.metadata.read(lambda session: session.objects.get(inside, object_id))
    assert found is not None
    data = [await world.blobs.get(inside, (blob.url or "").removeprefix("blob://")) for blob in found.blobs]
    assert data == [b"bytes", b"older"]


@pytest.mark.parametrize("deep", [True, False])
async def test_a_clone_is_a_namespace_of_its_own(world: World, deep: bool) -> None:
    await _furnished(world)
    before = await _held(world, world.principal)
    snapshots = Snapshots(world)
    source_id = world.principal.namespace_id
    cloned = await snapshots.service.clone(world.principal, source_id, "twin", Included(data=deep))
    assert (cloned.task is not None, cloned.counts.get("document", 0)) == (deep, 48 if deep else 0)
    await snapshots.drain()
    assert cloned.source_id == source_id
    inside = world.principal.within(cloned.namespace.namespace_id)
    collections, buckets, objects, writes = await _held(world, inside)
    assert (collections, buckets) == before[:2]
    assert (len(objects), len(writes)) == ((12, 48) if deep else (0, 0))
    assert await _held(world, world.principal) == before
    assert await world.metadata.read(lambda session: session.snapshots.list(inside)) == []
    assert [blob.key async for blob in world.blobs.every() if "snapshots" in blob.key] == []
    with pytest.raises(NotFoundError):
        await snapshots.service.clone(world.stranger, world.principal.namespace_id, "theirs", Included())


async def test_what_is_cut_off_is_taken_away(world: World) -> None:
    await _furnished(world)
    snapshots = Snapshots(world)
    taken = await snapshots.service.create(world.principal, "killed")
    await world.tasks.kill(world.principal, taken.task_id)
    await snapshots.drain()
    assert (await snapshots.service.get(world.principal, "killed")).status is SnapshotStatus.FAILED
    with pytest.raises(ConflictError):
        await snapshots.service.restore(world.principal, "killed", "again")
    await snapshots.service.create(world.principal, "docs-then", "docs")
    await snapshots.drain()
    restored = await snapshots.service.restore(world.principal, "docs-then", "docs-again")
    await world.tasks.kill(world.principal, restored.task.task_id)
    await snapshots.drain()
    with pytest.raises(NotFoundError):
        await world.collections.get(world.principal, "docs-again")
    assert isinstance(await world.metadata.read(_namespace(world)), Namespace)


def _namespace(world: World) -> Any:
    return lambda session: session.namespaces.get(world.principal, world.principal.namespace_id)


async def _thousand(world: World) -> Collection:
    """A collection of more than one part."""
    collection = await world.collection("docs", await world.bucket())
    at = collection.created_at
    writes = [
        DocumentWrite(Document(derived_id("doc", n), collection.collection_id, {"n": n}, at, at)) for n in range(1600)
    ]
    await world.metadata.write(lambda session: session.documents.put(world.principal, collection.collection_id, writes))
    return collection


@pytest.mark.parametrize("clones", [False, True])
async def test_what_failed_goes_on_when_it_is_asked_for_again(world: World, clones: bool) -> None:
    """A part of the snapshot cannot be read for a while; what had been put back before is not put back twice."""
    collection = await _thousand(world)
    before, snapshots = await _held(world, world.principal), Snapshots(world)
    source = world.principal.namespace_id
    if not clones:
        await snapshots.service.create(world.principal, "monday")
    await snapshots.drain()

    async def again() -> tuple[Namespace, Task]:
        if clones:
            cloned = await snapshots.service.clone(world.principal, source, "twin", Included())
            assert cloned.task is not None
            return cloned.namespace, cloned.task
        restored = await snapshots.service.restore(world.principal, "monday", "twin")
        assert restored.namespace is not None
        return restored.namespace, restored.task

    made, task = await again()
    home = world.principal.within(made.namespace_id) if clones else world.principal
    await snapshots.take()
    (snapshot,) = await world.metadata.read(lambda session: session.snapshots.list(home))
    part = await world.blobs.get(home, snapshot.part_key(2))
    await world.blobs.delete(home, snapshot.part_key(2))
    await snapshots.drain()
    assert (await world.tasks.get(world.principal, task.task_id)).status is TaskStatus.FAILED
    inside = world.principal.within(made.namespace_id)
    assert (
        0 < await world.metadata.read(lambda session: session.documents.count(inside, collection.collection_id)) < 1600
    )
    if clones:
        with pytest.raises(AlreadyExistsError):  # it was begun otherwise
            await snapshots.service.clone(world.principal, source, "twin", Included(taxonomies=False))

    await world.blobs.put(home, snapshot.part_key(2), part)
    assert (await again())[0].namespace_id == made.namespace_id
    await snapshots.drain()
    assert await _held(world, inside) == before
    (last, *_) = await world.metadata.read(lambda session: session.tasks.list(inside, None, RESTORE_TASK))
    assert (last.status, last.additional_data["restored"]) == (
        TaskStatus.COMPLETED,
        {"namespace": 1, "bucket": 1, "collection": 1, "document": 1600},
    )
    with pytest.raises(AlreadyExistsError):
        await again()


async def test_a_clone_whose_reading_failed_is_begun_anew(world: World) -> None:
    await _furnished(world)
    before, snapshots = await _held(world, world.principal), Snapshots(world)
    source = world.principal.namespace_id
    first = await snapshots.service.clone(world.principal, source, "twin", Included())
    inside = world.principal.within(first.namespace.namespace_id)
    (snapshot,) = await world.metadata.read(lambda session: session.snapshots.list(inside))
    await world.tasks.kill(inside, snapshot.task_id)
    await snapshots.drain()
    second = await snapshots.service.clone(world.principal, source, "twin", Included())
    assert second.namespace == first.namespace
    await snapshots.drain()
    assert await _held(world, inside) == before
    assert await world.metadata.read(lambda session: session.snapshots.list(inside)) == []


async def test_each_row_comes_back_once_wherever_it_is_broken_off(world: World) -> None:
    """Workers that are stopped at any moment, and others that go on."""
    collection = await _thousand(world)
    before = await _held(world, world.principal)
    snapshots, chance = Snapshots(world), random.Random(5)
    cloned = await snapshots.service.clone(world.principal, world.principal.namespace_id, "twin", Included())
    assert cloned.task is not None
    inside = world.principal.within(cloned.namespace.namespace_id)
    breaks, task = 0, cloned.task
    while not task.status.is_final:
        # Longer each time, so that a slow machine comes to the end too.
        breaks += 1
        await snapshots.work_for(0.02 * breaks * chance.random())
        task = await world.tasks.get(world.principal, task.task_id)
    assert task.status is TaskStatus.COMPLETED
    assert task.additional_data["restored"] == {"namespace": 1, "bucket": 1, "collection": 1, "document": 1600}
    assert await _held(world, inside) == before
    assert await world.index.count(inside, collection.collection_id, None) == 1600
