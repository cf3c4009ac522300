# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `resources`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_resources import SearchRequest, SearchResponse


class Resources(Noun):
    def search(self, **body: Unpack[SearchRequest]) -> SearchResponse:
        """The namespace's resources, and the organisation's namespaces, by words of what is said of them."""
        return self._ask(Call("POST", "/resources/search", body=body, is_reading=True))


class AsyncResources(AsyncNoun):
    async def search(self, **body: Unpack[SearchRequest]) -> SearchResponse:
        """The namespace's resources, and the organisation's namespaces, by words of what is said of them."""
        return await self._ask(Call("POST", "/resources/search", body=body, is_reading=True))
