# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `health`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tamis.client.calls import Call
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_health import HealthCheckResponse


class Health(Noun):
    def healthcheck(self, *, deep: bool | None = None, metrics: bool | None = None) -> HealthCheckResponse:
        """How each part is. `deep` also runs the embedding model, `metrics` adds what the parts say of themselves."""
        return self._ask(Call("GET", "/health", query={"deep": deep, "metrics": metrics}))


class AsyncHealth(AsyncNoun):
    async def healthcheck(self, *, deep: bool | None = None, metrics: bool | None = None) -> HealthCheckResponse:
        """How each part is. `deep` also runs the embedding model, `metrics` adds what the parts say of themselves."""
        return await self._ask(Call("GET", "/health", query={"deep": deep, "metrics": metrics}))
