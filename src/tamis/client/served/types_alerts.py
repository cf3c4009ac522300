# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `alerts` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import InputMappingSource, PaginationResponse


class AlertExecutionListResponse(TypedDict):
    pagination: PaginationResponse
    results: list[AlertExecutionResult]
    total_count: int


class AlertExecutionResult(TypedDict):
    alert_id: str
    cause: str
    collection_id: str
    credits_used: NotRequired[float]
    duration_ms: int
    error: NotRequired[str | None]
    executed_at: str
    execution_id: NotRequired[str | None]
    match_count: int
    matches: NotRequired[list[AlertMatchResult] | None]
    source_documents: NotRequired[list[str]]
    triggered: bool


class AlertInputMapping(TypedDict):
    input_key: str
    source: InputMappingSource


class AlertListStats(TypedDict):
    alerts_by_channel_type: NotRequired[dict[str, int]]
    disabled_alerts: NotRequired[int]
    enabled_alerts: NotRequired[int]
    total_alerts: NotRequired[int]


class AlertMatchResult(TypedDict):
    asset_id: NotRequired[str | None]
    document_id: str
    matched_features: NotRequired[dict[str, Any] | None]
    metadata: NotRequired[dict[str, Any] | None]
    score: float


class AlertNotificationConfig(TypedDict):
    channels: list[NotificationChannelConfig]
    include_matches: NotRequired[bool]
    include_scores: NotRequired[bool]
    template_id: NotRequired[str | None]


class AlertResponse(TypedDict):
    alert_id: str
    created_at: NotRequired[str | None]
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    max_credits: NotRequired[float | None]
    metadata: NotRequired[dict[str, Any]]
    name: str
    namespace_id: NotRequired[str | None]
    notification_config: AlertNotificationConfig
    retriever_id: str
    updated_at: NotRequired[str | None]


class CreateAlertRequest(TypedDict):
    description: NotRequired[str | None]
    enabled: NotRequired[bool]
    max_credits: NotRequired[float | None]
    metadata: NotRequired[dict[str, Any] | None]
    name: str
    notification_config: AlertNotificationConfig
    retriever_id: str


class ExecuteAlertRequest(TypedDict):
    collection_id: str
    filters: NotRequired[dict[str, Any] | None]
    input_mappings: NotRequired[list[AlertInputMapping] | None]


class ListAlertsRequest(TypedDict):
    case_sensitive: NotRequired[bool]
    count_only: NotRequired[bool]
    cursor: NotRequired[str | None]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]
    search: NotRequired[str | None]
    sort: NotRequired[dict[str, Any] | list[Any] | str | None]
    sorts: NotRequired[list[dict[str, Any]] | None]


class ListAlertsResponse(TypedDict):
    pagination: PaginationResponse
    results: list[AlertResponse]
    stats: NotRequired[AlertListStats | None]
    total_count: int


class NotificationChannelConfig(TypedDict):
    channel_id: NotRequired[str | None]
    channel_type: str
    config: NotRequired[dict[str, Any] | None]


class PatchAlertRequest(TypedDict):
    description: NotRequired[str | None]
    enabled: NotRequired[bool | None]
    max_credits: NotRequired[float | None]
    metadata: NotRequired[dict[str, Any] | None]
    name: NotRequired[str | None]
    notification_config: NotRequired[AlertNotificationConfig | None]
    retriever_id: NotRequired[str | None]
