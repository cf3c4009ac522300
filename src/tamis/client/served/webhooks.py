# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `webhooks`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_webhooks import (
        DeliveryStatus,
        ListDeliveriesResponse,
        ListWebhooksRequest,
        ListWebhooksResponse,
        ReplayDeliveriesRequest,
        ReplayDeliveriesResponse,
        WebhookInput,
        WebhookOutput,
    )


class Webhooks(Noun):
    def create(self, *, idempotency_key: str | None = None, **body: Unpack[WebhookInput]) -> WebhookOutput:
        """Be told of events as they happen, signed, at least once, in the order of each resource."""
        return self._ask(Call("POST", "/organizations/webhooks/", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListWebhooksRequest]) -> ListWebhooksResponse:
        """The organisation's webhooks, newest first."""
        return self._ask(Call("POST", "/organizations/webhooks/list", body=body, is_reading=True))

    def delete(self, identifier: str) -> None:
        """Tell no more, and forget what was told."""
        self._ask(Call("DELETE", f"/organizations/webhooks/{part(identifier)}"))

    def get(self, identifier: str) -> WebhookOutput:
        """A webhook by id or name."""
        return self._ask(Call("GET", f"/organizations/webhooks/{part(identifier)}"))

    def update(self, identifier: str, **body: Unpack[WebhookInput]) -> WebhookOutput:
        """Put another in its place, under its id and with its signing secret. What waits goes to the new channels."""
        return self._ask(Call("PUT", f"/organizations/webhooks/{part(identifier)}", body=body))

    def list_deliveries(
        self,
        identifier: str,
        *,
        status: DeliveryStatus | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> ListDeliveriesResponse:
        """What it told, tells and failed to tell, newest first; what ended is kept for a month."""
        return self._ask(
            Call(
                "GET",
                f"/organizations/webhooks/{part(identifier)}/deliveries",
                query={"status": status, "limit": limit, "offset": offset},
            )
        )

    def replay_deliveries(
        self, identifier: str, *, idempotency_key: str | None = None, **body: Unpack[ReplayDeliveriesRequest]
    ) -> ReplayDeliveriesResponse:
        """Tell some once more, under the same event ids; without a list, all that failed."""
        return self._ask(
            Call(
                "POST",
                f"/organizations/webhooks/{part(identifier)}/deliveries/replay",
                body=body,
                key=idempotency_key or "",
            )
        )


class AsyncWebhooks(AsyncNoun):
    async def create(self, *, idempotency_key: str | None = None, **body: Unpack[WebhookInput]) -> WebhookOutput:
        """Be told of events as they happen, signed, at least once, in the order of each resource."""
        return await self._ask(Call("POST", "/organizations/webhooks/", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListWebhooksRequest]) -> ListWebhooksResponse:
        """The organisation's webhooks, newest first."""
        return await self._ask(Call("POST", "/organizations/webhooks/list", body=body, is_reading=True))

    async def delete(self, identifier: str) -> None:
        """Tell no more, and forget what was told."""
        await self._ask(Call("DELETE", f"/organizations/webhooks/{part(identifier)}"))

    async def get(self, identifier: str) -> WebhookOutput:
        """A webhook by id or name."""
        return await self._ask(Call("GET", f"/organizations/webhooks/{part(identifier)}"))

    async def update(self, identifier: str, **body: Unpack[WebhookInput]) -> WebhookOutput:
        """Put another in its place, under its id and with its signing secret. What waits goes to the new channels."""
        return await self._ask(Call("PUT", f"/organizations/webhooks/{part(identifier)}", body=body))

    async def list_deliveries(
        self,
        identifier: str,
        *,
        status: DeliveryStatus | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> ListDeliveriesResponse:
        """What it told, tells and failed to tell, newest first; what ended is kept for a month."""
        return await self._ask(
            Call(
                "GET",
                f"/organizations/webhooks/{part(identifier)}/deliveries",
                query={"status": status, "limit": limit, "offset": offset},
            )
        )

    async def replay_deliveries(
        self, identifier: str, *, idempotency_key: str | None = None, **body: Unpack[ReplayDeliveriesRequest]
    ) -> ReplayDeliveriesResponse:
        """Tell some once more, under the same event ids; without a list, all that failed."""
        return await self._ask(
            Call(
                "POST",
                f"/organizations/webhooks/{part(identifier)}/deliveries/replay",
                body=body,
                key=idempotency_key or "",
            )
        )
