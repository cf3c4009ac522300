"""An evaluation: a retriever asked a data set's queries, and how well its rankings did."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

METRICS = ("precision", "recall", "f1", "f2", "map", "ndcg", "mrr")
DEFAULT_METRICS = ("precision", "recall", "f1", "map", "ndcg", "mrr")
DEFAULT_K = (1, 5, 10, 20)


class EvaluationStatus(StrEnum):
    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return self in (EvaluationStatus.COMPLETED, EvaluationStatus.FAILED)


@dataclass(frozen=True, slots=True)
class EvaluationConfig:
    """metrics: of METRICS, each measured at every k."""

    k_values: tuple[int, ...] = DEFAULT_K
    metrics: tuple[str, ...] = DEFAULT_METRICS

    @property
    def depth(self) -> int:
        """How many documents of each ranking are looked at."""
        return max(self.k_values)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """query_count: queries of the data set when it was started; it asks these and none that came later.

    skipped: of them, those whose execution failed: they count as if nothing had been found.
    judged: those that have a relevant document, which the means are over.
    means: by "metric@k".  dataset_updated_at: which judgements it was measured by.
    requested_by: (user id, key id) whose executions its queries are.
    """

    evaluation_id: str
    retriever_id: str
    retriever_version: int
    dataset_id: str
    dataset_name: str
    task_id: str
    created_at: datetime
    updated_at: datetime
    query_count: int
    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    status: EvaluationStatus = EvaluationStatus.PENDING
    completed_at: datetime | None = None
    error: str | None = None
    means: Mapping[str, float] = field(default_factory=dict)
    skipped: int = 0
    judged: int = 0
    dataset_updated_at: datetime | None = None
    requested_by: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class QueryRun:
    """One query of an evaluation, asked. place: of the query in the data set, from 0.

    ranking: the names by which judgements know the documents, best first, each once.
    metrics: by "metric@k"; empty until the evaluation ends, and where the query has no relevant document.
    """

    query_id: str
    place: int
    execution_id: str | None = None
    ranking: tuple[str, ...] = ()
    error: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
