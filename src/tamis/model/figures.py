"""What executions of a retriever add up to."""

from dataclasses import dataclass
from datetime import datetime

WHOLE = 0
"""The place of a whole execution, beside those of its stages, which begin at 1."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Executions, or runs of one stage, that are alike: all of these fields but the sums are theirs in common.

    hour: what they began in, UTC; None where hours were added up.  place: WHOLE, or a stage's in its pipeline, from 1.
    outcome: an execution's status, a stage's outcome.  was_cached: None where no cache could have answered.
    step: of their durations (see `durations`).  received, returned: documents; of a whole execution, those that its
    stages looked at and those in its answer.
    """

    hour: datetime | None
    place: int
    stage_name: str
    stage_id: str
    outcome: str
    was_cached: bool | None
    step: int
    count: int
    duration_us: int
    received: int
    returned: int
    micro_credits: int
