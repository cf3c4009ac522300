# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `syncs`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_syncs import (
        FileState,
        ListSyncConfigurationsRequest,
        SyncConfigurationModel,
        SyncCreateRequest,
        SyncDeleteResponse,
        SyncedFilesResponse,
        SyncListResponse,
        SyncTriggerResponse,
        SyncUpdateRequest,
    )


class Syncs(Noun):
    def create_configuration(
        self, bucket_id: str, *, idempotency_key: str | None = None, **body: Unpack[SyncCreateRequest]
    ) -> SyncConfigurationModel:
        """Keep this bucket in step with what lies below a path of a storage; the first run begins at once."""
        return self._ask(Call("POST", f"/buckets/{part(bucket_id)}/syncs", body=body, key=idempotency_key or ""))

    def list_configurations(
        self,
        bucket_id: str,
        *,
        limit: int | None = None,
        offset: int | None = None,
        **body: Unpack[ListSyncConfigurationsRequest],
    ) -> SyncListResponse:
        """The bucket's syncs, newest first."""
        return self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_id)}/syncs/list",
                query={"limit": limit, "offset": offset},
                body=body,
                is_reading=True,
            )
        )

    def delete_configuration(self, bucket_id: str, sync_config_id: str) -> SyncDeleteResponse:
        """Keep the bucket in step no more; the objects that it brought stay."""
        return self._ask(Call("DELETE", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}"))

    def get_configuration(self, bucket_id: str, sync_config_id: str) -> SyncConfigurationModel:
        """What it brings, how its runs went, and when the next one begins."""
        return self._ask(Call("GET", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}"))

    def update_configuration(
        self, bucket_id: str, sync_config_id: str, **body: Unpack[SyncUpdateRequest]
    ) -> SyncConfigurationModel:
        """Change how often it looks, or stop it."""
        return self._ask(Call("PATCH", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}", body=body))

    def list_synced_files(
        self,
        bucket_id: str,
        sync_config_id: str,
        *,
        state: FileState | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> SyncedFilesResponse:
        """What became of each file, by path: the object that it is, or why it is none."""
        return self._ask(
            Call(
                "GET",
                f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}/files",
                query={"state": state, "after": after, "limit": limit},
            )
        )

    def pause_configuration(
        self, bucket_id: str, sync_config_id: str, *, idempotency_key: str | None = None
    ) -> SyncConfigurationModel:
        """No run begins until it is resumed; one under way goes on to its end."""
        return self._ask(
            Call("POST", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}/pause", key=idempotency_key or "")
        )

    def resume_configuration(
        self, bucket_id: str, sync_config_id: str, *, idempotency_key: str | None = None
    ) -> SyncConfigurationModel:
        """Go on; only what has changed since is read."""
        return self._ask(
            Call("POST", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}/resume", key=idempotency_key or "")
        )

    def trigger_configuration(
        self, bucket_id: str, sync_config_id: str, *, idempotency_key: str | None = None
    ) -> SyncTriggerResponse:
        """Begin a run now."""
        return self._ask(
            Call("POST", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}/trigger", key=idempotency_key or "")
        )


class AsyncSyncs(AsyncNoun):
    async def create_configuration(
        self, bucket_id: str, *, idempotency_key: str | None = None, **body: Unpack[SyncCreateRequest]
    ) -> SyncConfigurationModel:
        """Keep this bucket in step with what lies below a path of a storage; the first run begins at once."""
        return await self._ask(Call("POST", f"/buckets/{part(bucket_id)}/syncs", body=body, key=idempotency_key or ""))

    async def list_configurations(
        self,
        bucket_id: str,
        *,
        limit: int | None = None,
        offset: int | None = None,
        **body: Unpack[ListSyncConfigurationsRequest],
    ) -> SyncListResponse:
        """The bucket's syncs, newest first."""
        return await self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_id)}/syncs/list",
                query={"limit": limit, "offset": offset},
                body=body,
                is_reading=True,
            )
        )

    async def delete_configuration(self, bucket_id: str, sync_config_id: str) -> SyncDeleteResponse:
        """Keep the bucket in step no more; the objects that it brought stay."""
        return await self._ask(Call("DELETE", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}"))

    async def get_configuration(self, bucket_id: str, sync_config_id: str) -> SyncConfigurationModel:
        """What it brings, how its runs went, and when the next one begins."""
        return await self._ask(Call("GET", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}"))

    async def update_configuration(
        self, bucket_id: str, sync_config_id: str, **body: Unpack[SyncUpdateRequest]
    ) -> SyncConfigurationModel:
        """Change how often it looks, or stop it."""
        return await self._ask(Call("PATCH", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}", body=body))

    async def list_synced_files(
        self,
        bucket_id: str,
        sync_config_id: str,
        *,
        state: FileState | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> SyncedFilesResponse:
        """What became of each file, by path: the object that it is, or why it is none."""
        return await self._ask(
            Call(
                "GET",
                f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}/files",
                query={"state": state, "after": after, "limit": limit},
            )
        )

    async def pause_configuration(
        self, bucket_id: str, sync_config_id: str, *, idempotency_key: str | None = None
    ) -> SyncConfigurationModel:
        """No run begins until it is resumed; one under way goes on to its end."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}/pause", key=idempotency_key or "")
        )

    async def resume_configuration(
        self, bucket_id: str, sync_config_id: str, *, idempotency_key: str | None = None
    ) -> SyncConfigurationModel:
        """Go on; only what has changed since is read."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}/resume", key=idempotency_key or "")
        )

    async def trigger_configuration(
        self, bucket_id: str, sync_config_id: str, *, idempotency_key: str | None = None
    ) -> SyncTriggerResponse:
        """Begin a run now."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_id)}/syncs/{part(sync_config_id)}/trigger", key=idempotency_key or "")
        )
