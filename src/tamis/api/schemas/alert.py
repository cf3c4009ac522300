"""Alerts on the wire, in the shapes of the contract of March 2026."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tamis.api.paging import ListRequest
from tamis.api.schemas.page import PaginationResponse
from tamis.errors import NotBuiltError, ValidationError
from tamis.model.alert import Alert, AlertExecution, AlertMatch
from tamis.services.data.alerts import AlertDraft, AlertWatch

_SAME: tuple[str, ...] = ("name", "enabled", "metadata", "description", "max_credits")
_NOTIFICATION: list[str | int] = ["body", "notification_config"]


class AlertExecutionMode(StrEnum):
    ON_INGEST = "on_ingest"
    SCHEDULED = "scheduled"
    ON_DEMAND = "on_demand"


class InputMappingSource(BaseModel):
    path: str | None = Field(None, description="Of a field, or `features.` and the name of a dense feature.")
    source_type: Literal["document_field", "constant"]
    value: Any | None = None


class AlertInputMapping(BaseModel):
    input_key: str = Field(..., min_length=1, max_length=200)
    source: InputMappingSource


class AlertApplicationConfig(BaseModel):
    """`scheduled` is refused. execution_phase, priority: of no effect, alerts run beside each other as a batch ends."""

    model_config = ConfigDict(extra="forbid")

    alert_id: str
    execution_mode: AlertExecutionMode = AlertExecutionMode.ON_INGEST
    execution_phase: Literal[1, 2, 3, 4] = 3
    input_mappings: list[AlertInputMapping] = Field(..., min_length=1, max_length=100)
    priority: int = Field(0, ge=0, le=1000)


class NotificationChannelConfig(BaseModel):
    channel_id: str | None = Field(None, description="A webhook of the organisation, by id or name.")
    channel_type: str = Field(description="`webhook`; others are not built.")
    config: dict[str, Any] | None = None


class AlertNotificationConfig(BaseModel):
    channels: list[NotificationChannelConfig] = Field(..., min_length=1, max_length=10)
    include_matches: bool = True
    include_scores: bool = True
    template_id: str | None = Field(None, description="Only null: notifications have one shape.")


class CreateAlertRequest(BaseModel):
    """max_credits: of ours; what one batch, or one run on demand, may spend."""

    description: str | None = Field(None, max_length=1000)
    enabled: bool = True
    max_credits: float | None = Field(None, gt=0, le=1e9, allow_inf_nan=False)
    metadata: dict[str, Any] | None = None
    name: str = Field(..., min_length=1, max_length=200)
    notification_config: AlertNotificationConfig
    retriever_id: str = Field(description="Id or name of a saved retriever.")


class PatchAlertRequest(BaseModel):
    description: str | None = Field(None, max_length=1000)
    enabled: bool | None = None
    max_credits: float | None = Field(None, gt=0, le=1e9, allow_inf_nan=False)
    metadata: dict[str, Any] | None = None
    name: str | None = Field(None, min_length=1, max_length=200)
    notification_config: AlertNotificationConfig | None = None
    retriever_id: str | None = None


class AlertResponse(BaseModel):
    alert_id: str
    created_at: datetime | None = None
    description: str | None = None
    enabled: bool = True
    max_credits: float | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    name: str
    namespace_id: str | None = None
    notification_config: AlertNotificationConfig
    retriever_id: str
    updated_at: datetime | None = None


class ListAlertsRequest(ListRequest):
    pass


class AlertListStats(BaseModel):
    """Of the page."""

    alerts_by_channel_type: dict[str, int] = Field(default_factory=dict)
    disabled_alerts: int = 0
    enabled_alerts: int = 0
    total_alerts: int = 0


class ListAlertsResponse(BaseModel):
    pagination: PaginationResponse
    results: list[AlertResponse]
    stats: AlertListStats | None = None
    total_count: int


class AlertMatchResult(BaseModel):
    asset_id: str | None = None
    document_id: str
    matched_features: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    score: float = Field(description="As the retriever has it; not every one ends at 1.")


class AlertExecutionResult(BaseModel):
    """error: why the retriever could not be asked. cause: the batch or the task that it was executed for."""

    alert_id: str
    cause: str
    collection_id: str
    credits_used: float = 0.0
    duration_ms: int = Field(..., ge=0)
    error: str | None = None
    executed_at: datetime
    execution_id: str | None = Field(None, description="Of the record.")
    match_count: int = Field(..., ge=0)
    matches: list[AlertMatchResult] | None = Field(None, description="The first ten.")
    source_documents: list[str] = Field(default_factory=list)
    triggered: bool


class AlertExecutionListResponse(BaseModel):
    pagination: PaginationResponse
    results: list[AlertExecutionResult]
    total_count: int


class ExecuteAlertRequest(BaseModel):
    """input_mappings: left out, those of the collection's application."""

    collection_id: str = Field(description="Id or name.")
    filters: dict[str, Any] | None = Field(None, description="Only for documents that match.")
    input_mappings: list[AlertInputMapping] | None = Field(None, min_length=1, max_length=100)


def alert_draft(body: CreateAlertRequest) -> AlertDraft:
    """Raises: ValidationError, NotBuiltError."""
    told = body.notification_config
    return AlertDraft(
        body.name, body.retriever_id, read_channels(told), body.description, body.enabled, told.include_matches,
        told.include_scores, body.max_credits, body.metadata or {},
    )  # fmt: skip


def alert_changes(body: PatchAlertRequest) -> Mapping[str, Any]:
    """Of `AlertDraft`; what is null stays, but a description and a budget can be taken away.

    Raises: ValidationError, NotBuiltError.
    """
    given = {name: getattr(body, name) for name in body.model_fields_set}
    changes: dict[str, Any] = {
        name: given[name]
        for name in _SAME
        if name in given and (given[name] is not None or name in ("description", "max_credits"))
    }
    if body.retriever_id is not None:
        changes["retriever"] = body.retriever_id
    told = body.notification_config
    if told is not None:
        changes |= {"webhooks": read_channels(told), "with_matches": told.include_matches}
        changes["with_scores"] = told.include_scores
    return changes


def read_channels(told: AlertNotificationConfig) -> tuple[str, ...]:
    """The webhooks that are named. Raises: ValidationError, NotBuiltError."""
    if told.template_id is not None:
        raise NotBuiltError("template_id is not built: notifications have one shape")
    return tuple(_webhook(place, one) for place, one in enumerate(told.channels))


def _webhook(place: int, channel: NotificationChannelConfig) -> str:
    here = [*_NOTIFICATION, "channels", place]
    if channel.channel_type != "webhook":
        message = f"the channel {channel.channel_type!r} is not built; an alert can tell a webhook: 'webhook'"
        raise NotBuiltError(message)
    if channel.config:
        message = "leave it out: a webhook's URL and headers are its own, POST /v1/organizations/webhooks"
        raise ValidationError.at([*here, "config"], message)
    if not channel.channel_id:
        raise ValidationError.at([*here, "channel_id"], "needed: a webhook of the organisation, by id or name")
    return channel.channel_id


def alert_watch(body: ExecuteAlertRequest) -> AlertWatch:
    mappings = None if body.input_mappings is None else [one.model_dump(mode="json") for one in body.input_mappings]
    return AlertWatch(body.collection_id, mappings, body.filters)


def show_alert(alert: Alert, namespace_id: str) -> AlertResponse:
    return AlertResponse(
        alert_id=alert.alert_id,
        created_at=alert.created_at,
        description=alert.description,
        enabled=alert.enabled,
        max_credits=alert.max_credits,
        metadata=dict(alert.metadata),
        name=alert.name,
        namespace_id=namespace_id,
        notification_config=AlertNotificationConfig(
            channels=[NotificationChannelConfig(channel_type="webhook", channel_id=one) for one in alert.webhook_ids],
            include_matches=alert.with_matches,
            include_scores=alert.with_scores,
        ),
        retriever_id=alert.retriever_id,
        updated_at=alert.updated_at,
    )


def show_stats(alerts: Sequence[Alert]) -> AlertListStats:
    enabled = sum(one.enabled for one in alerts)
    channels = sum(len(one.webhook_ids) for one in alerts)
    return AlertListStats(
        alerts_by_channel_type={"webhook": channels} if channels else {},
        disabled_alerts=len(alerts) - enabled,
        enabled_alerts=enabled,
        total_alerts=len(alerts),
    )


def show_execution(one: AlertExecution) -> AlertExecutionResult:
    return AlertExecutionResult(
        alert_id=one.alert_id,
        cause=one.cause,
        collection_id=one.collection_id,
        credits_used=one.credits_used,
        duration_ms=round(one.duration_ms),
        error=one.error,
        executed_at=one.executed_at,
        execution_id=one.execution_id,
        match_count=one.match_count,
        matches=[_show_match(match) for match in one.matches] if one.matches else None,
        source_documents=[one.document_id],
        triggered=one.triggered,
    )


def _show_match(match: AlertMatch) -> AlertMatchResult:
    metadata = {"collection_id": match.collection_id}
    return AlertMatchResult(
        asset_id=match.object_id, document_id=match.document_id, metadata=metadata, score=match.score
    )
