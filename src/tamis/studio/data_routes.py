"""Addresses of what is stored, and of what is done with it."""

from starlette.routing import Route

from tamis.studio import (
    agent_sessions,
    batches,
    buckets,
    clusters,
    collections,
    data,
    documents,
    namespaces,
    objects,
    sightings,
    taxonomies,
    templates,
    uploads,
)
from tamis.studio.routes import deletes, searches, shows, writes

_BUCKET = "/data/buckets/{bucket_id}"
_COLLECTION = "/data/collections/{collection_id}"
_TAXONOMY = "/data/taxonomies/{taxonomy_id}"
_TEMPLATE = "/data/templates/{kind}/{template_id}"
_CLUSTER = "/data/clusters/{cluster_id}"


def data_routes() -> list[Route]:
    return [
        shows("/data", data.show),
        shows("/data/namespaces", namespaces.show),
        writes("/data/namespaces", namespaces.create),
        writes("/data/namespaces/begin", namespaces.begin),
        writes("/data/buckets", buckets.create),
        shows(_BUCKET, buckets.show),
        deletes(f"{_BUCKET}/delete", buckets.delete),
        writes(f"{_BUCKET}/uploads", uploads.announce),
        writes(f"{_BUCKET}/uploads/{{upload_id}}/confirm", uploads.confirm),
        shows(f"{_BUCKET}/objects/{{object_id}}", objects.show),
        writes(f"{_BUCKET}/objects/{{object_id}}/extract", objects.extract),
        deletes(f"{_BUCKET}/objects/{{object_id}}/delete", objects.delete),
        writes(f"{_BUCKET}/batches", batches.create),
        shows(f"{_BUCKET}/batches/{{batch_id}}", batches.show),
        shows(f"{_BUCKET}/batches/{{batch_id}}/events", batches.events),
        writes(f"{_BUCKET}/batches/{{batch_id}}/retry", batches.retry),
        writes(f"{_BUCKET}/batches/{{batch_id}}/cancel", batches.cancel),
        shows("/data/taxonomies", taxonomies.index),
        shows(_TAXONOMY, taxonomies.show),
        deletes(f"{_TAXONOMY}/delete", taxonomies.delete),
        shows("/data/collections/new", collections.new),
        writes("/data/collections", collections.create),
        shows(_COLLECTION, collections.show),
        searches(f"{_COLLECTION}/search", collections.search),
        writes(f"{_COLLECTION}/extract", collections.extract),
        deletes(f"{_COLLECTION}/delete", collections.delete),
        shows(f"{_COLLECTION}/documents/{{document_id}}", documents.show),
        shows(f"{_COLLECTION}/documents/{{document_id}}/executions", sightings.show),
        deletes(f"{_COLLECTION}/documents/{{document_id}}/delete", documents.delete),
        shows("/data/sessions", agent_sessions.index),
        shows("/data/sessions/{session_id}", agent_sessions.show),
        deletes("/data/sessions/{session_id}/delete", agent_sessions.delete),
        shows("/data/templates", templates.index),
        shows(_TEMPLATE, templates.show),
        writes(f"{_TEMPLATE}/make", templates.make),
        deletes(f"{_TEMPLATE}/delete", templates.delete),
        shows("/data/clusters", clusters.index),
        shows(_CLUSTER, clusters.show),
        writes(f"{_CLUSTER}/run", clusters.run),
        writes(f"{_CLUSTER}/runs/{{run_id}}/cancel", clusters.cancel),
        deletes(f"{_CLUSTER}/delete", clusters.delete),
    ]
