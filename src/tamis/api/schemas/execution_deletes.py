"""Deleting executions on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tamis.api.schemas.execution_wire import read_moment
from tamis.engine.ports.executions import ExecutionSelection
from tamis.errors import ValidationError


class DeleteExecutionsRequest(BaseModel):
    """At least one condition; several must all hold. Times bound the start, both ends included."""

    model_config = ConfigDict(extra="forbid")

    end_time: str | float | None = None
    execution_ids: list[str] | None = Field(None, min_length=1, max_length=1_000)
    inputs_hash: str | None = Field(None, pattern=r"^[0-9a-f]{40}$")
    start_time: str | float | None = None


class DeleteExecutionsResponse(BaseModel):
    """running: executions that the conditions select and that run now. They stay, and will leave a record."""

    deleted: int = Field(..., ge=0)
    running: list[str] = Field(default_factory=list)


def read_selection(in_url: DeleteExecutionsRequest, body: DeleteExecutionsRequest | None) -> ExecutionSelection:
    """Raises: ValidationError where there is no condition, or there are some in both places."""
    where, asked = ("query", in_url) if body is None or not _conditions(body) else ("body", body)
    if not _conditions(asked):
        raise ValidationError.at([where], "send execution_ids, inputs_hash, start_time or end_time")
    if asked is body and _conditions(in_url):
        raise ValidationError.at(["body"], "send the conditions in the URL or in the body, not in both")
    selection = ExecutionSelection(
        execution_ids=None if asked.execution_ids is None else tuple(asked.execution_ids),
        inputs_hash=asked.inputs_hash,
        start=read_moment(asked.start_time, "start_time", where),
        end=read_moment(asked.end_time, "end_time", where),
    )
    if selection.start and selection.end and selection.start > selection.end:
        raise ValidationError.at([where, "start_time"], "not after end_time")
    return selection


def _conditions(asked: DeleteExecutionsRequest) -> dict[str, Any]:
    return {name: value for name, value in asked.model_dump().items() if value not in (None, "")}
