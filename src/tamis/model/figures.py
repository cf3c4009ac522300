"""What executions of a retriever add up to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WHOLE = 0
"""The place of a whole execution, beside those of its stages, which begin at 1."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Executions, or runs of a stage, that ended alike. place: WHOLE, or the stage's in its pipeline, from 1.

    outcome: an execution's status, a stage's outcome.  was_cached: None where no cache could have answered.
    received, returned: documents; of a whole execution, those that its stages looked at and those in its answer.
    """

    place: int
    outcome: str
    was_cached: bool | None
    count: int
    duration_us: int
    received: int
    returned: int
    micro_credits: int


@dataclass(frozen=True, slots=True)
class Tally:
    """steps: how many took how long, by step (see `durations`)."""

    figures: Sequence[Figures]
    steps: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class ExtractionFigures:
    """Sources of a collection whose extraction ended alike in one hour, since 1970.

    outcome: `completed`, `failed`, or `reused` where no extractor had to be asked; those took no time and have no
    steps.  documents: that were made.  steps: how many took how long, by step (see `durations`).
    """

    collection_id: str
    hour: int
    extractor_name: str
    extractor_version: str
    outcome: str
    sources: int
    duration_us: int
    documents: int
    steps: Mapping[int, int]
