"""When a request is worth sending again, and how long to wait first."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

_REPEATABLE = frozenset(("GET", "HEAD", "PUT", "DELETE"))
_BROKEN = frozenset((500, 502, 503, 504))
_NOT_DONE = frozenset((429, 503))
"""The service says that it has not even begun, so that no method is done twice."""
_FIRST_S = 0.25


def is_repeatable(method: str) -> bool:
    """Whether doing it twice comes to the same (RFC 9110, 9.2.2)."""
    return method in _REPEATABLE


def pause_s(method: str, status: int, headers: Mapping[str, str], attempt: int) -> float | None:
    """Seconds before attempt `attempt + 1`, at least as long as the service asks for; None where it would be no use."""
    if status not in _NOT_DONE and not (status in _BROKEN and is_repeatable(method)):
        return None
    return max(backoff_s(attempt), _asked_s(headers.get("retry-after", "").strip()))


def backoff_s(attempt: int) -> float:
    return _FIRST_S * 2.0**attempt


def _asked_s(value: str) -> float:
    """Of `Retry-After`: seconds or a date (RFC 9110, 10.2.3); 0 for anything else."""
    if value.isascii() and value.isdecimal():
        return float(value[:9])
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
