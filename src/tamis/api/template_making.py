"""Templates made of what is there, and made something of."""

from typing import Any

from fastapi import APIRouter

from tamis.api.access import OrganizationFounder, OrganizationWriter, Writer
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.template import (
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
    show_saved,
)
from tamis.api.templates import Templates
from tamis.errors import ValidationError
from tamis.model.template import TemplateType
from tamis.services.manifests.templates import Place

router = APIRouter(prefix="/v1/templates", tags=["templates"], route_class=JsonRoute)


@router.post("/buckets/from-bucket/{bucket_id}", status_code=201)
async def create_bucket_template(
    principal: Writer, bucket_id: str, body: CreateTemplateFromResourceRequest, templates: Templates
) -> CreateTemplateFromResourceResponse:
    """Make a template of how a bucket is made, by id or name; nothing of its data."""
    return show_saved(await templates.save(principal, TemplateType.BUCKET, bucket_id, body.draft()))


@router.post("/clusters/from-cluster/{cluster_id}", status_code=201)
async def create_cluster_template(
    principal: Writer, cluster_id: str, body: CreateTemplateFromResourceRequest, templates: Templates
) -> CreateTemplateFromResourceResponse:
    """Make a template of how a cluster is made, by id or name; nothing of its data."""
    return show_saved(await templates.save(principal, TemplateType.CLUSTER, cluster_id, body.draft()))


@router.post("/collections/from-collection/{collection_id}", status_code=201)
async def create_collection_template(
    principal: Writer, collection_id: str, body: CreateTemplateFromResourceRequest, templates: Templates
) -> CreateTemplateFromResourceResponse:
    """Make a template of how a collection is made, by id or name; nothing of its data."""
    return show_saved(await templates.save(principal, TemplateType.COLLECTION, collection_id, body.draft()))


@router.post("/namespaces/from-namespace/{namespace_id}", status_code=201)
async def create_namespace_template(
    principal: OrganizationWriter, namespace_id: str, body: CreateTemplateFromResourceRequest, templates: Templates
) -> CreateTemplateFromResourceResponse:
    """Make a template of what a namespace, by id or name, is made of: nothing of its data, of what is published and of
    its evaluation data sets.
    """
    return show_saved(await templates.save(principal, TemplateType.NAMESPACE, namespace_id, body.draft()))


@router.post("/retrievers/from-retriever/{retriever_id}", status_code=201)
async def create_retriever_template(
    principal: Writer, retriever_id: str, body: CreateTemplateFromResourceRequest, templates: Templates
) -> CreateTemplateFromResourceResponse:
    """Make a template of how a retriever is made, by id or name; nothing of its data."""
    return show_saved(await templates.save(principal, TemplateType.RETRIEVER, retriever_id, body.draft()))


@router.post("/taxonomies/from-taxonomy/{taxonomy_id}", status_code=201)
async def create_taxonomy_template(
    principal: Writer, taxonomy_id: str, body: CreateTemplateFromResourceRequest, templates: Templates
) -> CreateTemplateFromResourceResponse:
    """Make a template of how a taxonomy is made, by id or name; nothing of its data."""
    return show_saved(await templates.save(principal, TemplateType.TAXONOMY, taxonomy_id, body.draft()))


@router.post("/buckets/{template_id}/instantiate", status_code=201)
async def instantiate_bucket_template(
    principal: Writer, template_id: str, body: InstantiateBucketTemplateRequest, templates: Templates
) -> InstantiatedBucketTemplateResponse:
    """Make a bucket as the template says."""
    place = Place(body.bucket_name, body.description)
    made = await templates.make(principal, TemplateType.BUCKET, template_id, place)
    return InstantiatedBucketTemplateResponse(
        bucket_id=made.resource_id, bucket_name=body.bucket_name, template_id=template_id, created_at=made.created_at
    )


@router.post("/clusters/{template_id}/instantiate", status_code=201)
async def instantiate_cluster_template(
    principal: Writer, template_id: str, body: InstantiateClusterTemplateRequest, templates: Templates
) -> InstantiatedClusterTemplateResponse:
    """Define a cluster as the template says, over these collections."""
    place = Place(body.cluster_name, body.description, {"collection_ids": [*body.collection_ids]})
    made = await templates.make(principal, TemplateType.CLUSTER, template_id, place)
    return InstantiatedClusterTemplateResponse(
        cluster_id=made.resource_id, cluster_name=body.cluster_name, template_id=template_id, created_at=made.created_at
    )


@router.post("/collections/{template_id}/instantiate", status_code=201)
async def instantiate_collection_template(
    principal: Writer, template_id: str, body: InstantiateCollectionTemplateRequest, templates: Templates
) -> InstantiatedCollectionTemplateResponse:
    """Make a collection as the template says, of these buckets or of this collection."""
    place = Place(body.collection_name, body.description, _source(body), tags=tuple(body.tags))
    made = await templates.make(principal, TemplateType.COLLECTION, template_id, place)
    return InstantiatedCollectionTemplateResponse(
        collection_id=made.resource_id,
        collection_name=body.collection_name,
        template_id=template_id,
        created_at=made.created_at,
    )


@router.post("/namespaces/{template_id}/instantiate", status_code=201)
async def instantiate_namespace_template(
    principal: OrganizationFounder, template_id: str, body: InstantiateTemplateRequest, templates: Templates
) -> InstantiatedTemplateResponse:
    """Make a namespace with all that the template has, or nothing of it. It is ready when this is answered."""
    place = Place(body.namespace_name, body.description)
    made = await templates.make_namespace(principal, template_id, place)
    return InstantiatedTemplateResponse(
        namespace_id=made.resource_id,
        namespace_name=body.namespace_name,
        template_id=template_id,
        created_at=made.created_at,
    )


@router.post("/retrievers/{template_id}/instantiate", status_code=201)
async def instantiate_retriever_template(
    principal: Writer, template_id: str, body: InstantiateRetrieverTemplateRequest, templates: Templates
) -> InstantiatedRetrieverTemplateResponse:
    """Make a retriever as the template says, over these collections."""
    said: dict[str, Any] = {"collection_identifiers": body.collection_identifiers}
    tags: dict[str, Any] = {"tags": body.tags} if body.tags else {}
    place = Place(body.retriever_name, body.description, {**said, **tags})
    made = await templates.make(principal, TemplateType.RETRIEVER, template_id, place)
    return InstantiatedRetrieverTemplateResponse(
        retriever_id=made.resource_id,
        retriever_name=body.retriever_name,
        template_id=template_id,
        created_at=made.created_at,
    )


@router.post("/taxonomies/{template_id}/instantiate", status_code=201)
async def instantiate_taxonomy_template(
    principal: Writer, template_id: str, body: InstantiateTaxonomyTemplateRequest, templates: Templates
) -> InstantiatedTaxonomyTemplateResponse:
    """Make a taxonomy as the template says, of these collections."""
    place = Place(body.taxonomy_name, body.description, collections=body.collection_config)
    made = await templates.make(principal, TemplateType.TAXONOMY, template_id, place)
    return InstantiatedTaxonomyTemplateResponse(
        taxonomy_id=made.resource_id,
        taxonomy_name=body.taxonomy_name,
        template_id=template_id,
        created_at=made.created_at,
    )


def _source(body: InstantiateCollectionTemplateRequest) -> dict[str, Any]:
    """Raises: ValidationError for both."""
    if body.bucket_ids and body.collection_id:
        message = "a collection draws from buckets or from a collection: leave one of them out"
        raise ValidationError.at(["body", "collection_id"], message)
    if body.bucket_ids:
        return {"source": {"type": "bucket", "bucket_ids": body.bucket_ids}}
    if body.collection_id:
        return {"source": {"type": "collection", "collection_ids": [body.collection_id]}}
    return {}
