"""Records that the event loop makes durable by itself, and those that it leaves to the writer's thread."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tamis.engine.ports.executions import Entry, ExecutionQuery
from tamis.errors import AlreadyExistsError, StorageError
from tamis.storage.metadata import SqliteMetadata, open_sqlite, prompt_writer, writer
from tamis.storage.metadata.writer import GroupWriter
from tamis.testing.metadata_contract import samples
from tamis.testing.metadata_contract.samples import ME
from tests.faults.waiting import wait_for


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Nothing leaves the inbox by itself, and a busy machine is not taken for a slow disk.
    monkeypatch.setattr(writer, "ASIDE_S", 3600.0)
    monkeypatch.setattr(prompt_writer, "SLOW_S", 3600.0)
    return tmp_path / "tamis.db"


@pytest.fixture
async def metadata(path: Path) -> AsyncIterator[SqliteMetadata]:
    metadata = await open_sqlite(path)
    yield metadata
    await metadata.close()


@pytest.fixture
def passed_on(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the records that the thread was given."""
    ids: list[str] = []
    keep: Callable[[GroupWriter, Entry], asyncio.Future[None]] = GroupWriter.keep

    def watched(self: GroupWriter, given: Entry) -> "asyncio.Future[None]":
        ids.append(given.execution.header.execution_id)
        return keep(self, given)

    monkeypatch.setattr(GroupWriter, "keep", watched)
    return ids


def entry(number: int) -> Entry:
    return Entry(ME, samples.execution(number), {})


def beside(number: int, others: int) -> Entry:
    return replace(entry(number), beside=others)


def durable(path: Path) -> int:
    """Records that another program sees."""
    connection = sqlite3.connect(path)
    try:
        waiting = connection.execute("SELECT count(*) FROM execution_inbox").fetchone()[0]
        return int(waiting + connection.execute("SELECT count(*) FROM executions").fetchone()[0])
    finally:
        connection.close()


async def test_what_one_turn_of_the_loop_brings_is_committed_together(
    metadata: SqliteMetadata, path: Path, passed_on: list[str]
) -> None:
    await metadata.write(lambda session: None)
    seen = []
    keeping = [metadata.keep(entry(number)) for number in range(5)]
    for future in keeping:
        future.add_done_callback(lambda _: seen.append(durable(path)))
    await asyncio.gather(*keeping)
    assert seen == [5] * 5
    assert passed_on == []


async def test_where_many_run_a_commit_waits_for_some_of_them(
    metadata: SqliteMetadata, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompt_writer, "WAIT_S", 3600.0)
    await metadata.write(lambda session: None)
    first = metadata.keep(beside(1, 8))
    await asyncio.sleep(0.05)
    assert (first.done(), durable(path)) == (False, 0)
    second = metadata.keep(beside(2, 8))
    await asyncio.sleep(0.05)
    assert (second.done(), durable(path)) == (False, 0)
    await metadata.keep(beside(3, 8))
    assert (first.done(), second.done(), durable(path)) == (True, True, 3)


async def test_a_commit_waits_a_while_and_no_longer(metadata: SqliteMetadata, path: Path) -> None:
    await metadata.keep(beside(1, 1000))
    assert durable(path) == 1


async def test_what_waits_is_kept_when_the_store_closes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prompt_writer, "WAIT_S", 3600.0)
    metadata = await open_sqlite(path)
    keeping = metadata.keep(beside(1, 8))
    await metadata.close()
    await keeping
    assert durable(path) == 1


async def test_a_record_does_not_wait_for_whoever_writes(
    metadata: SqliteMetadata, path: Path, passed_on: list[str]
) -> None:
    """The loop goes on meanwhile; the record comes after."""
    begun, over = threading.Event(), threading.Event()

    def long(_: object) -> None:
        begun.set()
        assert over.wait(30)

    writing = asyncio.ensure_future(metadata.write(long))
    await asyncio.to_thread(begun.wait)
    keeping = metadata.keep(entry(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not keeping.done()
    over.set()
    await asyncio.gather(writing, keeping)
    assert durable(path) == 1
    assert passed_on == ["exec_0001"]


async def test_once_the_disk_was_slow_the_next_are_the_threads(
    metadata: SqliteMetadata, path: Path, passed_on: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    await metadata.write(lambda session: None)
    monkeypatch.setattr(prompt_writer, "SLOW_S", 0.0)
    monkeypatch.setattr(prompt_writer, "PASSED_ON", 2)
    for number in range(6):
        await metadata.keep(entry(number))
    assert passed_on == ["exec_0001", "exec_0002", "exec_0004", "exec_0005"]
    assert durable(path) == 6


async def test_a_bad_record_spoils_none_that_came_with_it(metadata: SqliteMetadata, path: Path) -> None:
    ended = await asyncio.gather(*(metadata.keep(entry(number)) for number in (1, 2, 1)), return_exceptions=True)
    assert [type(each) for each in ended] == [type(None), type(None), AlreadyExistsError]
    assert durable(path) == 2


async def test_what_was_kept_before_the_end_is_there_and_what_comes_after_is_refused(path: Path) -> None:
    metadata = await open_sqlite(path)
    keeping = metadata.keep(entry(1))
    await metadata.close()
    await keeping
    with pytest.raises(StorageError, match="closed"):
        await metadata.keep(entry(2))
    assert durable(path) == 1


async def test_another_loop_has_its_records_kept_too(metadata: SqliteMetadata, path: Path) -> None:
    await metadata.keep(entry(1))

    async def elsewhere() -> None:
        await metadata.keep(entry(2))

    await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
    assert durable(path) == 2


async def test_the_inbox_is_emptied_once_it_has_rested(
    metadata: SqliteMetadata, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await metadata.write(lambda session: None)
    monkeypatch.setattr(writer, "ASIDE_S", 0.01)
    await metadata.keep(entry(1))
    await asyncio.to_thread(wait_for, lambda: _waiting(path) == 0)
    query = ExecutionQuery()
    assert await metadata.read(lambda session: session.executions.count(ME, query)) == 1


def _waiting(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("SELECT count(*) FROM execution_inbox").fetchone()[0])
    finally:
        connection.close()
