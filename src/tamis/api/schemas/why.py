"""Why-not on the wire."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tamis.engine.verdicts.verdict import VerdictKind
from tamis.model.edits import Edit
from tamis.services.records.whynot import Change, StageVerdict, Why


class WhyRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    document_id: str = Field(min_length=1, description="The document that is asked about.")
    check: bool = Field(True, description="Try the change out before it is said: runs the pipeline without a record.")


class EditModel(BaseModel):
    """Put `to` where `from` stands; a stage whose `to` is null is left out."""

    model_config = ConfigDict(populate_by_name=True)

    path: list[str | int] = Field(description="Into the frozen definition; one under `pagination` into the request.")
    from_: Any = Field(None, alias="from")
    to: Any = None


class ChangeModel(BaseModel):
    edits: list[EditModel] = Field(description="In order, all together.")
    outcome: Literal["returned", "stops_later", "unchecked"] = Field(
        description="What the changed definition did when it was run on today's data."
    )
    rank: int | None = Field(None, description="The document's place then.")
    stopped_at: str | None = Field(None, description="The later stage that stops it then.")
    note: str | None = None


class StageVerdictModel(BaseModel):
    stage_name: str
    stage_id: str | None = None
    stage_index: int | None = None
    verdict: VerdictKind
    reason: str
    rank_in: int | None = Field(None, description="Its place among what the stage was given, from 1.")
    rank_out: int | None = Field(None, description="Its place among what came out.")
    score: float | None = None
    facts: dict[str, Any] = Field(default_factory=dict, description="The figures behind the reason.")


class AsOfModel(BaseModel):
    """Ranks that the record does not hold are computed by the index as it is at `computed_at`."""

    computed_at: datetime
    ran_at: datetime
    document: Literal["unchanged", "changed", "created", "deleted"] = Field(description="Since the execution ran.")
    collections_changed: bool


class WhyResponse(BaseModel):
    execution_id: str
    document_id: str
    returned: bool
    rank: int | None = Field(None, description="In the execution's whole ranking.")
    stopped_at: str | None = Field(None, description="Name of the stage that kept it out, or `pagination`.")
    stages: list[StageVerdictModel]
    change: ChangeModel | None = Field(None, description="The smallest known change that lets it in.")
    as_of: AsOfModel


def show_why(why: Why) -> WhyResponse:
    as_of = why.as_of
    return WhyResponse(
        execution_id=why.execution_id,
        document_id=why.document_id,
        returned=why.returned,
        rank=why.rank,
        stopped_at=why.stopped_at,
        stages=[_stage(one) for one in why.stages],
        change=_change(why.change) if why.change else None,
        as_of=AsOfModel.model_validate(
            {
                "computed_at": as_of.at,
                "ran_at": as_of.ran_at,
                "document": as_of.document,
                "collections_changed": as_of.collections_changed,
            }
        ),
    )


def _stage(one: StageVerdict) -> StageVerdictModel:
    return StageVerdictModel(
        stage_name=one.stage_name,
        stage_id=one.stage_id,
        stage_index=one.stage_index,
        verdict=one.verdict.kind,
        reason=one.verdict.reason,
        rank_in=one.rank_in,
        rank_out=one.rank_out,
        score=one.score,
        facts=dict(one.verdict.facts),
    )


def _change(change: Change) -> ChangeModel:
    return ChangeModel.model_validate(
        {
            "edits": [_edit(edit) for edit in change.edits],
            "outcome": change.outcome,
            "rank": change.rank,
            "stopped_at": change.stopped_at,
            "note": change.note,
        }
    )


def _edit(edit: Edit) -> dict[str, Any]:
    return {"path": [*edit.path], "from": edit.before, "to": edit.after}
