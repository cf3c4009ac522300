# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `connections`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_connections import (
        ListFilesResponse,
        ListFoldersResponse,
        ListStorageConnectionsRequest,
        StorageConnectionCreateRequest,
        StorageConnectionListResponse,
        StorageConnectionModel,
        StorageConnectionTestResponse,
        StorageConnectionUpdateRequest,
    )


class Connections(Noun):
    def create_storage(
        self, *, idempotency_key: str | None = None, **body: Unpack[StorageConnectionCreateRequest]
    ) -> StorageConnectionModel:
        """Connect an S3-compatible store, Google Cloud Storage, Azure Blob Storage, or a folder of the server's
        machine.
        """
        return self._ask(Call("POST", "/organizations/connections", body=body, key=idempotency_key or ""))

    def list_storage(
        self, *, limit: int | None = None, offset: int | None = None, **body: Unpack[ListStorageConnectionsRequest]
    ) -> StorageConnectionListResponse:
        """The organisation's connections, newest first."""
        return self._ask(
            Call(
                "POST",
                "/organizations/connections/list",
                query={"limit": limit, "offset": offset},
                body=body,
                is_reading=True,
            )
        )

    def delete_storage(self, connection_identifier: str) -> dict[str, str]:
        """Forget it and its credentials. Syncs that use it stop; what they brought stays."""
        return self._ask(Call("DELETE", f"/organizations/connections/{part(connection_identifier)}"))

    def get_storage(self, connection_identifier: str) -> StorageConnectionModel:
        """A connection by id or name, without its credentials."""
        return self._ask(Call("GET", f"/organizations/connections/{part(connection_identifier)}"))

    def update_storage(
        self, connection_identifier: str, **body: Unpack[StorageConnectionUpdateRequest]
    ) -> StorageConnectionModel:
        """Rename it, suspend it, or give it other credentials."""
        return self._ask(Call("PATCH", f"/organizations/connections/{part(connection_identifier)}", body=body))

    def list_files(
        self, connection_identifier: str, *, path: str | None = None, max_results: int | None = None
    ) -> ListFilesResponse:
        """Files directly in a folder, by name."""
        return self._ask(
            Call(
                "GET",
                f"/organizations/connections/{part(connection_identifier)}/files",
                query={"path": path, "max_results": max_results},
            )
        )

    def list_folders(self, connection_identifier: str, *, path: str | None = None) -> ListFoldersResponse:
        """Folders directly below a path, which begins with a bucket where the storage has buckets."""
        return self._ask(
            Call("GET", f"/organizations/connections/{part(connection_identifier)}/folders", query={"path": path})
        )

    def test_storage(
        self, connection_identifier: str, *, idempotency_key: str | None = None
    ) -> StorageConnectionTestResponse:
        """Whether the storage lets it in now."""
        return self._ask(
            Call("POST", f"/organizations/connections/{part(connection_identifier)}/test", key=idempotency_key or "")
        )


class AsyncConnections(AsyncNoun):
    async def create_storage(
        self, *, idempotency_key: str | None = None, **body: Unpack[StorageConnectionCreateRequest]
    ) -> StorageConnectionModel:
        """Connect an S3-compatible store, Google Cloud Storage, Azure Blob Storage, or a folder of the server's
        machine.
        """
        return await self._ask(Call("POST", "/organizations/connections", body=body, key=idempotency_key or ""))

    async def list_storage(
        self, *, limit: int | None = None, offset: int | None = None, **body: Unpack[ListStorageConnectionsRequest]
    ) -> StorageConnectionListResponse:
        """The organisation's connections, newest first."""
        return await self._ask(
            Call(
                "POST",
                "/organizations/connections/list",
                query={"limit": limit, "offset": offset},
                body=body,
                is_reading=True,
            )
        )

    async def delete_storage(self, connection_identifier: str) -> dict[str, str]:
        """Forget it and its credentials. Syncs that use it stop; what they brought stays."""
        return await self._ask(Call("DELETE", f"/organizations/connections/{part(connection_identifier)}"))

    async def get_storage(self, connection_identifier: str) -> StorageConnectionModel:
        """A connection by id or name, without its credentials."""
        return await self._ask(Call("GET", f"/organizations/connections/{part(connection_identifier)}"))

    async def update_storage(
        self, connection_identifier: str, **body: Unpack[StorageConnectionUpdateRequest]
    ) -> StorageConnectionModel:
        """Rename it, suspend it, or give it other credentials."""
        return await self._ask(Call("PATCH", f"/organizations/connections/{part(connection_identifier)}", body=body))

    async def list_files(
        self, connection_identifier: str, *, path: str | None = None, max_results: int | None = None
    ) -> ListFilesResponse:
        """Files directly in a folder, by name."""
        return await self._ask(
            Call(
                "GET",
                f"/organizations/connections/{part(connection_identifier)}/files",
                query={"path": path, "max_results": max_results},
            )
        )

    async def list_folders(self, connection_identifier: str, *, path: str | None = None) -> ListFoldersResponse:
        """Folders directly below a path, which begins with a bucket where the storage has buckets."""
        return await self._ask(
            Call("GET", f"/organizations/connections/{part(connection_identifier)}/folders", query={"path": path})
        )

    async def test_storage(
        self, connection_identifier: str, *, idempotency_key: str | None = None
    ) -> StorageConnectionTestResponse:
        """Whether the storage lets it in now."""
        return await self._ask(
            Call("POST", f"/organizations/connections/{part(connection_identifier)}/test", key=idempotency_key or "")
        )
