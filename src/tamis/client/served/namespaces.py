# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `namespaces`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_namespaces import (
        CancelMigrationRequest,
        CancelMigrationResponse,
        CloneNamespaceRequest,
        CloneNamespaceResponse,
        CreateMigrationRequest,
        CreateMigrationResponse,
        CreateNamespaceRequest,
        Event,
        GetMigrationResponse,
        ListMigrationsRequest,
        ListMigrationsResponse,
        ListNamespacesRequest,
        ListNamespacesResponse,
        NamespaceModel,
        PatchNamespaceRequest,
        StartMigrationRequest,
        StartMigrationResponse,
        UpdateNamespaceRequest,
        ValidateMigrationRequest,
        ValidateMigrationResponse,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Namespaces(Noun):
    def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateNamespaceRequest]) -> NamespaceModel:
        """Make a namespace; it is ready when this answers."""
        return self._ask(Call("POST", "/namespaces", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListNamespacesRequest]) -> ListNamespacesResponse:
        """The organisation's namespaces, newest first where no order is asked for."""
        return self._ask(Call("POST", "/namespaces/list", body=body, is_reading=True))

    def create_migration(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateMigrationRequest]
    ) -> CreateMigrationResponse:
        """A draft, or one that begins at once."""
        return self._ask(Call("POST", "/namespaces/migrations/", body=body, key=idempotency_key or ""))

    def list_migrations(self, **body: Unpack[ListMigrationsRequest]) -> ListMigrationsResponse:
        """Of all namespaces, the newest first."""
        return self._ask(Call("POST", "/namespaces/migrations/list", body=body, is_reading=True))

    def validate_migration(
        self, *, idempotency_key: str | None = None, **body: Unpack[ValidateMigrationRequest]
    ) -> ValidateMigrationResponse:
        """What would go wrong, worked out to the switch itself; nothing is made."""
        return self._ask(Call("POST", "/namespaces/migrations/validate", body=body, key=idempotency_key or ""))

    def delete_migration(self, migration_id: str) -> None:
        """Forget a migration that is not under way; what it made stays."""
        self._ask(Call("DELETE", f"/namespaces/migrations/{part(migration_id)}"))

    def get_migration(self, migration_id: str) -> GetMigrationResponse:
        """A migration, and how far it is."""
        return self._ask(Call("GET", f"/namespaces/migrations/{part(migration_id)}"))

    def cancel_migration(
        self, migration_id: str, *, idempotency_key: str | None = None, **body: Unpack[CancelMigrationRequest]
    ) -> CancelMigrationResponse:
        """Take away what it has made; everything is as it was before it began."""
        return self._ask(
            Call("POST", f"/namespaces/migrations/{part(migration_id)}/cancel", body=body, key=idempotency_key or "")
        )

    def start_migration(
        self, migration_id: str, *, idempotency_key: str | None = None, **body: Unpack[StartMigrationRequest]
    ) -> StartMigrationResponse:
        """Begin a draft; it goes on after a crash, and searches notice nothing before it is whole."""
        return self._ask(
            Call("POST", f"/namespaces/migrations/{part(migration_id)}/start", body=body, key=idempotency_key or "")
        )

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

    def clone(
        self, namespace_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CloneNamespaceRequest]
    ) -> CloneNamespaceResponse:
        """Another namespace as this one is: what is defined, or deep with its objects and documents, by a task."""
        return self._ask(
            Call("POST", f"/namespaces/{part(namespace_identifier)}/clone", body=body, key=idempotency_key or "")
        )

    def follow(
        self,
        namespace_identifier: str,
        *,
        since: str | None = None,
        types: Sequence[str] | None = None,
        follow: bool | None = None,
        last_event_id: str | None = None,
    ) -> Generator[Event, None, None]:
        """Server-sent events: each change in the namespace, from now on or after the event that was seen last."""
        return self._events(
            Call(
                "GET",
                f"/namespaces/{part(namespace_identifier)}/events",
                query={"since": since, "types": types, "follow": follow},
                headers={"last-event-id": last_event_id},
            )
        )


class AsyncNamespaces(AsyncNoun):
    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateNamespaceRequest]
    ) -> NamespaceModel:
        """Make a namespace; it is ready when this answers."""
        return await self._ask(Call("POST", "/namespaces", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListNamespacesRequest]) -> ListNamespacesResponse:
        """The organisation's namespaces, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/namespaces/list", body=body, is_reading=True))

    async def create_migration(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateMigrationRequest]
    ) -> CreateMigrationResponse:
        """A draft, or one that begins at once."""
        return await self._ask(Call("POST", "/namespaces/migrations/", body=body, key=idempotency_key or ""))

    async def list_migrations(self, **body: Unpack[ListMigrationsRequest]) -> ListMigrationsResponse:
        """Of all namespaces, the newest first."""
        return await self._ask(Call("POST", "/namespaces/migrations/list", body=body, is_reading=True))

    async def validate_migration(
        self, *, idempotency_key: str | None = None, **body: Unpack[ValidateMigrationRequest]
    ) -> ValidateMigrationResponse:
        """What would go wrong, worked out to the switch itself; nothing is made."""
        return await self._ask(Call("POST", "/namespaces/migrations/validate", body=body, key=idempotency_key or ""))

    async def delete_migration(self, migration_id: str) -> None:
        """Forget a migration that is not under way; what it made stays."""
        await self._ask(Call("DELETE", f"/namespaces/migrations/{part(migration_id)}"))

    async def get_migration(self, migration_id: str) -> GetMigrationResponse:
        """A migration, and how far it is."""
        return await self._ask(Call("GET", f"/namespaces/migrations/{part(migration_id)}"))

    async def cancel_migration(
        self, migration_id: str, *, idempotency_key: str | None = None, **body: Unpack[CancelMigrationRequest]
    ) -> CancelMigrationResponse:
        """Take away what it has made; everything is as it was before it began."""
        return await self._ask(
            Call("POST", f"/namespaces/migrations/{part(migration_id)}/cancel", body=body, key=idempotency_key or "")
        )

    async def start_migration(
        self, migration_id: str, *, idempotency_key: str | None = None, **body: Unpack[StartMigrationRequest]
    ) -> StartMigrationResponse:
        """Begin a draft; it goes on after a crash, and searches notice nothing before it is whole."""
        return await self._ask(
            Call("POST", f"/namespaces/migrations/{part(migration_id)}/start", body=body, key=idempotency_key or "")
        )

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

    async def clone(
        self, namespace_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CloneNamespaceRequest]
    ) -> CloneNamespaceResponse:
        """Another namespace as this one is: what is defined, or deep with its objects and documents, by a task."""
        return await self._ask(
            Call("POST", f"/namespaces/{part(namespace_identifier)}/clone", body=body, key=idempotency_key or "")
        )

    def follow(
        self,
        namespace_identifier: str,
        *,
        since: str | None = None,
        types: Sequence[str] | None = None,
        follow: bool | None = None,
        last_event_id: str | None = None,
    ) -> AsyncGenerator[Event, None]:
        """Server-sent events: each change in the namespace, from now on or after the event that was seen last."""
        return self._events(
            Call(
                "GET",
                f"/namespaces/{part(namespace_identifier)}/events",
                query={"since": since, "types": types, "follow": follow},
                headers={"last-event-id": last_event_id},
            )
        )
