"""Triggers, the times that they fired, and runs that batches ask for."""
# ruff: noqa: S101 - a contract is made of assertions

from dataclasses import replace

import pytest

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import AlreadyExistsError, NotFoundError
from tamis.model.batch import TaskStatus
from tamis.model.principal import Principal
from tamis.model.trigger import TriggerStatus
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


class TriggersContract:
    async def test_triggers_are_due_in_their_order(self, metadata: Metadata) -> None:
        late, early = samples.trigger("late", 20), samples.trigger("early", 10)
        paused = replace(samples.trigger("paused", 5), status=TriggerStatus.PAUSED)

        def fill(session: Session) -> None:
            for one in (late, early, paused, samples.trigger("never", None)):
                session.triggers.insert(ME, one)

        await metadata.write(fill)
        due = await metadata.read(lambda session: session.triggers.due(samples.later(20), 10))
        assert due == [(ME, early), (ME, late)]
        assert len(await metadata.read(lambda session: session.triggers.due(samples.later(20), 1))) == 1
        moved = replace(early, due_at=samples.later(30), counted=3)
        await metadata.write(lambda session: session.triggers.replace(ME, moved))
        assert await metadata.read(lambda session: session.triggers.get(ME, "trig_early")) == moved
        assert await metadata.read(lambda session: session.triggers.due(samples.later(20), 10)) == [(ME, late)]
        assert await metadata.write(lambda session: session.triggers.delete(ME, "trig_late"))
        assert not await metadata.write(lambda session: session.triggers.delete(ME, "trig_late"))
        with pytest.raises(NotFoundError):
            await metadata.write(lambda session: session.triggers.replace(ME, late))

    async def test_a_trigger_fires_once_for_each_moment(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.triggers.insert(ME, samples.trigger())
            for number in (1, 2, 3):
                session.firings.insert(ME, samples.firing(number))
            session.firings.insert(ME, samples.firing(4, TaskStatus.SKIPPED))

        await metadata.write(fill)
        with pytest.raises(AlreadyExistsError):
            await metadata.write(lambda session: session.firings.insert(ME, samples.firing(2)))
        opened = await metadata.read(lambda session: session.firings.open(2))
        assert opened == [(ME, samples.firing(1)), (ME, samples.firing(2))]
        ended = samples.firing(1, TaskStatus.COMPLETED)
        assert await metadata.write(lambda session: session.firings.settle(ME, ended))
        assert not await metadata.write(lambda session: session.firings.settle(ME, ended))
        page = await metadata.read(lambda session: session.firings.page(ME, "trig_first", 2, 2))
        assert ([*page.items], page.total) == ([samples.firing(2), ended], 4)
        await metadata.write(lambda session: session.firings.trim(ME, "trig_first", 2))
        page = await metadata.read(lambda session: session.firings.page(ME, "trig_first", 9, 0))
        assert [one.task_id for one in page.items] == ["task_0004", "task_0003", "task_0002"]  # one is under way
        await metadata.write(lambda session: session.triggers.delete(ME, "trig_first"))
        assert not await metadata.read(lambda session: session.firings.open(9))

    async def test_one_run_of_a_cluster_waits(self, metadata: Metadata) -> None:
        first = samples.due_run()

        def fill(session: Session) -> None:
            session.due_runs.put(ME, first)
            session.due_runs.put(ME, samples.due_run(due_s=5))
            session.due_runs.put(ME, samples.due_run("clust_2", 9))

        await metadata.write(fill)
        assert await metadata.read(lambda session: session.due_runs.due(samples.later(8), 9)) == [(ME, first)]
        moved = replace(first, due_at=samples.later(20))
        await metadata.write(lambda session: session.due_runs.postpone(ME, moved))
        due = await metadata.read(lambda session: session.due_runs.due(samples.later(20), 9))
        assert due == [(ME, samples.due_run("clust_2", 9)), (ME, moved)]
        assert await metadata.write(lambda session: session.due_runs.delete(ME, "clust_first"))
        assert not await metadata.write(lambda session: session.due_runs.delete(ME, "clust_first"))

    async def test_strangers_see_no_triggers(self, metadata: Metadata) -> None:
        def fill(session: Session) -> None:
            session.triggers.insert(ME, samples.trigger())
            session.firings.insert(ME, samples.firing(1))
            session.due_runs.put(ME, samples.due_run())

        await metadata.write(fill)
        for stranger in STRANGERS:

            def look(session: Session, who: Principal = stranger) -> list[object]:
                history = session.firings.page(who, "trig_first", 9, 0)
                return [*session.triggers.list(who), *history.items, *[history.total] * bool(history.total)]

            def reach(session: Session, who: Principal = stranger) -> list[object]:
                session.firings.trim(who, "trig_first", 1)
                session.due_runs.postpone(who, samples.due_run(due_s=99))
                settled = session.firings.settle(who, samples.firing(1, TaskStatus.FAILED))
                found = session.triggers.get(who, "trig_first") is not None
                gone = session.triggers.delete(who, "trig_first"), session.due_runs.delete(who, "clust_first")
                return [settled, found, *gone]

            assert not await metadata.read(look)
            assert await metadata.write(reach) == [False] * 4
        assert await metadata.read(lambda session: session.firings.open(9)) == [(ME, samples.firing(1))]
        assert await metadata.read(lambda session: session.due_runs.due(samples.later(0), 9)) == [
            (ME, samples.due_run())
        ]
