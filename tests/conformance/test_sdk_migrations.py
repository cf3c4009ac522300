"""Collections cloned, looked over for fields and extracted anew, driven by the published client; and by the command."""

import time
from typing import Any

import mixpeek

from tests.commands import tamis
from tests.conformance.conftest import Corpus, generated_of
from tests.conformance.wire import Wire
from tests.live import LiveServer

NAME = "at-work"
TEXTS = ("Salt keeps fish.", "Wind turns the mill.", "Clay holds water.")


def test_collections_are_cloned_synced_and_extracted_anew(wire: Wire, corpus: Corpus, server: LiveServer) -> None:
    with generated_of(server, corpus.namespace) as outside:
        namespace_id = _post(outside, wire, "/v1/namespaces", {"namespace_name": NAME})["namespace_id"]
    with generated_of(server, NAME) as client:
        collection_id = _furnished(client, wire)
        collections = _Raw(mixpeek.CollectionsApi(client), wire)
        request = mixpeek.CloneCollectionRequest.from_dict({"collection_name": "again", "enabled": False})
        clone = collections.call("clone_collection", "texts", request)
        assert (clone["source_collection_id"], clone["collection"]["enabled"]) == (collection_id, False)
        (one, *_) = _post(client, wire, f"/v1/collections/{collection_id}/documents/list", {})["results"]
        path = f"/v1/collections/{collection_id}/documents/{one['document_id']}"
        _send(client, wire, "PATCH", path, {"mood": "calm"})
        syncing = _Raw(mixpeek.CollectionSchemaApi(client), wire)
        synced = syncing.call("sync_collection_schema", collection_id, mixpeek.SchemaSyncRequest(force=True))
        assert (synced["fields_added"], synced["schema_version"]) == (["mood"], 2)
        assert syncing.call("sync_collection_schema", "texts", mixpeek.SchemaSyncRequest())["skipped"] is True

        api = _Raw(mixpeek.NamespaceMigrationsApi(client), wire)
        config: dict[str, Any] = {
            "migration_type": "re_extract", "source_namespace_id": namespace_id,
            "feature_extractors": [
                {"feature_extractor_name": "text_extractor", "parameters": {"split_by": "words", "chunk_size": 2}}
            ],
            "filters": {"collection_ids": ["texts"]},
        }  # fmt: skip
        looked = api.call("validate_migration_namespaces", _asked(mixpeek.ValidateMigrationRequest, config))
        assert looked["validation_result"]["valid"], looked
        assert looked["dependency_graph"]["execution_order"] == [collection_id]
        wrong = {**config, "feature_extractors": [{"feature_extractor_name": "no_extractor"}]}
        refused = api.call("validate_migration_namespaces", _asked(mixpeek.ValidateMigrationRequest, wrong))
        assert [one["loc"][-1] for one in refused["validation_result"]["errors"]] == ["feature_extractor_name"]
        for finish in (_cancelled, _switched):
            made = api.call("create_migration_namespaces", _asked(mixpeek.CreateMigrationRequest, config))
            assert made["status"] == "draft"
            finish(api, made["migration_id"])
        listed = api.call("list_migrations_namespaces", mixpeek.ListMigrationsRequest(source_namespace_id=NAME))
        assert [one["status"] for one in listed["migrations"]] == ["completed", "cancelled"]
        now = collections.call("get_collection", "texts")
        assert now["collection_id"] != collection_id
        assert now["document_count"] > len(TEXTS)
        # The client reads no answer of a delete: the contract has none.
        mixpeek.NamespaceMigrationsApi(client).delete_migration_namespaces(listed["migrations"][1]["migration_id"])
        _copied(api, namespace_id)
        _by_command(server)
        _cloned(client, wire, server, namespace_id)


def _copied(api: "_Raw", namespace_id: str) -> None:
    config = {"migration_type": "copy", "source_namespace_id": namespace_id, "target_namespace_name": "at-once"}
    looked = api.call("validate_migration_namespaces", _asked(mixpeek.ValidateMigrationRequest, config))
    assert looked["validation_result"]["estimated_resources"]["bucket"] == 1
    made = api.call("create_migration_namespaces", _asked(mixpeek.CreateMigrationRequest, config))
    _switched(api, made["migration_id"])
    found = api.call("get_migration_namespaces", made["migration_id"])
    assert found["additional_data"]["target_namespace_id"].startswith("ns_")
    (rows,) = [one for one in found["progress"]["stages"] if one["stage"] == "batch_processing"]
    assert rows["items_total"] == rows["items_completed"] > len(TEXTS)


def _cloned(client: mixpeek.ApiClient, wire: Wire, server: LiveServer, namespace_id: str) -> None:
    api = _Raw(mixpeek.NamespaceCloneApi(client), wire)
    asked = mixpeek.CloneNamespaceRequest.from_dict({"namespace_name": "at-rest"})
    # The later client knows one way to clone, and does not send which.
    made = api.call("clone_namespace", namespace_id, asked)
    assert (made["clone_mode"], made["source_namespace_id"], made["task_id"]) == ("shallow", namespace_id, None)
    assert made["cloned_resources"]["collections"] > 1
    deep = {"namespace_name": "at-play", "clone_mode": "deep"}
    made = _post(client, wire, f"/v1/namespaces/{NAME}/clone", deep)
    while (found := _get(client, wire, f"/v1/tasks/{made['task_id']}"))["status"] != "COMPLETED":
        assert found["status"] in ("PENDING", "IN_PROGRESS"), found
        time.sleep(0.02)
    assert found["additional_data"]["restored"]["document"] == made["cloned_resources"]["points"] > 0
    with generated_of(server, "at-play") as inside:
        assert _get(inside, wire, "/v1/collections/texts")["document_count"] > len(TEXTS)

    def typed(*arguments: str, status: int = 0) -> str:
        return tamis("snapshot", *arguments, server=server, status=status, TAMIS_NAMESPACE=NAME)

    assert "documents" in typed("create", "texts-now", "--collection", "texts")
    assert "documents" in typed("restore", "texts-now", "texts-again")
    assert "exists already" in typed("restore", "texts-now", "texts-again", status=1)
    assert "completed" in typed("list")
    assert "deleted texts-now" in typed("delete", "texts-now")


def _furnished(client: mixpeek.ApiClient, wire: Wire) -> str:
    schema = {"properties": {"text": {"type": "text"}}}
    bucket = _post(client, wire, "/v1/buckets", {"bucket_name": "texts", "bucket_schema": schema})["bucket_id"]
    body = {
        "collection_name": "texts",
        "source": {"type": "bucket", "bucket_ids": [bucket]},
        "feature_extractor": {"feature_extractor_name": "text_extractor", "version": "v1"},
    }
    collection_id = str(_post(client, wire, "/v1/collections", body)["collection_id"])
    objects = [{"blobs": [{"property": "text", "type": "text", "data": text}]} for text in TEXTS]
    _post(client, wire, f"/v1/buckets/{bucket}/objects/batch", {"objects": objects})
    task = _post(client, wire, f"/v1/collections/{collection_id}/trigger", {})["task_id"]
    while (found := _get(client, wire, f"/v1/tasks/{task}"))["status"] != "COMPLETED":
        assert found["status"] in ("PENDING", "IN_PROGRESS", "PROCESSING"), found
        time.sleep(0.02)
    return collection_id


def _cancelled(api: "_Raw", migration_id: str) -> None:
    request = mixpeek.CancelMigrationRequest(reason="not yet")
    assert api.call("cancel_migration_namespaces", migration_id, request)["status"] == "cancelled"


def _switched(api: "_Raw", migration_id: str) -> None:
    assert api.call("start_migration_namespaces", migration_id, mixpeek.StartMigrationRequest(force=True))["task_id"]
    while (found := api.call("get_migration_namespaces", migration_id))["status"] in ("pending", "in_progress"):
        time.sleep(0.02)
    assert (found["status"], found["progress"]["overall_progress_percent"]) == ("completed", 100)


def _by_command(server: LiveServer) -> None:
    def typed(*arguments: str, status: int = 0, namespace: str = NAME) -> str:
        return tamis("migration", *arguments, server=server, status=status, TAMIS_NAMESPACE=namespace)

    assert "1 collections" in typed("start", "--collection", "texts", "--check")
    assert "was not found" in typed("start", "--collection", "nothing", "--check", status=1)
    assert "completed: 1 collections" in typed(
        "start", "--extractor", "text_extractor", "--collection", "texts", "--wait"
    )
    assert "completed: ns_" in typed("start", "--copy-to", "at-last", "--wait")
    assert "exists already" in typed("start", "--copy-to", "at-last", "--check", status=1)
    assert "completed" in typed("list")


def _asked(kind: Any, config: dict[str, Any]) -> Any:
    return kind.from_dict({"config": config})


class _Raw:
    """Calls an API class as it is, and reads the answer from the wire."""

    def __init__(self, api: Any, wire: Wire) -> None:
        self._api = api
        self._wire = wire

    def call(self, name: str, *arguments: Any) -> Any:
        # Its answer is on the wire until it is read.
        assert getattr(self._api, f"{name}_without_preload_content")(*arguments).data is not None
        return self._wire.last()


def _post(client: mixpeek.ApiClient, wire: Wire, path: str, body: dict[str, Any]) -> Any:
    return _send(client, wire, "POST", path, body)


def _get(client: mixpeek.ApiClient, wire: Wire, path: str) -> Any:
    return _send(client, wire, "GET", path, None)


def _send(client: Any, wire: Wire, method: str, path: str, body: dict[str, Any] | None) -> Any:
    made, url, headers, sent, _ = client.param_serialize(
        method, path, header_params={"Content-Type": "application/json"}, body=body,
        auth_settings=["BearerAuth", "NamespaceHeader"],
    )  # fmt: skip
    assert client.call_api(made, url, headers, sent).read() is not None
    return wire.last()
