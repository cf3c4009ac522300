import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, SourceItem
from tamis.engine.ports.index import Point
from tamis.engine.ports.inference import Models
from tamis.engine.ports.metadata import Session
from tamis.errors import ExtractionUnavailableError, NotFoundError
from tamis.jobs import extraction
from tamis.jobs.batch_state import give_up
from tamis.jobs.calling import Result, Source, extract
from tamis.jobs.threads import ExtractorThreads
from tamis.model.batch import ItemStatus, TaskStatus
from tamis.model.document import Lineage
from tamis.model.ids import derived_id
from tamis.model.principal import Principal
from tamis.services.data.documents import DocumentDraft
from tamis.testing.memory_index import MemoryIndex
from tests.extraction_world import BAD, BOOM, LetterExtractor, NoModels, World, open_world

TEXTS = [f"thing {'x' * (number % 7)} number {number}" for number in range(150)]


async def statuses(world: World, object_ids: list[str]) -> set[str]:
    found = await world.metadata.read(lambda session: session.objects.get_many(world.principal, object_ids))
    return {each.status for each in found.values()}


async def test_each_object_becomes_its_documents_and_is_found(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": text, "price": place} for place, text in enumerate(TEXTS)])
    collection = await world.collection("docs", bucket, passthrough=[("price", "cost")])
    batch = await world.process(bucket, ids)
    assert batch.status is TaskStatus.COMPLETED
    assert batch.error_summary is None
    assert batch.tiers[0].status is TaskStatus.COMPLETED
    documents = await world.all_documents(collection)
    assert {each.lineage.root_object_id for each in documents} == set(ids)
    assert sorted(str(each.fields["cost"]) for each in documents) == sorted(str(place) for place in range(150))
    assert {each.document_id for each in documents} == {
        derived_id("doc", collection.collection_id, each, 0) for each in ids
    }
    assert await statuses(world, ids) == {"COMPLETED"}
    assert await world.index.count(world.principal, collection.collection_id, None) == 150
    found = await world.search(collection, TEXTS[3], limit=1)
    assert found == [derived_id("doc", collection.collection_id, ids[3], 0)] or len(found) == 1


async def test_the_task_says_how_far_it_is(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": text} for text in TEXTS[:10]])
    await world.collection("docs", bucket)
    batch = await world.process(bucket, ids)
    task = await world.tasks.get(world.principal, batch.task_id or "")
    assert task.status is TaskStatus.COMPLETED
    assert task.additional_data["sources_done"] == 10
    assert task.additional_data["progress"] == 1.0
    tier_task = await world.tasks.get(world.principal, batch.tiers[0].task_id or "")
    assert tier_task.status is TaskStatus.COMPLETED


async def test_a_bad_object_fails_alone_with_its_reason(world: World) -> None:
    bucket = await world.bucket()
    views = [{"text": text} for text in TEXTS[:40]]
    views[7], views[21], views[30] = {"text": BAD}, {"text": f"this one {BOOM}"}, {"title": "no text at all"}
    ids = await world.objects(bucket, views)
    collection = await world.collection("docs", bucket)
    batch = await world.process(bucket, ids)
    assert batch.status is TaskStatus.COMPLETED_WITH_ERRORS
    assert batch.error_summary == {"validation": 2, "runtime": 1}
    assert len(await world.all_documents(collection)) == 37
    failed = await world.batches.failed(world.principal, bucket.name, batch.batch_id, None, None, 100, 0)
    reasons = {item.source_id: (item.error_type, item.error) for item in failed.items}
    assert reasons[ids[7]] == ("validation", "this text is refused")
    assert reasons[ids[21]] == ("runtime", "RuntimeError: the extractor broke")
    assert reasons[ids[30]][0] == "validation"
    assert "'text'" in (reasons[ids[30]][1] or "")
    broken = await world.metadata.read(lambda session: session.objects.get(world.principal, ids[21]))
    assert broken is not None
    assert (broken.status, broken.error) == ("FAILED", "RuntimeError: the extractor broke")


async def test_a_batch_in_which_nothing_works_has_failed(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": BAD}, {"text": BAD}])
    await world.collection("docs", bucket)
    batch = await world.process(bucket, ids)
    assert batch.status is TaskStatus.FAILED
    assert batch.error is not None
    assert "this text is refused" in batch.error


async def test_extraction_again_replaces_and_removes_what_is_not_made_again(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "one|two|three"}, {"text": "four"}])
    collection = await world.collection("parts", bucket, parameters={"separator": "|"})
    below = await world.collection("below", collection)
    await world.process(bucket, ids)
    assert len(await world.all_documents(collection)) == 4
    assert len(await world.all_documents(below)) == 4
    before = {each.document_id: each.created_at for each in await world.all_documents(collection)}

    def shorten(session: Session) -> None:
        found = session.objects.get(world.principal, ids[0])
        assert found is not None
        blob = replace(found.blobs[0], data="one|deux")
        session.objects.replace(world.principal, [replace(found, blobs=(blob,))])

    await world.metadata.write(shorten)
    await world.process(bucket, ids)
    after = await world.all_documents(collection)
    assert sorted(str(each.fields["text"]) for each in after) == ["deux", "four", "one"]
    assert all(each.created_at == before[each.document_id] for each in after)
    assert len(await world.all_documents(below)) == 3
    assert await world.index.count(world.principal, collection.collection_id, None) == 3
    assert await world.index.count(world.principal, below.collection_id, None) == 3


async def test_a_callers_own_document_of_the_same_source_stays(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "one"}])
    collection = await world.collection("docs", bucket)
    own = DocumentDraft({"note": "mine"}, lineage=Lineage(source_object_id=ids[0], root_object_id=ids[0]))
    made = await world.documents.create(world.principal, "docs", own)
    await world.process(bucket, ids)
    assert len(await world.all_documents(collection)) == 2
    await world.documents.get(world.principal, "docs", made.document.document_id)


async def test_a_collection_fed_by_a_collection_keeps_its_lineage(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a b|c d", "title": "letters"}])
    first = await world.collection(
        "halves", bucket, parameters={"separator": "|"}, passthrough=[("title", "name.of.it")]
    )
    second = await world.collection(
        "words", first, parameters={"separator": " "}, passthrough=[("name.of.it", "label")]
    )
    batch = await world.process(bucket, ids)
    assert [tier.collection_ids for tier in batch.tiers] == [(first.collection_id,), (second.collection_id,)]
    documents = await world.all_documents(second)
    assert sorted(str(each.fields["text"]) for each in documents) == ["a", "b", "c", "d"]
    assert {str(each.fields["label"]) for each in documents} == {"letters"}
    one = next(each for each in documents if each.fields["text"] == "c")
    parent = await world.documents.get(world.principal, "halves", one.lineage.source_document_id or "")
    assert parent.document.fields["text"] == "c d"
    assert one.lineage.source_type == "collection"
    assert one.lineage.root_object_id == ids[0]
    assert one.lineage.path == f"{bucket.bucket_id}/{first.collection_id}/{second.collection_id}"
    assert [step.collection_id for step in one.lineage.chain] == [first.collection_id, second.collection_id]
    assert one.lineage.chain[0].document_id == parent.document.document_id


async def test_source_filters_leave_objects_out(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a", "price": 1}, {"text": "b", "price": 9}])
    filters: dict[str, object] = {"AND": [{"field": "price", "operator": "gt", "value": 5}]}
    collection = await world.collection("dear", bucket, filters=filters)
    batch = await world.process(bucket, ids)
    assert batch.status is TaskStatus.COMPLETED
    assert [each.fields["text"] for each in await world.all_documents(collection)] == ["b"]


async def test_text_of_a_file_is_read_and_what_lies_elsewhere_is_not(world: World) -> None:
    bucket = await world.bucket()
    await world.blobs.put(world.principal, "files/one.txt", "häuser".encode(), "text/plain")
    await world.blobs.put(world.principal, "files/two.txt", b"\xff\xfe\x00", "text/plain")
    urls = ["blob://files/one.txt", "blob://files/two.txt", "blob://files/none.txt", "https://example.org/three.txt"]
    ids = await world.objects(bucket, [{"url": url} for url in urls])
    collection = await world.collection("docs", bucket)
    batch = await world.process(bucket, ids)
    assert [each.fields["text"] for each in await world.all_documents(collection)] == ["häuser"]
    failed = await world.batches.failed(world.principal, bucket.name, batch.batch_id, None, None, 10, 0)
    reasons = {item.source_id: item.error or "" for item in failed.items}
    assert "UTF-8" in reasons[ids[1]]
    assert "missing" in reasons[ids[2]]
    assert "does not fetch" in reasons[ids[3]]


async def test_dynamic_parameters_come_from_each_source(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a|b", "title": "|"}, {"text": "a|b+c+d", "title": "+"}])
    parameters = {"separator": {"type": "dynamic", "value": "title"}}
    collection = await world.collection("parts", bucket, parameters=parameters)
    await world.process(bucket, ids)
    texts = [each.fields["text"] for each in await world.all_documents(collection)]
    assert sorted(str(text) for text in texts) == ["a", "a|b", "b", "c", "d"]


async def test_two_collections_of_one_bucket_both_take_every_object(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": f"{BAD if place == 3 else 'fine'}"} for place in range(6)])
    letter = await world.collection("docs", bucket)
    copy = await world.collection("copies", bucket, "copy")
    await world.collection("asleep", bucket, "copy", enabled=False)
    batch = await world.process(bucket, ids)
    assert batch.status is TaskStatus.COMPLETED_WITH_ERRORS
    assert len(await world.all_documents(letter)) == 5
    copies = await world.all_documents(copy)
    assert len(copies) == 6
    assert copies[0].fields["text"] in ("fine", BAD)
    found = await world.metadata.read(lambda session: session.objects.get_many(world.principal, ids))
    assert [found[each].status for each in ids].count("FAILED") == 1
    assert found[ids[3]].status == "FAILED"


async def test_a_missing_model_is_transient_and_a_retry_cures_it(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}, {"text": BAD}])
    collection = await world.collection("docs", bucket)
    below = await world.collection("below", collection)
    world.shelf.letter.model_is_missing = True
    batch = await world.process(bucket, ids)
    assert batch.status is TaskStatus.FAILED
    assert batch.error_summary == {"dependency": 2}
    world.shelf.letter.model_is_missing = False
    _, count = await world.batches.retry(world.principal, bucket.name, batch.batch_id, False, None, 3)
    assert count == 2
    batch = await world.finish(bucket, batch.batch_id)
    assert batch.status is TaskStatus.COMPLETED_WITH_ERRORS
    assert batch.error_summary == {"validation": 1}
    assert len(await world.all_documents(below)) == 1
    _, count = await world.batches.retry(world.principal, bucket.name, batch.batch_id, False, None, 3)
    assert count == 0


async def test_cancelling_stops_between_calls(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": text} for text in TEXTS])
    collection = await world.collection("docs", bucket)
    await world.worker.stop()
    batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
    await world.batches.submit(world.principal, bucket.name, batch.batch_id)
    task = await world.batches.cancel(world.principal, bucket.name, batch.batch_id)
    assert task.status is TaskStatus.CANCELED
    again = type(world.worker)(
        world.metadata, world.indexer, world.shelf, NoModels(), world.sweeper.keeping, world.files
    )
    await again.start()
    await again.drain()
    await again.stop()
    assert await world.all_documents(collection) == []
    assert await statuses(world, ids) == {"CANCELED"}
    counts = await world.metadata.read(lambda session: session.batches.count_items(world.principal, batch.batch_id))
    assert counts == {(0, ItemStatus.CANCELED): 150}


async def test_a_stop_does_not_wait_for_a_call_and_the_next_start_does_its_work(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}, {"text": "b"}])
    collection = await world.collection("docs", bucket)
    batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
    world.shelf.letter.go_on.clear()
    await world.batches.submit(world.principal, bucket.name, batch.batch_id)
    await asyncio.to_thread(world.shelf.letter.reached.wait)
    await world.worker.stop()
    assert world.worker.left_behind == 1
    assert await world.all_documents(collection) == []
    again = type(world.worker)(
        world.metadata, world.indexer, world.shelf, NoModels(), world.sweeper.keeping, world.files
    )
    world.shelf.letter.go_on.set()
    await again.start()
    await again.drain()
    await again.stop()
    assert again.left_behind == 0
    assert {document.fields["text"] for document in await world.all_documents(collection)} == {"a", "b"}
    found = (await world.batches.get(world.principal, bucket.name, batch.batch_id)).batch
    assert found.status is TaskStatus.COMPLETED


async def test_a_collection_deleted_before_its_turn_fails_its_sources_alone(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}])
    kept = await world.collection("kept", bucket)
    await world.collection("gone", bucket)
    await world.worker.stop()
    batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
    await world.batches.submit(world.principal, bucket.name, batch.batch_id)
    await world.collections.delete(world.principal, "gone")
    again = type(world.worker)(
        world.metadata, world.indexer, world.shelf, NoModels(), world.sweeper.keeping, world.files
    )
    await again.start()
    await again.drain()
    await again.stop()
    found = (await world.batches.get(world.principal, bucket.name, batch.batch_id)).batch
    assert found.status is TaskStatus.COMPLETED_WITH_ERRORS
    assert len(await world.all_documents(kept)) == 1


async def submitted(world: World, texts: list[str]) -> tuple[list[str], str]:
    """Objects on their way through the extractor, which is in the middle of a call when this returns."""
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": text} for text in texts])
    await world.collection("docs", bucket)
    world.shelf.letter.go_on.clear()
    batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
    await world.batches.submit(world.principal, bucket.name, batch.batch_id)
    await asyncio.to_thread(world.shelf.letter.reached.wait)
    return ids, batch.batch_id


async def test_an_object_changed_while_it_is_extracted_is_extracted_again(world: World) -> None:
    ids, batch_id = await submitted(world, ["old", "same", "doomed"])

    def change(session: Session) -> None:
        found = session.objects.get(world.principal, ids[0])
        assert found is not None
        blob = replace(found.blobs[0], data="new")
        changed_at = found.updated_at + timedelta(seconds=1)
        session.objects.replace(world.principal, [replace(found, blobs=(blob,), updated_at=changed_at)])
        session.objects.delete(world.principal, [ids[2]])

    await world.metadata.write(change)
    world.shelf.letter.go_on.set()
    bucket = await world.metadata.read(lambda session: session.buckets.list(world.principal)[0])
    batch = await world.finish(bucket, batch_id)
    collection = await world.metadata.read(lambda session: session.collections.list(world.principal)[0])
    assert sorted(str(each.fields["text"]) for each in await world.all_documents(collection)) == ["new", "same"]
    assert batch.status is TaskStatus.COMPLETED_WITH_ERRORS
    failed = await world.batches.failed(world.principal, bucket.name, batch_id, None, None, 10, 0)
    assert [item.source_id for item in failed.items] == [ids[2]]


async def test_once_cancelling_has_answered_nothing_more_is_written(world: World) -> None:
    ids, batch_id = await submitted(world, ["a", "b"])
    await world.batches.cancel(world.principal, "things", batch_id)
    await world.batches.delete(world.principal, "things", batch_id)
    world.shelf.letter.go_on.set()
    await world.worker.drain()
    collection = await world.metadata.read(lambda session: session.collections.list(world.principal)[0])
    assert await world.all_documents(collection) == []
    assert await statuses(world, ids) == {"CANCELED"}
    assert await world.metadata.read(lambda session: session.batches.count_items(world.principal, batch_id)) == {}


async def test_a_collection_deleted_while_it_is_fed_fails_its_sources(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    ids, batch_id = await submitted(world, ["a", "b"])
    await world.collections.delete(world.principal, "docs")
    world.shelf.letter.go_on.set()
    bucket = await world.metadata.read(lambda session: session.buckets.list(world.principal)[0])
    batch = await world.finish(bucket, batch_id)
    assert batch.status is TaskStatus.FAILED
    assert "the collection was deleted" in (batch.error or "")
    assert await statuses(world, ids) == {"FAILED"}
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_shard_that_went_with_its_collection_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Gone(MemoryIndex):
        async def upsert(self, principal: Principal, collection_id: str, points: Sequence[Point]) -> None:
            raise NotFoundError.of("shard", collection_id)

    async with open_world(tmp_path, Gone()) as world:
        bucket = await world.bucket()
        ids = await world.objects(bucket, [{"text": "a"}])
        await world.collection("docs", bucket)
        assert (await world.process(bucket, ids)).status is TaskStatus.COMPLETED
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_batch_that_the_server_gave_up_can_be_retried(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}, {"text": "b"}])
    collection = await world.collection("docs", bucket)
    await world.worker.stop()
    batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
    await world.batches.submit(world.principal, bucket.name, batch.batch_id)
    await world.metadata.write(lambda session: give_up(session, world.principal, batch.batch_id, "disk full"))
    assert await statuses(world, ids) == {"FAILED"}
    found = (await world.batches.get(world.principal, bucket.name, batch.batch_id)).batch
    assert (found.status, found.error, found.tiers[0].status) == (TaskStatus.FAILED, "disk full", TaskStatus.FAILED)
    _, count = await world.batches.retry(world.principal, bucket.name, batch.batch_id, False, None, 3)
    assert count == 2
    again = type(world.worker)(
        world.metadata, world.indexer, world.shelf, NoModels(), world.sweeper.keeping, world.files
    )
    await again.start()
    await again.drain()
    await again.stop()
    found = (await world.batches.get(world.principal, bucket.name, batch.batch_id)).batch
    assert found.status is TaskStatus.COMPLETED
    assert len(await world.all_documents(collection)) == 2


async def test_several_batches_at_once_end_each_with_its_own(world: World) -> None:
    buckets = [await world.bucket(f"bucket-{place}") for place in range(4)]
    collections = [await world.collection(f"docs-{place}", bucket) for place, bucket in enumerate(buckets)]

    async def run(place: int) -> TaskStatus:
        ids = await world.objects(buckets[place], [{"text": f"{place} {text}"} for text in TEXTS[:60]])
        return (await world.process(buckets[place], ids)).status

    assert set(await asyncio.gather(*(run(place) for place in range(4)))) == {TaskStatus.COMPLETED}
    for collection in collections:
        assert len(await world.all_documents(collection)) == 60


def test_a_call_that_breaks_is_cut_until_the_culprit_stands_alone() -> None:
    extractor = LetterExtractor()
    items = [SourceItem(str(place), {"text": BOOM if place == 5 else "fine"}) for place in range(13)]
    results = extract(extractor, items, extractor.Parameters(), NoModels())
    assert [place for place, result in enumerate(results) if isinstance(result, ExtractionFailure)] == [5]
    assert sorted(extractor.seen, key=int) == [str(place) for place in range(13) if place != 5]


class AwayAtFirst(ExtractorThreads):
    """As a cluster that comes back."""

    asked = 0

    async def call(self, extractor: Extractor, sources: Sequence[Source], models: Models) -> Mapping[str, Result]:
        self.asked += 1
        if self.asked <= 12:
            raise ExtractionUnavailableError
        return await super().call(extractor, sources, models)


async def test_a_batch_waits_for_as_long_as_what_extracts_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extraction, "_WAIT_S", 0.0)
    async with open_world(tmp_path, caller=AwayAtFirst(1)) as world:
        bucket = await world.bucket()
        ids = await world.objects(bucket, [{"text": "a"}, {"text": "b"}])
        collection = await world.collection("docs", bucket)
        batch = await world.process(bucket, ids)
        assert (batch.status, batch.error) == (TaskStatus.COMPLETED, None)
        assert len(await world.all_documents(collection)) == 2
