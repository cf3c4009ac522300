# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `usage`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_usage import EndpointUsage, KeyUsageResponse, OrganizationUsageResponse


class Usage(Noun):
    def get_key(self, key_id: str, *, start: str | None = None, end: str | None = None) -> KeyUsageResponse:
        """Requests of one key by day, and when it was used last."""
        return self._ask(
            Call("GET", f"/organizations/api-keys/{part(key_id)}/usage", query={"start": start, "end": end})
        )

    def get_key_endpoints(
        self, key_id: str, *, start: str | None = None, end: str | None = None
    ) -> Sequence[EndpointUsage]:
        """What one key asked for, most asked first."""
        return self._ask(
            Call("GET", f"/organizations/api-keys/{part(key_id)}/usage/endpoints", query={"start": start, "end": end})
        )

    def get_organization(self, *, start: str | None = None, end: str | None = None) -> OrganizationUsageResponse:
        """Requests of all keys, exact to the last one answered, and what executions cost."""
        return self._ask(Call("GET", "/organizations/usage", query={"start": start, "end": end}))


class AsyncUsage(AsyncNoun):
    async def get_key(self, key_id: str, *, start: str | None = None, end: str | None = None) -> KeyUsageResponse:
        """Requests of one key by day, and when it was used last."""
        return await self._ask(
            Call("GET", f"/organizations/api-keys/{part(key_id)}/usage", query={"start": start, "end": end})
        )

    async def get_key_endpoints(
        self, key_id: str, *, start: str | None = None, end: str | None = None
    ) -> Sequence[EndpointUsage]:
        """What one key asked for, most asked first."""
        return await self._ask(
            Call("GET", f"/organizations/api-keys/{part(key_id)}/usage/endpoints", query={"start": start, "end": end})
        )

    async def get_organization(self, *, start: str | None = None, end: str | None = None) -> OrganizationUsageResponse:
        """Requests of all keys, exact to the last one answered, and what executions cost."""
        return await self._ask(Call("GET", "/organizations/usage", query={"start": start, "end": end}))
