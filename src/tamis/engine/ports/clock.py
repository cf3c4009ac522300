"""Time, so that a replay can answer it from the record."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """UTC, aware."""
        ...

    def monotonic_ms(self) -> float: ...
