"""What is remembered of look-ups is what a reading would give: a write that has returned is always seen."""

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tamis.engine.ports.executions import Entry
from tamis.engine.ports.metadata import Session
from tamis.errors import NotFoundError
from tamis.model.collection import Collection
from tamis.model.principal import Principal
from tamis.services.runs.lookups import Lookups
from tamis.services.runs.retrievers import collections_of
from tamis.storage.metadata import SqliteMetadata, open_sqlite
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME, STRANGERS


def _replace(changed: Collection, session: Session) -> None:
    session.collections.replace(ME, changed)


class Counted:
    """Looks collections up, and counts how often the store was asked."""

    def __init__(self, metadata: SqliteMetadata, capacity: int = 1024) -> None:
        self.lookups = Lookups(metadata, capacity)
        self.readings = 0

    async def find(self, *names: str, principal: Principal = ME) -> tuple[Collection, ...]:
        def read(session: Session) -> tuple[Collection, ...]:
            self.readings += 1
            return collections_of(session, principal, names)

        return await self.lookups.find((principal, names), read)


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[SqliteMetadata]:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    await metadata.write(lambda session: session.collections.insert(ME, samples.collection()))
    yield metadata
    await metadata.close()


async def test_what_nothing_was_written_since_is_read_once(metadata: SqliteMetadata) -> None:
    counted = Counted(metadata)
    first = await counted.find("first")
    await metadata.keep(Entry(ME, samples.execution(1), {}))
    assert await counted.find("first") is first
    assert counted.readings == 1


async def test_a_write_is_seen_at_once(metadata: SqliteMetadata) -> None:
    counted = Counted(metadata)
    (before,) = await counted.find("first")
    for number in range(3):
        changed = replace(before, description=f"{number}")
        await metadata.write(partial(_replace, changed))
        assert await counted.find("first") == (changed,)
    await metadata.write(lambda session: session.collections.delete(ME, before.collection_id))
    with pytest.raises(NotFoundError, match="first"):
        await counted.find("first")
    assert counted.readings == 5


async def test_what_was_not_there_is_not_remembered_as_missing(metadata: SqliteMetadata) -> None:
    counted = Counted(metadata)
    for _ in range(2):
        with pytest.raises(NotFoundError, match="second"):
            await counted.find("second")
    assert counted.readings == 2


async def test_each_caller_has_look_ups_of_its_own(metadata: SqliteMetadata) -> None:
    counted = Counted(metadata)
    await counted.find("first")
    for stranger in STRANGERS:
        with pytest.raises(NotFoundError):
            await counted.find("first", principal=stranger)


async def test_no_more_are_kept_than_there_is_room_for(metadata: SqliteMetadata) -> None:
    counted = Counted(metadata, capacity=2)
    for names in ((), ("first",), ("col_first",), ()):
        await counted.find(*names)
    assert counted.readings == 4
    assert await counted.find() == await counted.find("first")
