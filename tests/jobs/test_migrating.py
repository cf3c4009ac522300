"""Collections extracted anew beside the old ones: who searches meanwhile has one of the two, whole."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tamis.errors import ConflictError, NotFoundError, ValidationError
from tamis.model.batch import TaskStatus
from tamis.model.namespace_migration import ExtractorChange, MigrationStatus
from tests.extraction_world import BAD, World, open_world
from tests.jobs.migrating_world import Migrating, furnished, seen_through

TEXTS = [f"one {number}|two {number}" for number in range(60)]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


async def _state(world: World) -> Any:
    """All that a cancelled migration must leave as it was."""

    def read(session: Any) -> Any:
        who = world.principal
        collections = sorted(session.collections.list(who), key=lambda one: one.name)
        objects = [session.objects.scan(who, one.bucket_id) for one in session.buckets.list(who)]
        documents = [[*session.documents.scan(who, one.collection_id)] for one in collections]
        retrievers = sorted(session.retrievers.list(who), key=lambda one: one.name)
        return collections, [[*each] for each in objects], documents, retrievers, session.keys.list(who)

    return await world.metadata.read(read)


async def test_searches_have_the_old_or_the_new_and_never_a_mix(world: World) -> None:
    migrating = Migrating(world)
    bucket, docs, copies = await furnished(migrating, TEXTS)
    world.shelf.letter.slow_s = 0.002
    old = {docs.collection_id, copies.collection_id}
    before = {name: Counter(one for one, _ in await migrating.ask(name)) for name in ("all", "named", "near")}
    assert before["all"] == dict.fromkeys(old, 60)
    begun, found = await migrating.migrations.create(world.principal, migrating.config(), start=True)
    assert (found.is_valid, found.warnings, found.counts["collection"]) == (True, (), 2)

    asking, seen = asyncio.Event(), {name: [before[name]] for name in before}

    async def ask() -> None:
        while not asking.is_set():
            for name, answers in seen.items():
                answer = Counter(one for one, _ in await migrating.ask(name))
                if answer != answers[-1]:
                    answers.append(answer)

    watch = asyncio.create_task(ask())
    await seen_through(migrating)
    asking.set()
    await watch
    done = await migrating.migrations.get(world.principal, begun.migration_id)
    assert (done.migration.status, done.progress.percent) == (MigrationStatus.COMPLETED, 100)
    new = {one.old_id: one.new_id for one in done.migration.replacements}
    assert set(new) == old
    after = {name: Counter(one for one, _ in await migrating.ask(name)) for name in before}
    assert after == {name: {new[one]: 120 for one in before[name]} for name in before}
    for name in before:
        assert seen[name] in ([before[name], after[name]], [before[name]]), name
    names = {one.name: one for one in await world.collections.all(world.principal)}
    assert names["docs"].collection_id == new[docs.collection_id]
    assert names["docs"].extractor.parameters == {"separator": "|"}
    kept = names[f"docs-before-{begun.migration_id[-8:]}"]
    assert (kept.collection_id, kept.is_standby, kept.enabled) == (docs.collection_id, True, False)
    assert len(await world.all_documents(kept)) == 60
    assert (await migrating.retrievers.get(world.principal, "near")).version == 2
    task = await world.tasks.get(world.principal, begun.task_id or "")
    assert task.status is TaskStatus.COMPLETED
    # What comes now goes into the new ones alone.
    await world.process(bucket, await world.objects(bucket, [{"text": "three|four"}]))
    assert Counter(one for one, _ in await migrating.ask("all")) == dict.fromkeys(new.values(), 122)


async def test_what_comes_meanwhile_is_in_both(world: World) -> None:
    migrating = Migrating(world)
    bucket, docs, _ = await furnished(migrating, TEXTS[:10])
    await migrating.migrations.create(world.principal, migrating.config(), start=True)
    world.shelf.letter.go_on.clear()
    world.shelf.letter.reached.clear()
    migrating.start()
    await asyncio.to_thread(world.shelf.letter.reached.wait, 30)
    late = await world.objects(bucket, [{"text": "late|later"}])
    batch = (await world.batches.create(world.principal, bucket.name, late)).batch
    await world.batches.submit(world.principal, bucket.name, batch.batch_id)
    world.shelf.letter.go_on.set()
    await seen_through(migrating)
    await world.worker.drain()
    assert [text for _, text in await migrating.ask("named")].count("later") == 1
    assert len(await migrating.ask("named")) == 22
    assert "late|later" in {one.fields["text"] for one in await world.all_documents(docs)}


async def test_cancelling_leaves_all_as_it_was(world: World) -> None:
    migrating = Migrating(world)
    await furnished(migrating, TEXTS[:20])
    before = await _state(world)
    begun, _ = await migrating.migrations.create(world.principal, migrating.config(), start=True)
    world.shelf.letter.go_on.clear()
    world.shelf.letter.reached.clear()
    migrating.start()
    await asyncio.to_thread(world.shelf.letter.reached.wait, 30)
    assert len(await world.collections.all(world.principal)) == 4
    with pytest.raises(ConflictError, match="under way"):
        await migrating.migrations.create(world.principal, migrating.config(), start=True)
    with pytest.raises(ConflictError, match="cancel it first"):
        await migrating.migrations.delete(world.principal, begun.migration_id)
    cancelled = await migrating.migrations.cancel(world.principal, begun.migration_id, "not now")
    world.shelf.letter.go_on.set()
    await world.worker.drain()
    await seen_through(migrating)
    assert (cancelled.status, cancelled.error) == (MigrationStatus.CANCELLED, "not now")
    assert await _state(world) == before
    assert await world.metadata.read(lambda session: session.remains.pending(10)) == []
    with pytest.raises(ConflictError):
        await migrating.migrations.cancel(world.principal, begun.migration_id)
    await migrating.migrations.delete(world.principal, begun.migration_id)
    assert (await world.tasks.get(world.principal, begun.task_id or "")).status is TaskStatus.CANCELED


async def test_what_would_be_lost_stops_it(world: World) -> None:
    migrating = Migrating(world)
    _, docs, _ = await furnished(migrating, TEXTS[:5])
    (first, *_) = await world.all_documents(docs)
    source = first.lineage.source_object_id or ""
    found = await world.metadata.read(lambda session: session.objects.get(world.principal, source))
    assert found is not None
    begun, _ = await migrating.migrations.create(world.principal, migrating.config(), start=True)
    world.shelf.letter.model_is_missing = True
    before = await _state(world)
    await seen_through(migrating)
    ended = (await migrating.migrations.get(world.principal, begun.migration_id)).migration
    assert ended.status is MigrationStatus.FAILED
    assert "5 sources could not be extracted anew" in str(ended.error)
    assert await _state(world) == before


async def test_what_never_could_be_extracted_stops_nothing(world: World) -> None:
    migrating = Migrating(world)
    await furnished(migrating, [*TEXTS[:3], BAD])
    begun, _ = await migrating.migrations.create(world.principal, migrating.config(), start=True)
    await seen_through(migrating)
    assert (await migrating.migrations.get(world.principal, begun.migration_id)).migration.status == "completed"
    assert len(await migrating.ask("named")) == 6


@pytest.mark.parametrize(
    ("change", "options", "place"),
    [
        (ExtractorChange("letter_extractor", version="v9"), {}, ["feature_extractors", 0, "version"]),
        (ExtractorChange("letter_extractor", parameters={"nope": 1}), {}, ["feature_extractors", 0]),
        (ExtractorChange("no_extractor"), {}, ["feature_extractors"]),
        (ExtractorChange("letter_extractor"), {"collections": ("docs", "x")}, ["filters", "collection_ids", 1]),
        (ExtractorChange("letter_extractor"), {"with_fed": False}, ["filters", "auto_include_dependencies"]),
    ],
)
async def test_what_is_wrong_is_said_before_it_begins(
    world: World, change: ExtractorChange, options: dict[str, Any], place: list[Any]
) -> None:
    migrating = Migrating(world)
    await furnished(migrating, TEXTS[:2])
    config = migrating.config(change, **options)
    before = await _state(world)
    found = await migrating.migrations.validate(world.principal, config)
    assert [one["loc"] for one in found.errors] == [["body", "config", *place]]
    with pytest.raises(ValidationError):
        await migrating.migrations.create(world.principal, config, start=True)
    draft, _ = await migrating.migrations.create(world.principal, config)
    with pytest.raises(ValidationError):
        await migrating.migrations.start(world.principal, draft.migration_id)
    with pytest.raises(NotFoundError):
        await migrating.migrations.get(world.stranger, draft.migration_id)
    assert await _state(world) == before
