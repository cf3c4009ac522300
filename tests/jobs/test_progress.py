"""A batch says how far it is, how fast it goes and how long it takes, while it runs and at its end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tamis.model.batch import TaskStatus
from tamis.model.bucket import Bucket
from tamis.services.data.batch_progress import BatchProgress
from tests.extraction_world import BAD, World, open_world

COUNT = 200


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as opened:
        yield opened


async def submitted(world: World, bucket: Bucket, ids: list[str]) -> str:
    batch_id = (await world.batches.create(world.principal, bucket.name, ids)).batch.batch_id
    await world.batches.submit(world.principal, bucket.name, batch_id)
    return batch_id


async def progress(world: World, bucket: Bucket, batch_id: str) -> BatchProgress:
    found = (await world.batches.get(world.principal, bucket.name, batch_id)).progress
    assert found is not None
    assert found.done + found.failed + found.left == found.total
    return found


async def test_done_failed_left_rate_and_time(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": BAD if place < 3 else f"text {place}"} for place in range(COUNT)])
    await world.collection("docs", bucket)
    world.shelf.letter.slow_s = 0.01
    batch_id = await submitted(world, bucket, ids)
    while (now := await progress(world, bucket, batch_id)).left == COUNT:
        assert (now.per_s, now.left_s, now.total) == (None, None, COUNT)
        await asyncio.sleep(0.02)
    assert now.failed <= 3
    assert now.left > 0
    assert now.per_s is not None
    assert now.left_s == pytest.approx(now.left / now.per_s, rel=0.05, abs=0.1)
    await world.worker.drain()
    end = await progress(world, bucket, batch_id)
    assert (end.total, end.done, end.failed, end.left, end.left_s, end.share) == (COUNT, COUNT - 3, 3, 0, 0.0, 1.0)
    batch = (await world.batches.get(world.principal, bucket.name, batch_id)).batch
    facts = (await world.tasks.get(world.principal, batch.task_id or "")).additional_data
    assert (facts["sources_left"], facts["seconds_left"], facts["sources_done"]) == (0, 0.0, COUNT - 3)
    assert facts["sources_per_s"] == pytest.approx(end.per_s, rel=0.2)


async def test_a_pause_between_two_runs_slows_nothing_down(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": BAD}, {"text": "fine"}])
    await world.collection("docs", bucket)
    batch_id = await submitted(world, bucket, ids)
    await world.worker.drain()
    details = await world.batches.get(world.principal, bucket.name, batch_id)
    task = await world.tasks.get(world.principal, details.batch.task_id or "")
    long_ago = replace(task, additional_data={**task.additional_data, "run_started_at": "2020-01-01T00:00:00+00:00"})
    await world.metadata.write(lambda session: session.tasks.replace(world.principal, long_ago))
    assert (await progress(world, bucket, batch_id)).per_s == 0.0
    await world.batches.retry(world.principal, bucket.name, batch_id, everything=True, tiers=None, most=3)
    await world.worker.drain()
    again = await progress(world, bucket, batch_id)
    assert again.per_s is not None
    assert again.per_s > 0.5
    assert (again.done, again.failed) == (1, 1)


async def test_a_draft_has_none(world: World) -> None:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": "fine"}])
    details = await world.batches.create(world.principal, bucket.name, ids)
    assert details.batch.status is TaskStatus.DRAFT
    assert (await world.batches.get(world.principal, bucket.name, details.batch.batch_id)).progress is None
