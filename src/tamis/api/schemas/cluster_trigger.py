"""Triggers of clusters on the wire."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from tamis.api.schemas.cluster import ClusteringAlgorithm, VectorBasedConfig
from tamis.api.schemas.cluster_wire import duration_s, read_vector
from tamis.errors import ValidationError
from tamis.model.cluster import Cluster, ClusterRun, ClusterType
from tamis.model.principal import Principal
from tamis.model.trigger import TriggerStatus, TriggerType
from tamis.services.learning.cluster_design import ClusterDraft
from tamis.services.learning.cluster_triggers import ClusterTriggerDetails, ClusterTriggerDraft
from tamis.services.learning.triggers import TriggerChange, TriggerQuery

_OTHER_NAMES = {"hierarchical": "agglomerative"}
_BESIDE = ("sample_size", "feature_uri", "feature_uris", "metric", "projection")


class TriggerExecutionConfig(BaseModel):
    collection_ids: list[str] = Field(min_length=1, max_length=100)
    config: dict[str, Any] = Field(
        description="`algorithm`, and beside it the algorithm's own parameters, `feature_uris`, `sample_size`."
    )


class CreateClusterTriggerRequest(BaseModel):
    """schedule_config: by trigger_type, as docs/clusters.md lists it."""

    trigger_type: TriggerType
    schedule_config: dict[str, Any]
    cluster_id: str | None = None
    execution_config: TriggerExecutionConfig | None = None
    description: str | None = Field(None, max_length=2_000)
    status: TriggerStatus = TriggerStatus.ACTIVE


class UpdateClusterTriggerRequest(BaseModel):
    schedule_config: dict[str, Any] | None = None
    status: TriggerStatus | None = None
    description: str | None = Field(None, max_length=2_000)

    def change(self) -> TriggerChange:
        return TriggerChange(self.schedule_config, self.status, self.description)


class ClusterTriggerModel(BaseModel):
    cluster_id: str | None = None
    consecutive_failures: int = 0
    created_at: datetime
    created_by: str | None = None
    description: str | None = None
    event_counter: int = 0
    execution_config: TriggerExecutionConfig
    execution_count: int = 0
    internal_id: str
    last_condition_value: float | None = Field(
        None, description="What the condition came to when it was last looked at."
    )
    last_cooldown_at: datetime | None = None
    last_execution_error: str | None = None
    last_execution_job_id: str | None = None
    last_execution_status: str | None = None
    last_triggered_at: datetime | None = None
    namespace_id: str
    next_scheduled_at: datetime | None = None
    schedule_config: dict[str, Any]
    status: TriggerStatus
    trigger_id: str
    trigger_type: TriggerType
    updated_at: datetime


class ListClusterTriggersRequest(BaseModel):
    cluster_id: str | None = None
    status: TriggerStatus | None = None
    trigger_type: TriggerType | None = None
    sort_by: str = "created_at"
    direction: Literal["asc", "desc"] = "desc"
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0)

    def query(self) -> TriggerQuery:
        """But for the cluster, which the service finds."""
        return TriggerQuery(
            status=self.status, type=self.trigger_type, sort_by=self.sort_by, is_descending=self.direction == "desc",
            limit=self.limit, offset=self.offset,
        )  # fmt: skip


class ListClusterTriggersResponse(BaseModel):
    triggers: list[ClusterTriggerModel]
    total: int
    limit: int
    offset: int


class TriggerHistoryRequest(BaseModel):
    status_filter: Literal["pending", "processing", "completed", "failed", "canceled"] | None = None
    limit: int = Field(50, ge=1, le=1000)
    offset: int = Field(0, ge=0)


class TriggerExecutionHistoryItem(BaseModel):
    error: str | None = None
    execution_time_ms: int | None = None
    job_id: str
    num_clusters: int | None = None
    num_documents: int | None = None
    run_id: str
    status: str
    triggered_at: datetime


class ClusterTriggerHistoryResponse(BaseModel):
    executions: list[TriggerExecutionHistoryItem]
    total: int
    limit: int
    offset: int
    trigger_id: str


def read_trigger(body: CreateClusterTriggerRequest) -> ClusterTriggerDraft:
    """Raises: ValidationError naming the place."""
    config = body.execution_config
    return ClusterTriggerDraft(
        body.trigger_type,
        body.schedule_config,
        body.cluster_id,
        _own(config) if config is not None and body.cluster_id is None else None,
        body.status,
        body.description,
    )


def _own(execution: TriggerExecutionConfig) -> ClusterDraft:
    place: list[str | int] = ["body", "execution_config", "config"]
    config = dict(execution.config)
    named = config.pop("algorithm", None)
    algorithm = _OTHER_NAMES.get(str(named), named)
    if algorithm not in [one.value for one in ClusteringAlgorithm if one.algorithm is not None]:
        known = ", ".join(one.value for one in ClusteringAlgorithm if one.algorithm is not None)
        raise ValidationError.at([*place, "algorithm"], f"one of {known}")
    beside = {name: config.pop(name) for name in _BESIDE if name in config}
    try:
        vector = VectorBasedConfig.model_validate(
            {"clustering_method": algorithm, "algorithm_params": config, **beside}
        )
    except ValueError as error:
        raise ValidationError.at(place, str(error).splitlines()[-1].strip()) from None
    return ClusterDraft(ClusterType.VECTOR, tuple(execution.collection_ids), vector=read_vector(vector))


def show_trigger(details: ClusterTriggerDetails, principal: Principal) -> ClusterTriggerModel:
    trigger = details.trigger
    return ClusterTriggerModel(
        cluster_id=trigger.resource_id,
        consecutive_failures=trigger.failures,
        created_at=trigger.created_at,
        created_by=trigger.created_by or None,
        description=trigger.description,
        event_counter=trigger.counted,
        execution_config=_executed(details.cluster, trigger.collection_ids),
        execution_count=trigger.fired,
        internal_id=principal.organization_id,
        last_condition_value=trigger.measured,
        last_cooldown_at=trigger.last_fired_at if "cooldown_seconds" in trigger.schedule else None,
        last_execution_error=trigger.last_error,
        last_execution_job_id=trigger.last_task_id,
        last_execution_status=trigger.last_status,
        last_triggered_at=trigger.last_fired_at,
        namespace_id=principal.namespace_id,
        next_scheduled_at=trigger.due_at if trigger.status is TriggerStatus.ACTIVE else None,
        schedule_config=dict(trigger.schedule),
        status=trigger.status,
        trigger_id=trigger.trigger_id,
        trigger_type=trigger.type,
        updated_at=trigger.updated_at,
    )


def _executed(cluster: Cluster | None, collection_ids: tuple[str, ...]) -> TriggerExecutionConfig:
    if cluster is None:
        return TriggerExecutionConfig(collection_ids=[*collection_ids], config={})
    vector, attribute = cluster.vector, cluster.attribute
    config: dict[str, Any] = {"algorithm": vector.algorithm if vector else "attribute_based"}
    if vector is not None:
        config |= {**vector.parameters, "feature_uris": [*vector.features]}
    elif attribute is not None:
        config["attributes"] = [*attribute.attributes]
    return TriggerExecutionConfig(collection_ids=[*cluster.collection_ids], config=config)


def show_history(run: ClusterRun) -> TriggerExecutionHistoryItem:
    took_s = duration_s(run)
    return TriggerExecutionHistoryItem(
        error=run.error,
        execution_time_ms=None if took_s is None else round(took_s * 1000),
        job_id=run.task_id,
        num_clusters=run.count if run.status.is_final else None,
        num_documents=run.points if run.status.is_final else None,
        run_id=run.run_id,
        status=run.status.value,
        triggered_at=run.created_at,
    )
