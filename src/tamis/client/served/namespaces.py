# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `namespaces`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_namespaces import (
        CreateNamespaceRequest,
        ListNamespacesRequest,
        ListNamespacesResponse,
        NamespaceModel,
        PatchNamespaceRequest,
        UpdateNamespaceRequest,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Namespaces(Noun):
    def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateNamespaceRequest]) -> NamespaceModel:
        """Make a namespace; it is ready when this answers."""
        return self._ask(Call("POST", "/namespaces", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListNamespacesRequest]) -> ListNamespacesResponse:
        """The organisation's namespaces, newest first where no order is asked for."""
        return self._ask(Call("POST", "/namespaces/list", body=body, is_reading=True))

    def delete(self, namespace_identifier: str) -> GenericDeleteResponse:
        """Delete a namespace and everything in it: buckets, files, collections, documents, retrievers, executions."""
        return self._ask(Call("DELETE", f"/namespaces/{part(namespace_identifier)}"))

    def get(self, namespace_identifier: str) -> NamespaceModel:
        """A namespace by id or name."""
        return self._ask(Call("GET", f"/namespaces/{part(namespace_identifier)}"))

    def patch(self, namespace_identifier: str, **body: Unpack[PatchNamespaceRequest]) -> NamespaceModel:
        """Change the fields that are sent."""
        return self._ask(Call("PATCH", f"/namespaces/{part(namespace_identifier)}", body=body))

    def update(self, namespace_identifier: str, **body: Unpack[UpdateNamespaceRequest]) -> NamespaceModel:
        """Replace the name or the payload indexes."""
        return self._ask(Call("PUT", f"/namespaces/{part(namespace_identifier)}", body=body))


class AsyncNamespaces(AsyncNoun):
    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateNamespaceRequest]
    ) -> NamespaceModel:
        """Make a namespace; it is ready when this answers."""
        return await self._ask(Call("POST", "/namespaces", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListNamespacesRequest]) -> ListNamespacesResponse:
        """The organisation's namespaces, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/namespaces/list", body=body, is_reading=True))

    async def delete(self, namespace_identifier: str) -> GenericDeleteResponse:
        """Delete a namespace and everything in it: buckets, files, collections, documents, retrievers, executions."""
        return await self._ask(Call("DELETE", f"/namespaces/{part(namespace_identifier)}"))

    async def get(self, namespace_identifier: str) -> NamespaceModel:
        """A namespace by id or name."""
        return await self._ask(Call("GET", f"/namespaces/{part(namespace_identifier)}"))

    async def patch(self, namespace_identifier: str, **body: Unpack[PatchNamespaceRequest]) -> NamespaceModel:
        """Change the fields that are sent."""
        return await self._ask(Call("PATCH", f"/namespaces/{part(namespace_identifier)}", body=body))

    async def update(self, namespace_identifier: str, **body: Unpack[UpdateNamespaceRequest]) -> NamespaceModel:
        """Replace the name or the payload indexes."""
        return await self._ask(Call("PUT", f"/namespaces/{part(namespace_identifier)}", body=body))
