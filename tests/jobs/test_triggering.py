"""Triggers, looked at by a clock that the test turns; the record is real."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError, ValidationError
from tamis.jobs.triggering import Triggering
from tamis.model.batch import TaskStatus, Tier
from tamis.model.cluster import ClusterRun, RunStatus
from tamis.model.document import Document, DocumentWrite
from tamis.model.principal import Principal
from tamis.model.trigger import Action, Trigger, TriggerStatus, TriggerType
from tamis.model.vector import Dense, FeatureSpec, VectorKind
from tamis.model.walk import Walk
from tamis.services.data.applications import follow_batch
from tamis.services.data.walks import end_walk
from tamis.services.learning.triggers import TriggerChange, TriggerDraft, TriggerService
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME


class Clock:
    def __init__(self) -> None:
        self.at = samples.NOW + timedelta(days=1)

    def now(self) -> datetime:
        return self.at

    def monotonic_ms(self) -> float:
        return self.at.timestamp() * 1000


class World:
    def __init__(self, metadata: Metadata) -> None:
        self.metadata, self.clock = metadata, Clock()
        self.triggering = Triggering(metadata, self.clock)
        self.service = TriggerService(metadata, self.clock)

    async def make(self, kind: str, **schedule: Any) -> str:
        draft = TriggerDraft(Action.CLUSTER, {"cluster_id": "first"}, TriggerType(kind), schedule)
        return (await self.service.create(ME, draft)).trigger_id

    async def pass_s(self, seconds: float) -> None:
        self.clock.at += timedelta(seconds=seconds)
        await self.triggering.look()

    async def runs(self) -> list[ClusterRun]:
        return [*await self.metadata.read(lambda session: session.cluster_runs.list(ME, "clust_first"))]

    async def trigger(self, trigger_id: str) -> Trigger:
        return await self.service.get(ME, trigger_id)

    async def end_runs(self, status: RunStatus = RunStatus.COMPLETED, mean: tuple[float, ...] = ()) -> None:
        """With their tasks, as the worker that clusters does; and let the triggers hear of it."""
        error = "why" if status is RunStatus.FAILED else None

        def end(session: Session) -> None:
            for run in session.cluster_runs.list(ME, "clust_first"):
                if not run.status.is_final:
                    session.cluster_runs.replace(ME, replace(run, status=status, error=error, mean=mean))
                    task = session.tasks.get(ME, run.task_id)
                    if task is not None:
                        ended = TaskStatus.FAILED if error else TaskStatus.COMPLETED
                        session.tasks.replace(ME, replace(task, status=ended, error=error, updated_at=self.clock.at))

        await self.metadata.write(end)
        await self.triggering.look()

    async def walks(self) -> list[Walk]:
        return [*await self.metadata.read(lambda session: session.walks.list(ME, "col_first"))]

    async def end_walks(self) -> None:
        for walk in await self.walks():
            await self.metadata.write(
                lambda session, one=walk: end_walk(session, ME, one, TaskStatus.COMPLETED, None, self.clock.at)  # type: ignore[misc]
            )

    async def end_batch(self, application: dict[str, Any]) -> None:
        """A batch over a collection that has this done with its clusters."""

        def end(session: Session) -> None:
            collection = session.collections.get(ME, "col_first")
            assert collection is not None
            session.collections.replace(ME, replace(collection, cluster_applications=(application,)))
            batch = samples.batch(1, TaskStatus.COMPLETED)
            tier = Tier(0, ("col_first",), "bucket")
            follow_batch(session, ME, replace(batch, tiers=(tier,)), self.clock.at)

        await self.metadata.write(end)

    async def add(self, first: int, count: int, vector: tuple[float, ...] = (1.0, 0.0)) -> None:
        """Documents that are made now."""
        now = self.clock.at
        writes = [
            DocumentWrite(
                Document(f"doc_{number:04}", "col_first", {}, now, now),
                {"embedding": Dense(np.array(vector, dtype=np.float32))},
            )
            for number in range(first, first + count)
        ]
        await self.metadata.write(lambda session: session.documents.put(ME, "col_first", writes))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    metadata = await open_sqlite(tmp_path / "tamis.db")

    def fill(session: Session) -> None:
        feature = FeatureSpec("embedding", VectorKind.DENSE, 2)
        session.collections.insert(ME, replace(samples.collection(), features=(feature,)))
        session.clusters.insert(ME, samples.cluster())

    await metadata.write(fill)
    yield World(metadata)
    await metadata.close()


async def test_an_interval_keeps_its_beat_and_makes_up_for_what_was_missed_once(world: World) -> None:
    trigger_id = await world.make("interval", interval_seconds=60)
    await world.pass_s(59)
    assert await world.runs() == []
    await world.pass_s(2)
    await world.triggering.look()
    assert [one.trigger_id for one in await world.runs()] == [trigger_id]
    await world.end_runs()
    await world.pass_s(59)
    assert len(await world.runs()) == 2
    await world.end_runs()
    await world.pass_s(600)
    await world.triggering.look()
    assert len(await world.runs()) == 3
    found = await world.trigger(trigger_id)
    assert (found.fired, found.last_task_id) == (3, (await world.runs())[0].task_id)
    assert found.due_at is not None
    assert (found.due_at - found.created_at).total_seconds() % 60 == 0


async def test_it_waits_for_a_run_that_is_under_way(world: World) -> None:
    await world.make("interval", interval_seconds=60, start_immediately=True)
    await world.pass_s(0)
    await world.pass_s(60)
    assert len(await world.runs()) == 1
    await world.end_runs()
    await world.pass_s(5)
    assert len(await world.runs()) == 2


async def test_cron_by_its_time_zone(world: World) -> None:
    trigger_id = await world.make("cron", cron_expression="0 2 * * *", timezone="Europe/Berlin")
    due = (await world.trigger(trigger_id)).due_at
    assert due == datetime.fromisoformat("2026-03-06T01:00:00Z")
    await world.pass_s((due - world.clock.at).total_seconds())
    assert len(await world.runs()) == 1
    assert (await world.trigger(trigger_id)).due_at == due + timedelta(days=1)


async def test_new_documents_are_counted_from_firing_to_firing(world: World) -> None:
    await world.add(0, 9)
    world.clock.at += timedelta(seconds=1)
    trigger_id = await world.make("event", event_threshold=5, cooldown_seconds=60)
    await world.pass_s(5)
    assert (await world.trigger(trigger_id)).counted == 0
    await world.add(100, 4)
    await world.pass_s(5)
    assert ((await world.trigger(trigger_id)).counted, await world.runs()) == (4, [])
    await world.add(200, 3)
    await world.pass_s(5)
    assert len(await world.runs()) == 1
    await world.end_runs()
    world.clock.at += timedelta(seconds=1)
    await world.add(300, 6)
    await world.pass_s(5)
    assert ((await world.trigger(trigger_id)).counted, len(await world.runs())) == (6, 1)
    await world.pass_s(60)
    assert len(await world.runs()) == 2


async def test_a_share_of_new_documents(world: World) -> None:
    await world.add(0, 8)
    world.clock.at += timedelta(seconds=1)
    trigger_id = await world.make("conditional", condition_type="volume", threshold=0.3, check_interval_seconds=10)
    world.clock.at += timedelta(seconds=1)
    await world.add(100, 2)
    await world.pass_s(10)
    found = await world.trigger(trigger_id)
    assert (found.measured, found.fired) == (0.2, 0)
    await world.add(200, 4)
    await world.pass_s(10)
    found = await world.trigger(trigger_id)
    assert found.measured == pytest.approx(6 / 14, abs=1e-6)
    assert found.fired == 1


async def test_documents_that_drift_away(world: World) -> None:
    trigger_id = await world.make("conditional", condition_type="drift", threshold=0.4, check_interval_seconds=10)
    world.clock.at += timedelta(seconds=1)
    await world.add(0, 3)
    await world.pass_s(10)
    assert (await world.trigger(trigger_id)).measured == 0.0  # nothing was clustered before
    await world.metadata.write(lambda session: session.cluster_runs.insert(ME, samples.cluster_run(1)))
    await world.end_runs(mean=(1.0, 0.0))
    await world.pass_s(10)
    assert (await world.trigger(trigger_id)).measured == pytest.approx(0.0)
    await world.add(100, 3, (0.0, 2.0))
    await world.pass_s(10)
    found = await world.trigger(trigger_id)
    # Three rows along one axis and three along the other: their mean is at 45 degrees, 1 - cos 45 = 0.29.
    assert found.measured == pytest.approx(1 - float(np.sqrt(0.5)), abs=1e-6)
    assert found.fired == 0
    await world.add(200, 9, (0.0, 1.0))
    await world.pass_s(10)
    found = await world.trigger(trigger_id)
    assert found.fired == 1
    assert found.measured == pytest.approx(1 - 3 / np.hypot(3, 12), abs=1e-6)


async def test_what_fails_again_and_again_is_stopped_until_it_is_resumed(world: World) -> None:
    trigger_id = await world.make("interval", interval_seconds=60)
    for _ in range(6):
        await world.pass_s(60)
        await world.end_runs(RunStatus.FAILED)
    found = await world.trigger(trigger_id)
    assert (found.status, found.failures, len(await world.runs())) == (TriggerStatus.FAILED, 5, 5)
    assert (found.last_status, found.last_error) == ("failed", "why")
    await world.service.change(ME, trigger_id, TriggerChange(status=TriggerStatus.ACTIVE))
    await world.pass_s(60)
    assert len(await world.runs()) == 6
    await world.end_runs()
    assert (await world.trigger(trigger_id)).failures == 0


async def test_paused_ones_and_those_without_their_collection_do_not_fire(world: World) -> None:
    paused = await world.make("interval", interval_seconds=60)
    await world.service.change(ME, paused, TriggerChange(status=TriggerStatus.PAUSED))
    lost = await world.make("conditional", condition_type="drift", threshold=0.1, check_interval_seconds=60)
    await world.metadata.write(lambda session: session.clusters.delete(ME, "clust_first"))
    await world.pass_s(120)
    assert await world.runs() == []
    assert (await world.trigger(paused)).fired == 0
    assert (await world.trigger(lost)).status is TriggerStatus.FAILED


async def test_a_stranger_changes_none(world: World) -> None:
    trigger_id = await world.make("interval", interval_seconds=60)
    stranger = Principal("org_2", "ns_1")
    for refused in (
        world.service.get(stranger, trigger_id), world.service.delete(stranger, trigger_id),
        world.service.change(stranger, trigger_id, TriggerChange(status=TriggerStatus.PAUSED)),
    ):  # fmt: skip
        with pytest.raises(Exception, match="was not found"):
            await refused


async def test_new_documents_that_a_filter_lets_in(world: World) -> None:
    filters = {"AND": [{"field": "document_id", "operator": "regex", "value": "doc_01.*"}]}
    trigger_id = await world.make(
        "conditional", condition_type="documents", filters=filters, threshold=2, check_interval_seconds=10
    )
    world.clock.at += timedelta(seconds=1)
    await world.add(0, 5)
    await world.add(100, 1)
    await world.pass_s(10)
    assert ((await world.trigger(trigger_id)).measured, await world.runs()) == (1.0, [])
    await world.add(101, 1)
    await world.pass_s(10)
    assert ((await world.trigger(trigger_id)).measured, len(await world.runs())) == (2.0, 1)


async def test_two_that_look_at_once_begin_one_run_for_each_moment(world: World) -> None:
    """Neither knows of the other: their locks are two, as when one's hold is lost."""
    trigger_id = await world.make("interval", interval_seconds=60)
    others = [Triggering(world.metadata, world.clock) for _ in range(3)]
    for _ in range(3):
        world.clock.at += timedelta(seconds=60)
        await asyncio.gather(*(one.look() for one in others))
        await world.end_runs()
    page = await world.service.history(ME, trigger_id, 9, 0)
    assert len({one.moment for one in page.items}) == page.total == len(await world.runs()) == 3
    assert {one.status for one in page.items} == {TaskStatus.COMPLETED}


async def test_one_fired_by_hand_is_in_the_history_whatever_its_schedule(world: World) -> None:
    trigger_id = await world.make("cron", cron_expression="0 2 * * *")
    await world.service.change(ME, trigger_id, TriggerChange(status=TriggerStatus.PAUSED))
    task = await world.service.execute(ME, trigger_id)
    with pytest.raises(ConflictError, match="under way"):
        await world.service.execute(ME, trigger_id)
    await world.end_runs(RunStatus.FAILED)
    page = await world.service.history(ME, trigger_id, 9, 0)
    assert [(one.task_id, one.status, one.error) for one in page.items] == [(task.task_id, TaskStatus.FAILED, "why")]
    again = await world.service.execute(ME, trigger_id)  # the clock stands: it has a moment of its own
    page = await world.service.history(ME, trigger_id, 1, 0)
    assert ([one.task_id for one in page.items], page.total) == ([again.task_id], 2)


async def test_a_taxonomy_comes_to_what_is_new(world: World) -> None:
    await world.metadata.write(lambda session: session.taxonomies.insert(ME, samples.taxonomy()))
    wanted = {"taxonomy_id": "goods", "collection_id": "col_first", "incremental": True}
    draft = TriggerDraft(Action.TAXONOMY, wanted, TriggerType.INTERVAL, {"interval_seconds": 60})
    trigger_id = (await world.service.create(ME, draft)).trigger_id
    await world.pass_s(60)
    (first,) = await world.walks()
    assert (first.kind, first.matching) == ("taxonomy", None)
    await world.pass_s(60)
    assert len(await world.walks()) == 1  # it waits for the one that is under way
    await world.end_walks()
    await world.pass_s(5)
    (second,) = await world.walks()
    fired = first.created_at - timedelta(minutes=1)
    assert second.matching == {"AND": [{"field": "created_at", "operator": "gte", "value": fired.isoformat()}]}
    assert (await world.trigger(trigger_id)).fired == 2


async def test_a_collection_whose_sources_hold_nothing_says_so(world: World) -> None:
    draft = TriggerDraft(Action.COLLECTION, {"collection_id": "first"}, TriggerType.INTERVAL, {"interval_seconds": 60})
    trigger_id = (await world.service.create(ME, draft)).trigger_id
    await world.pass_s(60)
    (firing,) = (await world.service.history(ME, trigger_id, 9, 0)).items
    task = await world.metadata.read(lambda session: session.tasks.get(ME, firing.task_id))
    assert firing.status is TaskStatus.SKIPPED
    assert task is not None
    assert "hold nothing" in str(task.error)


_NIGHTLY = {"cron_expression": "0 2 * * *"}
_BAD_FILTER = {"condition_type": "documents", "threshold": 1, "filters": {"AND": [{"field": "x"}]}}
_DRIFT = {"condition_type": "drift", "threshold": 1}
_MOST = {"condition_type": "volume", "threshold": 1.5}
_FIRST = {"cluster_id": "first"}
_ELSEWHERE = {"taxonomy_id": "goods", "collection_id": "first", "target_collection_id": "else"}


@pytest.mark.parametrize(
    ("action", "config", "kind", "schedule", "place"),
    [
        ("cluster", {**_FIRST, "filters": {}}, "cron", _NIGHTLY, "filters"),
        ("cluster", {}, "cron", _NIGHTLY, "cluster_id"),
        ("cluster", _FIRST, "cron", {"cron_expression": "0 2"}, "schedule_config"),
        ("cluster", _FIRST, "interval", {"interval_seconds": 0}, "interval_seconds"),
        ("collection_trigger", {"collection_id": "first"}, "conditional", _DRIFT, "condition_type"),
        ("cluster", _FIRST, "conditional", _MOST, "at most 1"),
        ("cluster", _FIRST, "conditional", _BAD_FILTER, "filters"),
        ("taxonomy_enrichment", _ELSEWHERE, "interval", {"interval_seconds": 9}, "target_collection_id"),
    ],
)
async def test_what_is_wrong_is_named(
    world: World, action: str, config: dict[str, Any], kind: str, schedule: dict[str, Any], place: str
) -> None:
    draft = TriggerDraft(Action(action), config, TriggerType(kind), schedule)
    with pytest.raises(ValidationError) as refused:
        await world.service.create(ME, draft)
    assert place in f"{refused.value.message} {refused.value.details}"


async def test_a_batch_runs_its_collections_clusters_once_they_may(world: World) -> None:
    asked = {"cluster_id": "clust_first", "cooldown_seconds": 3600, "min_document_threshold": 3}
    await world.end_batch(asked)
    await world.pass_s(0)
    assert await world.runs() == []  # too few documents
    await world.add(0, 3)
    await world.end_batch(asked)
    await world.end_batch(asked)
    await world.pass_s(0)
    assert len(await world.runs()) == 1
    await world.end_batch(asked)
    await world.pass_s(5)
    await world.end_runs()
    await world.pass_s(1800)
    assert len(await world.runs()) == 1  # the batch after it waits, and is not forgotten
    await world.pass_s(1800)
    assert len(await world.runs()) == 2
    await world.end_batch({**asked, "auto_execute_on_batch": False})
    assert not await world.metadata.read(lambda session: session.due_runs.due(world.clock.at, 9))
