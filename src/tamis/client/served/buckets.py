# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `buckets`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_buckets import (
        BucketCreateRequest,
        BucketPatchRequest,
        BucketResponse,
        BucketUpdateRequest,
        ListBucketsRequest,
        ListBucketsResponse,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Buckets(Noun):
    def create(self, *, idempotency_key: str | None = None, **body: Unpack[BucketCreateRequest]) -> BucketResponse:
        """Make a bucket with the schema that its objects keep to."""
        return self._ask(Call("POST", "/buckets", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListBucketsRequest]) -> ListBucketsResponse:
        """The namespace's buckets, newest first where no order is asked for."""
        return self._ask(Call("POST", "/buckets/list", body=body, is_reading=True))

    def delete(self, bucket_identifier: str) -> GenericDeleteResponse:
        """Delete a bucket with its objects, uploads, batches and files."""
        return self._ask(Call("DELETE", f"/buckets/{part(bucket_identifier)}"))

    def get(self, bucket_identifier: str) -> BucketResponse:
        """A bucket by id or name, with its counts."""
        return self._ask(Call("GET", f"/buckets/{part(bucket_identifier)}"))

    def patch(self, bucket_identifier: str, **body: Unpack[BucketPatchRequest]) -> BucketResponse:
        """Change the fields that are sent."""
        return self._ask(Call("PATCH", f"/buckets/{part(bucket_identifier)}", body=body))

    def update(self, bucket_identifier: str, **body: Unpack[BucketUpdateRequest]) -> BucketResponse:
        """Replace name, description or metadata; what is not sent stays."""
        return self._ask(Call("PUT", f"/buckets/{part(bucket_identifier)}", body=body))


class AsyncBuckets(AsyncNoun):
    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[BucketCreateRequest]
    ) -> BucketResponse:
        """Make a bucket with the schema that its objects keep to."""
        return await self._ask(Call("POST", "/buckets", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListBucketsRequest]) -> ListBucketsResponse:
        """The namespace's buckets, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/buckets/list", body=body, is_reading=True))

    async def delete(self, bucket_identifier: str) -> GenericDeleteResponse:
        """Delete a bucket with its objects, uploads, batches and files."""
        return await self._ask(Call("DELETE", f"/buckets/{part(bucket_identifier)}"))

    async def get(self, bucket_identifier: str) -> BucketResponse:
        """A bucket by id or name, with its counts."""
        return await self._ask(Call("GET", f"/buckets/{part(bucket_identifier)}"))

    async def patch(self, bucket_identifier: str, **body: Unpack[BucketPatchRequest]) -> BucketResponse:
        """Change the fields that are sent."""
        return await self._ask(Call("PATCH", f"/buckets/{part(bucket_identifier)}", body=body))

    async def update(self, bucket_identifier: str, **body: Unpack[BucketUpdateRequest]) -> BucketResponse:
        """Replace name, description or metadata; what is not sent stays."""
        return await self._ask(Call("PUT", f"/buckets/{part(bucket_identifier)}", body=body))
