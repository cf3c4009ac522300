# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `objects`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_objects import (
        CreateObjectsBatchRequest,
        ListObjectsRequest,
        ListObjectsResponse,
        ObjectAggregationRequest,
        ObjectAggregationResponse,
        ObjectResponse,
        UpdateObjectRequest,
    )


class Objects(Noun):
    def create(
        self, bucket_identifier: str, *, policy: str | None = None, idempotency_key: str | None = None, **body: Any
    ) -> ObjectResponse:
        """Register an object. Nothing is extracted until a batch of it is submitted."""
        return self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/objects",
                query={"policy": policy},
                body=body,
                key=idempotency_key or "",
            )
        )

    def aggregate(self, bucket_identifier: str, **body: Unpack[ObjectAggregationRequest]) -> ObjectAggregationResponse:
        """Group objects by fields, dates or ranges and compute figures of each group."""
        return self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/objects/aggregate", body=body, is_reading=True)
        )

    def create_objects(
        self,
        bucket_identifier: str,
        *,
        policy: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[CreateObjectsBatchRequest],
    ) -> Sequence[ObjectResponse]:
        """Register up to a hundred objects: all of them, or none where one is refused."""
        return self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/objects/batch",
                query={"policy": policy},
                body=body,
                key=idempotency_key or "",
            )
        )

    def list(self, bucket_identifier: str, **body: Unpack[ListObjectsRequest]) -> ListObjectsResponse:
        """The bucket's objects, newest first where no order is asked for."""
        return self._ask(Call("POST", f"/buckets/{part(bucket_identifier)}/objects/list", body=body, is_reading=True))

    def delete(self, bucket_identifier: str, object_identifier: str) -> None:
        """Delete an object and its files; documents made of it stay."""
        self._ask(Call("DELETE", f"/buckets/{part(bucket_identifier)}/objects/{part(object_identifier)}"))

    def get(self, bucket_identifier: str, object_identifier: str) -> ObjectResponse:
        """An object with its blobs."""
        return self._ask(Call("GET", f"/buckets/{part(bucket_identifier)}/objects/{part(object_identifier)}"))

    def patch(self, bucket_identifier: str, object_identifier: str, **body: Any) -> ObjectResponse:
        """Lay metadata over what is there; null takes a field away."""
        return self._ask(
            Call("PATCH", f"/buckets/{part(bucket_identifier)}/objects/{part(object_identifier)}", body=body)
        )

    def update(
        self, bucket_identifier: str, object_identifier: str, **body: Unpack[UpdateObjectRequest]
    ) -> ObjectResponse:
        """Replace blobs or metadata whole; what is not sent stays."""
        return self._ask(
            Call("PUT", f"/buckets/{part(bucket_identifier)}/objects/{part(object_identifier)}", body=body)
        )


class AsyncObjects(AsyncNoun):
    async def create(
        self, bucket_identifier: str, *, policy: str | None = None, idempotency_key: str | None = None, **body: Any
    ) -> ObjectResponse:
        """Register an object. Nothing is extracted until a batch of it is submitted."""
        return await self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/objects",
                query={"policy": policy},
                body=body,
                key=idempotency_key or "",
            )
        )

    async def aggregate(
        self, bucket_identifier: str, **body: Unpack[ObjectAggregationRequest]
    ) -> ObjectAggregationResponse:
        """Group objects by fields, dates or ranges and compute figures of each group."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/objects/aggregate", body=body, is_reading=True)
        )

    async def create_objects(
        self,
        bucket_identifier: str,
        *,
        policy: str | None = None,
        idempotency_key: str | None = None,
        **body: Unpack[CreateObjectsBatchRequest],
    ) -> Sequence[ObjectResponse]:
        """Register up to a hundred objects: all of them, or none where one is refused."""
        return await self._ask(
            Call(
                "POST",
                f"/buckets/{part(bucket_identifier)}/objects/batch",
                query={"policy": policy},
                body=body,
                key=idempotency_key or "",
            )
        )

    async def list(self, bucket_identifier: str, **body: Unpack[ListObjectsRequest]) -> ListObjectsResponse:
        """The bucket's objects, newest first where no order is asked for."""
        return await self._ask(
            Call("POST", f"/buckets/{part(bucket_identifier)}/objects/list", body=body, is_reading=True)
        )

    async def delete(self, bucket_identifier: str, object_identifier: str) -> None:
        """Delete an object and its files; documents made of it stay."""
        await self._ask(Call("DELETE", f"/buckets/{part(bucket_identifier)}/objects/{part(object_identifier)}"))

    async def get(self, bucket_identifier: str, object_identifier: str) -> ObjectResponse:
        """An object with its blobs."""
        return await self._ask(Call("GET", f"/buckets/{part(bucket_identifier)}/objects/{part(object_identifier)}"))

    async def patch(self, bucket_identifier: str, object_identifier: str, **body: Any) -> ObjectResponse:
        """Lay metadata over what is there; null takes a field away."""
        return await self._ask(
            Call("PATCH", f"/buckets/{part(bucket_identifier)}/objects/{part(object_identifier)}", body=body)
        )

    async def update(
        self, bucket_identifier: str, object_identifier: str, **body: Unpack[UpdateObjectRequest]
    ) -> ObjectResponse:
        """Replace blobs or metadata whole; what is not sent stays."""
        return await self._ask(
            Call("PUT", f"/buckets/{part(bucket_identifier)}/objects/{part(object_identifier)}", body=body)
        )
