"""What executions of saved retrievers add up to, by hour: kept as they come to their table and as they are deleted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tamis.model.execution import ExecutionHeader
from tamis.model.figures import Tally
from tamis.model.principal import Principal


class Analytics(Protocol):
    """start, end: whole hours, UTC; `end` itself is outside."""

    def executions(
        self, principal: Principal, retriever_id: str, start: datetime, end: datetime, hours: int = 1
    ) -> Mapping[datetime, Tally]:
        """Of whole executions, by when the time began that they began in, the earliest first; none are left out.

        hours: 1, 24 for days or 168 for weeks, which begin on Monday.
        """
        ...

    def stages(
        self, principal: Principal, retriever_id: str, start: datetime, end: datetime
    ) -> Mapping[tuple[str, str], Tally]:
        """Of its stages, by name and id."""
        ...

    def slowest(
        self, principal: Principal, retriever_id: str, start: datetime, end: datetime, limit: int
    ) -> Sequence[ExecutionHeader]:
        """Exactly, slowest first, however many there are; of those that took as long, any. limit: at most 100."""
        ...

    def is_whole(self) -> bool:
        """False while records from before there were figures are still to be counted."""
        ...

    def count_older(self, limit: int) -> bool:
        """Count some of them, of every tenant: at most `limit` records looked at. False once there are none left."""
        ...

    def fold(self, before: datetime) -> int:
        """Bring what writers counted side by side together, some rows at a time, of hours before then; how many."""
        ...
