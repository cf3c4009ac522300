"""Tuning, and advice out of interactions, on the wire."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field

from tamis.api.schemas.analytics import TimeRange
from tamis.api.schemas.check import VersionModel
from tamis.api.schemas.task import TaskStatusEnum
from tamis.errors import ValidationError
from tamis.model.evaluation import METRICS
from tamis.services.learning.tuning import TuningRequest
from tamis.services.learning.tuning_advice import Advice
from tamis.services.learning.tuning_runs import TuningRun


class TuneRequest(BaseModel):
    """What is to grow, by whose judgements, and what finding it may take."""

    dataset: str = Field(min_length=1, description="The data set whose judgements decide; its id or name.")
    metric: str = Field("ndcg", description="Of an evaluation: ndcg, map, mrr, precision, recall, f1, f2.")
    k: int = Field(10, ge=1, le=1000, description="Documents of each answer that the metric looks at.")
    folds: int = Field(5, ge=2, le=20, description="Each part of the queries is measured by what the others chose.")
    max_candidates: int = Field(40, ge=2, le=200, description="Pipelines to try, the retriever's own among them.")
    max_seconds: float = Field(120.0, gt=0, le=3600, description="For all of it.")
    max_credits: float | None = Field(None, gt=0, description="For all of it; must be said where stages spend.")
    collections: list[Annotated[str, Field(min_length=1)]] = Field(
        default_factory=list,
        max_length=4,
        description="Further collections made of the same objects, by passages or of one field, by id or name: they "
        "are searched in place of the retriever's own and beside them, joined by root_object_id.",
    )
    apply: bool = Field(False, description="Make what is found the retriever's next version, where it is better.")

    def request(self) -> TuningRequest:
        if self.metric not in METRICS:
            raise ValidationError.at(["body", "metric"], f"one of {', '.join(METRICS)}, not {self.metric!r}")
        return TuningRequest(
            self.dataset, self.metric, self.k, self.folds, self.max_candidates, self.max_seconds, self.max_credits,
            self.apply, self.collections,
        )  # fmt: skip


class TrialModel(BaseModel):
    """value: the metric's mean over all queries.  duration_ms: of a query, the median.  credits: of all queries.

    on_curve: nothing that was tried is better, quicker and cheaper."""

    changes: list[str]
    value: float
    duration_ms: float
    credits: float
    failed: int
    on_curve: bool


class TuneResult(BaseModel):
    """baseline, held_out: the metric's mean as the retriever is, and on queries that the choice was not made by."""

    retriever: VersionModel
    metric: str
    queries: int
    better: bool
    baseline: float
    held_out: float
    p: float = Field(description="How likely a difference as large as theirs is by chance.")
    best: TrialModel
    stages: list[dict[str, Any]] = Field(description="Of the best, as they would be sent.")
    trials: list[TrialModel]
    untried: int
    stopped: str | None
    made: VersionModel | None = Field(description="The version that was made; null where none was.")


class TuningResponse(BaseModel):
    """candidates_total: 0 until it has begun.  credits: of all that was asked.  result: once it has ended well."""

    task_id: str
    status: TaskStatusEnum
    retriever_id: str
    dataset_name: str
    created_at: datetime
    candidates_done: int
    candidates_total: int
    credits: float
    error: str | None
    result: TuneResult | None


class TuningListResponse(BaseModel):
    tunings: list[TuningResponse]


class InteractionTuningRecommendation(BaseModel):
    recommendation_type: str
    current_value: Any | None = None
    recommended_value: Any
    expected_impact: str
    confidence: float = Field(ge=0, le=1)
    reasoning: str


class InteractionTuningResponse(BaseModel):
    retriever_id: str
    analysis_period: TimeRange
    current_performance: dict[str, Any]
    recommendations: list[InteractionTuningRecommendation]


def show_tuning(run: TuningRun) -> TuningResponse:
    progress = run.progress
    return TuningResponse(
        task_id=run.task.task_id,
        status=TaskStatusEnum(run.task.status.value),
        retriever_id=run.retriever_id,
        dataset_name=str(run.task.additional_data["dataset_name"]),
        created_at=run.task.created_at,
        candidates_done=progress.done,
        candidates_total=progress.total,
        credits=progress.spent,
        error=run.task.error,
        result=None if run.result is None else TuneResult.model_validate(run.result),
    )


def show_advice(found: Advice) -> InteractionTuningResponse:
    return InteractionTuningResponse(
        retriever_id=found.retriever_id,
        analysis_period=TimeRange(start=found.start, end=found.end),
        current_performance=dict(found.performance),
        recommendations=[
            InteractionTuningRecommendation(
                recommendation_type=one.kind,
                current_value=one.current,
                recommended_value=one.recommended,
                expected_impact=one.impact,
                confidence=round(one.confidence, 4),
                reasoning=one.reasoning,
            )
            for one in found.recommendations
        ],
    )
