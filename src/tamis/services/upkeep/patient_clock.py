"""The time as it may be deleted by: a clock that jumps ahead is believed once it has kept that up."""

from datetime import datetime, timedelta

from tamis.engine.ports.clock import Clock

HOLD_S = 3600.0
_SLACK = timedelta(seconds=60)
"""Clocks are corrected by small steps all the time."""


class PatientClock:
    """A Clock. What is deleted for its age is gone for good, so a wrong time must not decide it.

    A step back is followed at once, for it only keeps more. A step ahead, of a wrong clock or a machine that slept, is
    followed after `hold_s`; until then time passes as it did before. A server that starts believes its clock.
    """

    def __init__(self, clock: Clock, hold_s: float = HOLD_S) -> None:
        self._clock = clock
        self._hold_ms = hold_s * 1000
        self._base = (clock.now(), clock.monotonic_ms())
        self._jump: tuple[timedelta, float] | None = None
        """How far ahead the clock went, and since when."""

    def now(self) -> datetime:
        wall, monotonic_ms = self._clock.now(), self._clock.monotonic_ms()
        expected = self._base[0] + timedelta(milliseconds=monotonic_ms - self._base[1])
        ahead = wall - expected
        if ahead <= _SLACK or self._has_held(ahead, monotonic_ms):
            self._base, self._jump = (wall, monotonic_ms), None
            return wall
        return expected

    def monotonic_ms(self) -> float:
        return self._clock.monotonic_ms()

    def _has_held(self, ahead: timedelta, monotonic_ms: float) -> bool:
        if self._jump is None or abs(ahead - self._jump[0]) > _SLACK:
            self._jump = (ahead, monotonic_ms)
        return monotonic_ms - self._jump[1] >= self._hold_ms
