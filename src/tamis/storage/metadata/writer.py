"""The one writer of an SQLite database: a thread, a queue, and one commit for all that have queued meanwhile."""

import asyncio
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

from tamis.engine.caller import called_by
from tamis.engine.ports.executions import Entry
from tamis.errors import StorageError, TamisError
from tamis.storage.metadata.handover import Job, deliver, failure, is_held
from tamis.storage.metadata.session import SqlSession
from tamis.storage.metadata.turns import Turns

T = TypeVar("T")

_LOG = logging.getLogger("tamis.storage")

ASIDE = 128
ASIDE_S = 1.0
"""How many records the inbox holds, and how long they rest there."""

_WAITING = "records wait in the inbox: it could not be emptied"
_GROUP = 256
_GROUP_S = 0.02


class _TransactionLostError(Exception):
    """SQLite itself gave up the transaction: disk full, I/O error."""


class GroupWriter:
    """Runs functions one after the other, each inside a savepoint, and commits them together.

    A commit on disk costs the same for one as for a hundred: while one is under way, the next group gathers. A group
    ends when the queue is empty, at 256 functions, or once its first has waited 20 ms for the others.

    Records go to the inbox (`execution_inbox`), and on to their table by the hundred, after a second's rest, or once
    somebody asks for more than a record by its id.
    """

    def __init__(self, session: SqlSession, turns: Turns) -> None:
        self.generation = 0
        """Grows with each commit of more than records, before anybody is told of it."""
        self._session = session
        self._turns = turns
        self._driver = session.link.driver
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._aside = ASIDE  # a server that was killed may have left some
        self._thread = threading.Thread(target=self._run, name="tamis-writer", daemon=True)
        self._thread.start()

    def submit(self, function: Callable[[SqlSession], T]) -> "asyncio.Future[T]":
        """The future resolves after the commit. What has been handed in is done, though its caller stop waiting."""
        if self._closed:
            raise StorageError("the system of record is closed")
        job = Job.of(function)
        self._queue.put(job)
        return job.future

    def keep(self, entry: Entry) -> "asyncio.Future[None]":
        """As `submit` of a function that inserts this record."""
        if self._closed:
            raise StorageError("the system of record is closed")
        job = Job.of(lambda session: session.executions.insert(entry.principal, entry.execution, entry.blobs), entry)
        self._queue.put(job)
        return job.future

    def close(self) -> None:
        """Finish what is queued, then end."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self._driver.close()

    def settle(self) -> "asyncio.Future[None]":
        """Done when every record that is durable by now is in its table."""
        return self.submit(lambda session: session.inbox.settle())

    def tidy(self) -> None:
        """Empty the inbox, into which the event loop has put records, behind what has queued."""
        if not self._closed:
            self.settle().add_done_callback(_note)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            jobs: list[Job] = []
            try:
                ended = self._turn(job, jobs)
            except Exception as error:
                self._fail(jobs, error)
                ended = False
            deliver(jobs)
            if ended:
                break
        self._tidy()

    def _next(self) -> Job | None:
        """What is queued next; meanwhile the inbox is emptied, where it is full or nothing comes."""
        if self._aside >= ASIDE:
            self._tidy()
        try:
            return self._queue.get(timeout=ASIDE_S if self._aside else None)
        except queue.Empty:
            self._tidy()
        return self._queue.get()

    def _tidy(self) -> None:
        """Empty the inbox. Where that fails the records are durable all the same, and it is tried again."""
        with self._turns.patient():
            try:
                self._driver.execute("BEGIN IMMEDIATE")
                self._session.inbox.settle()
                self._driver.execute("COMMIT")
            except Exception:
                _LOG.warning(_WAITING, exc_info=True)
                self._undo()
        self._aside = 0

    def _undo(self) -> None:
        if self._driver.in_transaction:
            # Where even this fails, the next BEGIN says so to those who wait for it.
            with suppress(sqlite3.Error):
                self._driver.execute("ROLLBACK")

    def _turn(self, job: Job, jobs: list[Job]) -> bool:
        """A group while nobody else writes here. Where it fails nothing of it is kept."""
        with self._turns.patient():
            try:
                return self._group(job, jobs)
            except Exception:
                self._undo()
                raise

    def _group(self, job: Job | None, jobs: list[Job]) -> bool:
        """Run and commit a group that begins with `job`; True where the queue has ended."""
        jobs.extend([job] if job else [])
        alone = job.entry if job is not None and self._queue.empty() else None
        if alone is not None and not alone.blobs:
            self._keep_alone(alone, jobs)
            return False
        self._begin(jobs)
        deadline = monotonic() + _GROUP_S
        kept: list[Job] = []
        while job is not None:
            if job.entry is None:
                self._attempt(job)
            else:
                kept.append(job)
            if len(jobs) >= _GROUP or monotonic() > deadline:
                break
            try:
                job = self._queue.get_nowait()
            except queue.Empty:
                break
            jobs.extend([job] if job else [])
        self._keep(kept)
        self._driver.execute("COMMIT")
        self.generation += len(jobs) > len(kept)
        return job is None

    def _begin(self, jobs: list[Job]) -> None:
        """Where somebody else holds the database for too long, all that queued meanwhile have waited long enough."""
        try:
            self._driver.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self._give_up(jobs)
            raise

    def _give_up(self, jobs: list[Job]) -> None:
        """What is queued ends as these jobs do."""
        for _ in range(self._queue.qsize()):
            job = self._queue.get_nowait()
            if job is None:
                self._queue.put(None)  # the end comes after whatever else
            else:
                jobs.append(job)

    def _keep_alone(self, entry: Entry, jobs: list[Job]) -> None:
        """A record that nothing comes with: its one statement is a transaction by itself. jobs: its own."""
        self._aside += 1
        try:
            self._session.inbox.put([entry])
        except TamisError as raised:
            jobs[0].error = raised
        except sqlite3.Error as raised:
            if is_held(raised):
                self._give_up(jobs)
            raise

    def _keep(self, jobs: Sequence[Job]) -> None:
        """Records by one statement; where that fails, each by itself, so that a bad one spoils no other."""
        plain = [job for job in jobs if job.entry and not job.entry.blobs]
        entries = [job.entry for job in plain if job.entry]
        self._aside += len(entries)
        if len(entries) < 2 or self._inside(lambda session: session.inbox.put(entries))[1] is not None:
            for job, entry in zip(plain, entries, strict=True):
                self._put(job, entry)
        for job in jobs:
            if job.entry and job.entry.blobs:
                self._attempt(job)

    def _put(self, job: Job, entry: Entry) -> None:
        """One statement, which SQLite undoes by itself where it fails: no savepoint is needed."""
        try:
            self._session.inbox.put([entry])
        except (TamisError, sqlite3.Error) as raised:
            if not self._driver.in_transaction:
                raise _TransactionLostError from raised
            job.error = raised

    def _attempt(self, job: Job) -> None:
        with called_by(job.caller):
            job.value, job.error = self._inside(job.function)

    def _inside(self, function: Callable[[SqlSession], Any]) -> tuple[Any, BaseException | None]:
        """Its value, or its error and nothing of what it wrote."""
        value: Any = None
        error: BaseException | None = None
        self._driver.execute("SAVEPOINT job")
        try:
            value = function(self._session)
        except BaseException as raised:
            if not self._driver.in_transaction:
                raise _TransactionLostError from raised
            error = raised
            self._driver.execute("ROLLBACK TO SAVEPOINT job")
        self._driver.execute("RELEASE SAVEPOINT job")
        return value, error

    def _fail(self, jobs: Sequence[Job], cause: Exception) -> None:
        """Of a group of which nothing was kept, each that did not fail by itself says why."""
        reason = cause.__cause__ if isinstance(cause, _TransactionLostError) else cause
        for job in jobs:
            if job.error is None:
                job.error = failure(reason or cause, "the write was not committed")


def _note(emptied: "asyncio.Future[None]") -> None:
    if not emptied.cancelled() and (error := emptied.exception()) is not None:
        _LOG.warning(_WAITING, exc_info=error)
