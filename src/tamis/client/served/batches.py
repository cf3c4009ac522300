# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `batches`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import TYPE_CHECKING, Any, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_batches import (
        AddObjectsToBatchRequest,
        BatchEvent,
        BatchModel,
        CreateBatchRequest,
        ListBatchesRequest,
        ListBatchesResponse,
        PatchBatchRequest,
        RetryBatchRequest,
        SubmitBatchRequest,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse
    from tamis.client.served.types_tasks import TaskResponse


class Batches(Noun):
    def create(
        self, bucket_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CreateBatchRequest]
    ) -> BatchModel:
        """A draft of objects that are to be processed together."""
        return self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/batches", body=body, key=idempotency_key or "")
        )

    def list(self, bucket_identifier: str, **body: Unpack[ListBatchesRequest]) -> ListBatchesResponse:
        """The bucket's batches, newest first."""
        return self._ask(Call("POST", f"/buckets/{part(bucket_identifier)}/batches/list", body=body, is_reading=True))

    def delete(self, bucket_identifier: str, batch_id: str) -> GenericDeleteResponse:
        """Forget a batch that does not run; the documents that it made stay."""
        return self._ask(Call("DELETE", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}"))

    def get(self, bucket_identifier: str, batch_id: str) -> BatchModel:
        """A batch with its tiers, and what failed in each."""
        return self._ask(Call("GET", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}"))

    def patch(self, bucket_identifier: str, batch_id: str, **body: Unpack[PatchBatchRequest]) -> BatchModel:
        """Replace the batch's metadata."""
        return self._ask(Call("PATCH", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}", body=body))

    def cancel(self, bucket_identifier: str, batch_id: str, *, idempotency_key: str | None = None) -> TaskResponse:
        """Stop between two calls of the extractor."""
        return self._ask(
            Call(
                "POST", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/cancel", key=idempotency_key or ""
            )
        )

    def follow(self, bucket_identifier: str, batch_id: str) -> Generator[BatchEvent, None, None]:
        """Server-sent events: how far the batch is, now and after each change; the last one is `batch_end`."""
        return self._events(Call("GET", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/events"))

    def list_failed_documents(
        self,
        bucket_identifier: str,
        batch_id: str,
        *,
        tier_num: int | None = None,
        collection_id: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> dict[str, Any]:
        """The sources that could not be extracted, each with its reason."""
        return self._ask(
            Call(
                "GET",
                f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/failed-documents",
                query={"tier_num": tier_num, "collection_id": collection_id, "limit": limit, "offset": offset},
            )
        )

    def add_objects_to(
        self,
        bucket_identifier: str,
        batch_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[AddObjectsToBatchRequest],
    ) -> BatchModel:
        """Put more objects into a draft."""
        return self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/objects",
                body=body,
                key=idempotency_key or "",
            )
        )

    def retry(
        self,
        bucket_identifier: str,
        batch_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[RetryBatchRequest],
    ) -> dict[str, Any]:
        """Process failed sources again."""
        return self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/retry",
                body=body,
                key=idempotency_key or "",
            )
        )

    def submit(
        self,
        bucket_identifier: str,
        batch_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[SubmitBatchRequest],
    ) -> TaskResponse:
        """Start processing; submitted again, it answers the same task."""
        return self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/submit",
                body=body,
                key=idempotency_key or "",
            )
        )


class AsyncBatches(AsyncNoun):
    async def create(
        self, bucket_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CreateBatchRequest]
    ) -> BatchModel:
        """A draft of objects that are to be processed together."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/batches", body=body, key=idempotency_key or "")
        )

    async def list(self, bucket_identifier: str, **body: Unpack[ListBatchesRequest]) -> ListBatchesResponse:
        """The bucket's batches, newest first."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/batches/list", body=body, is_reading=True)
        )

    async def delete(self, bucket_identifier: str, batch_id: str) -> GenericDeleteResponse:
        """Forget a batch that does not run; the documents that it made stay."""
        return await self._ask(Call("DELETE", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}"))

    async def get(self, bucket_identifier: str, batch_id: str) -> BatchModel:
        """A batch with its tiers, and what failed in each."""
        return await self._ask(Call("GET", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}"))

    async def patch(self, bucket_identifier: str, batch_id: str, **body: Unpack[PatchBatchRequest]) -> BatchModel:
        """Replace the batch's metadata."""
        return await self._ask(Call("PATCH", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}", body=body))

    async def cancel(
        self, bucket_identifier: str, batch_id: str, *, idempotency_key: str | None = None
    ) -> TaskResponse:
        """Stop between two calls of the extractor."""
        return await self._ask(
            Call(
                "POST", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/cancel", key=idempotency_key or ""
            )
        )

    def follow(self, bucket_identifier: str, batch_id: str) -> AsyncGenerator[BatchEvent, None]:
        """Server-sent events: how far the batch is, now and after each change; the last one is `batch_end`."""
        return self._events(Call("GET", f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/events"))

    async def list_failed_documents(
        self,
        bucket_identifier: str,
        batch_id: str,
        *,
        tier_num: int | None = None,
        collection_id: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> dict[str, Any]:
        """The sources that could not be extracted, each with its reason."""
        return await self._ask(
            Call(
                "GET",
                f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/failed-documents",
                query={"tier_num": tier_num, "collection_id": collection_id, "limit": limit, "offset": offset},
            )
        )

    async def add_objects_to(
        self,
        bucket_identifier: str,
        batch_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[AddObjectsToBatchRequest],
    ) -> BatchModel:
        """Put more objects into a draft."""
        return await self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/objects",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def retry(
        self,
        bucket_identifier: str,
        batch_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[RetryBatchRequest],
    ) -> dict[str, Any]:
        """Process failed sources again."""
        return await self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/retry",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def submit(
        self,
        bucket_identifier: str,
        batch_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[SubmitBatchRequest],
    ) -> TaskResponse:
        """Start processing; submitted again, it answers the same task."""
        return await self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/batches/{part(batch_id)}/submit",
                body=body,
                key=idempotency_key or "",
            )
        )
