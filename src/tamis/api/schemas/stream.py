"""What a streamed execution tells, on the wire."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tamis.api.schemas.execution import ExecutionAnswer, ResultDocument, StageStatistics

_COMPONENTS = "#/components/schemas/{model}"


class StreamBudget(BaseModel):
    """Used since the execution began. tokens_used: null where no stage counts tokens."""

    credits_used: float = Field(..., ge=0)
    time_elapsed_ms: float = Field(..., ge=0)
    tokens_used: int | None = Field(None, ge=0)


class StreamError(BaseModel):
    """outcome: `failed`, `skipped` (the run went on) or `cut` (by the budget; the run ended well).

    status: the HTTP status that this error has where the execution is not streamed; null for a cut.
    """

    details: dict[str, Any] | None
    outcome: Literal["failed", "skipped", "cut"]
    status: int | None
    type: str


class StreamEvent(BaseModel):
    """One `data:` of the stream. Every event has every field; null where it says nothing.

    documents: what the stage passed on, or the answer's; both in full.  error: the message.
    An `execution_complete` carries the fields of `ExecutionAnswer` too, an `execution_error` its `status`.
    """

    model_config = ConfigDict(extra="allow")

    budget_used: StreamBudget
    documents: list[ResultDocument] | None
    error: str | None
    error_details: StreamError | None
    event_type: Literal["stage_start", "stage_complete", "stage_error", "execution_complete", "execution_error"]
    execution_id: str | None
    stage_index: int | None = Field(..., ge=0)
    stage_name: str | None
    statistics: StageStatistics | None
    total_stages: int | None = Field(..., ge=0)


class ExecutionComplete(StreamEvent, ExecutionAnswer):
    """The last event of an execution that ended well: its record is durable."""

    event_type: Literal["execution_complete"]


def stream_content() -> dict[str, Any]:
    """The media type of a streamed answer, for OpenAPI; what `ExecutionAnswer` brings is referred to.

    The schema is of each server-sent event, as OpenAPI says of this media type; its `data` is JSON.
    """
    schema = StreamEvent.model_json_schema(ref_template=_COMPONENTS)
    inlined = schema.pop("$defs")
    properties = schema["properties"]
    properties["budget_used"] = inlined["StreamBudget"]
    properties["error_details"] = {"anyOf": [inlined["StreamError"], {"type": "null"}]}
    return _events_of(schema)


def event_content(model: type[BaseModel]) -> dict[str, Any]:
    """As `stream_content`, of events whose `data` is a model; others inside it are referred to, as in answers."""
    schema = model.model_json_schema(ref_template=_COMPONENTS)
    schema.pop("$defs", None)
    return _events_of(schema)


def _events_of(schema: dict[str, Any]) -> dict[str, Any]:
    data = {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
    return {"text/event-stream": {"schema": {"type": "object", "required": ["data"], "properties": {"data": data}}}}
