"""The spans of time that executions are counted by, from coarse to fine."""

ALWAYS_S, DAY_S, HOUR_S, MINUTE_S = SPANS = (0, 86_400, 3_600, 60)
"""In seconds; 0 is all of time, which begins at 0."""

MICROS = 1_000_000
MINUTE, HOUR, DAY = (span_s * MICROS for span_s in (MINUTE_S, HOUR_S, DAY_S))


def start_of(at: int, span_s: int) -> int:
    """When the span began that a moment lies in, both in microseconds since 1970."""
    return at - at % (span_s * MICROS) if span_s else 0
