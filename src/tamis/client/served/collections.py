# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `collections`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_collections import (
        ApplyTaxonomyRequest,
        ApplyTaxonomyResponse,
        CloneCollectionRequest,
        CloneCollectionResponse,
        CollectionResponse,
        CreateCollectionRequest,
        DescribeCollectionFeaturesResponse,
        FeatureExtractorResponseModel,
        ListCollectionsRequest,
        ListCollectionsResponse,
        SchemaSyncRequest,
        SchemaSyncResponse,
        SchemaSyncSkippedResponse,
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

    def apply_taxonomy(
        self, collection_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[ApplyTaxonomyRequest]
    ) -> ApplyTaxonomyResponse:
        """Label the documents that are there; a task tells how far it is, and goes on after a crash."""
        return self._ask(
            Call(
                "POST",
                f"/collections/{part(collection_identifier)}/apply-taxonomy",
                body=body,
                key=idempotency_key or "",
            )
        )

    def clone(
        self, collection_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CloneCollectionRequest]
    ) -> CloneCollectionResponse:
        """Define another collection as this one is, but for what is sent; its documents come with the next batch."""
        return self._ask(
            Call("POST", f"/collections/{part(collection_identifier)}/clone", body=body, key=idempotency_key or "")
        )

    def describe_features(self, collection_identifier: str) -> DescribeCollectionFeaturesResponse:
        """The feature URIs that searches on this collection may use."""
        return self._ask(Call("GET", f"/collections/{part(collection_identifier)}/features"))

    def sync_schema(
        self, collection_id: str, *, idempotency_key: str | None = None, **body: Unpack[SchemaSyncRequest]
    ) -> SchemaSyncResponse | SchemaSyncSkippedResponse:
        """Add to the output schema what a sample of the documents has besides; no field is changed or removed."""
        return self._ask(
            Call("POST", f"/collections/{part(collection_id)}/sync-schema", body=body, key=idempotency_key or "")
        )


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

    async def apply_taxonomy(
        self, collection_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[ApplyTaxonomyRequest]
    ) -> ApplyTaxonomyResponse:
        """Label the documents that are there; a task tells how far it is, and goes on after a crash."""
        return await self._ask(
            Call(
                "POST",
                f"/collections/{part(collection_identifier)}/apply-taxonomy",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def clone(
        self, collection_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[CloneCollectionRequest]
    ) -> CloneCollectionResponse:
        """Define another collection as this one is, but for what is sent; its documents come with the next batch."""
        return await self._ask(
            Call("POST", f"/collections/{part(collection_identifier)}/clone", body=body, key=idempotency_key or "")
        )

    async def describe_features(self, collection_identifier: str) -> DescribeCollectionFeaturesResponse:
        """The feature URIs that searches on this collection may use."""
        return await self._ask(Call("GET", f"/collections/{part(collection_identifier)}/features"))

    async def sync_schema(
        self, collection_id: str, *, idempotency_key: str | None = None, **body: Unpack[SchemaSyncRequest]
    ) -> SchemaSyncResponse | SchemaSyncSkippedResponse:
        """Add to the output schema what a sample of the documents has besides; no field is changed or removed."""
        return await self._ask(
            Call("POST", f"/collections/{part(collection_id)}/sync-schema", body=body, key=idempotency_key or "")
        )
