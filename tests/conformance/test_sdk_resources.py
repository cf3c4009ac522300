"""Everything that a retriever searches, driven by the published client."""

from typing import Any

import mixpeek
import pytest

from tests.conformance.conftest import SENTENCES, Corpus, wait_for
from tests.conformance.wire import Wire


def test_namespaces(wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus) -> None:
    api = mixpeek.NamespacesApi(generated)
    found = api.get_namespace(corpus.namespace)
    assert found.namespace_name == corpus.namespace
    api.list_namespaces_without_preload_content()
    assert corpus.namespace in [one["namespace_name"] for one in wire.last()["results"]]
    with pytest.raises(mixpeek.exceptions.NotFoundException):
        api.get_namespace("nowhere")


def test_buckets_and_objects(wire: Wire, generated: mixpeek.ApiClient, client: Any, corpus: Corpus) -> None:
    api = mixpeek.BucketsApi(generated)
    api.get_bucket_without_preload_content("notes")
    assert wire.last()["bucket_id"] == corpus.bucket_id
    api.list_buckets_without_preload_content()
    objects = client.buckets.list_objects(corpus.bucket_id, page_size=3)
    assert len(objects.results) == 3
    mixpeek.BucketObjectsApi(generated).get_object_buckets_without_preload_content(
        "notes", objects.results[0].object_id
    )
    assert wire.last()["object_id"] == objects.results[0].object_id


def test_batches_and_tasks(wire: Wire, generated: mixpeek.ApiClient, client: Any, corpus: Corpus) -> None:
    batch = client.batches.get(corpus.bucket_id, corpus.batch_id)
    assert batch.status == "COMPLETED"
    assert client.batches.failed_documents(corpus.bucket_id, corpus.batch_id) is not None
    task = mixpeek.TasksApi(generated).get_task(corpus.task_id)
    assert task.status == "COMPLETED"
    assert client.tasks.list().results
    mixpeek.BucketBatchesApi(generated).submit_batch_buckets_batches(corpus.bucket_id, corpus.batch_id)
    wait_for(client, wire.last()["task_id"])
    assert documents_of(client, wire, corpus) == len(SENTENCES)


def documents_of(client: Any, wire: Wire, corpus: Corpus) -> int:
    client._request("POST", f"/collections/{corpus.collection_id}/documents/list", body={"limit": 100})
    return len(wire.last()["results"])


def test_collections_and_documents(wire: Wire, generated: mixpeek.ApiClient, client: Any, corpus: Corpus) -> None:
    assert client.collections.get("notes").collection_id == corpus.collection_id
    assert client.collections.list().results
    mixpeek.CollectionsApi(generated).describe_collection_features_without_preload_content("notes")
    documents = mixpeek.CollectionDocumentsApi(generated)
    documents.list_documents_without_preload_content("notes", limit=2)
    document_id = wire.last()["results"][0]["document_id"]
    documents.get_document_without_preload_content("notes", document_id)
    assert wire.last()["document_id"] == document_id
    mixpeek.DocumentLineageApi(generated).get_document_lineage_without_preload_content(
        corpus.collection_id, document_id
    )
    assert wire.last()["document_id"] == document_id


def test_extractors_and_health(wire: Wire, generated: mixpeek.ApiClient, client: Any) -> None:
    mixpeek.FeatureExtractorsApi(generated).list_feature_extractors_without_preload_content()
    assert "text_extractor" in str(wire.last())
    assert client._request("GET", "/health").status == "OK"
