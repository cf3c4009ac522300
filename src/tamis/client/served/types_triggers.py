# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `triggers` sends and gets."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

Action: TypeAlias = Literal["cluster", "taxonomy_enrichment", "collection_trigger"]


class ClusterTriggerHistoryResponse(TypedDict):
    executions: list[TriggerExecutionHistoryItem]
    limit: int
    offset: int
    total: int
    trigger_id: str


class ClusterTriggerModel(TypedDict):
    cluster_id: NotRequired[str | None]
    consecutive_failures: NotRequired[int]
    created_at: str
    created_by: NotRequired[str | None]
    description: NotRequired[str | None]
    event_counter: NotRequired[int]
    execution_config: TriggerExecutionConfig
    execution_count: NotRequired[int]
    internal_id: str
    last_condition_value: NotRequired[float | None]
    last_cooldown_at: NotRequired[str | None]
    last_execution_error: NotRequired[str | None]
    last_execution_job_id: NotRequired[str | None]
    last_execution_status: NotRequired[str | None]
    last_triggered_at: NotRequired[str | None]
    namespace_id: str
    next_scheduled_at: NotRequired[str | None]
    schedule_config: dict[str, Any]
    status: TriggerStatus
    trigger_id: str
    trigger_type: TriggerType
    updated_at: str


class CreateClusterTriggerRequest(TypedDict):
    cluster_id: NotRequired[str | None]
    description: NotRequired[str | None]
    execution_config: NotRequired[TriggerExecutionConfig | None]
    schedule_config: dict[str, Any]
    status: NotRequired[TriggerStatus]
    trigger_type: TriggerType


class CreateTriggerRequest(TypedDict):
    action_config: dict[str, Any]
    action_type: Action
    description: NotRequired[str | None]
    schedule_config: dict[str, Any]
    status: NotRequired[TriggerStatus]
    trigger_type: TriggerType


class ListClusterTriggersRequest(TypedDict):
    cluster_id: NotRequired[str | None]
    direction: NotRequired[Literal["asc", "desc"]]
    limit: NotRequired[int]
    offset: NotRequired[int]
    sort_by: NotRequired[str]
    status: NotRequired[TriggerStatus | None]
    trigger_type: NotRequired[TriggerType | None]


class ListClusterTriggersResponse(TypedDict):
    limit: int
    offset: int
    total: int
    triggers: list[ClusterTriggerModel]


class ListTriggersRequest(TypedDict):
    action_type: NotRequired[Action | None]
    direction: NotRequired[Literal["asc", "desc"]]
    limit: NotRequired[int]
    offset: NotRequired[int]
    resource_id: NotRequired[str | None]
    sort_by: NotRequired[str]
    status: NotRequired[TriggerStatus | None]
    trigger_type: NotRequired[TriggerType | None]


class ListTriggersResponse(TypedDict):
    limit: int
    offset: int
    total: int
    triggers: list[TriggerModel]


class TriggerExecutionConfig(TypedDict):
    collection_ids: list[str]
    config: dict[str, Any]


class TriggerExecutionHistory(TypedDict):
    error: NotRequired[str | None]
    execution_time_ms: NotRequired[int | None]
    scheduled_at: str
    status: str
    task_id: str
    triggered_at: str


class TriggerExecutionHistoryItem(TypedDict):
    error: NotRequired[str | None]
    execution_time_ms: NotRequired[int | None]
    job_id: str
    num_clusters: NotRequired[int | None]
    num_documents: NotRequired[int | None]
    run_id: str
    status: str
    triggered_at: str


class TriggerHistoryRequest(TypedDict):
    limit: NotRequired[int]
    offset: NotRequired[int]
    status_filter: NotRequired[Literal["pending", "processing", "completed", "failed", "canceled"] | None]


class TriggerHistoryResponse(TypedDict):
    executions: list[TriggerExecutionHistory]
    limit: int
    offset: int
    total: int
    trigger_id: str


class TriggerModel(TypedDict):
    action_config: dict[str, Any]
    action_type: Action
    baseline_snapshot: NotRequired[dict[str, Any] | None]
    consecutive_failures: NotRequired[int]
    created_at: str
    created_by: NotRequired[str | None]
    description: NotRequired[str | None]
    event_counter: NotRequired[int]
    execution_count: NotRequired[int]
    internal_id: str
    last_condition_check_at: NotRequired[str | None]
    last_cooldown_at: NotRequired[str | None]
    last_drift_measurement: NotRequired[dict[str, Any] | None]
    last_execution_error: NotRequired[str | None]
    last_execution_status: NotRequired[str | None]
    last_execution_task_id: NotRequired[str | None]
    last_triggered_at: NotRequired[str | None]
    namespace_id: str
    next_scheduled_at: NotRequired[str | None]
    schedule_config: dict[str, Any]
    status: TriggerStatus
    trigger_id: str
    trigger_type: TriggerType
    updated_at: str


TriggerStatus: TypeAlias = Literal["active", "paused", "disabled", "failed"]

TriggerType: TypeAlias = Literal["cron", "interval", "event", "conditional"]


class UpdateClusterTriggerRequest(TypedDict):
    description: NotRequired[str | None]
    schedule_config: NotRequired[dict[str, Any] | None]
    status: NotRequired[TriggerStatus | None]


class UpdateTriggerRequest(TypedDict):
    description: NotRequired[str | None]
    schedule_config: NotRequired[dict[str, Any] | None]
    status: NotRequired[TriggerStatus | None]
