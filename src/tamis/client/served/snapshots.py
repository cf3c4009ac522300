# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `snapshots`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_shared import GenericDeleteResponse
    from tamis.client.served.types_snapshots import (
        CreateSnapshotRequest,
        ListSnapshotsRequest,
        ListSnapshotsResponse,
        RestoreSnapshotRequest,
        RestoreSnapshotResponse,
        SnapshotResponse,
    )


class Snapshots(Noun):
    def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateSnapshotRequest]) -> SnapshotResponse:
        """Of the namespace, or of one collection, as it is at one moment; a task tells when it is whole."""
        return self._ask(Call("POST", "/snapshots", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListSnapshotsRequest]) -> ListSnapshotsResponse:
        """The namespace's snapshots, newest first where no order is asked for."""
        return self._ask(Call("POST", "/snapshots/list", body=body, is_reading=True))

    def delete(self, snapshot_identifier: str) -> GenericDeleteResponse:
        """With its files; what was made of it stays."""
        return self._ask(Call("DELETE", f"/snapshots/{part(snapshot_identifier)}"))

    def get(self, snapshot_identifier: str) -> SnapshotResponse:
        """A snapshot by id or name."""
        return self._ask(Call("GET", f"/snapshots/{part(snapshot_identifier)}"))

    def restore(
        self, snapshot_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[RestoreSnapshotRequest]
    ) -> RestoreSnapshotResponse:
        """Put it back under a new name: a namespace's as a namespace, a collection's beside the others."""
        return self._ask(
            Call("POST", f"/snapshots/{part(snapshot_identifier)}/restore", body=body, key=idempotency_key or "")
        )


class AsyncSnapshots(AsyncNoun):
    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateSnapshotRequest]
    ) -> SnapshotResponse:
        """Of the namespace, or of one collection, as it is at one moment; a task tells when it is whole."""
        return await self._ask(Call("POST", "/snapshots", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListSnapshotsRequest]) -> ListSnapshotsResponse:
        """The namespace's snapshots, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/snapshots/list", body=body, is_reading=True))

    async def delete(self, snapshot_identifier: str) -> GenericDeleteResponse:
        """With its files; what was made of it stays."""
        return await self._ask(Call("DELETE", f"/snapshots/{part(snapshot_identifier)}"))

    async def get(self, snapshot_identifier: str) -> SnapshotResponse:
        """A snapshot by id or name."""
        return await self._ask(Call("GET", f"/snapshots/{part(snapshot_identifier)}"))

    async def restore(
        self, snapshot_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[RestoreSnapshotRequest]
    ) -> RestoreSnapshotResponse:
        """Put it back under a new name: a namespace's as a namespace, a collection's beside the others."""
        return await self._ask(
            Call("POST", f"/snapshots/{part(snapshot_identifier)}/restore", body=body, key=idempotency_key or "")
        )
