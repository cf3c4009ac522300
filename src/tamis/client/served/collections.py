# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `collections`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_collections import (
        CollectionResponse,
        CreateCollectionRequest,
        DescribeCollectionFeaturesResponse,
        FeatureExtractorResponseModel,
        ListCollectionsRequest,
        ListCollectionsResponse,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Collections(Noun):
    def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateCollectionRequest]
    ) -> CollectionResponse:
        """Define a collection; its output schema and features stand at once."""
        return self._ask(Call("POST", "/collections", body=body, key=idempotency_key or ""))

    def list_feature_extractors(self) -> Sequence[FeatureExtractorResponseModel]:
        """Every extractor of this server, with the schema of its parameters."""
        return self._ask(Call("GET", "/collections/features/extractors"))

    def get_feature_extractor(self, feature_extractor_id: str) -> FeatureExtractorResponseModel:
        """By `text_extractor_v1`, `text_extractor@v1`, `text_extractor` or `text`."""
        return self._ask(Call("GET", f"/collections/features/extractors/{part(feature_extractor_id)}"))

    def list(self, **body: Unpack[ListCollectionsRequest]) -> ListCollectionsResponse:
        """The namespace's collections, newest first where no order is asked for."""
        return self._ask(Call("POST", "/collections/list", body=body, is_reading=True))

    def delete(self, collection_identifier: str) -> GenericDeleteResponse:
        """Delete a collection with its documents and its index."""
        return self._ask(Call("DELETE", f"/collections/{part(collection_identifier)}"))

    def get(self, collection_identifier: str) -> CollectionResponse:
        """A collection by id or name."""
        return self._ask(Call("GET", f"/collections/{part(collection_identifier)}"))

    def patch(self, collection_identifier: str, **body: Any) -> CollectionResponse:
        """Change name, description, metadata, applications, or whether batches feed it."""
        return self._ask(Call("PATCH", f"/collections/{part(collection_identifier)}", body=body))

    def describe_features(self, collection_identifier: str) -> DescribeCollectionFeaturesResponse:
        """The feature URIs that searches on this collection may use."""
        return self._ask(Call("GET", f"/collections/{part(collection_identifier)}/features"))


class AsyncCollections(AsyncNoun):
    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateCollectionRequest]
    ) -> CollectionResponse:
        """Define a collection; its output schema and features stand at once."""
        return await self._ask(Call("POST", "/collections", body=body, key=idempotency_key or ""))

    async def list_feature_extractors(self) -> Sequence[FeatureExtractorResponseModel]:
        """Every extractor of this server, with the schema of its parameters."""
        return await self._ask(Call("GET", "/collections/features/extractors"))

    async def get_feature_extractor(self, feature_extractor_id: str) -> FeatureExtractorResponseModel:
        """By `text_extractor_v1`, `text_extractor@v1`, `text_extractor` or `text`."""
        return await self._ask(Call("GET", f"/collections/features/extractors/{part(feature_extractor_id)}"))

    async def list(self, **body: Unpack[ListCollectionsRequest]) -> ListCollectionsResponse:
        """The namespace's collections, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/collections/list", body=body, is_reading=True))

    async def delete(self, collection_identifier: str) -> GenericDeleteResponse:
        """Delete a collection with its documents and its index."""
        return await self._ask(Call("DELETE", f"/collections/{part(collection_identifier)}"))

    async def get(self, collection_identifier: str) -> CollectionResponse:
        """A collection by id or name."""
        return await self._ask(Call("GET", f"/collections/{part(collection_identifier)}"))

    async def patch(self, collection_identifier: str, **body: Any) -> CollectionResponse:
        """Change name, description, metadata, applications, or whether batches feed it."""
        return await self._ask(Call("PATCH", f"/collections/{part(collection_identifier)}", body=body))

    async def describe_features(self, collection_identifier: str) -> DescribeCollectionFeaturesResponse:
        """The feature URIs that searches on this collection may use."""
        return await self._ask(Call("GET", f"/collections/{part(collection_identifier)}/features"))
