# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `published`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_published import (
        OrganizationPublishStatsResponse,
        PublicNameAvailabilityResponse,
        PublishedList,
        PublishedRetriever,
        PublishedRetrieverResponse,
        PublishRetrieverRequest,
        PublishRetrieverResponse,
        UpdatePublishedRetrieverRequest,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Published(Noun):
    def get_publish_stats(self) -> OrganizationPublishStatsResponse:
        """How many retrievers the organisation has published, and how many it may."""
        return self._ask(Call("GET", "/retrievers/publish/stats"))

    def list(self, *, limit: int | None = None, offset: int | None = None) -> PublishedList:
        """The namespace's published retrievers, newest first."""
        return self._ask(Call("GET", "/retrievers/published", query={"limit": limit, "offset": offset}))

    def unpublish(self, retriever_id: str) -> GenericDeleteResponse:
        """Close it to the public at once; its name is free again, and its executions' records stay."""
        return self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}/publish"))

    def get(self, retriever_id: str) -> PublishedRetrieverResponse:
        """How a retriever is published; 404 where it is not."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/publish"))

    def update(self, retriever_id: str, **body: Unpack[UpdatePublishedRetrieverRequest]) -> PublishedRetriever:
        """Change what is sent; its public name and key stay."""
        return self._ask(Call("PATCH", f"/retrievers/{part(retriever_id)}/publish", body=body))

    def publish(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[PublishRetrieverRequest]
    ) -> PublishRetrieverResponse:
        """Open a retriever to everybody under a name of its own. Only its exposed fields leave."""
        return self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/publish", body=body, key=idempotency_key or "")
        )

    def check_name_availability(self, retriever_id: str, *, name: str | None = None) -> PublicNameAvailabilityResponse:
        """Whether a public name is still free on this server."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/publish/availability", query={"name": name}))


class AsyncPublished(AsyncNoun):
    async def get_publish_stats(self) -> OrganizationPublishStatsResponse:
        """How many retrievers the organisation has published, and how many it may."""
        return await self._ask(Call("GET", "/retrievers/publish/stats"))

    async def list(self, *, limit: int | None = None, offset: int | None = None) -> PublishedList:
        """The namespace's published retrievers, newest first."""
        return await self._ask(Call("GET", "/retrievers/published", query={"limit": limit, "offset": offset}))

    async def unpublish(self, retriever_id: str) -> GenericDeleteResponse:
        """Close it to the public at once; its name is free again, and its executions' records stay."""
        return await self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}/publish"))

    async def get(self, retriever_id: str) -> PublishedRetrieverResponse:
        """How a retriever is published; 404 where it is not."""
        return await self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/publish"))

    async def update(self, retriever_id: str, **body: Unpack[UpdatePublishedRetrieverRequest]) -> PublishedRetriever:
        """Change what is sent; its public name and key stay."""
        return await self._ask(Call("PATCH", f"/retrievers/{part(retriever_id)}/publish", body=body))

    async def publish(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[PublishRetrieverRequest]
    ) -> PublishRetrieverResponse:
        """Open a retriever to everybody under a name of its own. Only its exposed fields leave."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/publish", body=body, key=idempotency_key or "")
        )

    async def check_name_availability(
        self, retriever_id: str, *, name: str | None = None
    ) -> PublicNameAvailabilityResponse:
        """Whether a public name is still free on this server."""
        return await self._ask(
            Call("GET", f"/retrievers/{part(retriever_id)}/publish/availability", query={"name": name})
        )
