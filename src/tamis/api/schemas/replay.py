"""Replays on the wire."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tamis.executions.causes import Cause
from tamis.executions.diff import RankingDiff
from tamis.executions.replaying import Divergence, ReplayMode, Verdict
from tamis.services.records.replays import Replayed

_MOST = 100


class ReplayRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    mode: ReplayMode = Field(
        ReplayMode.FROZEN,
        description="frozen: index, documents, models, services, clock and chance are answered from the record, every "
        "stage's own code runs again. live: the same plan on today's data, without caches.",
    )
    allow_effects: bool = Field(
        False, description="In a live replay, let stages that reach outside or spend do so again."
    )


class FirstDivergence(BaseModel):
    stage_index: int
    stage_name: str
    cause: Cause


class ReplayedHit(BaseModel):
    document_id: str
    rank: int
    score: float


class MovedHit(BaseModel):
    document_id: str
    rank_then: int
    rank_now: int


class RescoredHit(BaseModel):
    document_id: str
    score_then: float
    score_now: float


class ReplayChanges(BaseModel):
    """What turns the ranking that the stage gave then into today's; of each kind the first 100."""

    entered: Annotated[list[ReplayedHit], Field(max_length=_MOST)]
    left: Annotated[list[ReplayedHit], Field(max_length=_MOST)]
    moved: Annotated[list[MovedHit], Field(max_length=_MOST)]
    rescored: Annotated[list[RescoredHit], Field(max_length=_MOST)]
    altered: list[str] = Field(description="Documents to which stages added other fields.")


class ReplayResponse(BaseModel):
    """execution_id: of the new execution; null where nothing could be run."""

    execution_id: str | None
    replay_of: str
    mode: ReplayMode
    verdict: Verdict
    first_divergence: FirstDivergence | None
    reason: str | None = Field(description="Why it is not replayable.")
    explanation: list[str] = Field(description="What explains the divergence, the strongest first.")
    changes: ReplayChanges | None = Field(description="Of the documents of the first stage that diverged.")
    answered_from_record: list[str] = Field(
        description="Stages whose effects were not repeated: they were answered as they had been."
    )


def show_replayed(replayed: Replayed) -> ReplayResponse:
    found = replayed.first_divergence
    return ReplayResponse(
        execution_id=replayed.execution_id,
        replay_of=replayed.replay_of,
        mode=replayed.mode,
        verdict=replayed.verdict,
        first_divergence=None if found is None else _first(found),
        reason=replayed.reason,
        explanation=[] if found is None else list(found.says),
        changes=None if found is None else _changes(found.returned),
        answered_from_record=list(replayed.from_record),
    )


def _first(found: Divergence) -> FirstDivergence:
    return FirstDivergence(stage_index=found.stage_index, stage_name=found.stage_name, cause=found.cause)


def _changes(diff: RankingDiff) -> ReplayChanges:
    return ReplayChanges(
        entered=[ReplayedHit(document_id=one.id, rank=one.rank, score=one.score) for one in diff.entered[:_MOST]],
        left=[ReplayedHit(document_id=one.id, rank=one.rank, score=one.score) for one in diff.left[:_MOST]],
        moved=[MovedHit(document_id=one.id, rank_then=one.rank_a, rank_now=one.rank_b) for one in diff.moved[:_MOST]],
        rescored=[
            RescoredHit(document_id=one.id, score_then=one.score_a, score_now=one.score_b)
            for one in diff.rescored[:_MOST]
        ],
        altered=list(diff.altered[:_MOST]),
    )
