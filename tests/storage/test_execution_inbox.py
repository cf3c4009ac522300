"""Records that are durable and not yet in their table are seen by everybody as if they were."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tamis.engine.ports.executions import Entry, ExecutionQuery, ExecutionSelection
from tamis.errors import AlreadyExistsError, StorageUnavailableError
from tamis.storage.metadata import SqliteMetadata, open_sqlite, prompt_writer, writer
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME

EVERY = ExecutionQuery()


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Nothing leaves the inbox by itself.
    monkeypatch.setattr(writer, "ASIDE_S", 3600.0)
    return tmp_path / "tamis.db"


@pytest.fixture
async def metadata(path: Path) -> AsyncIterator[SqliteMetadata]:
    metadata = await open_sqlite(path)
    yield metadata
    await metadata.close()


def entry(number: int, credits: float = 0.0) -> Entry:
    execution = samples.execution(number)
    return Entry(ME, replace(execution, header=replace(execution.header, credits_used=credits)), {})


def waiting(path: Path) -> int:
    """Records in the inbox, by another connection."""
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM execution_inbox").fetchone()[0])
    finally:
        connection.close()


async def counted(metadata: SqliteMetadata) -> int:
    return await metadata.read(lambda session: session.executions.count(ME, EVERY))


async def test_a_record_is_found_by_its_id_where_it_waits(metadata: SqliteMetadata, path: Path) -> None:
    await metadata.keep(entry(1))
    found = await metadata.read_now(lambda session: session.executions.get(ME, "exec_0001"))
    assert found == entry(1).execution
    stranger = samples.STRANGERS[0]
    assert await metadata.read_now(lambda session: session.executions.get(stranger, "exec_0001")) is None
    assert waiting(path) == 1


async def test_lists_and_counters_have_what_has_been_acknowledged(metadata: SqliteMetadata, path: Path) -> None:
    for number in range(4):
        await metadata.keep(entry(number, credits=0.5))
        page = await metadata.read_now(lambda session: session.executions.page(ME, EVERY))
        assert page.total == len(page.items) == number + 1
        assert await counted(metadata) == number + 1
        (spent,) = await metadata.read(lambda session: session.credits.spent(ME))
        assert (spent.credits, spent.executions) == (0.5 * (number + 1), number + 1)
    assert waiting(path) == 0


async def test_one_that_waits_is_deleted_and_counted_out(metadata: SqliteMetadata) -> None:
    for number in range(3):
        await metadata.keep(entry(number))
    selection = ExecutionSelection(execution_ids=("exec_0001",))
    assert await metadata.write(lambda session: session.executions.delete(ME, selection, 10)) == 1
    assert await counted(metadata) == 2
    await metadata.keep(entry(3))
    await metadata.write(lambda session: session.purge_namespace(ME))
    assert await counted(metadata) == 0
    assert await metadata.read(lambda session: session.executions.get(ME, "exec_0003")) is None


async def test_a_record_is_never_written_over(metadata: SqliteMetadata, path: Path) -> None:
    first = entry(1)
    await metadata.keep(first)
    other = Entry(ME, replace(first.execution, inputs='{"other": 1}'), {})
    for _ in range(2):
        with pytest.raises(AlreadyExistsError, match="exec_0001"):
            await metadata.keep(other)
        with pytest.raises(AlreadyExistsError, match="exec_0001"):
            await metadata.write(lambda session: session.executions.insert(ME, other.execution))
        # The second time it is in its table.
        assert await counted(metadata) == 1
    assert await metadata.read(lambda session: session.executions.get(ME, "exec_0001")) == first.execution


async def test_one_that_exists_spoils_no_other_of_its_group(metadata: SqliteMetadata) -> None:
    entries = [entry(number) for number in (1, 2, 2, 3)]
    ended = await asyncio.gather(*(metadata.keep(each) for each in entries), return_exceptions=True)
    assert [type(each) for each in ended] == [type(None), type(None), AlreadyExistsError, type(None)]
    assert await counted(metadata) == 3


async def test_what_waited_when_the_server_was_killed_is_there(metadata: SqliteMetadata, path: Path) -> None:
    for number in range(5):
        await metadata.keep(entry(number))
    assert waiting(path) == 5
    killed = path.parent / "killed"
    shutil.copytree(path.parent, killed, ignore=shutil.ignore_patterns("killed"))
    reopened = await open_sqlite(killed / path.name)
    try:
        assert await counted(reopened) == 5
        assert waiting(killed / path.name) == 0
    finally:
        await reopened.close()


async def test_where_somebody_else_holds_the_database_all_that_wait_are_told(path: Path) -> None:
    """One record alone, and what queued behind it; once the database is free, the next is kept."""
    metadata = await open_sqlite(path, wait_s=0.2)
    holder = sqlite3.connect(path, isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        waiting_for = [metadata.keep(entry(number)) for number in range(3)]
        ended = await asyncio.gather(*waiting_for, return_exceptions=True)
        assert [type(each) for each in ended] == [StorageUnavailableError] * 3
        holder.execute("ROLLBACK")
        await metadata.keep(entry(4))
        assert waiting(path) == await counted(metadata) == 1
    finally:
        holder.close()
        await metadata.close()


async def test_a_full_inbox_is_emptied(metadata: SqliteMetadata, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "ASIDE", 8)
    # A busy machine is not taken for a slow disk: the loop and the thread each count their own.
    monkeypatch.setattr(prompt_writer, "SLOW_S", 3600.0)
    await metadata.write(lambda session: None)
    for number in range(8):
        await metadata.keep(entry(number))
    await metadata.write(lambda session: None)
    assert waiting(path) == 0
    assert await counted(metadata) == 8
