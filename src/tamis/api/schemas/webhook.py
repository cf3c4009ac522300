"""Webhooks on the wire."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic import ValidationError as Invalid

from tamis.api.paging import ListRequest
from tamis.api.schemas.page import PaginationResponse
from tamis.errors import NotBuiltError, ValidationError
from tamis.model.webhook import Delivery, DeliveryStatus, Target, Webhook
from tamis.services.access.webhooks import WebhookDraft

WebhookEventType = Literal[
    "object.created", "object.updated", "object.deleted", "collection.created", "collection.updated",
    "collection.deleted", "collection.documents.written", "cluster.created", "cluster.updated", "cluster.deleted",
    "cluster.execution.started", "cluster.execution.completed", "cluster.execution.failed", "trigger.created",
    "trigger.updated", "trigger.deleted", "trigger.paused", "trigger.resumed", "trigger.fired",
    "trigger.execution.completed", "trigger.execution.failed", "taxonomy.created", "alert.created", "alert.updated",
    "alert.deleted", "alert.triggered", "alert.execution.completed", "alert.execution.failed",
]  # fmt: skip
NotificationChannel = Literal["email", "slack", "webhook", "sms"]


class WebhookConfig(BaseModel):
    """headers: sent with each event; a value may name secrets, as `Bearer {{SECRET.name}}`."""

    headers: dict[str, str] = Field(default_factory=dict, max_length=50)
    payload_template: dict[str, Any] | None = None
    timeout: float = Field(10.0, gt=0, le=60)
    url: str = Field(..., min_length=1, max_length=2000)


class WebhookChannel(BaseModel):
    """Channels other than `webhook` are not built."""

    channel: NotificationChannel
    configs: dict[str, Any]


class WebhookInput(BaseModel):
    channels: list[WebhookChannel] = Field(..., min_length=1, max_length=10)
    event_types: list[WebhookEventType] = Field(..., min_length=1)
    is_active: bool = True
    webhook_name: str = Field(..., min_length=1, max_length=200)


class WebhookChannelOutput(BaseModel):
    channel: NotificationChannel
    configs: WebhookConfig


class WebhookOutput(BaseModel):
    channels: list[WebhookChannelOutput] = Field(..., min_length=1)
    created_at: datetime
    event_types: list[WebhookEventType] = Field(..., min_length=1)
    is_active: bool = True
    signing_secret: str = Field(description="What its events are signed with, for the receiver to check them by.")
    updated_at: datetime
    webhook_id: str = Field(..., pattern="^wh_[a-zA-Z0-9]{10}$")
    webhook_name: str = Field(..., min_length=1, max_length=200)


class ListWebhooksRequest(ListRequest):
    event_type: str | None = None
    is_active: bool | None = None


class ListWebhooksResponse(BaseModel):
    pagination: PaginationResponse
    results: list[WebhookOutput]
    total: int


class DeliveryModel(BaseModel):
    """An event on its way to one channel. attempts: so far; due_at: when it is tried next, or when it ended."""

    answered: int | None = Field(None, description="The receiver's last HTTP status.")
    attempts: int
    channel: int = Field(description="Its place in the webhook's channels, from 0.")
    data: dict[str, Any]
    delivery_id: str
    due_at: datetime
    ended_at: datetime | None = None
    error: str | None = None
    event_at: datetime
    event_id: str
    event_type: str
    namespace_id: str
    resource_id: str
    status: DeliveryStatus


class ListDeliveriesResponse(BaseModel):
    pagination: PaginationResponse
    results: list[DeliveryModel]
    total: int


class ReplayDeliveriesRequest(BaseModel):
    delivery_ids: list[str] | None = Field(None, min_length=1, max_length=1000, description="None: all that failed.")


class ReplayDeliveriesResponse(BaseModel):
    replayed: int


def read_webhook(body: WebhookInput) -> WebhookDraft:
    """Raises: ValidationError, NotBuiltError."""
    return WebhookDraft(
        body.webhook_name,
        tuple(dict.fromkeys(body.event_types)),
        tuple(_target(place, one) for place, one in enumerate(body.channels)),
        body.is_active,
    )


def _target(place: int, channel: WebhookChannel) -> Target:
    if channel.channel != "webhook":
        raise NotBuiltError(f"the channel {channel.channel!r} is not built; a webhook can be told over HTTP: 'webhook'")
    try:
        config = WebhookConfig.model_validate(channel.configs)
    except Invalid as error:
        first = error.errors()[0]
        raise ValidationError.at(["body", "channels", place, "configs", *first["loc"]], first["msg"]) from None
    if config.payload_template is not None:
        raise NotBuiltError("payload_template is not built: events have one shape")
    return Target(config.url, config.headers, config.timeout)


def show_webhook(webhook: Webhook, signing_secret: str) -> WebhookOutput:
    channels = [
        WebhookChannelOutput(
            channel="webhook", configs=WebhookConfig(url=one.url, headers=dict(one.headers), timeout=one.timeout_s)
        )
        for one in webhook.targets
    ]
    return WebhookOutput.model_validate(
        {
            "webhook_id": webhook.webhook_id,
            "webhook_name": webhook.name,
            "event_types": webhook.event_types,
            "channels": channels,
            "is_active": webhook.is_active,
            "signing_secret": signing_secret,
            "created_at": webhook.created_at,
            "updated_at": webhook.updated_at,
        }
    )


def show_delivery(delivery: Delivery) -> DeliveryModel:
    event = delivery.event
    return DeliveryModel(
        answered=delivery.answered,
        attempts=delivery.attempts,
        channel=delivery.target,
        data=dict(event.data),
        delivery_id=delivery.delivery_id,
        due_at=delivery.due_at,
        ended_at=delivery.ended_at,
        error=delivery.error,
        event_at=event.at,
        event_id=event.event_id,
        event_type=event.event_type,
        namespace_id=event.namespace_id,
        resource_id=event.resource_id,
        status=delivery.status,
    )
