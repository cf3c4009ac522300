"""Walks come to each document exactly once, whatever happens on the way."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.metadata import Session
from tamis.jobs.walking import Change, Step, WalkWorker
from tamis.model.batch import Task, TaskStatus
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.principal import Principal
from tamis.model.walk import Walk
from tamis.services.data.walks import begin_walk, new_walk
from tests.extraction_world import World, open_world
from tests.retrieval_world import WallClock

COUNT = 40


@dataclass
class Counting:
    """Adds one to a field of each document. stop_after: chunks, then it stands still until `go_on`."""

    stop_after: int | None = None
    calls: int = 0
    stands: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    given: Counter[str] = field(default_factory=Counter)
    ends: list[tuple[TaskStatus, str | None]] = field(default_factory=list)
    askers: list[Principal] = field(default_factory=list)
    fault: Exception | None = None

    async def begin(self, principal: Principal, walk: Walk, collection: Collection) -> Step:
        self.askers.append(principal)
        return self.step

    async def step(self, documents: Sequence[Document]) -> Change:
        if self.fault is not None:
            raise self.fault
        self.calls += 1
        self.given.update(one.document_id for one in documents)
        if self.stop_after is not None and self.calls > self.stop_after:
            self.stands.set()
            await self.go_on.wait()
        changed = [replace(one, fields={**one.fields, "times": _times(one) + 1}) for one in documents]
        return Change(changed, {"counted": len(changed)})

    def end(self, session: Session, principal: Principal, walk: Walk, status: TaskStatus, reason: str | None) -> None:
        self.ends.append((status, reason))


def _times(document: Document) -> int:
    value = document.fields.get("times", 0)
    return value if isinstance(value, int) else 0


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with open_world(tmp_path) as world:
        yield world


async def _filled(world: World) -> Collection:
    bucket = await world.bucket()
    ids = await world.objects(bucket, [{"text": f"text {number}", "price": number} for number in range(COUNT)])
    collection = await world.collection("first", bucket, include_all=True)
    await world.process(bucket, ids)
    return collection


def _worker(world: World, counting: Counting, **options: Any) -> WalkWorker:
    return WalkWorker(world.metadata, world.indexer, WallClock(), {"count": counting}, poll_s=0.02, **options)


async def _begin(world: World, collection: Collection, **options: Any) -> Task:
    walk = new_walk(world.principal, "count", {}, WallClock().now(), most_at_once=8, **options)
    return await world.metadata.write(
        lambda session: begin_walk(session, world.principal, collection, "count_documents", walk)
    )


async def _finished(world: World, worker: WalkWorker, task: Task) -> Task:
    worker.start()
    await worker.drain()
    await worker.close()
    return await world.tasks.get(world.principal, task.task_id)


async def test_every_document_once_and_the_task_tells(world: World) -> None:
    collection = await _filled(world)
    counting = Counting()
    task = await _begin(world, collection)
    assert task.additional_data["total_documents"] == COUNT
    task = await _finished(world, _worker(world, counting), task)
    assert task.status is TaskStatus.COMPLETED
    expected = {"processed_documents": COUNT, "changed_documents": COUNT, "counted": COUNT}
    assert expected.items() <= task.additional_data.items()
    assert [_times(one) for one in await world.all_documents(collection)] == [1] * COUNT
    assert counting.ends == [(TaskStatus.COMPLETED, None)]
    assert counting.askers[0].organization_id == world.principal.organization_id
    assert len(await world.search(collection, "text", COUNT)) == COUNT, "vectors stay"
    assert await world.metadata.read(lambda session: session.walks.unfinished()) == []


@pytest.mark.parametrize("stop_after", [0, 1, 3])
async def test_a_worker_that_dies_midway_is_followed_by_one_that_goes_on(world: World, stop_after: int) -> None:
    collection = await _filled(world)
    dying = Counting(stop_after)
    task = await _begin(world, collection)
    worker = _worker(world, dying)
    worker.start()
    await dying.stands.wait()
    await worker.close()
    task = await _finished(world, _worker(world, Counting()), task)
    assert task.additional_data["counted"] == COUNT
    assert [_times(one) for one in await world.all_documents(collection)] == [1] * COUNT


async def test_of_two_servers_one_walks(world: World) -> None:
    collection = await _filled(world)
    task = await _begin(world, collection)
    locks, counting = LocalLocks(), Counting()
    workers = [_worker(world, counting, locks=locks) for _ in range(2)]
    for worker in workers:
        worker.start()
    await asyncio.gather(*(worker.drain() for worker in workers))
    for worker in workers:
        await worker.close()
    assert set(counting.given.values()) == {1}
    assert (await world.tasks.get(world.principal, task.task_id)).additional_data["counted"] == COUNT


async def test_what_others_write_meanwhile_is_not_lost(world: World) -> None:
    collection = await _filled(world)
    documents = await world.all_documents(collection)
    slow = Counting(stop_after=0)
    task = await _begin(world, collection)
    worker = _worker(world, slow)
    worker.start()
    await slow.stands.wait()
    changed, gone = documents[0].document_id, documents[1].document_id
    await world.documents.patch(world.principal, collection.name, changed, {"text": "changed meanwhile"})
    await world.documents.delete(world.principal, collection.name, gone)
    slow.stop_after = None
    slow.go_on.set()
    await worker.drain()
    await worker.close()
    after = {one.document_id: one for one in await world.all_documents(collection)}
    assert gone not in after
    assert after[changed].fields["text"] == "changed meanwhile"
    assert {_times(one) for one in after.values()} == {1}
    assert (await world.tasks.get(world.principal, task.task_id)).additional_data["counted"] == COUNT - 1


async def test_a_killed_task_stops_its_walk(world: World) -> None:
    collection = await _filled(world)
    slow = Counting(stop_after=1)
    task = await _begin(world, collection)
    worker = _worker(world, slow)
    worker.start()
    await slow.stands.wait()
    await world.tasks.kill(world.principal, task.task_id)
    slow.go_on.set()
    await worker.drain()
    await worker.close()
    times = [_times(one) for one in await world.all_documents(collection)]
    assert sum(times) == 8
    assert slow.ends[0][0] is TaskStatus.CANCELED
    assert (await world.tasks.get(world.principal, task.task_id)).status is TaskStatus.CANCELED


async def test_only_what_matches_and_only_of_a_batch(world: World) -> None:
    collection = await _filled(world)
    bucket = await world.bucket("more")
    task = await _begin(world, collection, matching={"field": "price", "operator": "lt", "value": 10})
    task = await _finished(world, _worker(world, Counting()), task)
    expected = {"processed_documents": COUNT, "counted": 10}
    assert expected.items() <= task.additional_data.items()
    ids = await world.objects(bucket, [{"text": "later", "price": 5}] * 3)
    other = await world.collection("second", bucket, include_all=True)
    batch = await world.process(bucket, ids)
    earlier = await world.process(bucket, await world.objects(bucket, [{"text": "other"}]))
    task = await _finished(world, _worker(world, Counting()), await _begin(world, other, batch_id=batch.batch_id))
    assert task.additional_data["counted"] == 3
    assert sorted(_times(one) for one in await world.all_documents(other)) == [0, 1, 1, 1]
    assert earlier.batch_id != batch.batch_id


async def test_a_walk_that_cannot_go_on_says_why(world: World) -> None:
    collection = await _filled(world)
    task = await _begin(world, collection)
    await world.collections.delete(world.principal, collection.name)
    counting = Counting()
    task = await _finished(world, _worker(world, counting), task)
    assert task.status is TaskStatus.FAILED
    assert task.error is not None
    assert "collection" in task.error
    assert counting.ends[0][0] is TaskStatus.FAILED
