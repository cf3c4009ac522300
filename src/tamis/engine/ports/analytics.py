"""What executions of saved retrievers add up to, by hour: kept as they come to their table and as they are deleted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from tamis.model.bucket import Upload
from tamis.model.execution import ExecutionHeader
from tamis.model.figures import ExtractionFigures, Tally
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

    def seen(
        self, principal: Principal, retriever_id: str, start: datetime, end: datetime
    ) -> Mapping[tuple[str, str], tuple[datetime, datetime]]:
        """The first and the last hour that each stage ran in, by its name and id."""
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


class Extractions(Protocol):
    """What batches made of sources, by hour: kept in the transaction that stores what they made."""

    def add(self, principal: Principal, figures: Sequence[ExtractionFigures]) -> None: ...
    def between(
        self, principal: Principal, start: datetime, end: datetime, collection_id: str | None = None
    ) -> Sequence[ExtractionFigures]:
        """Of one collection, or of all that the principal has, by collection and hour."""
        ...

    def delete(self, principal: Principal, collection_id: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came in one span of time. at: when it began.  size_bytes: of objects."""

    at: datetime
    count: int
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Failures:
    """Sources that failed alike. first_at, last_at: when the first and the last batch of them was made.

    message: of the last.
    """

    error_type: str
    count: int
    first_at: datetime
    last_at: datetime
    message: str


class Arrivals(Protocol):
    """What is there today, by when it came. Cost: what came in the time."""

    def documents(
        self, principal: Principal, collection_id: str, start: datetime, end: datetime, span_s: int
    ) -> Sequence[Arrived]:
        """Those that are there, by when they were first made; the earliest first."""
        ...

    def objects(
        self, principal: Principal, bucket_id: str, start: datetime, end: datetime, span_s: int
    ) -> Sequence[Arrived]: ...
    def uploads(
        self, principal: Principal, bucket_id: str, start: datetime, end: datetime, limit: int
    ) -> Sequence[Upload]:
        """The newest that were announced then."""
        ...

    def failures(
        self, principal: Principal, start: datetime, collection_id: str | None = None, bucket_id: str | None = None
    ) -> Sequence[Failures]:
        """Of batches made since then, into a collection or out of a bucket; the most frequent first."""
        ...

    def tried(self, principal: Principal, start: datetime, bucket_id: str) -> int:
        """Sources of batches made since then, whatever has become of them."""
        ...
