"""Records made durable on the event loop's own thread, where a commit is shorter than handing it to another."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic

from tamis.engine.ports.executions import Entry
from tamis.errors import StorageError
from tamis.storage.metadata import writer
from tamis.storage.metadata.handover import Unstoppable
from tamis.storage.metadata.session import SqlSession
from tamis.storage.metadata.turns import Turns

SLOW_S = 0.002
PASSED_ON = 64
BESIDE = 4
"""Executions under way for each record that a commit waits for."""
MOST_TOGETHER = 8
WAIT_S = 0.01
"""How long at most."""


class PromptWriter:
    """Commits together, at the end of a turn of the loop, the records that were kept in it.

    Where many executions are under way, a commit is for several of them: it waits until there are as many records as a
    quarter of those, eight at most, or for 10 ms. Where one asks at a time nothing waits.

    A thread's commit takes the interpreter's lock several times from the loop that is at work, each time with a change
    of threads: twice the CPU of the commit itself. So records are committed here, where the disk is quick; once a
    commit took 2 ms, the next 64 records are the thread's, and whatever fails here is its too: it waits for others, and
    tells a bad record from a good one.
    """

    def __init__(self, session: SqlSession, turns: Turns, thread: "writer.GroupWriter") -> None:
        self._session = session
        self._driver = session.link.driver
        self._turns = turns
        self._thread = thread
        self._loop: asyncio.AbstractEventLoop | None = None
        self._gathered: list[tuple[Entry, Unstoppable]] = []
        self._to_pass_on = 0
        self._aside = 0
        self._is_due = False
        self._waiting: asyncio.TimerHandle | None = None
        self._rest: asyncio.TimerHandle | None = None

    def keep(self, entry: Entry) -> "asyncio.Future[None]":
        """As `GroupWriter.keep`. Of one loop's alone; another's go to the thread."""
        loop = asyncio.get_running_loop()
        self._loop = self._loop or loop
        if entry.blobs or loop is not self._loop:
            return self._thread.keep(entry)
        future = Unstoppable(loop=loop)
        self._gathered.append((entry, future))
        if len(self._gathered) >= min(MOST_TOGETHER, 1 + entry.beside // BESIDE):
            self._flush_soon(loop)
        elif self._waiting is None and not self._is_due:
            self._waiting = loop.call_later(WAIT_S, self.flush)
        return future

    def _flush_soon(self, loop: asyncio.AbstractEventLoop) -> None:
        """At the end of this turn, whatever comes in it."""
        if not self._is_due:
            self._is_due = True
            loop.call_soon(self.flush)

    def flush(self) -> None:
        """Commit what was gathered. On the loop's thread."""
        gathered, self._gathered = self._gathered, []
        self._is_due = False
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        if not gathered:
            return
        if self._to_pass_on:
            self._to_pass_on = max(0, self._to_pass_on - len(gathered))
            self._pass_on(gathered)
            return
        began = monotonic()
        if not self._commit([entry for entry, _ in gathered]):
            self._pass_on(gathered)
            return
        if monotonic() - began > SLOW_S:
            self._to_pass_on = PASSED_ON
        for _, future in gathered:
            future.set_result(None)
        self._put_aside(len(gathered))

    def _commit(self, entries: Sequence[Entry]) -> bool:
        """Whether all of them are durable; otherwise none of them is there, and the thread finds out why."""
        try:
            with self._turns.prompt() as is_mine:
                if is_mine:
                    self._insert(entries)
                return is_mine
        except Exception:
            return False

    def _insert(self, entries: Sequence[Entry]) -> None:
        if len(entries) == 1:  # its one statement is a transaction by itself
            self._session.inbox.put(entries)
            return
        self._driver.execute("BEGIN IMMEDIATE")
        try:
            self._session.inbox.put(entries)
            self._driver.execute("COMMIT")
        except BaseException:
            # A disk that is full has SQLite itself give up the transaction.
            with suppress(sqlite3.Error):
                self._driver.execute("ROLLBACK")
            raise

    def _pass_on(self, gathered: Sequence[tuple[Entry, Unstoppable]]) -> None:
        for entry, future in gathered:
            try:
                future.follow(self._thread.keep(entry))
            except StorageError as closed:
                future.set_exception(closed)

    def _put_aside(self, count: int) -> None:
        """The thread empties the inbox where it is full, and otherwise a second after."""
        self._aside += count
        if self._aside >= writer.ASIDE:
            self._tidy()
        elif self._rest is None and self._loop is not None:
            self._rest = self._loop.call_later(writer.ASIDE_S, self._tidy)

    def _tidy(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._aside, self._rest = 0, None
        self._thread.tidy()
