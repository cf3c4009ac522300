"""How much was asked of a server, by whom and of what; and what it cost."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class UsageSlot:
    """endpoint: method and path as the OpenAPI writes it.  hour: in which the requests ended, seconds since 1970."""

    organization_id: str
    key_id: str
    endpoint: str
    hour: int


@dataclass(slots=True)
class UsageCount:
    """failed: answered with 400 or more.  duration_us: of all of them together."""

    requests: int = 0
    failed: int = 0
    duration_us: int = 0

    def add(self, failed: bool, duration_us: int) -> None:
        self.requests += 1
        self.failed += failed
        self.duration_us += duration_us


@dataclass(frozen=True, slots=True)
class UsageRow:
    """Requests of one key to one endpoint in one day of UTC."""

    key_id: str
    endpoint: str
    day: date
    requests: int
    failed: int
    duration_us: int


@dataclass(frozen=True, slots=True)
class Spending:
    """What one kind of work cost in one namespace.

    operation: `anonymous`, `saved`, `public`, the mode of executions; or `tuning`, `judging`, `writing`
    and `conversation`, which are none.
    executions: those that cost anything.
    """

    operation: str
    namespace_id: str
    credits: float
    executions: int


@dataclass(frozen=True, slots=True)
class UsageWindow:
    """From the beginning of `start` to the end of `end`, whole days of UTC."""

    start: date
    end: date


def last_use(at: datetime, known: datetime | None) -> datetime:
    """A clock that was set back takes nothing back."""
    return at if known is None or at > known else known
