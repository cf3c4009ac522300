"""From a comparison to what is answered."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from tamis.api.schemas.diff import (
    Both,
    DiffGround,
    DiffResponse,
    DiffTotals,
    Divergence,
    EnteredHit,
    MovedHit,
    RescoredHit,
    StageDifference,
)
from tamis.errors import ValidationError
from tamis.executions.causes import same_inputs
from tamis.executions.diff import Placed, RecordDiff, Rescored, StageDiff
from tamis.executions.record import RecordedStage
from tamis.services.records.diffs import DiffView

T = TypeVar("T")


def show_diff(diff: RecordDiff, view: DiffView) -> DiffResponse:
    """Raises: ValidationError where the view names no stage."""
    a, b = diff.a.header, diff.b.header
    return DiffResponse(
        a=a.execution_id,
        b=b.execution_id,
        identical=diff.identical,
        cause=diff.cause.value if diff.cause else None,
        explanation=[DiffGround(cause=one.cause.value, says=one.says) for one in diff.grounds],
        first_divergence=_divergence(diff),
        inputs_identical=same_inputs(diff.a, diff.b),
        stages=[_stage(stage, view) for stage in _chosen(diff.stages, view.stage)],
    )


def _divergence(diff: RecordDiff) -> Divergence | None:
    first, cause = diff.first_divergence, diff.cause
    if first is None or cause is None:
        return None
    place = first.place_a if first.place_a is not None else first.place_b
    return Divergence(stage_index=place or 0, stage_name=first.stage_name, cause=cause.value)


def _chosen(stages: Sequence[StageDiff], wanted: str | None) -> Sequence[StageDiff]:
    if wanted is None:
        return stages
    found = [stage for stage in stages if stage.stage_name == wanted] or [
        stage for stage in stages if wanted in (str(stage.place_a), str(stage.place_b))
    ]
    if not found:
        known = ", ".join(dict.fromkeys(stage.stage_name for stage in stages))
        raise ValidationError.at(["query", "stage"], f"these executions' stages are {known}; or a place from 0")
    return found


def _stage(stage: StageDiff, view: DiffView) -> StageDifference:
    returned = stage.returned
    return StageDifference(
        stage_name=stage.stage_name,
        in_a=stage.place_a is not None,
        in_b=stage.place_b is not None,
        identical=stage.is_identical,
        place=Both(a=stage.place_a, b=stage.place_b),
        stage_id=_both(stage, lambda one: one.stage_id),
        outcome=Both(a=_outcome(stage.place_a, stage.a), b=_outcome(stage.place_b, stage.b)),
        received=_both(stage, lambda one: len(one.received)),
        returned=_both(stage, lambda one: len(one.returned)),
        entered=[_placed(one) for one in _window(returned.entered, view)],
        left=[_placed(one) for one in _window(returned.left, view)],
        moved=[
            MovedHit(document_id=one.id, rank_a=one.rank_a, rank_b=one.rank_b) for one in _window(returned.moved, view)
        ],
        rescored=[_rescored(one) for one in _window(returned.rescored, view)],
        altered=list(_window(returned.altered, view)),
        totals=DiffTotals(
            entered=len(returned.entered),
            left=len(returned.left),
            moved=len(returned.moved),
            rescored=len(returned.rescored),
            altered=len(returned.altered),
        ),
        duration_ms=_both(stage, lambda one: one.duration_ms),
        credits=_both(stage, lambda one: one.credits_used),
        cache=_both(stage, lambda one: one.cache_hit),
    )


def _both(stage: StageDiff, of: Callable[[RecordedStage], T]) -> Both[T | None]:
    return Both(a=of(stage.a) if stage.a else None, b=of(stage.b) if stage.b else None)


def _outcome(place: int | None, stage: RecordedStage | None) -> str | None:
    if place is None:
        return None
    return stage.outcome.value if stage else "not_run"


def _window(items: Sequence[T], view: DiffView) -> Sequence[T]:
    return items[view.offset : view.offset + view.limit]


def _placed(one: Placed) -> EnteredHit:
    return EnteredHit(document_id=one.id, rank=one.rank, score=one.score)


def _rescored(one: Rescored) -> RescoredHit:
    scores: dict[str, Both[float | None]] = {name: Both(a=then, b=now) for name, (then, now) in one.scores.items()}
    return RescoredHit(document_id=one.id, score_a=one.score_a, score_b=one.score_b, scores=scores)
