# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `webhooks` sends and gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypeAlias, TypedDict

if TYPE_CHECKING:
    from tamis.client.served.types_shared import PaginationResponse


class DeliveryModel(TypedDict):
    answered: NotRequired[int | None]
    attempts: int
    channel: int
    data: dict[str, Any]
    delivery_id: str
    due_at: str
    ended_at: NotRequired[str | None]
    error: NotRequired[str | None]
    event_at: str
    event_id: str
    event_type: str
    namespace_id: str
    resource_id: str
    status: DeliveryStatus


DeliveryStatus: TypeAlias = Literal["waiting", "delivered", "failed"]


class ListDeliveriesResponse(TypedDict):
    pagination: PaginationResponse
    results: list[DeliveryModel]
    total: int


class ListWebhooksRequest(TypedDict):
    case_sensitive: NotRequired[bool]
    count_only: NotRequired[bool]
    cursor: NotRequired[str | None]
    event_type: NotRequired[str | None]
    filters: NotRequired[dict[str, Any] | list[Any] | None]
    is_active: NotRequired[bool | None]
    limit: NotRequired[int | None]
    offset: NotRequired[int | None]
    page: NotRequired[int | None]
    page_size: NotRequired[int | None]
    search: NotRequired[str | None]
    sort: NotRequired[dict[str, Any] | list[Any] | str | None]
    sorts: NotRequired[list[dict[str, Any]] | None]


class ListWebhooksResponse(TypedDict):
    pagination: PaginationResponse
    results: list[WebhookOutput]
    total: int


class ReplayDeliveriesRequest(TypedDict):
    delivery_ids: NotRequired[list[str] | None]


class ReplayDeliveriesResponse(TypedDict):
    replayed: int


class WebhookChannel(TypedDict):
    channel: Literal["email", "slack", "webhook", "sms"]
    configs: dict[str, Any]


class WebhookChannelOutput(TypedDict):
    channel: Literal["email", "slack", "webhook", "sms"]
    configs: WebhookConfig


class WebhookConfig(TypedDict):
    headers: NotRequired[dict[str, str]]
    payload_template: NotRequired[dict[str, Any] | None]
    timeout: NotRequired[float]
    url: str


class WebhookInput(TypedDict):
    channels: list[WebhookChannel]
    event_types: list[
        Literal[
            "object.created",
            "object.updated",
            "object.deleted",
            "collection.created",
            "collection.updated",
            "collection.deleted",
            "collection.documents.written",
            "cluster.created",
            "cluster.updated",
            "cluster.deleted",
            "cluster.execution.started",
            "cluster.execution.completed",
            "cluster.execution.failed",
            "trigger.created",
            "trigger.updated",
            "trigger.deleted",
            "trigger.paused",
            "trigger.resumed",
            "trigger.fired",
            "trigger.execution.completed",
            "trigger.execution.failed",
            "taxonomy.created",
            "alert.created",
            "alert.updated",
            "alert.deleted",
            "alert.triggered",
            "alert.execution.completed",
            "alert.execution.failed",
        ]
    ]
    is_active: NotRequired[bool]
    webhook_name: str


class WebhookOutput(TypedDict):
    channels: list[WebhookChannelOutput]
    created_at: str
    event_types: list[
        Literal[
            "object.created",
            "object.updated",
            "object.deleted",
            "collection.created",
            "collection.updated",
            "collection.deleted",
            "collection.documents.written",
            "cluster.created",
            "cluster.updated",
            "cluster.deleted",
            "cluster.execution.started",
            "cluster.execution.completed",
            "cluster.execution.failed",
            "trigger.created",
            "trigger.updated",
            "trigger.deleted",
            "trigger.paused",
            "trigger.resumed",
            "trigger.fired",
            "trigger.execution.completed",
            "trigger.execution.failed",
            "taxonomy.created",
            "alert.created",
            "alert.updated",
            "alert.deleted",
            "alert.triggered",
            "alert.execution.completed",
            "alert.execution.failed",
        ]
    ]
    is_active: NotRequired[bool]
    signing_secret: str
    updated_at: str
    webhook_id: str
    webhook_name: str
