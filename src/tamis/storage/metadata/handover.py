"""Work handed from an event loop to a thread, and its outcome handed back.

Cheaper than the two futures of an executor: the hop is most of a short read or write.
"""

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.engine.caller import Caller, current_caller
from tamis.engine.ports.executions import Entry
from tamis.errors import StorageError, StorageFullError, StorageUnavailableError
from tamis.storage.metadata.session import SqlSession
from tamis.storage.space import is_out_of_space

_PRIMARY = 0xFF
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class Unstoppable(asyncio.Future[None]):
    """Of what is done whoever waits: who is cancelled meanwhile hears of it when this has ended, and not before."""

    def cancel(self, msg: Any = None) -> bool:
        return False

    def follow(self, work: "asyncio.Future[None]") -> None:
        """End as the work does."""
        work.add_done_callback(self._end)

    def _end(self, work: "asyncio.Future[None]") -> None:
        error = None if work.cancelled() else work.exception()
        if work.cancelled():
            self.set_exception(StorageError("the system of record was closed meanwhile"))
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(None)


@dataclass(slots=True)
class Job:
    """A function, and then either its value or its error. entry: the one record that it inserts and does no more.

    caller: whose request it is, for the audit log that is written on another thread.
    """

    function: Callable[[SqlSession], Any]
    future: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    value: Any = None
    error: BaseException | None = None
    entry: Entry | None = None
    caller: Caller | None = None

    @classmethod
    def of(cls, function: Callable[[SqlSession], Any], entry: Entry | None = None) -> "Job":
        """For the running event loop. A record's cannot be cancelled."""
        loop = asyncio.get_running_loop()
        future = loop.create_future() if entry is None else Unstoppable(loop=loop)
        return cls(function, future, loop, entry=entry, caller=current_caller())


def deliver(jobs: Sequence[Job]) -> None:
    """Resolve the futures, each in its own loop, waking each loop once."""
    by_loop: defaultdict[asyncio.AbstractEventLoop, list[Job]] = defaultdict(list)
    for job in jobs:
        by_loop[job.loop].append(job)
    for loop, mine in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, mine)
        except RuntimeError:
            continue  # that loop has ended, and with it whoever waited


def _resolve(jobs: Sequence[Job]) -> None:
    for job in jobs:
        if job.future.done():
            continue
        if job.error is None:
            job.future.set_result(job.value)
        else:
            job.future.set_exception(_outward(job.error))


def _outward(error: BaseException) -> BaseException:
    """What the caller sees of an error."""
    if isinstance(error, sqlite3.Error):
        return failure(error)
    # A future cannot carry it: it would end the coroutine that awaits.
    return RuntimeError("the function raised StopIteration") if isinstance(error, StopIteration) else error


def is_held(error: BaseException) -> bool:
    """Whether somebody else has held the database for too long."""
    return getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _BUSY


def failure(error: BaseException, what: str = "the system of record failed") -> StorageError:
    """The driver's error as ours, its cause kept. Only what an operator has to look into is a plain StorageError."""
    if is_out_of_space(error):
        outward: StorageError = StorageFullError()
    elif is_held(error):
        outward = StorageUnavailableError()
    else:
        outward = StorageError(f"{what}: {error}")
    outward.__cause__ = error
    return outward
