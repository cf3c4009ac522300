"""Executions counted by their modes as they come and go, and those from before that was done."""

from collections.abc import Sequence

from tamis.model.execution import ExecutionHeader
from tamis.model.principal import Principal
from tamis.storage.metadata.counted_execution import CountedExecution, counted, uncounted
from tamis.storage.metadata.execution_counts import ExecutionCounts
from tamis.storage.metadata.execution_rows import readable
from tamis.storage.metadata.left_to_count import LeftStatements, LeftToCount, older
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import counts_left, executions

COUNTS_LEFT = LeftStatements(counts_left)
_OLDER = older(executions.c.started_at, executions.c.header)
_Kept = tuple[Principal, ExecutionHeader, bytes]


class ModeCounts:
    def __init__(self, link: Link) -> None:
        self._link = link
        self._counts = ExecutionCounts(link)
        self._left = LeftToCount(link, COUNTS_LEFT)

    def add(self, kept: Sequence[_Kept]) -> None:
        """Count executions that have come to their table; by their mode later, where older ones are yet to be."""
        self._counts.add(self._now(kept))

    def remove(self, gone: Sequence[_Kept], unreadable: Sequence[CountedExecution] = ()) -> None:
        """Take those that have been deleted out. unreadable: those whose header cannot be read, nor their mode."""
        self._counts.remove([*self._now(gone), *unreadable])

    def is_whole(self) -> bool:
        return self._left.is_whole()

    def count_older(self, limit: int) -> bool:
        """The next of those from before counters had modes. False once there are none left."""
        before_at, after = self._left.claim()
        if before_at is None:
            return False
        rows = self._link.rows(_OLDER, {**after, "limit": limit})
        found = [
            (Principal(organization, namespace), header)
            for organization, namespace, _, started_at, body in rows
            if started_at < before_at and (header := readable(body)) is not None
        ]
        self._counts.remove([uncounted(*one) for one in found])
        self._counts.add([counted(*one) for one in found])
        self._left.move(before_at, rows[-1][:3] if len(rows) == limit else None)
        return len(rows) == limit

    def _now(self, kept: Sequence[_Kept]) -> list[CountedExecution]:
        now, later = self._left.split(kept)
        return [
            *(counted(principal, header) for principal, header, _ in now),
            *(uncounted(principal, header) for principal, header, _ in later),
        ]
