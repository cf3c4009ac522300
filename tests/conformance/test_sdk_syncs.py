"""Storage connections and bucket syncs, driven by the published client."""

import json
import time
from typing import Any

import mixpeek
import obstore

from tests.commands import tamis
from tests.conformance.conftest import Corpus
from tests.conformance.wire import Wire
from tests.live import LiveServer
from tests.servers import ObjectStore
from tests.storage_world import s3_config, s3_store


def test_a_storage_is_connected_and_a_bucket_kept_in_step(
    wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus, s3: ObjectStore
) -> None:
    connections = mixpeek.OrganizationConnectionsApi(generated)
    for number in range(3):
        obstore.put(s3_store(s3), f"conformance/{number}.txt", b"A word.")
    made = {"name": "store", "provider_type": "s3", "provider_config": s3_config(s3)}
    _call(connections, "create_storage_connection")(mixpeek.StorageConnectionCreateRequest.from_dict(made))
    connection_id = wire.last()["connection_id"]
    _call(connections, "list_storage_connections")(
        list_storage_connections_request=mixpeek.ListStorageConnectionsRequest(provider_type="s3")
    )
    assert [one["connection_id"] for one in wire.last()["results"]] == [connection_id]
    _call(connections, "test_storage_connection")("store")
    assert wire.last()["success"]
    folder = f"{s3.bucket}/conformance"
    _call(connections, "list_google_drive_files")("store", path=folder, max_results=2)
    assert [one["name"] for one in wire.last()["files"]] == ["0.txt", "1.txt"]
    change = mixpeek.StorageConnectionUpdateRequest(description="a store")
    _call(connections, "update_storage_connection")("store", storage_connection_update_request=change)
    _call(connections, "get_storage_connection")(connection_id)
    assert wire.last()["description"] == "a store"
    _a_bucket_is_kept_in_step(wire, generated, corpus.bucket_id, connection_id, folder)
    _call(connections, "delete_storage_connection")("store")


def test_by_the_command(
    server: LiveServer, wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus, s3: ObjectStore
) -> None:
    """Into a bucket that takes text alone: a sound cannot be an object, and is named."""
    for name in ("good.txt", "bad.wav", "left.md"):
        obstore.put(s3_store(s3), f"commanded/{name}", b"RIFF")
    connections, buckets = mixpeek.OrganizationConnectionsApi(generated), mixpeek.BucketsApi(generated)
    made = {"name": "commanded", "provider_type": "s3", "provider_config": s3_config(s3)}
    _call(connections, "create_storage_connection")(mixpeek.StorageConnectionCreateRequest.from_dict(made))
    bucket = {"bucket_name": "commanded", "bucket_schema": {"properties": {"content": {"type": "text"}}}}
    _call(buckets, "create_bucket")(mixpeek.BucketCreateRequest.from_dict(bucket))

    def sync(command: str, *more: str, status: int = 0) -> str:
        arguments = ("sync", command, "commanded", *more)
        return tamis(*arguments, server=server, status=status, TAMIS_NAMESPACE=corpus.namespace)

    def after(count: int) -> Any:
        for _ in range(3000):
            shown = json.loads(sync("show", sync_id, "--json"))
            if [one["status"].startswith("COMPLETED") for one in shown["runs"]] == [True] * count:
                return shown
            time.sleep(0.01)
        raise AssertionError(shown)

    folder = f"{s3.bucket}/commanded"
    sync_id = sync("create", "commanded", folder, "--every", "900", "--exclude", "*.md").split()[1]
    shown = after(1)
    assert shown["sync"]["file_filters"]["exclude_patterns"] == ["*.md"]
    assert [(one["files_synced"], one["files_failed"]) for one in shown["runs"]] == [(1, 1)]
    told = sync("show", sync_id)
    assert "bad.wav: " in told
    assert "left.md" not in told
    assert sync_id in sync("list")
    assert sync_id in sync("run", sync_id)
    assert after(2)["runs"][0]["files_synced"] == 0
    assert sync("pause", sync_id).strip() == f"{sync_id}: SUSPENDED"
    assert "paused" in sync("run", sync_id, status=1)
    assert sync("resume", sync_id).startswith(f"{sync_id}: ")
    assert after(3)["sync"]["status"] == "ACTIVE"
    assert "was not found" in sync("show", "sync_nowhere", status=1)
    assert sync("delete", sync_id).strip() == f"deleted {sync_id}"
    assert sync_id not in sync("list")
    _call(buckets, "delete_bucket")("commanded")
    _call(connections, "delete_storage_connection")("commanded")


def _a_bucket_is_kept_in_step(
    wire: Wire, generated: mixpeek.ApiClient, bucket: str, connection_id: str, folder: str
) -> None:
    syncs = mixpeek.BucketSyncsApi(generated)
    body = mixpeek.SyncCreateRequest.from_dict({
        "connection_id": connection_id, "source_path": folder, "skip_batch_submission": True,
        "file_filters": {"exclude_patterns": ["2.*"]},
    })  # fmt: skip
    _call(syncs, "create_sync_configuration")(bucket, body)
    sync_id = wire.last()["sync_config_id"]
    for _ in range(3000):
        _call(syncs, "get_sync_configuration")(bucket, sync_id)
        if wire.last()["last_sync_at"] is not None:
            break
        time.sleep(0.01)
    assert (wire.last()["status"], wire.last()["total_files_synced"]) == ("ACTIVE", 2)
    analytics = mixpeek.AnalyticsBucketsApi(generated)
    _call(analytics, "get_sync_performance")(bucket, sync_config_id=sync_id)
    assert [one["files_synced"] for one in wire.last()["runs"]] == [2]
    _call(analytics, "get_sync_comparison")(bucket)
    assert [one["success_rate"] for one in wire.last()["configs"]] == [1]
    _call(syncs, "list_sync_configurations")(
        bucket, list_sync_configurations_request=mixpeek.ListSyncConfigurationsRequest(connection_id=connection_id)
    )
    assert wire.last()["total"] == 1
    _call(syncs, "pause_sync_configuration")(bucket, sync_id)
    assert wire.last()["paused"]
    _call(syncs, "resume_sync_configuration")(bucket, sync_id)
    assert not wire.last()["paused"]
    _call(syncs, "update_sync_configuration")(bucket, sync_id, mixpeek.SyncUpdateRequest(is_active=False))
    assert wire.last()["next_sync_at"] is None
    objects = mixpeek.BucketObjectsApi(generated)
    _call(syncs, "delete_sync_configuration")(bucket, sync_id)
    # The corpus is everybody's: what came goes again.
    _call(objects, "list_objects_buckets")(bucket, list_objects_request=mixpeek.ListObjectsRequest())
    for one in wire.last()["results"]:
        if one.get("source_path"):
            _call(objects, "delete_object")(bucket, one["object_id"])


def _call(api: Any, start: str) -> Any:
    """The client's method whose name begins so; its answer is on the wire once it is read."""
    end = "_without_preload_content"
    name = min((one for one in dir(api) if one.startswith(start) and one.endswith(end)), key=len)

    def call(*arguments: Any, **named: Any) -> None:
        assert getattr(api, name)(*arguments, **named).data is not None

    return call
