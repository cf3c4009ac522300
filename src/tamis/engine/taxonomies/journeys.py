"""Documents as steps of sequences: which follow each other, how often, how soon, and what goes with it.

A sequence is what has one value at one field; its events stand by their time, then by their document's id.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

import numpy as np

MOST_PREDICTORS = 50
MOST_PATHS = 100


@dataclass(frozen=True, slots=True)
class Event:
    """covariates: by name, what the document has there; a name it has nothing for is left out."""

    sequence: str
    step: str
    at: datetime
    document_id: str
    covariates: Mapping[str, str] = field(default_factory=dict)


Sequences: TypeAlias = Mapping[str, Sequence[Event]]


@dataclass(frozen=True, slots=True)
class StepFigure:
    step: str
    events: int
    sequences: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Passage:
    """From the first event of one step to the first one after it of another; end is None where there is none."""

    start: Event
    end: Event | None
    path: tuple[str, ...] = ()

    @property
    def duration_s(self) -> float:
        return 0.0 if self.end is None else (self.end.at - self.start.at).total_seconds()


@dataclass(frozen=True, slots=True)
class Durations:
    """Seconds. std_dev: of the whole population."""

    mean: float
    median: float
    p90: float
    p95: float
    std_dev: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class Lift:
    """Of the passages that begin with this value. lift: their rate over that of all; 1 is no difference."""

    name: str
    value: str
    count: int
    rate: float
    lift: float


@dataclass(frozen=True, slots=True)
class PathFigure:
    """share: of the passages that arrive, 0..1."""

    path: tuple[str, ...]
    count: int
    share: float
    mean_duration_s: float


def sequences_of(events: Iterable[Event], longest: timedelta | None = None) -> tuple[dict[str, list[Event]], int]:
    """The sequences, and how many were left out because they last longer than `longest`."""
    found: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        found[event.sequence].append(event)
    for own in found.values():
        own.sort(key=lambda event: (event.at, event.document_id))
    kept = {key: own for key, own in found.items() if longest is None or own[-1].at - own[0].at <= longest}
    return kept, len(found) - len(kept)


def steps(sequences: Sequences) -> list[StepFigure]:
    """The most frequent first, then by name."""
    events: defaultdict[str, list[Event]] = defaultdict(list)
    for own in sequences.values():
        for event in own:
            events[event.step].append(event)
    figures = [
        StepFigure(step, len(own), len({one.sequence for one in own}), min(o.at for o in own), max(o.at for o in own))
        for step, own in events.items()
    ]
    return sorted(figures, key=lambda one: (-one.events, one.step))


def passages(sequences: Sequences, start: str, end: str, window: timedelta | None = None) -> list[Passage]:
    """One for each sequence that has the first step; those that arrive later than `window` are left out."""
    found = [passage for own in sequences.values() if (passage := _passage(own, start, end)) is not None]
    return [one for one in found if window is None or one.end is None or one.end.at - one.start.at <= window]


def _passage(own: Sequence[Event], start: str, end: str) -> Passage | None:
    first = next((place for place, event in enumerate(own) if event.step == start), None)
    if first is None:
        return None
    last = next((place for place, event in enumerate(own) if place > first and event.step == end), None)
    if last is None:
        return Passage(own[first], None)
    walked = [event.step for event in own[first : last + 1]]
    # A step that is repeated is one step of the way; from a step to itself there are two all the same.
    path = [step for place, step in enumerate(walked) if place in (0, len(walked) - 1) or step != walked[place - 1]]
    if len(path) > 2 and path[-1] == path[-2]:
        path.pop()
    return Passage(own[first], own[last], tuple(path))


def durations(arrived: Sequence[Passage]) -> Durations | None:
    """None where none arrives."""
    if not arrived:
        return None
    values = np.array([one.duration_s for one in arrived])
    median, p90, p95 = np.percentile(values, [50, 90, 95])
    found = (values.mean(), median, p90, p95, values.std(), values.min(), values.max())
    return Durations(*(float(one) for one in found))


def lifts(of: Sequence[Passage], most: int = MOST_PREDICTORS) -> list[Lift]:
    """Values that passages begin with, by how far their rate is from that of all; then by name and value."""
    if not of or not (arrived := sum(one.end is not None for one in of)):
        return []
    whole, good = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    for one in of:
        whole.update(one.start.covariates.items())
        if one.end is not None:
            good.update(one.start.covariates.items())
    rate = arrived / len(of)
    found = [
        Lift(name, value, count, good[name, value] / count, good[name, value] / count / rate)
        for (name, value), count in whole.items()
    ]
    return sorted(found, key=lambda one: (-round(abs(one.lift - 1), 9), one.name, one.value))[:most]


def paths(arrived: Sequence[Passage], longest: int, least: int) -> list[PathFigure]:
    """The most frequent first, then by their steps. longest: steps.  least: passages that go a way."""
    found: defaultdict[tuple[str, ...], list[Passage]] = defaultdict(list)
    for one in arrived:
        found[one.path].append(one)
    figures = [
        PathFigure(path, len(own), len(own) / len(arrived), sum(one.duration_s for one in own) / len(own))
        for path, own in found.items()
        if len(path) <= longest and len(own) >= least
    ]
    return sorted(figures, key=lambda one: (-one.count, one.path))[:MOST_PATHS]


def bins(values: Sequence[float], count: int) -> Callable[[float], str]:
    """What a number is called among these: Q1 the lowest of `count` parts with as many in each.

    Ties at a bound go to the lower part.
    """
    bounds = np.quantile(np.array(values), np.linspace(0, 1, count + 1)[1:-1]) if values else np.array([])
    return lambda value: f"Q{int(np.searchsorted(bounds, value, side='left')) + 1}"
