"""A version of a retriever that is to take another's place: tried in its shadow, then for a share of what is asked."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Rollout:
    """While there is one, the retriever answers by these two of its versions, whatever is its newest.

    live_share: of what is asked, answered by the candidate: the same inputs always by the same version.
    shadow_share: of what the baseline answers, asked of the candidate too, behind the answer.
    max_runs, max_credits: what the shadow may take in all; None is no bound.  max_time_ms: each run of it.
    """

    rollout_id: str
    retriever_id: str
    baseline_version: int
    candidate_version: int
    started_at: datetime
    updated_at: datetime
    live_share: float = 0.0
    shadow_share: float = 0.0
    max_runs: int = 1000
    max_credits: float | None = None
    max_time_ms: int = 10_000
    started_by: str | None = None


@dataclass(frozen=True, slots=True)
class ShadowRun:
    """What the candidate answered to what an execution had asked. Rankings best first, a hundred documents deep.

    inputs_hash: of both.  error: why the candidate failed; its ranking is empty then.
    skipped: why it could not be asked; nothing else is told then.
    """

    execution_id: str
    retriever_id: str
    rollout_id: str
    at: datetime
    inputs_hash: str = ""
    live: tuple[str, ...] = ()
    shadow: tuple[str, ...] = ()
    live_ms: float = 0.0
    shadow_ms: float = 0.0
    live_credits: float = 0.0
    shadow_credits: float = 0.0
    error: str | None = None
    skipped: str | None = None
