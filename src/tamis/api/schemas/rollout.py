"""Roll-outs on the wire."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, Field

from tamis.evaluation.agreement import overlap, rank_biased_overlap
from tamis.model.rollout import Rollout
from tamis.services.learning.rollouts import K, Quality, RolloutDraft, Standing, ToldRun

_SHOWN = 10


class RolloutRequest(BaseModel):
    """Which version is tried beside which, on how much, and what the trying may take."""

    candidate: str | None = Field(
        None, min_length=1, description="Another retriever: what it runs becomes this one's newest version."
    )
    candidate_version: int | None = Field(None, ge=1, description="Left out: the newest.")
    baseline_version: int | None = Field(None, ge=1, description="Left out: what answers now.")
    live_share: float = Field(0.0, ge=0, le=1, description="Of what is asked, answered by the candidate.")
    shadow_share: float = Field(0.1, ge=0, le=1, description="Of what the baseline answers, asked of both.")
    max_runs: int = Field(1000, ge=1, le=10_000, description="Of the shadow, in all.")
    max_credits: float | None = Field(None, gt=0, description="That the shadow's runs would cost in all; else any.")
    max_time_ms: int = Field(10_000, ge=1, le=300_000, description="Of each run of the shadow.")

    def draft(self) -> RolloutDraft:
        return RolloutDraft(**self.model_dump())


class RolloutModel(BaseModel):
    baseline_version: int
    candidate_version: int
    live_share: float
    max_credits: float | None
    max_runs: int
    max_time_ms: int
    retriever_id: str
    rollout_id: str
    shadow_share: float
    started_at: datetime
    started_by: str | None
    updated_at: datetime


class ShadowAgreement(BaseModel):
    """Means over the runs that both answered. slowdown: the candidate's median time by the baseline's."""

    baseline_credits: float | None
    baseline_ms: float | None
    candidate_credits: float | None
    candidate_ms: float | None
    compared: int
    emptied: int
    failed: int
    identical: int
    overlap: float | None
    rank_biased_overlap: float | None
    skipped: int
    slowdown: float | None


class QualityMetric(BaseModel):
    """p: of the paired randomisation test; p_holm: corrected for all metrics."""

    baseline: float
    candidate: float
    losses: int
    p: float
    p_holm: float
    ties: int
    wins: int


class QualityModel(BaseModel):
    metrics: dict[str, QualityMetric]
    queries: int


class RolloutStanding(BaseModel):
    """by_clicks: what was liked counts as relevant; the baseline showed it, which favours it.

    let_go: executions that came while the shadow was busy, on the server that answers, since its start.
    """

    agreement: ShadowAgreement
    by_clicks: QualityModel
    by_judgements: QualityModel | None
    let_go: int
    retriever_name: str
    rollout: RolloutModel
    shadow_credits: float


class ShadowRunModel(BaseModel):
    """Of both, the first ten documents. query_summary: what was asked, as lists of executions show it."""

    at: datetime
    baseline: list[str]
    baseline_ms: float
    candidate: list[str]
    candidate_ms: float
    error: str | None
    execution_id: str
    query_summary: str | None = None
    overlap: float | None
    rank_biased_overlap: float | None
    skipped: str | None


class RolloutEnd(BaseModel):
    """version: what the retriever runs now, as its newest."""

    retriever_id: str
    retriever_name: str
    version: int


def show_rollout(one: Rollout) -> RolloutModel:
    return RolloutModel.model_validate(one, from_attributes=True)


def show_standing(standing: Standing) -> RolloutStanding:
    return RolloutStanding(
        retriever_name=standing.retriever.name,
        rollout=show_rollout(standing.rollout),
        agreement=ShadowAgreement.model_validate(standing.agreement, from_attributes=True),
        by_clicks=_quality(standing.clicked),
        by_judgements=None if standing.judged is None else _quality(standing.judged),
        let_go=standing.let_go,
        shadow_credits=standing.credits,
    )


def _quality(quality: Quality) -> QualityModel:
    metrics = {
        name: QualityMetric.model_validate(one, from_attributes=True) for name, one in quality.metrics.items()
    }  # fmt: skip
    return QualityModel(queries=quality.queries, metrics=metrics)


def show_runs(runs: Iterable[ToldRun]) -> list[ShadowRunModel]:
    return [
        ShadowRunModel(
            query_summary=told.query_summary,
            execution_id=one.execution_id,
            at=one.at,
            baseline=[*one.live[:_SHOWN]],
            candidate=[*one.shadow[:_SHOWN]],
            baseline_ms=one.live_ms,
            candidate_ms=one.shadow_ms,
            error=one.error,
            skipped=one.skipped,
            overlap=None if one.skipped or one.error else overlap(one.live, one.shadow, K),
            rank_biased_overlap=None if one.skipped or one.error else rank_biased_overlap(one.live, one.shadow),
        )
        for told in runs
        for one in (told.run,)
    ]
