"""What happened in a namespace, for those who follow it."""
# ruff: noqa: S101 - a contract is made of assertions

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tamis.engine.ports.metadata import Metadata
from tamis.errors import AlreadyExistsError
from tamis.model.batch import TaskStatus
from tamis.model.namespace_event import NamespaceEvent, Position
from tamis.model.principal import Principal
from tamis.storage.metadata import namespace_events
from tamis.testing.metadata_contract.samples import ME, STRANGERS, collection, object_, task

ELSEWHERE = Principal(ME.organization_id, "ns_elsewhere")
START = Position()
FUTURE = Position(0, (1 << 62) - 1)


async def _after(
    metadata: Metadata, position: Position = START, who: Principal = ME, limit: int = 1000
) -> Sequence[NamespaceEvent]:
    return await metadata.read(lambda session: session.namespace_events.after(who, position, limit))


async def _make(metadata: Metadata, numbers: Sequence[int], who: Principal = ME) -> None:
    await metadata.write(lambda session: session.objects.insert(who, [object_(number) for number in numbers]))


class FollowedContract:
    async def test_a_change_is_one_event_however_much_it_is_about(self, metadata: Metadata) -> None:
        await _make(metadata, [1])
        await _make(metadata, range(2, 152))
        one, many = await _after(metadata)
        assert (one.event_type, one.resource_ids, one.count) == ("object.created", (object_(1).object_id,), 1)
        assert one.data["bucket_id"] == object_(1).bucket_id
        assert (many.count, len(many.resource_ids), many.data) == (150, 100, {})
        assert one.position < many.position
        assert one.event_id != many.event_id

    async def test_a_reader_goes_on_after_the_last_that_was_seen(self, metadata: Metadata) -> None:
        assert await metadata.read(lambda session: session.namespace_events.newest(ME)) == Position()
        for number in range(5):
            await _make(metadata, [number])
        first = await _after(metadata, limit=2)
        rest = await _after(metadata, first[-1].position)
        assert [one.resource_ids[0] for one in (*first, *rest)] == [object_(number).object_id for number in range(5)]
        newest = await metadata.read(lambda session: session.namespace_events.newest(ME))
        assert newest == rest[-1].position
        assert list(await _after(metadata, newest)) == []

    async def test_what_is_undone_is_not_told(self, metadata: Metadata) -> None:
        await _make(metadata, [1])
        with pytest.raises(AlreadyExistsError):
            await _make(metadata, [2, 1])
        assert len(await _after(metadata)) == 1

    async def test_each_namespace_hears_of_itself(self, metadata: Metadata) -> None:
        await _make(metadata, [1])
        for other in (ELSEWHERE, *STRANGERS):
            assert list(await _after(metadata, who=other)) == []
            assert await metadata.read(lambda session, it=other: session.namespace_events.newest(it)) == Position()  # type: ignore[misc]

    async def test_a_task_tells_each_status_it_comes_to(self, metadata: Metadata) -> None:
        begun = task(1)
        await metadata.write(lambda session: session.tasks.insert(ME, begun))
        running = replace(begun, status=TaskStatus.IN_PROGRESS)
        further = replace(running, additional_data={"done": 1})
        for state in (running, further, replace(further, status=TaskStatus.FAILED)):
            await metadata.write(lambda session, it=state: session.tasks.replace(ME, it))  # type: ignore[misc]
        told = await _after(metadata)
        assert [one.event_type for one in told] == [f"task.{begun.status.lower()}", "task.in_progress", "task.failed"]
        assert {one.resource_ids for one in told} == {(begun.task_id,)}
        assert told[-1].data["task_type"] == begun.type

    async def test_what_is_audited_is_told_too(self, metadata: Metadata) -> None:
        await metadata.write(lambda session: session.collections.insert(ME, collection()))
        assert [one.event_type for one in await _after(metadata)] == ["collection.created"]

    async def test_a_position_that_was_never_given_out_is_not_reached(self, metadata: Metadata) -> None:
        await _make(metadata, [1])
        for position, is_reached in ((Position(), True), (FUTURE, False), (Position((1 << 62), 1), False)):
            found = await metadata.read(lambda session, it=position: session.namespace_events.reaches(ME, it))  # type: ignore[misc]
            assert found is is_reached, position

    async def test_the_oldest_are_forgotten_and_who_missed_them_is_told(
        self, metadata: Metadata, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(namespace_events, "KEPT", 3)
        for number in range(6):
            await _make(metadata, [number])
        told = await _after(metadata)

        async def reached(position: Position) -> bool:
            return await metadata.read(lambda session: session.namespace_events.reaches(ME, position))

        assert await metadata.write(lambda session: session.namespace_events.trim()) == 0, "there may be some more"
        assert await reached(told[0].position)
        await metadata.write(lambda session: session.namespace_events.forget(ME))
        assert [one.position for one in await _after(metadata)] == [one.position for one in told[3:]]
        assert [await reached(one.position) for one in told] == [False, False, False, True, True, True]
        assert not await reached(Position())

    async def test_nothing_appears_before_what_a_reader_has_seen(self, metadata: Metadata) -> None:
        """Writers at once, and a reader who goes on from wherever he is: each event once, and none missed."""
        seen: list[NamespaceEvent] = []

        async def writer(first: int) -> None:
            for number in range(first, first + 12):
                await _make(metadata, [number])

        async def reader() -> None:
            position = Position()
            while len(seen) < 48:
                for one in await _after(metadata, position):
                    seen.append(one)
                    position = one.position
                await asyncio.sleep(0.001)

        async with asyncio.timeout(60):
            await asyncio.gather(reader(), *(writer(100 * place) for place in range(4)))
        assert len({one.event_id for one in seen}) == len(seen) == 48
        assert [one.position for one in seen] == sorted(one.position for one in seen)
