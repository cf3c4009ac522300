"""The reading threads of an SQLite database, each with a connection of its own."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from tamis.errors import StorageError
from tamis.storage.metadata.handover import Job, deliver
from tamis.storage.metadata.session import SqlSession

T = TypeVar("T")


class Readers:
    """Runs functions on whichever of its threads is free; a slow one keeps only its own thread."""

    def __init__(self, open_session: Callable[[], SqlSession], threads: int) -> None:
        """open_session: called on each thread, at its first work."""
        self._open_session = open_session
        self._queue: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._run, name=f"tamis-reader-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, function: Callable[[SqlSession], T]) -> "asyncio.Future[T]":
        if self._closed:
            raise StorageError("the system of record is closed")
        job = Job.of(function)
        self._queue.put(job)
        return job.future

    def close(self) -> None:
        """Finish what is queued, then end."""
        if not self._closed:
            self._closed = True
            for _ in self._threads:
                self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        session: SqlSession | None = None
        while (job := self._queue.get()) is not None:
            # Nobody waits for the answer any more: a read may be left out, a write never.
            if job.future.cancelled():
                continue
            try:
                session = session or self._open_session()
                job.value = read(session, job.function)
            except BaseException as error:
                job.error = error
            deliver([job])
        if session is not None:
            session.link.driver.close()


def read(session: SqlSession, function: Callable[[SqlSession], T]) -> T:
    """Run the function on one snapshot of the session's connection."""
    driver: Any = session.link.driver
    driver.execute("BEGIN")
    try:
        return function(session)
    finally:
        driver.execute("COMMIT")
