# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `alerts`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_alerts import (
        AlertExecutionListResponse,
        AlertResponse,
        CreateAlertRequest,
        ExecuteAlertRequest,
        ListAlertsRequest,
        ListAlertsResponse,
        PatchAlertRequest,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse
    from tamis.client.served.types_tasks import TaskResponse


class Alerts(Noun):
    def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateAlertRequest]) -> AlertResponse:
        """Name a saved retriever and who is told; collections apply it by their `alert_applications`."""
        return self._ask(Call("POST", "/alerts", body=body, key=idempotency_key or ""))

    def list_all_executions(self, *, limit: int | None = None, offset: int | None = None) -> AlertExecutionListResponse:
        """What every alert of the namespace came to, newest first."""
        return self._ask(Call("GET", "/alerts/executions", query={"limit": limit, "offset": offset}))

    def list(self, **body: Unpack[ListAlertsRequest]) -> ListAlertsResponse:
        """The namespace's alerts, newest first where no order is asked for."""
        return self._ask(Call("POST", "/alerts/list", body=body, is_reading=True))

    def delete(self, alert_identifier: str) -> GenericDeleteResponse:
        """With what it came to; the records of its executions stay."""
        return self._ask(Call("DELETE", f"/alerts/{part(alert_identifier)}"))

    def get(self, alert_identifier: str) -> AlertResponse:
        """An alert by id or name."""
        return self._ask(Call("GET", f"/alerts/{part(alert_identifier)}"))

    def patch(self, alert_identifier: str, **body: Unpack[PatchAlertRequest]) -> AlertResponse:
        """Change what is asked, who is told, what it may spend; or switch it off."""
        return self._ask(Call("PATCH", f"/alerts/{part(alert_identifier)}", body=body))

    def execute(
        self, alert_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[ExecuteAlertRequest]
    ) -> TaskResponse:
        """Ask for documents that are there already; a task tells how far it is, and goes on after a crash."""
        return self._ask(
            Call("POST", f"/alerts/{part(alert_identifier)}/execute", body=body, key=idempotency_key or "")
        )

    def list_executions(
        self, alert_identifier: str, *, limit: int | None = None, offset: int | None = None
    ) -> AlertExecutionListResponse:
        """What it came to for each document, newest first: the newest ten thousand are kept."""
        return self._ask(
            Call("GET", f"/alerts/{part(alert_identifier)}/executions", query={"limit": limit, "offset": offset})
        )


class AsyncAlerts(AsyncNoun):
    async def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateAlertRequest]) -> AlertResponse:
        """Name a saved retriever and who is told; collections apply it by their `alert_applications`."""
        return await self._ask(Call("POST", "/alerts", body=body, key=idempotency_key or ""))

    async def list_all_executions(
        self, *, limit: int | None = None, offset: int | None = None
    ) -> AlertExecutionListResponse:
        """What every alert of the namespace came to, newest first."""
        return await self._ask(Call("GET", "/alerts/executions", query={"limit": limit, "offset": offset}))

    async def list(self, **body: Unpack[ListAlertsRequest]) -> ListAlertsResponse:
        """The namespace's alerts, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/alerts/list", body=body, is_reading=True))

    async def delete(self, alert_identifier: str) -> GenericDeleteResponse:
        """With what it came to; the records of its executions stay."""
        return await self._ask(Call("DELETE", f"/alerts/{part(alert_identifier)}"))

    async def get(self, alert_identifier: str) -> AlertResponse:
        """An alert by id or name."""
        return await self._ask(Call("GET", f"/alerts/{part(alert_identifier)}"))

    async def patch(self, alert_identifier: str, **body: Unpack[PatchAlertRequest]) -> AlertResponse:
        """Change what is asked, who is told, what it may spend; or switch it off."""
        return await self._ask(Call("PATCH", f"/alerts/{part(alert_identifier)}", body=body))

    async def execute(
        self, alert_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[ExecuteAlertRequest]
    ) -> TaskResponse:
        """Ask for documents that are there already; a task tells how far it is, and goes on after a crash."""
        return await self._ask(
            Call("POST", f"/alerts/{part(alert_identifier)}/execute", body=body, key=idempotency_key or "")
        )

    async def list_executions(
        self, alert_identifier: str, *, limit: int | None = None, offset: int | None = None
    ) -> AlertExecutionListResponse:
        """What it came to for each document, newest first: the newest ten thousand are kept."""
        return await self._ask(
            Call("GET", f"/alerts/{part(alert_identifier)}/executions", query={"limit": limit, "offset": offset})
        )
