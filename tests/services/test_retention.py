"""The sweeper keeps what policies say: in chunks, in every namespace, after a restart, by the test's own clock."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Metadata
from tamis.model.interaction import Interaction
from tamis.model.namespace import Namespace, RecordPolicy
from tamis.model.principal import Principal
from tamis.services.records.retention import Sweeper
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.retention import insert
from tamis.testing.metadata_contract.samples import NOW, later

DAY_S = 86_400
ONE, OTHER = Principal("org_1", "ns_one"), Principal("org_2", "ns_other")


class Clock:
    def __init__(self) -> None:
        self.passed_s = 0.0

    def now(self) -> datetime:
        return later(self.passed_s).astimezone(UTC)

    def monotonic_ms(self) -> float:
        return self.passed_s * 1000


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[Metadata]:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    yield metadata
    await metadata.close()


async def keep(metadata: Metadata, who: Principal, policy: RecordPolicy) -> None:
    namespace = Namespace(who.namespace_id, who.namespace_id, NOW, NOW, record_policy=policy)
    await metadata.write(lambda session: session.namespaces.insert(who, namespace))


async def fill(metadata: Metadata, who: Principal, count: int) -> None:
    """One a second."""
    await insert(
        metadata,
        (samples.execution(number, number, retriever_id="ret_1" if number % 2 else None) for number in range(count)),
        who,
    )


async def total(metadata: Metadata, who: Principal) -> int:
    queries = [ExecutionQuery(), ExecutionQuery("ret_1")]
    return await metadata.read(lambda session: sum(session.executions.count(who, query) for query in queries))


async def test_each_namespace_keeps_what_its_own_policy_says(metadata: Metadata) -> None:
    await keep(metadata, ONE, RecordPolicy(max_count=7))
    await keep(metadata, OTHER, RecordPolicy(max_age_s=60))
    await fill(metadata, ONE, 20)
    await fill(metadata, OTHER, 20)
    clock = Clock()
    sweeper = Sweeper(metadata, clock, chunk=3)
    assert await sweeper.sweep() == 13
    assert (await total(metadata, ONE), await total(metadata, OTHER)) == (7, 20)
    clock.passed_s = 70
    assert await sweeper.sweep() == 10
    assert await total(metadata, OTHER) == 10
    assert await sweeper.sweep() == 0


async def test_a_namespace_without_limits_keeps_everything(metadata: Metadata) -> None:
    await keep(metadata, ONE, RecordPolicy(exclude=("inputs",)))
    await fill(metadata, ONE, 5)
    clock = Clock()
    clock.passed_s = timedelta(days=36_500).total_seconds()
    assert await Sweeper(metadata, clock).sweep() == 0
    assert await total(metadata, ONE) == 5


async def test_a_sweep_that_was_cut_short_is_gone_on_with(metadata: Metadata) -> None:
    await keep(metadata, ONE, RecordPolicy(max_count=0))
    await fill(metadata, ONE, 30)
    task = asyncio.ensure_future(Sweeper(metadata, Clock(), chunk=1).sweep())
    while (there := await total(metadata, ONE)) == 30:
        assert there
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    # What had been handed to the writer by then is done all the same.
    await metadata.write(lambda session: None)
    left = await total(metadata, ONE)
    assert 0 < left < 30
    assert await Sweeper(metadata, Clock()).sweep() == left


async def test_a_changed_policy_is_acted_on_at_once(metadata: Metadata) -> None:
    await fill(metadata, ONE, 5)
    await keep(metadata, ONE, RecordPolicy(max_count=2))
    sweeper = Sweeper(metadata, Clock(), poll_s=3600)
    sweeper.start()
    try:
        await _until(metadata, 2)
        await insert(metadata, (samples.execution(number, number) for number in range(100, 104)), ONE)
        sweeper.wake()
        await _until(metadata, 2)
    finally:
        await sweeper.close()


async def test_what_was_written_after_its_namespace_was_deleted_goes(metadata: Metadata) -> None:
    await keep(metadata, OTHER, RecordPolicy())
    await fill(metadata, OTHER, 2)
    await fill(metadata, ONE, 3)
    await Sweeper(metadata, Clock()).sweep()
    assert (await total(metadata, ONE), await total(metadata, OTHER)) == (0, 2)


async def _until(metadata: Metadata, count: int) -> None:
    deadline = time.monotonic() + 30
    while await total(metadata, ONE) != count:
        assert time.monotonic() < deadline, "it never came true"
        await asyncio.sleep(0.005)


async def test_interactions_are_kept_for_so_many_days(metadata: Metadata) -> None:
    for who in (ONE, OTHER):
        await keep(metadata, who, RecordPolicy())
        await metadata.write(lambda session, who=who: session.interactions.insert(who, _daily()))  # type: ignore[misc]
    clock = Clock()
    clock.passed_s = 10 * DAY_S
    await Sweeper(metadata, clock, chunk=2, interaction_days=3).forget_interactions()
    for who in (ONE, OTHER):
        kept = await metadata.read(lambda session, who=who: session.interactions.newest(who, 99))  # type: ignore[misc]
        assert [each.position for each in kept] == [9, 8, 7]


def _daily() -> list[Interaction]:
    return [samples.interaction(number, number * DAY_S) for number in range(10)]
