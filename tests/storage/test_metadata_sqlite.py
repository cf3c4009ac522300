"""The contract on SQLite, and what only an embedded database has to promise."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Session
from tamis.errors import StorageError, StorageFullError
from tamis.storage.metadata import SqliteMetadata, open_sqlite, writer
from tamis.testing.metadata_contract import MetadataContract, samples
from tamis.testing.metadata_contract.samples import ME

_WRITER = """
import asyncio, sys
from pathlib import Path
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract import samples

async def main():
    metadata = await open_sqlite(Path(sys.argv[1]))
    async def write(number):
        await metadata.write(lambda session: session.executions.insert(samples.ME, samples.execution(number)))
        sys.stdout.write(f"{number}\\n")
        sys.stdout.flush()
    for start in range(0, 10**6, 8):
        await asyncio.gather(*(write(start + each) for each in range(8)))

asyncio.run(main())
"""


class TestSqlite(MetadataContract):
    @pytest.fixture
    async def metadata(self, tmp_path: Path) -> AsyncIterator[SqliteMetadata]:
        metadata = await open_sqlite(tmp_path / "tamis.db")
        yield metadata
        await metadata.close()


def _write_until_killed(path: Path) -> list[int]:
    """Numbers of the records that a child acknowledged before its end."""
    child = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(200)]
    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read().decode()
    child.stdout.close()
    child.wait()
    # The last line may be torn; a whole one was acknowledged.
    acknowledged += [int(line) for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return acknowledged


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "tamis.db"
    acknowledged = await asyncio.to_thread(_write_until_killed, path)
    metadata = await open_sqlite(path)
    try:
        ids = [f"exec_{number:04}" for number in acknowledged]
        stored = await metadata.read(lambda session: [session.executions.get(ME, each) for each in ids])
        assert stored == [samples.execution(number) for number in acknowledged]
        total = await metadata.read(lambda session: session.executions.count(ME, ExecutionQuery()))
        assert len(acknowledged) <= total
    finally:
        await metadata.close()


async def test_writes_that_wait_together_are_committed_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They gather while the thread is held; from outside, all of them appear at once."""
    monkeypatch.setattr(writer, "_GROUP_S", 60.0)
    metadata = await open_sqlite(tmp_path / "tamis.db")
    loop = asyncio.get_running_loop()
    held, release = asyncio.Event(), asyncio.Event()

    def hold(session: Session) -> None:
        loop.call_soon_threadsafe(held.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(30)

    first = asyncio.ensure_future(metadata.write(hold))
    await held.wait()
    seen: list[int] = []

    def insert(number: int, session: Session) -> None:
        session.executions.insert(ME, samples.execution(number))
        seen.append(watcher_count())

    def watcher_count() -> int:
        other = sqlite3.connect(tmp_path / "tamis.db")
        try:
            return int(other.execute("SELECT count(*) FROM executions").fetchone()[0])
        finally:
            other.close()

    waiting = [asyncio.ensure_future(metadata.write(partial(insert, number))) for number in range(10)]
    await asyncio.sleep(0)
    release.set()
    await asyncio.gather(first, *waiting)
    assert seen == [0] * 10
    assert watcher_count() == 10
    await metadata.close()


async def test_what_was_handed_in_is_done_though_its_caller_left(tmp_path: Path) -> None:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    task = asyncio.ensure_future(metadata.write(lambda session: session.buckets.insert(ME, samples.bucket())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await metadata.close()
    metadata = await open_sqlite(tmp_path / "tamis.db")
    assert await metadata.read(lambda session: session.buckets.get(ME, "first")) == samples.bucket()
    await metadata.close()


async def test_a_full_disk_fails_the_write_and_not_the_store(tmp_path: Path) -> None:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    await metadata.write(lambda session: session.buckets.insert(ME, samples.bucket()))
    pages = await metadata.write(lambda session: _pragma(session, "page_count"))
    await metadata.write(lambda session: _pragma(session, f"max_page_count = {pages + 2}"))
    with pytest.raises(StorageFullError, match="no space"):
        await metadata.write(lambda session: session.input_blobs.put(ME, "sha", bytes(100_000)))
    await metadata.write(lambda session: _pragma(session, "max_page_count = 1000000"))
    await metadata.write(lambda session: session.input_blobs.put(ME, "sha", bytes(100_000)))
    assert await metadata.read(lambda session: session.input_blobs.get(ME, "sha")) == bytes(100_000)
    await metadata.close()


async def test_a_lost_transaction_fails_its_whole_group_and_no_other(tmp_path: Path) -> None:
    metadata = await open_sqlite(tmp_path / "tamis.db")

    def lose(session: Session) -> None:
        session.buckets.insert(ME, samples.bucket("lost"))
        session.link.driver.execute("ROLLBACK")  # type: ignore[attr-defined] # this backend's session has one

    with pytest.raises(StorageError, match="not committed"):
        await metadata.write(lose)
    await metadata.write(lambda session: session.buckets.insert(ME, samples.bucket("kept")))
    assert [each.name for each in await metadata.read(lambda session: session.buckets.list(ME))] == ["kept"]
    await metadata.close()


def _pragma(session: Session, pragma: str) -> int:
    driver = session.link.driver  # type: ignore[attr-defined] # this backend's session has one
    return int(driver.execute(f"PRAGMA {pragma}").fetchone()[0])


async def test_a_function_may_raise_anything(tmp_path: Path) -> None:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    with pytest.raises(RuntimeError, match="StopIteration"):
        await metadata.write(lambda session: next(iter(())))
    with pytest.raises(KeyboardInterrupt):
        await metadata.write(_interrupt)
    assert await metadata.write(lambda session: 7) == 7
    await metadata.close()


def _interrupt(session: Session) -> None:
    raise KeyboardInterrupt


async def test_every_commit_is_synced_and_every_table_strict(tmp_path: Path) -> None:
    metadata = await open_sqlite(tmp_path / "tamis.db")

    def settings(session: Session) -> list[object]:
        driver = session.link.driver  # type: ignore[attr-defined] # this backend's session has one
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [driver.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await metadata.write(settings) == ["wal", 2, 1]
    await metadata.close()
    connection = sqlite3.connect(tmp_path / "tamis.db")
    tables = connection.execute("SELECT name, strict FROM pragma_table_list WHERE schema = 'main'").fetchall()
    connection.close()
    loose = {name for name, strict in tables if not strict and not name.startswith("sqlite_")}
    assert loose == {"alembic_version"}


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "tamis.db"
    path.write_bytes(b"something else entirely, and long enough to be looked at" * 50)
    with pytest.raises(StorageError, match=r"tamis\.db"):
        await open_sqlite(path)
