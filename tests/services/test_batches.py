from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.batch import TaskStatus
from tamis.model.collection import Collection, ExtractorConfig, Source
from tamis.services.data.batch_tiers import tiers_from_bucket
from tamis.services.listing import build_query
from tests.extraction_world import BAD, World, open_world

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


def named(name: str, *sources: str, enabled: bool = True) -> Collection:
    source = Source("bucket", ("b",)) if not sources else Source("collection", (), sources)
    return Collection(name, name, source, ExtractorConfig("e", "v1"), (), {}, {}, NOW, NOW, enabled=enabled)


def test_tiers_stand_below_all_that_feeds_them() -> None:
    collections = [named("d", "a", "c"), named("c", "b"), named("a"), named("b"), named("off", "a", enabled=False)]
    tiers = tiers_from_bucket(collections, "b")
    assert [tier.collection_ids for tier in tiers] == [("a", "b"), ("c",), ("d",)]
    assert [tier.source_type for tier in tiers] == ["bucket", "collection", "collection"]
    assert set(tiers[2].source_collection_ids) == {"a", "c"}


def test_a_circle_and_an_empty_bucket_are_told() -> None:
    with pytest.raises(ConflictError, match="circle"):
        tiers_from_bucket([named("a"), named("x", "a", "y"), named("y", "x")], "b")
    with pytest.raises(ConflictError, match="no enabled collection"):
        tiers_from_bucket([named("a", enabled=False)], "b")


@given(st.lists(st.sets(st.integers(0, 7)), max_size=8))
def test_every_collection_that_is_fed_has_one_tier_after_its_sources(feeds: list[set[int]]) -> None:
    """feeds: for each collection the earlier ones that it takes from; none means the bucket."""
    collections = [
        named(str(place), *(str(each) for each in sorted(sources) if each < place))
        for place, sources in enumerate(feeds)
    ]
    if not any(each.source.type == "bucket" for each in collections):
        return
    tiers = tiers_from_bucket(collections, "b")
    place = {collection_id: tier.number for tier in tiers for collection_id in tier.collection_ids}
    assert len(place) == sum(len(tier.collection_ids) for tier in tiers) == len(collections)
    for each in collections:
        assert all(place[source] < place[each.collection_id] for source in each.source.collection_ids)


async def test_submitting_again_answers_the_same_task(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}])
    await world.collection("docs", bucket)
    batch = (await world.batches.create(world.principal, "things", [*ids, *ids])).batch
    assert (batch.status, batch.object_ids) == (TaskStatus.DRAFT, tuple(ids))
    first = await world.batches.submit(world.principal, "things", batch.batch_id)
    await world.worker.drain()
    again = await world.batches.submit(world.principal, bucket.bucket_id, batch.batch_id)
    assert again.task_id == first.task_id
    assert again.status is TaskStatus.COMPLETED
    assert world.shelf.letter.seen == ids


async def test_a_batch_without_a_collection_is_told_so(world: World) -> None:
    bucket = await world.bucket()
    batch = (await world.batches.create(world.principal, "things", await world.objects(bucket, [{"text": "a"}]))).batch
    with pytest.raises(ConflictError, match="no enabled collection"):
        await world.batches.submit(world.principal, "things", batch.batch_id)
    found = await world.batches.get(world.principal, "things", batch.batch_id)
    assert found.batch.status is TaskStatus.DRAFT


async def test_objects_must_be_of_this_bucket(world: World) -> None:
    bucket, other = await world.bucket(), await world.bucket("other")
    (mine,) = await world.objects(bucket, [{"text": "a"}])
    (foreign,) = await world.objects(other, [{"text": "a"}])
    for ids in ([mine, foreign], [mine, "obj_none"]):
        with pytest.raises(ValidationError) as caught:
            await world.batches.create(world.principal, "things", ids)
        assert caught.value.problems[0]["loc"] == ["body", "object_ids", 1]
    batch = (await world.batches.create(world.principal, "things", [mine])).batch
    for bucket_name, principal in (("other", world.principal), ("things", world.stranger)):
        with pytest.raises(NotFoundError):
            await world.batches.get(principal, bucket_name, batch.batch_id)


async def test_a_draft_grows_and_goes(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "a"}, {"text": "b"}])
    await world.collection("docs", bucket)
    batch = (await world.batches.create(world.principal, "things", ids[:1])).batch
    grown = await world.batches.add_objects(world.principal, "things", batch.batch_id, ids)
    assert grown.batch.object_ids == tuple(ids)
    await world.batches.patch(world.principal, "things", batch.batch_id, {"note": 1})
    await world.batches.submit(world.principal, "things", batch.batch_id)
    await world.worker.drain()
    with pytest.raises(ConflictError, match="DRAFT"):
        await world.batches.add_objects(world.principal, "things", batch.batch_id, ids)
    with pytest.raises(ConflictError, match="nothing to cancel"):
        await world.batches.cancel(world.principal, "things", batch.batch_id)
    page = await world.batches.list(world.principal, "things", TaskStatus.COMPLETED, 10, 0)
    assert [(each.batch.batch_id, each.batch.metadata) for each in page.items] == [(batch.batch_id, {"note": 1})]
    await world.batches.delete(world.principal, "things", batch.batch_id)
    with pytest.raises(NotFoundError):
        await world.batches.get(world.principal, "things", batch.batch_id)


async def test_failures_that_are_alike_are_told_once(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": BAD}, {"text": BAD}, {"title": "none"}, {"text": "fine"}])
    await world.collection("docs", bucket)
    batch = await world.process(bucket, ids)
    details = await world.batches.get(world.principal, "things", batch.batch_id)
    first, second = details.errors[0]
    assert (first.count, set(first.source_ids), first.error_type) == (2, set(ids[:2]), "validation")
    assert second.count == 1


async def test_a_trigger_runs_everything_again_and_what_follows(world: World) -> None:
    bucket = await world.bucket()
    await world.objects(bucket, [{"text": "a|b", "price": 1}, {"text": "c", "price": 9}])
    first = await world.collection("first", bucket, parameters={"separator": "|"})
    second = await world.collection("second", first)
    made = await world.triggers.trigger(world.principal, "first")
    await world.worker.drain()
    assert (made.source_count, made.tier_count) == (2, 2)
    assert len(await world.all_documents(first)) == len(await world.all_documents(second)) == 3
    again = await world.triggers.trigger(world.principal, "second")
    done = await world.finish(bucket, again.batch.batch_id)
    assert done.status is TaskStatus.COMPLETED
    assert (again.source_count, len(again.batch.object_ids), again.tier_count) == (3, 2, 1)
    assert len(await world.all_documents(second)) == 3
    with pytest.raises(ValidationError, match="no source"):
        await world.triggers.trigger(world.principal, "first", ["second"])


async def test_a_trigger_without_objects_is_told_so(world: World) -> None:
    await world.collection("first", await world.bucket())
    with pytest.raises(ConflictError, match="nothing to process"):
        await world.triggers.trigger(world.principal, "first")


async def test_tasks_are_found_by_their_organisation_alone(world: World) -> None:
    bucket = await world.bucket()
    await world.collection("docs", bucket)
    batch = await world.process(bucket, await world.objects(bucket, [{"text": "a"}]))
    owner, stranger = replace(world.principal, namespace_id=""), replace(world.stranger, namespace_id="")
    page = await world.tasks.list(owner, build_query(), "COMPLETED", "api_buckets_batches_process")
    assert [task.task_id for task in page.items] == [batch.task_id]
    assert (await world.tasks.list(stranger, build_query())).total == 0
    # Every task's view holds an underscore: the same list, by the way that reads it whole.
    whole = await world.tasks.list(owner, build_query(search="_", limit=100))
    assert whole.total > 1
    for offset in range(whole.total + 1):
        window = await world.tasks.list(owner, build_query(limit=1, offset=offset))
        assert (list(window.items), window.total) == (list(whole.items[offset : offset + 1]), whole.total)
    counted = await world.tasks.list(owner, build_query(count_only=True))
    assert (list(counted.items), counted.total, counted.limit) == ([], whole.total, 10)
    with pytest.raises(NotFoundError):
        await world.tasks.get(stranger, batch.task_id or "")
    await world.tasks.kill(owner, batch.task_id or "")
    with pytest.raises(NotFoundError):
        await world.tasks.get(owner, batch.task_id or "")


async def test_killing_a_running_task_cancels_its_batch(world: World) -> None:
    bucket = await world.bucket()
    await world.collection("docs", bucket)
    ids = await world.objects(bucket, [{"text": "a"}])
    await world.worker.stop()
    batch = (await world.batches.create(world.principal, "things", ids)).batch
    task = await world.batches.submit(world.principal, "things", batch.batch_id)
    await world.tasks.kill(world.principal, task.task_id)
    found = (await world.batches.get(world.principal, "things", batch.batch_id)).batch
    assert found.status is TaskStatus.CANCELED
    with pytest.raises(ConflictError, match="CANCELED"):
        await world.batches.retry(world.principal, "things", batch.batch_id, True, None, 3)
