"""How long many things took, of counts by step."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from tamis.model.durations import percentile, step_of
from tamis.model.figures import ExtractionFigures, Tally


@dataclass(frozen=True, slots=True)
class Timing:
    """In milliseconds. Counts and the mean are exact, percentiles and the longest within `durations.ERROR`."""

    count: int = 0
    total_ms: float = 0.0
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    p99_ms: float = 0.0
    max_ms: float = 0.0

    @property
    def avg_ms(self) -> float:
        return self.total_ms / self.count if self.count else 0.0


@dataclass(slots=True)
class Stopwatch:
    """Takes figures in until it is asked."""

    count: int = 0
    duration_us: int = 0
    steps: Counter[int] = field(default_factory=Counter)

    def add(self, tally: Tally) -> None:
        self.count += sum(one.count for one in tally.figures)
        self.duration_us += sum(one.duration_us for one in tally.figures)
        self.steps.update(tally.steps)

    def add_extraction(self, figures: ExtractionFigures) -> None:
        """What an extractor was asked for; what was reused took no time."""
        self.count += sum(figures.steps.values())
        self.duration_us += figures.duration_us
        self.steps.update(figures.steps)

    def slower(self, threshold_ms: float) -> int:
        """How many took longer, at an error of the threshold of `durations.ERROR`."""
        least = step_of(round(threshold_ms * 1000))
        return sum(count for step, count in self.steps.items() if step >= least)

    def timing(self) -> Timing:
        p50, p95, p99, longest = (percentile(self.steps, share) / 1000 for share in (0.5, 0.95, 0.99, 1.0))
        return Timing(self.count, self.duration_us / 1000, p50, p95, p99, longest)


def timed(figures: Iterable[ExtractionFigures]) -> Timing:
    watch = Stopwatch()
    for one in figures:
        watch.add_extraction(one)
    return watch.timing()
