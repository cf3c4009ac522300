# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `triggers`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_tasks import TaskResponse
    from tamis.client.served.types_triggers import (
        ClusterTriggerHistoryResponse,
        ClusterTriggerModel,
        CreateClusterTriggerRequest,
        CreateTriggerRequest,
        ListClusterTriggersRequest,
        ListClusterTriggersResponse,
        ListTriggersRequest,
        ListTriggersResponse,
        TriggerHistoryRequest,
        TriggerHistoryResponse,
        TriggerModel,
        UpdateClusterTriggerRequest,
        UpdateTriggerRequest,
    )


class Triggers(Noun):
    def create_cluster(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateClusterTriggerRequest]
    ) -> ClusterTriggerModel:
        """Run a cluster by itself: by cron, at an interval, after new documents, or when they drift away."""
        return self._ask(Call("POST", "/clusters/triggers", body=body, key=idempotency_key or ""))

    def list_cluster(self, **body: Unpack[ListClusterTriggersRequest]) -> ListClusterTriggersResponse:
        """The namespace's triggers of clusters."""
        return self._ask(Call("POST", "/clusters/triggers/list", body=body, is_reading=True))

    def delete_cluster(self, trigger_id: str) -> None:
        """It fires no more; the runs that it started stay."""
        self._ask(Call("DELETE", f"/clusters/triggers/{part(trigger_id)}"))

    def get_cluster(self, trigger_id: str) -> ClusterTriggerModel:
        """When it fires next, what it counted, and how the runs that it started went."""
        return self._ask(Call("GET", f"/clusters/triggers/{part(trigger_id)}"))

    def update_cluster(self, trigger_id: str, **body: Unpack[UpdateClusterTriggerRequest]) -> ClusterTriggerModel:
        """Change when it fires, or what it says of itself."""
        return self._ask(Call("PATCH", f"/clusters/triggers/{part(trigger_id)}", body=body))

    def get_cluster_history(
        self, trigger_id: str, *, idempotency_key: str | None = None, **body: Unpack[TriggerHistoryRequest]
    ) -> ClusterTriggerHistoryResponse:
        """The runs that it started, newest first, as far as their cluster keeps them."""
        return self._ask(
            Call("POST", f"/clusters/triggers/{part(trigger_id)}/history", body=body, key=idempotency_key or "")
        )

    def pause_cluster(self, trigger_id: str, *, idempotency_key: str | None = None) -> ClusterTriggerModel:
        """It fires no more until it is resumed; a run that it started goes on."""
        return self._ask(Call("POST", f"/clusters/triggers/{part(trigger_id)}/pause", key=idempotency_key or ""))

    def resume_cluster(self, trigger_id: str, *, idempotency_key: str | None = None) -> ClusterTriggerModel:
        """It begins its wait anew, also where it was stopped for failing."""
        return self._ask(Call("POST", f"/clusters/triggers/{part(trigger_id)}/resume", key=idempotency_key or ""))

    def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateTriggerRequest]) -> TriggerModel:
        """Run a cluster, apply a taxonomy or process a collection by itself: by cron, at an interval, after new
        documents, or by a condition.
        """
        return self._ask(Call("POST", "/triggers", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListTriggersRequest]) -> ListTriggersResponse:
        """The namespace's triggers, those of clusters among them."""
        return self._ask(Call("POST", "/triggers/list", body=body, is_reading=True))

    def delete(self, trigger_id: str) -> None:
        """It fires no more, and its history is gone; what it began goes on."""
        self._ask(Call("DELETE", f"/triggers/{part(trigger_id)}"))

    def get(self, trigger_id: str) -> TriggerModel:
        """When it fires next, what it counted, and how what it began last went."""
        return self._ask(Call("GET", f"/triggers/{part(trigger_id)}"))

    def update(self, trigger_id: str, **body: Unpack[UpdateTriggerRequest]) -> TriggerModel:
        """Change when it fires, or what it says of itself; for another action make another."""
        return self._ask(Call("PATCH", f"/triggers/{part(trigger_id)}", body=body))

    def execute(self, trigger_id: str, *, idempotency_key: str | None = None) -> TaskResponse:
        """Begin its work now, whatever its schedule and status; 409 while its work is under way."""
        return self._ask(Call("POST", f"/triggers/{part(trigger_id)}/execute", key=idempotency_key or ""))

    def get_history(
        self, trigger_id: str, *, limit: int | None = None, offset: int | None = None
    ) -> TriggerHistoryResponse:
        """The times that it fired, newest first, and how what it began ended: the newest thousand are kept."""
        return self._ask(Call("GET", f"/triggers/{part(trigger_id)}/history", query={"limit": limit, "offset": offset}))

    def pause(self, trigger_id: str, *, idempotency_key: str | None = None) -> TriggerModel:
        """It fires no more until it is resumed; what it began goes on."""
        return self._ask(Call("POST", f"/triggers/{part(trigger_id)}/pause", key=idempotency_key or ""))

    def resume(self, trigger_id: str, *, idempotency_key: str | None = None) -> TriggerModel:
        """It begins its wait anew, also where it was stopped for failing."""
        return self._ask(Call("POST", f"/triggers/{part(trigger_id)}/resume", key=idempotency_key or ""))


class AsyncTriggers(AsyncNoun):
    async def create_cluster(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateClusterTriggerRequest]
    ) -> ClusterTriggerModel:
        """Run a cluster by itself: by cron, at an interval, after new documents, or when they drift away."""
        return await self._ask(Call("POST", "/clusters/triggers", body=body, key=idempotency_key or ""))

    async def list_cluster(self, **body: Unpack[ListClusterTriggersRequest]) -> ListClusterTriggersResponse:
        """The namespace's triggers of clusters."""
        return await self._ask(Call("POST", "/clusters/triggers/list", body=body, is_reading=True))

    async def delete_cluster(self, trigger_id: str) -> None:
        """It fires no more; the runs that it started stay."""
        await self._ask(Call("DELETE", f"/clusters/triggers/{part(trigger_id)}"))

    async def get_cluster(self, trigger_id: str) -> ClusterTriggerModel:
        """When it fires next, what it counted, and how the runs that it started went."""
        return await self._ask(Call("GET", f"/clusters/triggers/{part(trigger_id)}"))

    async def update_cluster(self, trigger_id: str, **body: Unpack[UpdateClusterTriggerRequest]) -> ClusterTriggerModel:
        """Change when it fires, or what it says of itself."""
        return await self._ask(Call("PATCH", f"/clusters/triggers/{part(trigger_id)}", body=body))

    async def get_cluster_history(
        self, trigger_id: str, *, idempotency_key: str | None = None, **body: Unpack[TriggerHistoryRequest]
    ) -> ClusterTriggerHistoryResponse:
        """The runs that it started, newest first, as far as their cluster keeps them."""
        return await self._ask(
            Call("POST", f"/clusters/triggers/{part(trigger_id)}/history", body=body, key=idempotency_key or "")
        )

    async def pause_cluster(self, trigger_id: str, *, idempotency_key: str | None = None) -> ClusterTriggerModel:
        """It fires no more until it is resumed; a run that it started goes on."""
        return await self._ask(Call("POST", f"/clusters/triggers/{part(trigger_id)}/pause", key=idempotency_key or ""))

    async def resume_cluster(self, trigger_id: str, *, idempotency_key: str | None = None) -> ClusterTriggerModel:
        """It begins its wait anew, also where it was stopped for failing."""
        return await self._ask(Call("POST", f"/clusters/triggers/{part(trigger_id)}/resume", key=idempotency_key or ""))

    async def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateTriggerRequest]) -> TriggerModel:
        """Run a cluster, apply a taxonomy or process a collection by itself: by cron, at an interval, after new
        documents, or by a condition.
        """
        return await self._ask(Call("POST", "/triggers", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListTriggersRequest]) -> ListTriggersResponse:
        """The namespace's triggers, those of clusters among them."""
        return await self._ask(Call("POST", "/triggers/list", body=body, is_reading=True))

    async def delete(self, trigger_id: str) -> None:
        """It fires no more, and its history is gone; what it began goes on."""
        await self._ask(Call("DELETE", f"/triggers/{part(trigger_id)}"))

    async def get(self, trigger_id: str) -> TriggerModel:
        """When it fires next, what it counted, and how what it began last went."""
        return await self._ask(Call("GET", f"/triggers/{part(trigger_id)}"))

    async def update(self, trigger_id: str, **body: Unpack[UpdateTriggerRequest]) -> TriggerModel:
        """Change when it fires, or what it says of itself; for another action make another."""
        return await self._ask(Call("PATCH", f"/triggers/{part(trigger_id)}", body=body))

    async def execute(self, trigger_id: str, *, idempotency_key: str | None = None) -> TaskResponse:
        """Begin its work now, whatever its schedule and status; 409 while its work is under way."""
        return await self._ask(Call("POST", f"/triggers/{part(trigger_id)}/execute", key=idempotency_key or ""))

    async def get_history(
        self, trigger_id: str, *, limit: int | None = None, offset: int | None = None
    ) -> TriggerHistoryResponse:
        """The times that it fired, newest first, and how what it began ended: the newest thousand are kept."""
        return await self._ask(
            Call("GET", f"/triggers/{part(trigger_id)}/history", query={"limit": limit, "offset": offset})
        )

    async def pause(self, trigger_id: str, *, idempotency_key: str | None = None) -> TriggerModel:
        """It fires no more until it is resumed; what it began goes on."""
        return await self._ask(Call("POST", f"/triggers/{part(trigger_id)}/pause", key=idempotency_key or ""))

    async def resume(self, trigger_id: str, *, idempotency_key: str | None = None) -> TriggerModel:
        """It begins its wait anew, also where it was stopped for failing."""
        return await self._ask(Call("POST", f"/triggers/{part(trigger_id)}/resume", key=idempotency_key or ""))
