"""How far a batch is, how fast it goes and how long it will take: counted, and timed since it was last taken up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tamis.engine.ports.metadata import Session
from tamis.model.batch import Batch, ItemStatus, Task
from tamis.model.json import JSON
from tamis.model.principal import Principal

_SINCE, _BEFORE = "run_started_at", "run_sources_before"
_SHORTEST_S = 0.001


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """In sources: an object for each collection that takes it, and what tiers further down have been given so far.

    per_s: None before one is finished.  left_s: at that rate; None where it is not known, 0 at the end.
    """

    total: int
    done: int
    failed: int
    left: int
    per_s: float | None = None
    left_s: float | None = None

    @property
    def share(self) -> float:
        """0..1."""
        return round((self.done + self.failed) / self.total, 4) if self.total else 1.0


def progress_of(
    session: Session, principal: Principal, batch: Batch, task: Task | None, now: datetime
) -> BatchProgress:
    """Cost: a count over the batch's items."""
    counted: Counter[ItemStatus] = Counter()
    for (_, status), count in session.batches.count_items(principal, batch.batch_id).items():
        counted[status] += count
    done, failed, left = counted[ItemStatus.DONE], counted[ItemStatus.FAILED], counted[ItemStatus.WAITING]
    until = batch.updated_at if batch.status.is_final else now
    per_s = _rate(done + failed, task.additional_data if task else {}, until)
    left_s = 0.0 if not left else left / per_s if per_s else None
    return BatchProgress(
        total=sum(counted.values()),
        done=done,
        failed=failed,
        left=left,
        per_s=None if per_s is None else round(per_s, 3),
        left_s=None if left_s is None else round(left_s, 1),
    )


def taken_up(progress: BatchProgress, now: datetime) -> dict[str, JSON]:
    """For the batch's task: where this run begins. A pause between two runs slows nothing down."""
    return {_SINCE: now.isoformat(), _BEFORE: progress.done + progress.failed}


def facts_of(progress: BatchProgress) -> dict[str, JSON]:
    """For the batch's task."""
    return {
        "sources_total": progress.total,
        "sources_done": progress.done,
        "sources_failed": progress.failed,
        "sources_left": progress.left,
        "sources_per_s": progress.per_s,
        "seconds_left": progress.left_s,
        "progress": progress.share,
    }


def told_progress(task: Task) -> BatchProgress | None:
    """As `facts_of` told the batch's task."""
    facts: Mapping[str, Any] = task.additional_data
    if "sources_total" not in facts:
        return None
    counts = {name: facts[f"sources_{name}"] for name in ("total", "done", "failed", "left")}
    return BatchProgress(**counts, per_s=facts["sources_per_s"], left_s=facts["seconds_left"])


def _rate(finished: int, facts: Mapping[str, JSON], until: datetime) -> float | None:
    since, before = facts.get(_SINCE), facts.get(_BEFORE)
    if not isinstance(since, str) or not isinstance(before, int) or finished <= before:
        return None
    return (finished - before) / max(_SHORTEST_S, (until - datetime.fromisoformat(since)).total_seconds())
