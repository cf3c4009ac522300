# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `discovery`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tamis.client.calls import Call
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_discovery import (
        DiscoveryResponse,
        ExtractorDiscovery,
        ManifestSchemaDiscovery,
        StageDiscovery,
    )


class Discovery(Noun):
    def discover(self) -> DiscoveryResponse:
        """Everything that this server can do. Open to all: it holds nobody's data."""
        return self._ask(Call("GET", "/discovery"))

    def list_extractors(self) -> Sequence[ExtractorDiscovery]:
        """The feature extractors of this server."""
        return self._ask(Call("GET", "/discovery/extractors"))

    def get_schema(self) -> ManifestSchemaDiscovery:
        """What each kind of resource is created from, as JSON schemas, and what has to be there before it."""
        return self._ask(Call("GET", "/discovery/schema"))

    def list_stages(self) -> Sequence[StageDiscovery]:
        """The retriever stages of this server, with parameters that are right."""
        return self._ask(Call("GET", "/discovery/stages"))


class AsyncDiscovery(AsyncNoun):
    async def discover(self) -> DiscoveryResponse:
        """Everything that this server can do. Open to all: it holds nobody's data."""
        return await self._ask(Call("GET", "/discovery"))

    async def list_extractors(self) -> Sequence[ExtractorDiscovery]:
        """The feature extractors of this server."""
        return await self._ask(Call("GET", "/discovery/extractors"))

    async def get_schema(self) -> ManifestSchemaDiscovery:
        """What each kind of resource is created from, as JSON schemas, and what has to be there before it."""
        return await self._ask(Call("GET", "/discovery/schema"))

    async def list_stages(self) -> Sequence[StageDiscovery]:
        """The retriever stages of this server, with parameters that are right."""
        return await self._ask(Call("GET", "/discovery/stages"))
