"""Triggers on the wire."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.trigger import Action, Firing, Trigger, TriggerStatus, TriggerType
from tamis.services.learning.triggers import TriggerChange, TriggerDraft, TriggerQuery


class CreateTriggerRequest(BaseModel):
    """action_config: by action_type; schedule_config: by trigger_type; as docs/automation.md lists them."""

    action_type: Action
    action_config: dict[str, Any]
    trigger_type: TriggerType
    schedule_config: dict[str, Any]
    description: str | None = Field(None, max_length=2_000)
    status: TriggerStatus = TriggerStatus.ACTIVE

    def draft(self) -> TriggerDraft:
        return TriggerDraft(
            self.action_type, self.action_config, self.trigger_type, self.schedule_config, self.status, self.description
        )


class UpdateTriggerRequest(BaseModel):
    schedule_config: dict[str, Any] | None = None
    status: TriggerStatus | None = None
    description: str | None = Field(None, max_length=2_000)

    def change(self) -> TriggerChange:
        return TriggerChange(self.schedule_config, self.status, self.description)


class TriggerModel(BaseModel):
    action_config: dict[str, Any]
    action_type: Action
    baseline_snapshot: dict[str, Any] | None = Field(
        None, description="Null: drift is measured from the mean that the cluster's last run keeps."
    )
    consecutive_failures: int = 0
    created_at: datetime
    created_by: str | None = None
    description: str | None = None
    event_counter: int = 0
    execution_count: int = 0
    internal_id: str
    last_condition_check_at: datetime | None = Field(None, description="Null: it is looked at again and again.")
    last_cooldown_at: datetime | None = None
    last_drift_measurement: dict[str, Any] | None = Field(
        None, description="What its condition came to when it was last looked at, as `value`."
    )
    last_execution_error: str | None = None
    last_execution_status: str | None = None
    last_execution_task_id: str | None = None
    last_triggered_at: datetime | None = None
    namespace_id: str
    next_scheduled_at: datetime | None = None
    schedule_config: dict[str, Any]
    status: TriggerStatus
    trigger_id: str
    trigger_type: TriggerType
    updated_at: datetime


class ListTriggersRequest(BaseModel):
    action_type: Action | None = None
    resource_id: str | None = Field(None, description="The id of a cluster, taxonomy or collection.")
    status: TriggerStatus | None = None
    trigger_type: TriggerType | None = None
    sort_by: str = "created_at"
    direction: Literal["asc", "desc"] = "desc"
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0)

    def query(self) -> TriggerQuery:
        return TriggerQuery(
            self.action_type, self.resource_id, self.status, self.trigger_type, self.sort_by, self.direction == "desc",
            self.limit, self.offset,
        )  # fmt: skip


class ListTriggersResponse(BaseModel):
    triggers: list[TriggerModel]
    total: int
    limit: int
    offset: int


class TriggerExecutionHistory(BaseModel):
    error: str | None = None
    execution_time_ms: int | None = None
    scheduled_at: datetime = Field(description="For when it was due.")
    status: str
    task_id: str
    triggered_at: datetime


class TriggerHistoryResponse(BaseModel):
    executions: list[TriggerExecutionHistory]
    total: int
    limit: int
    offset: int
    trigger_id: str


def show_trigger(trigger: Trigger, principal: Principal) -> TriggerModel:
    is_active = trigger.status is TriggerStatus.ACTIVE
    return TriggerModel(
        action_config=dict(trigger.config),
        action_type=trigger.action,
        consecutive_failures=trigger.failures,
        created_at=trigger.created_at,
        created_by=trigger.created_by or None,
        description=trigger.description,
        event_counter=trigger.counted,
        execution_count=trigger.fired,
        internal_id=principal.organization_id,
        last_cooldown_at=trigger.last_fired_at if "cooldown_seconds" in trigger.schedule else None,
        last_drift_measurement=None if trigger.measured is None else {"value": trigger.measured},
        last_execution_error=trigger.last_error,
        last_execution_status=trigger.last_status,
        last_execution_task_id=trigger.last_task_id,
        last_triggered_at=trigger.last_fired_at,
        namespace_id=principal.namespace_id,
        next_scheduled_at=trigger.due_at if is_active else None,
        schedule_config=dict(trigger.schedule),
        status=trigger.status,
        trigger_id=trigger.trigger_id,
        trigger_type=trigger.type,
        updated_at=trigger.updated_at,
    )


def show_history(trigger_id: str, page: Page[Firing]) -> TriggerHistoryResponse:
    return TriggerHistoryResponse(
        executions=[_show_firing(one) for one in page.items],
        total=page.total,
        limit=page.limit,
        offset=page.offset,
        trigger_id=trigger_id,
    )


def _show_firing(firing: Firing) -> TriggerExecutionHistory:
    took = None if firing.ended_at is None else firing.ended_at - firing.fired_at
    return TriggerExecutionHistory(
        error=firing.error,
        execution_time_ms=None if took is None else round(took.total_seconds() * 1000),
        scheduled_at=firing.moment,
        status=firing.status.value.lower(),
        task_id=firing.task_id,
        triggered_at=firing.fired_at,
    )
