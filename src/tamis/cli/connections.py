"""How many connections the server holds open, and which of them goes where another wants its place."""

import logging
import resource
from typing import Protocol

FILES_BESIDE = 256
"""Open files of a server besides its connections: stores, pipes, files on their way."""
FAIR_BYTES_A_SECOND = 16 * 1024
_log = logging.getLogger("tamis.serve")


class Connection(Protocol):
    def give_way(self) -> None:
        """Close without a word."""
        ...

    def bytes_a_second(self) -> float:
        """Of the body that is coming."""
        ...


class Connections:
    """At most so many at once. Who keeps the server waiting loses its place to somebody new, the longest wait first.

    Those go that wait for a request or have sent a part of its head; then those that do not take what is answered;
    then the slowest of the bodies that come by less than 16 KiB a second. Who waits for the server never goes.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._open: set[Connection] = set()
        # In the order in which they began to wait.
        self._waiting: dict[Connection, None] = {}
        self._not_taking: dict[Connection, None] = {}
        self._sending: dict[Connection, None] = {}

    @property
    def count(self) -> int:
        return len(self._open)

    def enter(self, one: Connection) -> bool:
        """Whether there is a place, be it another's."""
        if len(self._open) >= self.most and not self._made_room():
            return False
        self._open.add(one)
        self._waiting[one] = None
        return True

    def leave(self, one: Connection) -> None:
        self._open.discard(one)
        for place in (self._waiting, self._not_taking, self._sending):
            place.pop(one, None)

    def wait(self, one: Connection) -> None:
        """For a request of it. Who waited already has waited since then."""
        self._sending.pop(one, None)
        if one in self._open:
            self._waiting.setdefault(one)

    def send(self, one: Connection) -> None:
        """It sends a body."""
        self._waiting.pop(one, None)
        if one in self._open:
            self._sending.setdefault(one)

    def work(self, one: Connection) -> None:
        """It has sent all, and waits itself."""
        self._waiting.pop(one, None)
        self._sending.pop(one, None)

    def stall(self, one: Connection) -> None:
        """It does not take what is answered."""
        if one in self._open:
            self._not_taking.setdefault(one)

    def take(self, one: Connection) -> None:
        """It does again."""
        self._not_taking.pop(one, None)

    def _made_room(self) -> bool:
        goes = next(iter(self._waiting), None) or next(iter(self._not_taking), None) or self._slowest()
        if goes is None:
            return False
        self.leave(goes)
        goes.give_way()
        return True

    def _slowest(self) -> Connection | None:
        found = min(self._sending, key=lambda one: one.bytes_a_second(), default=None)
        return found if found is not None and found.bytes_a_second() < FAIR_BYTES_A_SECOND else None


def places(wanted: int) -> int:
    """So many connections as `wanted` and the system's limit of open files let; raises the process's own for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + FILES_BESIDE
    if hard != resource.RLIM_INFINITY and needed > hard:
        most = max(hard - FILES_BESIDE, hard // 2)
        _log.warning(
            "this process may open %d files: %d connections at once instead of %d (ulimit -n)", hard, most, wanted
        )
        needed, wanted = hard, most
    if soft != resource.RLIM_INFINITY and needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    return wanted
