# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `templates`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_shared import GenericDeleteResponse
    from tamis.client.served.types_templates import (
        BaseTemplateModel,
        CreateTemplateFromResourceRequest,
        CreateTemplateFromResourceResponse,
        InstantiateBucketTemplateRequest,
        InstantiateClusterTemplateRequest,
        InstantiateCollectionTemplateRequest,
        InstantiatedBucketTemplateResponse,
        InstantiatedClusterTemplateResponse,
        InstantiatedCollectionTemplateResponse,
        InstantiatedRetrieverTemplateResponse,
        InstantiatedTaxonomyTemplateResponse,
        InstantiatedTemplateResponse,
        InstantiateRetrieverTemplateRequest,
        InstantiateTaxonomyTemplateRequest,
        InstantiateTemplateRequest,
        TemplateScope,
    )


class Templates(Noun):
    def list_public_namespace(self, *, category: str | None = None) -> Sequence[BaseTemplateModel]:
        """Namespaces to begin with; a `configuration` is a manifest, as `POST /v1/manifest/apply` takes it."""
        return self._ask(Call("GET", "/public/templates/namespaces", query={"category": category}))

    def get_public_namespace(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/public/templates/namespaces/{part(template_id)}"))

    def list_public_retriever(self, *, category: str | None = None) -> Sequence[BaseTemplateModel]:
        """Pipelines to begin with; a `configuration` is the body of `POST /v1/retrievers`."""
        return self._ask(Call("GET", "/public/templates/retrievers", query={"category": category}))

    def get_public_retriever(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/public/templates/retrievers/{part(template_id)}"))

    def list_bucket(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a bucket, newest first, and then those of the installation."""
        return self._ask(
            Call("GET", "/templates/buckets", query={"category": category, "scope": scope, "is_active": is_active})
        )

    def create_bucket(
        self, bucket_id: str, *, idempotency_key: str | None = None, **body: Unpack[CreateTemplateFromResourceRequest]
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a bucket is made, by id or name; nothing of its data."""
        return self._ask(
            Call("POST", f"/templates/buckets/from-bucket/{part(bucket_id)}", body=body, key=idempotency_key or "")
        )

    def delete_bucket(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return self._ask(Call("DELETE", f"/templates/buckets/{part(template_id)}"))

    def get_bucket(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/templates/buckets/{part(template_id)}"))

    def instantiate_bucket(
        self, template_id: str, *, idempotency_key: str | None = None, **body: Unpack[InstantiateBucketTemplateRequest]
    ) -> InstantiatedBucketTemplateResponse:
        """Make a bucket as the template says."""
        return self._ask(
            Call("POST", f"/templates/buckets/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )

    def list_cluster(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a cluster, newest first, and then those of the installation."""
        return self._ask(
            Call("GET", "/templates/clusters", query={"category": category, "scope": scope, "is_active": is_active})
        )

    def create_cluster(
        self, cluster_id: str, *, idempotency_key: str | None = None, **body: Unpack[CreateTemplateFromResourceRequest]
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a cluster is made, by id or name; nothing of its data."""
        return self._ask(
            Call("POST", f"/templates/clusters/from-cluster/{part(cluster_id)}", body=body, key=idempotency_key or "")
        )

    def delete_cluster(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return self._ask(Call("DELETE", f"/templates/clusters/{part(template_id)}"))

    def get_cluster(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/templates/clusters/{part(template_id)}"))

    def instantiate_cluster(
        self, template_id: str, *, idempotency_key: str | None = None, **body: Unpack[InstantiateClusterTemplateRequest]
    ) -> InstantiatedClusterTemplateResponse:
        """Define a cluster as the template says, over these collections."""
        return self._ask(
            Call("POST", f"/templates/clusters/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )

    def list_collection(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a collection, newest first, and then those of the installation."""
        return self._ask(
            Call("GET", "/templates/collections", query={"category": category, "scope": scope, "is_active": is_active})
        )

    def create_collection(
        self,
        collection_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[CreateTemplateFromResourceRequest],
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a collection is made, by id or name; nothing of its data."""
        return self._ask(
            Call(
                "POST",
                f"/templates/collections/from-collection/{part(collection_id)}",
                body=body,
                key=idempotency_key or "",
            )
        )

    def delete_collection(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return self._ask(Call("DELETE", f"/templates/collections/{part(template_id)}"))

    def get_collection(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/templates/collections/{part(template_id)}"))

    def instantiate_collection(
        self,
        template_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[InstantiateCollectionTemplateRequest],
    ) -> InstantiatedCollectionTemplateResponse:
        """Make a collection as the template says, of these buckets or of this collection."""
        return self._ask(
            Call(
                "POST", f"/templates/collections/{part(template_id)}/instantiate", body=body, key=idempotency_key or ""
            )
        )

    def list_namespace(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a namespace, newest first, and then those of the installation."""
        return self._ask(
            Call("GET", "/templates/namespaces", query={"category": category, "scope": scope, "is_active": is_active})
        )

    def create_namespace(
        self,
        namespace_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[CreateTemplateFromResourceRequest],
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of what a namespace, by id or name, is made of: nothing of its data, of what is published
        and of its evaluation data sets.
        """
        return self._ask(
            Call(
                "POST",
                f"/templates/namespaces/from-namespace/{part(namespace_id)}",
                body=body,
                key=idempotency_key or "",
            )
        )

    def delete_namespace(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return self._ask(Call("DELETE", f"/templates/namespaces/{part(template_id)}"))

    def get_namespace(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/templates/namespaces/{part(template_id)}"))

    def instantiate_namespace(
        self, template_id: str, *, idempotency_key: str | None = None, **body: Unpack[InstantiateTemplateRequest]
    ) -> InstantiatedTemplateResponse:
        """Make a namespace with all that the template has, or nothing of it. It is ready when this is answered."""
        return self._ask(
            Call("POST", f"/templates/namespaces/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )

    def list_retriever(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a retriever, newest first, and then those of the installation."""
        return self._ask(
            Call("GET", "/templates/retrievers", query={"category": category, "scope": scope, "is_active": is_active})
        )

    def create_retriever(
        self,
        retriever_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[CreateTemplateFromResourceRequest],
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a retriever is made, by id or name; nothing of its data."""
        return self._ask(
            Call(
                "POST",
                f"/templates/retrievers/from-retriever/{part(retriever_id)}",
                body=body,
                key=idempotency_key or "",
            )
        )

    def delete_retriever(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return self._ask(Call("DELETE", f"/templates/retrievers/{part(template_id)}"))

    def get_retriever(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/templates/retrievers/{part(template_id)}"))

    def instantiate_retriever(
        self,
        template_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[InstantiateRetrieverTemplateRequest],
    ) -> InstantiatedRetrieverTemplateResponse:
        """Make a retriever as the template says, over these collections."""
        return self._ask(
            Call("POST", f"/templates/retrievers/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )

    def list_taxonomy(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a taxonomy, newest first, and then those of the installation."""
        return self._ask(
            Call("GET", "/templates/taxonomies", query={"category": category, "scope": scope, "is_active": is_active})
        )

    def create_taxonomy(
        self, taxonomy_id: str, *, idempotency_key: str | None = None, **body: Unpack[CreateTemplateFromResourceRequest]
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a taxonomy is made, by id or name; nothing of its data."""
        return self._ask(
            Call(
                "POST", f"/templates/taxonomies/from-taxonomy/{part(taxonomy_id)}", body=body, key=idempotency_key or ""
            )
        )

    def delete_taxonomy(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return self._ask(Call("DELETE", f"/templates/taxonomies/{part(template_id)}"))

    def get_taxonomy(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return self._ask(Call("GET", f"/templates/taxonomies/{part(template_id)}"))

    def instantiate_taxonomy(
        self,
        template_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[InstantiateTaxonomyTemplateRequest],
    ) -> InstantiatedTaxonomyTemplateResponse:
        """Make a taxonomy as the template says, of these collections."""
        return self._ask(
            Call("POST", f"/templates/taxonomies/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )


class AsyncTemplates(AsyncNoun):
    async def list_public_namespace(self, *, category: str | None = None) -> Sequence[BaseTemplateModel]:
        """Namespaces to begin with; a `configuration` is a manifest, as `POST /v1/manifest/apply` takes it."""
        return await self._ask(Call("GET", "/public/templates/namespaces", query={"category": category}))

    async def get_public_namespace(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/public/templates/namespaces/{part(template_id)}"))

    async def list_public_retriever(self, *, category: str | None = None) -> Sequence[BaseTemplateModel]:
        """Pipelines to begin with; a `configuration` is the body of `POST /v1/retrievers`."""
        return await self._ask(Call("GET", "/public/templates/retrievers", query={"category": category}))

    async def get_public_retriever(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/public/templates/retrievers/{part(template_id)}"))

    async def list_bucket(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a bucket, newest first, and then those of the installation."""
        return await self._ask(
            Call("GET", "/templates/buckets", query={"category": category, "scope": scope, "is_active": is_active})
        )

    async def create_bucket(
        self, bucket_id: str, *, idempotency_key: str | None = None, **body: Unpack[CreateTemplateFromResourceRequest]
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a bucket is made, by id or name; nothing of its data."""
        return await self._ask(
            Call("POST", f"/templates/buckets/from-bucket/{part(bucket_id)}", body=body, key=idempotency_key or "")
        )

    async def delete_bucket(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return await self._ask(Call("DELETE", f"/templates/buckets/{part(template_id)}"))

    async def get_bucket(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/templates/buckets/{part(template_id)}"))

    async def instantiate_bucket(
        self, template_id: str, *, idempotency_key: str | None = None, **body: Unpack[InstantiateBucketTemplateRequest]
    ) -> InstantiatedBucketTemplateResponse:
        """Make a bucket as the template says."""
        return await self._ask(
            Call("POST", f"/templates/buckets/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )

    async def list_cluster(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a cluster, newest first, and then those of the installation."""
        return await self._ask(
            Call("GET", "/templates/clusters", query={"category": category, "scope": scope, "is_active": is_active})
        )

    async def create_cluster(
        self, cluster_id: str, *, idempotency_key: str | None = None, **body: Unpack[CreateTemplateFromResourceRequest]
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a cluster is made, by id or name; nothing of its data."""
        return await self._ask(
            Call("POST", f"/templates/clusters/from-cluster/{part(cluster_id)}", body=body, key=idempotency_key or "")
        )

    async def delete_cluster(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return await self._ask(Call("DELETE", f"/templates/clusters/{part(template_id)}"))

    async def get_cluster(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/templates/clusters/{part(template_id)}"))

    async def instantiate_cluster(
        self, template_id: str, *, idempotency_key: str | None = None, **body: Unpack[InstantiateClusterTemplateRequest]
    ) -> InstantiatedClusterTemplateResponse:
        """Define a cluster as the template says, over these collections."""
        return await self._ask(
            Call("POST", f"/templates/clusters/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )

    async def list_collection(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a collection, newest first, and then those of the installation."""
        return await self._ask(
            Call("GET", "/templates/collections", query={"category": category, "scope": scope, "is_active": is_active})
        )

    async def create_collection(
        self,
        collection_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[CreateTemplateFromResourceRequest],
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a collection is made, by id or name; nothing of its data."""
        return await self._ask(
            Call(
                "POST",
                f"/templates/collections/from-collection/{part(collection_id)}",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def delete_collection(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return await self._ask(Call("DELETE", f"/templates/collections/{part(template_id)}"))

    async def get_collection(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/templates/collections/{part(template_id)}"))

    async def instantiate_collection(
        self,
        template_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[InstantiateCollectionTemplateRequest],
    ) -> InstantiatedCollectionTemplateResponse:
        """Make a collection as the template says, of these buckets or of this collection."""
        return await self._ask(
            Call(
                "POST", f"/templates/collections/{part(template_id)}/instantiate", body=body, key=idempotency_key or ""
            )
        )

    async def list_namespace(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a namespace, newest first, and then those of the installation."""
        return await self._ask(
            Call("GET", "/templates/namespaces", query={"category": category, "scope": scope, "is_active": is_active})
        )

    async def create_namespace(
        self,
        namespace_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[CreateTemplateFromResourceRequest],
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of what a namespace, by id or name, is made of: nothing of its data, of what is published
        and of its evaluation data sets.
        """
        return await self._ask(
            Call(
                "POST",
                f"/templates/namespaces/from-namespace/{part(namespace_id)}",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def delete_namespace(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return await self._ask(Call("DELETE", f"/templates/namespaces/{part(template_id)}"))

    async def get_namespace(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/templates/namespaces/{part(template_id)}"))

    async def instantiate_namespace(
        self, template_id: str, *, idempotency_key: str | None = None, **body: Unpack[InstantiateTemplateRequest]
    ) -> InstantiatedTemplateResponse:
        """Make a namespace with all that the template has, or nothing of it. It is ready when this is answered."""
        return await self._ask(
            Call("POST", f"/templates/namespaces/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )

    async def list_retriever(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a retriever, newest first, and then those of the installation."""
        return await self._ask(
            Call("GET", "/templates/retrievers", query={"category": category, "scope": scope, "is_active": is_active})
        )

    async def create_retriever(
        self,
        retriever_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[CreateTemplateFromResourceRequest],
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a retriever is made, by id or name; nothing of its data."""
        return await self._ask(
            Call(
                "POST",
                f"/templates/retrievers/from-retriever/{part(retriever_id)}",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def delete_retriever(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return await self._ask(Call("DELETE", f"/templates/retrievers/{part(template_id)}"))

    async def get_retriever(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/templates/retrievers/{part(template_id)}"))

    async def instantiate_retriever(
        self,
        template_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[InstantiateRetrieverTemplateRequest],
    ) -> InstantiatedRetrieverTemplateResponse:
        """Make a retriever as the template says, over these collections."""
        return await self._ask(
            Call("POST", f"/templates/retrievers/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )

    async def list_taxonomy(
        self, *, category: str | None = None, scope: TemplateScope | None = None, is_active: bool | None = None
    ) -> Sequence[BaseTemplateModel]:
        """The organisation's for a taxonomy, newest first, and then those of the installation."""
        return await self._ask(
            Call("GET", "/templates/taxonomies", query={"category": category, "scope": scope, "is_active": is_active})
        )

    async def create_taxonomy(
        self, taxonomy_id: str, *, idempotency_key: str | None = None, **body: Unpack[CreateTemplateFromResourceRequest]
    ) -> CreateTemplateFromResourceResponse:
        """Make a template of how a taxonomy is made, by id or name; nothing of its data."""
        return await self._ask(
            Call(
                "POST", f"/templates/taxonomies/from-taxonomy/{part(taxonomy_id)}", body=body, key=idempotency_key or ""
            )
        )

    async def delete_taxonomy(self, template_id: str) -> GenericDeleteResponse:
        """Let one of the organisation's go; what was made of it stays."""
        return await self._ask(Call("DELETE", f"/templates/taxonomies/{part(template_id)}"))

    async def get_taxonomy(self, template_id: str) -> BaseTemplateModel:
        """One of them."""
        return await self._ask(Call("GET", f"/templates/taxonomies/{part(template_id)}"))

    async def instantiate_taxonomy(
        self,
        template_id: str,
        *,
        idempotency_key: str | None = None,
        **body: Unpack[InstantiateTaxonomyTemplateRequest],
    ) -> InstantiatedTaxonomyTemplateResponse:
        """Make a taxonomy as the template says, of these collections."""
        return await self._ask(
            Call("POST", f"/templates/taxonomies/{part(template_id)}/instantiate", body=body, key=idempotency_key or "")
        )
