"""A real server with a small real corpus, made through the published client alone."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import mixpeek
import pytest
from mixpeek import Mixpeek

from tests.conformance.wire import Contract, Wire
from tests.live import LiveServer
from tests.llm_server import LanguageServer, serving
from tests.servers import ObjectStore
from tests.shared_data import shared

SENTENCES = (
    ("A sieve lets fine grains pass and holds the stones back.", "kitchen", 4),
    ("The harbour pilot boards every ship before it enters the channel.", "sea", 9),
    ("Rye bread rises slowly, because its dough holds little gluten.", "kitchen", 7),
    ("Lighthouses mark the rocks that a captain cannot see at night.", "sea", 3),
    ("A whetstone brings back the edge of a kitchen knife.", "kitchen", 1),
    ("The tide turns twice a day and carries the nets with it.", "sea", 5),
)
DENSE = "mixpeek://text_extractor@v1/embedding"


@dataclass(frozen=True, slots=True)
class Corpus:
    """One namespace with one text collection of SENTENCES, extracted."""

    namespace: str
    bucket_id: str
    collection_id: str
    batch_id: str
    task_id: str


@pytest.fixture(scope="session")
def model() -> Iterator[LanguageServer]:
    """The language model that the server asks."""
    with serving() as model:
        yield model


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, s3: ObjectStore, model: LanguageServer) -> Iterator[LiveServer]:
    """One whose connections may reach the S3 server, and that asks the model."""
    port = urlsplit(s3.environment["AWS_ENDPOINT"]).port
    outside = {"TAMIS_OUTSIDE_DOMAINS": "127.0.0.1", "TAMIS_OUTSIDE_NETWORKS": "127.0.0.1/32"}
    asked = {"TAMIS_LLM_BASE_URL": model.url, "TAMIS_LLM_MODEL": "small"}
    data_dir = tmp_path_factory.mktemp("conformance") / "data"
    with LiveServer(data_dir, TAMIS_SECRET_KEY="0" * 40, TAMIS_OUTSIDE_PORTS=str(port), **outside, **asked) as live:
        yield live


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract(json.loads(shared("contract/api.json").read_text()))


@pytest.fixture
def wire(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """Every answer that the test's clients get has to be as the contract says."""
    with Wire().tapped(monkeypatch) as tapped:
        yield tapped
    assert tapped.answers, "the test read no answer"
    assert [fault for answer in tapped.answers for fault in contract.faults(answer)] == []


@pytest.fixture(scope="session")
def corpus(server: LiveServer) -> Corpus:
    client = client_of(server, "conformance")
    client.namespaces.create(
        name="conformance", feature_extractors=[{"feature_extractor_name": "text_extractor", "version": "v1"}]
    )
    bucket = client.buckets.create(
        name="notes",
        bucket_schema={"properties": {
            "text": {"type": "text"}, "topic": {"type": "string"}, "rank": {"type": "integer"},
        }},
    )  # fmt: skip
    collection = client.collections.create(
        name="notes",
        source={"type": "bucket", "bucket_ids": [bucket.bucket_id]},
        feature_extractor={
            "feature_extractor_name": "text_extractor",
            "version": "v1",
            "input_mappings": {"text": "text"},
            "field_passthrough": [{"source_path": "topic"}, {"source_path": "rank"}],
        },
    )
    objects = [
        client.buckets.upload(
            bucket.bucket_id,
            blobs=[{"property": "text", "type": "text", "data": text}],
            metadata={"topic": topic, "rank": rank},
        ).object_id
        for text, topic, rank in SENTENCES
    ]
    with generated_of(server, "conformance") as api_client:
        batches = mixpeek.BucketBatchesApi(api_client)
        request = mixpeek.CreateBatchRequest(object_ids=objects)
        # The later client's BatchModel demands fields that the contract does not have: the answer is read as it came.
        created = batches.create_batch_buckets_batches_without_preload_content(bucket.bucket_id, request)
        batch_id = json.loads(created.data)["batch_id"]
        task = batches.submit_batch_buckets_batches(bucket.bucket_id, batch_id)
    wait_for(client, task.task_id)
    return Corpus("conformance", bucket.bucket_id, collection.collection_id, batch_id, task.task_id)


def wait_for(client: Any, task_id: str) -> None:
    deadline = time.monotonic() + 60
    while (status := client.tasks.get(task_id).status) not in ("COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED"):
        assert time.monotonic() < deadline, status
        time.sleep(0.05)
    assert status == "COMPLETED"


def client_of(server: LiveServer, namespace: str | None) -> Any:
    """The hand-written client."""
    return Mixpeek(server.key, namespace=namespace, base_url=f"{server.url}/v1")


@pytest.fixture
def client(server: LiveServer, corpus: Corpus) -> Any:
    return client_of(server, corpus.namespace)


def generated_of(server: LiveServer, namespace: str) -> mixpeek.ApiClient:
    """The generated client, as its documentation sets it up."""
    configuration = mixpeek.Configuration(
        host=server.url, access_token=server.key, api_key={"NamespaceHeader": namespace}
    )
    return mixpeek.ApiClient(configuration)


@pytest.fixture
def generated(server: LiveServer, corpus: Corpus) -> Iterator[mixpeek.ApiClient]:
    with generated_of(server, corpus.namespace) as api_client:
        yield api_client
