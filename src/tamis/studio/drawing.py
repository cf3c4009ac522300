"""Shapes of the execution page, in the units of their view boxes: stages as a sieve, and time to scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tamis.executions.record import RecordedStage
from tamis.executions.sieve import StageFlow

WIDTH, HEIGHT = 100.0, 48.0
_NARROWEST = 1.2


@dataclass(frozen=True, slots=True)
class Segment:
    """One stage of the sieve, as paths. through: what came out.  held: what was held back, on both sides of it."""

    through: str
    held: str | None


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the whole time, in percent of it."""

    start: float
    width: float


def segments(flows: Sequence[StageFlow]) -> list[Segment]:
    """As wide as the logarithm of the documents: a thousand and five are both to be seen."""
    most = max((max(flow.seen, flow.received, flow.returned) for flow in flows), default=0)
    return [_segment(_width(max(flow.seen, flow.received), most), _width(flow.returned, most)) for flow in flows]


def spans(stages: Sequence[RecordedStage], duration_ms: float) -> tuple[list[Span], Span]:
    """Each stage after the one before, then the time outside of stages: planning, waiting, recording."""
    inside = sum(stage.duration_ms for stage in stages)
    whole = max(duration_ms, inside) or 1.0
    found, at = [], 0.0
    for stage in stages:
        found.append(Span(100 * at / whole, 100 * stage.duration_ms / whole))
        at += stage.duration_ms
    return found, Span(100 * inside / whole, 100 * (whole - inside) / whole)


def _width(count: int, most: int) -> float:
    if count <= 0 or most <= 0:
        return _NARROWEST if most > 0 else 0.0
    return max(_NARROWEST * 2, (WIDTH - 2) * math.log1p(count) / math.log1p(most))


def _segment(top: float, bottom: float) -> Segment:
    """Symmetrical about the middle; the sides are smooth."""
    middle, turn = WIDTH / 2, HEIGHT / 2
    left, right = (middle - top / 2, middle + top / 2)
    low_left, low_right = (middle - bottom / 2, middle + bottom / 2)
    through = (
        f"M{left:.2f} 0C{left:.2f} {turn:.1f} {low_left:.2f} {turn:.1f} {low_left:.2f} {HEIGHT:.0f}"
        f"L{low_right:.2f} {HEIGHT:.0f}C{low_right:.2f} {turn:.1f} {right:.2f} {turn:.1f} {right:.2f} 0Z"
    )
    if bottom >= top:
        return Segment(through, None)
    held = (
        f"M{left:.2f} 0C{left:.2f} {turn:.1f} {low_left:.2f} {turn:.1f} {low_left:.2f} {HEIGHT:.0f}"
        f"L{left:.2f} {HEIGHT:.0f}Z"
        f"M{right:.2f} 0C{right:.2f} {turn:.1f} {low_right:.2f} {turn:.1f} {low_right:.2f} {HEIGHT:.0f}"
        f"L{right:.2f} {HEIGHT:.0f}Z"
    )
    return Segment(through, held)
