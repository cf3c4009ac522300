"""A namespace copied by a migration: whole or not there, wherever it is broken off, and the source as it was."""

import asyncio
import random
from typing import Any

import pytest

from tamis.errors import ConflictError
from tamis.model.namespace_migration import MigrationConfig, MigrationStatus, MigrationType
from tamis.model.principal import Principal
from tests.extraction_world import World
from tests.jobs.migrating_world import Migrating, furnished
from tests.jobs.snapshot_world import Snapshots

TEXTS = [f"one {number}" for number in range(8)]


def _config(world: World, target: str = "twin") -> MigrationConfig:
    return MigrationConfig(MigrationType.COPY, world.principal.namespace_id, target=target)


async def _held(world: World, inside: Principal) -> Any:
    def read(session: Any) -> Any:
        collections = sorted(session.collections.list(inside), key=lambda one: one.name)
        documents = {
            one.name: sorted(
                (each.document_id, str(each.fields)) for each in session.documents.scan(inside, one.collection_id)
            )
            for one in collections
        }
        return documents, sorted(one.name for one in session.retrievers.list(inside))

    return await world.metadata.read(read)


async def _broken_off(migrating: Migrating, snapshots: Snapshots, duration_s: float) -> None:
    """Workers that are stopped, whatever they are at; the next ones are others."""
    worker = Migrating(migrating.world).worker
    worker.start()
    try:
        await snapshots.work_for(duration_s)
    finally:
        await worker.close()


async def _seen_through(migrating: Migrating, snapshots: Snapshots, migration_id: str) -> MigrationStatus:
    chance, breaks = random.Random(7), 0
    while (
        found := await migrating.migrations.get(migrating.world.principal, migration_id)
    ).migration.status.is_under_way:
        breaks += 1
        await _broken_off(migrating, snapshots, 0.03 * breaks * chance.random())
    assert breaks > 1
    return found.migration.status


async def test_a_copy_is_whole_wherever_it_was_broken_off(world: World) -> None:
    migrating, snapshots = Migrating(world), Snapshots(world)
    await furnished(migrating, TEXTS)
    before = await _held(world, world.principal)
    begun, found = await migrating.migrations.create(world.principal, _config(world), start=True)
    assert found.counts == {"bucket": 1, "collection": 2, "retriever": 3, "taxonomy": 0}
    assert await _seen_through(migrating, snapshots, begun.migration_id) is MigrationStatus.COMPLETED
    details = await migrating.migrations.get(world.principal, begun.migration_id)
    assert details.migration.copy is not None
    inside = world.principal.within(details.migration.copy.namespace_id)
    assert await _held(world, inside) == before == await _held(world, world.principal)
    (_, rows, _) = details.progress.stages
    assert (details.progress.percent, rows.total) == (100.0, rows.done)
    names = [one.name for one in await world.metadata.read(lambda session: session.namespaces.list(world.principal))]
    assert names.count("twin") == 1
    with pytest.raises(ConflictError, match="exists already"):
        await migrating.migrations.create(world.principal, _config(world), start=True)


async def test_a_copy_that_is_cancelled_is_gone_and_its_source_stays(world: World) -> None:
    migrating, snapshots = Migrating(world), Snapshots(world)
    await furnished(migrating, TEXTS)
    before = await _held(world, world.principal)
    begun, _ = await migrating.migrations.create(world.principal, _config(world), start=True)
    migrating.worker.start()
    async with asyncio.timeout(30):
        while (await migrating.migrations.get(world.principal, begun.migration_id)).migration.copy is None:  # noqa: ASYNC110 - in the record
            await asyncio.sleep(0.01)
    cancelled = await migrating.migrations.cancel(world.principal, begun.migration_id)
    await snapshots.drain()
    await migrating.worker.close()
    assert (cancelled.status, cancelled.copy) == (MigrationStatus.CANCELLED, None)
    names = [one.name for one in await world.metadata.read(lambda session: session.namespaces.list(world.principal))]
    assert "twin" not in names
    assert await _held(world, world.principal) == before
    # The name is free again.
    looked = await migrating.migrations.validate(world.principal, _config(world))
    assert looked.is_valid


@pytest.mark.parametrize("target", ["", "migrations", "a/b"])
async def test_a_name_that_no_namespace_may_have_is_refused(world: World, target: str) -> None:
    looked = await Migrating(world).migrations.validate(world.principal, _config(world, target))
    assert [one["loc"][-1] for one in looked.errors] == ["target_namespace_name"]
