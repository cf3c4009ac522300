"""Checks, and versions of retrievers, on the wire."""

from datetime import datetime
from statistics import fmean
from typing import Any

from pydantic import BaseModel, Field

from tamis.engine.planning.definition import to_json
from tamis.model.retriever import Retriever, RetrieverVersion
from tamis.services.learning.checks import Check, Checked, CheckLimits, slower


class RetrieverVersionModel(BaseModel):
    """definition: what it runs, as a record freezes it."""

    version: int
    created_at: datetime
    created_by: str | None
    definition: dict[str, Any]


class RetrieverVersionsResponse(BaseModel):
    retriever_id: str
    retriever_name: str
    versions: list[RetrieverVersionModel]


class CheckRequest(BaseModel):
    """Which version is to take whose place, what it is tried on, and what it may do worse."""

    baseline_version: int | None = Field(None, ge=1, description="Of the path's retriever; left out: its newest.")
    candidate: str | None = Field(None, description="A retriever's id or name; left out: the same retriever.")
    candidate_version: int | None = Field(None, ge=1, description="Left out: its newest.")
    last: int = Field(100, ge=1, le=1000, description="Of the retriever's executions, each inputs once.")
    min_overlap: float = Field(0.5, ge=0, le=1, description="Mean share of the first ten that both answer.")
    max_failed: int = Field(0, ge=0, description="Executions that the candidate alone fails.")
    max_empty: int = Field(0, ge=0, description="Executions that the candidate alone answers with nothing.")
    max_slowdown: float | None = Field(None, gt=0, description="Its median time by the baseline's; left out: any.")

    def limits(self) -> CheckLimits:
        return CheckLimits(self.min_overlap, self.max_failed, self.max_empty, self.max_slowdown)


class VersionModel(BaseModel):
    retriever_id: str
    retriever_name: str
    version: int


class CheckedModel(BaseModel):
    """query_summary: what was asked, as lists of executions show it."""

    execution_id: str
    query_summary: str | None = None
    overlap: float
    rank_biased_overlap: float
    baseline: list[str] = Field(description="Its first ten documents.")
    candidate: list[str]
    error: str | None = None


class SkippedModel(BaseModel):
    execution_id: str
    reason: str


class CheckResponse(BaseModel):
    """worst: those that both agree on least, first."""

    passed: bool
    reasons: list[str]
    baseline: VersionModel
    candidate: VersionModel
    compared: int
    identical: int
    failed: int
    overlap: float | None
    rank_biased_overlap: float | None
    slowdown: float | None
    skipped: list[SkippedModel]
    worst: list[CheckedModel]


_WORST = 20
_SHOWN = 10


def show_versions(retriever: Retriever, versions: list[RetrieverVersion]) -> RetrieverVersionsResponse:
    shown = [
        RetrieverVersionModel(
            version=one.version,
            created_at=one.created_at,
            created_by=one.created_by,
            definition=to_json(one.definition),
        )
        for one in versions
    ]
    return RetrieverVersionsResponse(retriever_id=retriever.retriever_id, retriever_name=retriever.name, versions=shown)


def show_check(check: Check) -> CheckResponse:
    whole = [one for one in check.compared if one.error is None]
    worst = sorted(check.compared, key=lambda one: (one.error is None, one.rank_biased_overlap, one.execution_id))
    return CheckResponse(
        passed=not check.reasons,
        reasons=[*check.reasons],
        baseline=_version(check.baseline),
        candidate=_version(check.candidate),
        compared=len(check.compared),
        identical=sum(one.baseline == one.candidate for one in whole),
        failed=len(check.compared) - len(whole),
        overlap=fmean(one.overlap for one in whole) if whole else None,
        rank_biased_overlap=fmean(one.rank_biased_overlap for one in whole) if whole else None,
        slowdown=slower(whole) if whole else None,
        skipped=[SkippedModel(execution_id=one.execution_id, reason=one.skipped or "") for one in check.skipped],
        worst=[_checked(one) for one in worst[:_WORST]],
    )


def _version(retriever: Retriever) -> VersionModel:
    return VersionModel(retriever_id=retriever.retriever_id, retriever_name=retriever.name, version=retriever.version)


def _checked(one: Checked) -> CheckedModel:
    return CheckedModel(
        execution_id=one.execution_id,
        query_summary=one.query_summary,
        overlap=one.overlap,
        rank_biased_overlap=one.rank_biased_overlap,
        baseline=[*one.baseline[:_SHOWN]],
        candidate=[*one.candidate[:_SHOWN]],
        error=one.error,
    )
