"""What a stage did on average: the measure of what it will do."""

from typing import NamedTuple

WINDOW = 200
"""Runs after which older ones fade: collections change."""


class Means(NamedTuple):
    """Means over the latest runs of one stage: hits in and out, documents looked at, milliseconds, calls, tokens.

    runs: how many there were, at most `WINDOW`: later runs weigh more than those before them.
    """

    runs: int = 0
    received: float = 0.0
    returned: float = 0.0
    processed: float = 0.0
    duration_ms: float = 0.0
    calls: float = 0.0
    tokens: float = 0.0

    def then(self, latest: "Means") -> "Means":
        """These means and those of later runs as one. Cost: O(1)."""
        runs = min(self.runs + latest.runs, WINDOW)
        share = min(1.0, latest.runs / runs) if runs else 0.0

        def mixed(before: float, after: float) -> float:
            return before + (after - before) * share

        return Means(
            runs=runs,
            received=mixed(self.received, latest.received),
            returned=mixed(self.returned, latest.returned),
            processed=mixed(self.processed, latest.processed),
            duration_ms=mixed(self.duration_ms, latest.duration_ms),
            calls=mixed(self.calls, latest.calls),
            tokens=mixed(self.tokens, latest.tokens),
        )
