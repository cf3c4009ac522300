# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `uploads`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_uploads import (
        BatchConfirmRequest,
        BatchConfirmResponse,
        BatchUploadRequest,
        BatchUploadResponse,
        ConfirmUploadRequest,
        ConfirmUploadResponse,
        CreateUploadRequest,
        ListUploadsRequest,
        ListUploadsResponse,
        UploadResponse,
    )


class Uploads(Noun):
    def create(
        self, bucket_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CreateUploadRequest]
    ) -> UploadResponse:
        """Announce a file; the answer carries the URL to PUT it to."""
        return self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/uploads", body=body, key=idempotency_key or "")
        )

    def create_uploads(
        self, bucket_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[BatchUploadRequest]
    ) -> BatchUploadResponse:
        """Announce up to a hundred files: all, or none where one is refused."""
        return self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/uploads/batch", body=body, key=idempotency_key or "")
        )

    def confirm_uploads(
        self, bucket_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[BatchConfirmRequest]
    ) -> BatchConfirmResponse:
        """Confirm up to a hundred uploads; the task says how each went, and has ended when this answers."""
        return self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/uploads/confirm/batch",
                body=body,
                key=idempotency_key or "",
            )
        )

    def list(self, bucket_identifier: str, **body: Unpack[ListUploadsRequest]) -> ListUploadsResponse:
        """The bucket's uploads, newest first where no order is asked for."""
        return self._ask(Call("POST", f"/buckets/{part(bucket_identifier)}/uploads/list", body=body, is_reading=True))

    def delete(self, bucket_identifier: str, upload_id: str, *, delete_s3_object: bool | None = None) -> None:
        """Forget an upload. Its file goes too, unless it is to be kept or an object stands on it."""
        self._ask(
            Call(
                "DELETE",
                f"/buckets/{part(bucket_identifier)}/uploads/{part(upload_id)}",
                query={"delete_s3_object": delete_s3_object},
            )
        )

    def get(self, bucket_identifier: str, upload_id: str) -> UploadResponse:
        """An upload; its URL is there while a file can still be sent."""
        return self._ask(Call("GET", f"/buckets/{part(bucket_identifier)}/uploads/{part(upload_id)}"))

    def confirm(
        self,
        bucket_identifier: str,
        upload_id: str,
        *,
        async_: bool | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ConfirmUploadRequest],
    ) -> ConfirmUploadResponse:
        """Accept the file that arrived and make its object. `async` also leaves a task, ended when this answers."""
        return self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/uploads/{part(upload_id)}/confirm",
                query={"async": async_},
                body=body,
                key=idempotency_key or "",
            )
        )


class AsyncUploads(AsyncNoun):
    async def create(
        self, bucket_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CreateUploadRequest]
    ) -> UploadResponse:
        """Announce a file; the answer carries the URL to PUT it to."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/uploads", body=body, key=idempotency_key or "")
        )

    async def create_uploads(
        self, bucket_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[BatchUploadRequest]
    ) -> BatchUploadResponse:
        """Announce up to a hundred files: all, or none where one is refused."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/uploads/batch", body=body, key=idempotency_key or "")
        )

    async def confirm_uploads(
        self, bucket_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[BatchConfirmRequest]
    ) -> BatchConfirmResponse:
        """Confirm up to a hundred uploads; the task says how each went, and has ended when this answers."""
        return await self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/uploads/confirm/batch",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def list(self, bucket_identifier: str, **body: Unpack[ListUploadsRequest]) -> ListUploadsResponse:
        """The bucket's uploads, newest first where no order is asked for."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/uploads/list", body=body, is_reading=True)
        )

    async def delete(self, bucket_identifier: str, upload_id: str, *, delete_s3_object: bool | None = None) -> None:
        """Forget an upload. Its file goes too, unless it is to be kept or an object stands on it."""
        await self._ask(
            Call(
                "DELETE",
                f"/buckets/{part(bucket_identifier)}/uploads/{part(upload_id)}",
                query={"delete_s3_object": delete_s3_object},
            )
        )

    async def get(self, bucket_identifier: str, upload_id: str) -> UploadResponse:
        """An upload; its URL is there while a file can still be sent."""
        return await self._ask(Call("GET", f"/buckets/{part(bucket_identifier)}/uploads/{part(upload_id)}"))

    async def confirm(
        self,
        bucket_identifier: str,
        upload_id: str,
        *,
        async_: bool | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[ConfirmUploadRequest],
    ) -> ConfirmUploadResponse:
        """Accept the file that arrived and make its object. `async` also leaves a task, ended when this answers."""
        return await self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/uploads/{part(upload_id)}/confirm",
                query={"async": async_},
                body=body,
                key=idempotency_key or "",
            )
        )
