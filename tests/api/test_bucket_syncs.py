"""Syncs of buckets over the whole application: from an S3 server, and from a folder of this machine."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import obstore
import pytest
import pytest_asyncio

from tamis.jobs.bucket_syncing import BucketSyncWorker
from tests.servers import ObjectStore
from tests.storage_world import StorageWorld, asked, s3_config, s3_store, storage_world

pytestmark = pytest.mark.asyncio(loop_scope="module")
SCHEMA = {"properties": {"content": {"type": "text"}, "picture": {"type": "image"}}}


class Folder:
    """A folder of its own with a connection and a bucket."""

    def __init__(self, world: StorageWorld, name: str) -> None:
        self.world, self.name = world, name
        self.path = world.media / name
        self.sync_id = ""

    async def open(self, schema: dict[str, Any] | None = None, **sync: Any) -> Any:
        self.path.mkdir(exist_ok=True)
        config = {"folder": str(self.path)}
        body = {"name": self.name, "provider_type": "local", "provider_config": config}
        await self.world.ask("POST", "/organizations/connections", body)
        bucket = {"bucket_name": self.name, "bucket_schema": schema or SCHEMA}
        await self.world.ask("POST", "/buckets", bucket)
        return await self.sync(**sync)

    async def sync(self, **more: Any) -> Any:
        made = await self.world.ask(
            "POST", f"/buckets/{self.name}/syncs", {"connection_id": self.name, "source_path": "/", **more}
        )
        self.sync_id = made["sync_config_id"]
        return await self.settled()

    async def run(self) -> Any:
        await self.world.ask("POST", f"{self.at}/trigger")
        return await self.settled()

    async def settled(self) -> Any:
        await self.world.system.services[BucketSyncWorker].drain()
        return await self.world.ask("GET", self.at)

    async def objects(self) -> dict[str, Any]:
        found = await self.world.ask("POST", f"/buckets/{self.name}/objects/list?limit=1000")
        return {one["source_path"]: one for one in found["results"]}

    @property
    def at(self) -> str:
        return f"/buckets/{self.name}/syncs/{self.sync_id}"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory, s3: ObjectStore) -> AsyncIterator[StorageWorld]:
    async with storage_world(tmp_path_factory.mktemp("syncs"), s3.environment["AWS_ENDPOINT"]) as found:
        found.http.headers["X-Namespace"] = "default"
        extractors = [{"feature_extractor_name": "text_extractor", "version": "v1"}]
        body = {"namespace_name": "default", "feature_extractors": extractors}
        await asked(found.stranger, "POST", "/namespaces", body)
        found.stranger.headers["X-Namespace"] = "default"
        yield found


async def test_new_changed_and_deleted_files_are_objects_made_changed_and_deleted(world: StorageWorld) -> None:
    folder = Folder(world, "notes")
    folder.path.mkdir()
    (folder.path / "a.txt").write_text("one")
    (folder.path / "deep").mkdir()
    (folder.path / "deep" / "b.md").write_text("two")
    (folder.path / "c.wav").write_bytes(b"RIFF")
    sync = await folder.open()
    assert (sync["status"], sync["sync_run_counter"], sync["total_files_synced"]) == ("ACTIVE", 1, 2)
    assert (sync["total_files_discovered"], sync["total_files_failed"]) == (3, 1)
    assert sync["next_sync_at"] > sync["last_sync_at"]
    objects = await folder.objects()
    assert set(objects) == {"a.txt", "deep/b.md"}
    assert [blob["properties"]["data"] for blob in objects["a.txt"]["blobs"]] == ["one"]
    assert objects["deep/b.md"]["key_prefix"] == "/deep"
    failed = (await world.ask("GET", f"{folder.at}/files?state=failed"))["files"]
    assert [(one["path"], one["attempts"]) for one in failed] == [("c.wav", 1)]
    assert "no property that takes audio" in failed[0]["error"]

    again = await folder.run()
    assert (again["total_files_synced"], again["sync_run_counter"]) == (2, 2)
    (folder.path / "a.txt").write_text("one more")
    (folder.path / "deep" / "b.md").unlink()
    after = await folder.run()
    assert (after["total_files_synced"], after["total_files_deleted"]) == (3, 1)
    changed = await folder.objects()
    assert set(changed) == {"a.txt"}
    assert changed["a.txt"]["object_id"] == objects["a.txt"]["object_id"]
    assert [blob["properties"]["data"] for blob in changed["a.txt"]["blobs"]] == ["one more"]
    # It does not change, so after three attempts it is left alone.
    last = await folder.run()
    failed = (await world.ask("GET", f"{folder.at}/files?state=failed"))["files"]
    assert (failed[0]["attempts"], last["total_files_failed"]) == (3, 1)

    told = await world.ask("GET", "/analytics/buckets/notes/sync-performance?limit=3")
    counts = ("files_discovered", "files_synced", "files_failed", "bytes_synced")
    assert [[one[name] for name in counts] for one in told["runs"]] == [[2, 0, 0, 0], [2, 1, 1, 8], [3, 0, 1, 0]]
    assert {one["provider_type"] for one in told["runs"]} == {"local"}
    assert [one["status"] for one in told["runs"]] == ["COMPLETED", "COMPLETED_WITH_ERRORS", "COMPLETED_WITH_ERRORS"]
    whole = told["summary"]
    assert (whole["total_runs"], whole["failed_runs"], whole["total_bytes_synced"]) == (4, 0, 14)
    (config,) = (await world.ask("GET", "/analytics/buckets/notes/sync-comparison"))["configs"]
    assert (config["run_count"], config["total_files_synced"], config["success_rate"]) == (4, 3, 1)
    assert config["avg_throughput_mbps"] == whole["avg_throughput_mbps"] > 0
    only = f"/analytics/buckets/notes/sync-performance?sync_config_id={folder.sync_id}"
    assert (await world.ask("GET", only))["summary"] == whole
    await world.ask("GET", f"{only}x", status=404)


async def test_objects_are_sent_through_the_buckets_collections(world: StorageWorld) -> None:
    folder = Folder(world, "fed")
    folder.path.mkdir()
    for number in range(3):
        (folder.path / f"{number}.txt").write_text(f"word {number}")
    sync = await folder.open(sync_mode="initial_only")
    assert (sync["status"], sync["batches_created"], sync["next_sync_at"]) == ("COMPLETED", 0, None)
    body = {
        "collection_name": "fed", "source": {"type": "bucket", "bucket_ids": ["fed"]},
        "feature_extractor": {
            "feature_extractor_name": "passthrough_extractor", "version": "v1", "input_mappings": {},
            "field_passthrough": [{"source_path": "source_path"}],
        },
    }  # fmt: skip
    await world.ask("POST", "/collections", body)
    (folder.path / "0.txt").write_text("another word")
    (folder.path / "3.txt").write_text("word 3")
    sync = await folder.run()
    assert (sync["batches_created"], len(sync["batch_ids"]), len(sync["task_ids"])) == (1, 1, 1)
    batch = await world.ask("GET", f"/buckets/fed/batches/{sync['batch_ids'][0]}")
    assert len(batch["object_ids"]) == 2
    await world.system.worker.drain()
    found = await world.ask("POST", "/collections/fed/documents/list")
    assert {one["source_path"] for one in found["results"]} == {"0.txt", "3.txt"}
    (folder.path / "3.txt").unlink()
    await folder.run()
    found = await world.ask("POST", "/collections/fed/documents/list")
    assert {one["source_path"] for one in found["results"]} == {"0.txt"}
    await world.ask("PATCH", folder.at, {"skip_batch_submission": True})
    (folder.path / "4.txt").write_text("word 4")
    assert (await folder.run())["batches_created"] == 1


async def test_a_bucket_of_s3_is_kept_in_step(world: StorageWorld, s3: ObjectStore) -> None:
    store = s3_store(s3)
    for key, data in (("synced/a.txt", b"one"), ("synced/b/p.png", b"\x89PNG"), ("beside/c.txt", b"no")):
        await obstore.put_async(store, key, data)
    body = {"name": "s3", "provider_type": "s3", "provider_config": s3_config(s3)}
    await world.ask("POST", "/organizations/connections", body)
    await world.ask("POST", "/buckets", {"bucket_name": "s3", "bucket_schema": SCHEMA})
    folder = Folder(world, "s3")
    sync = await folder.sync(source_path=f"{s3.bucket}/synced/")
    assert (sync["total_files_synced"], sync["total_bytes_synced"]) == (2, 7)
    objects = await folder.objects()
    assert set(objects) == {f"{s3.bucket}/synced/a.txt", f"{s3.bucket}/synced/b/p.png"}
    picture = objects[f"{s3.bucket}/synced/b/p.png"]["blobs"][0]
    assert (picture["property"], picture["type"], picture["details"]["size_bytes"]) == ("picture", "image", 4)
    await obstore.put_async(store, "synced/a.txt", b"two")
    await obstore.delete_async(store, "synced/b/p.png")
    sync = await folder.run()
    assert (sync["total_files_synced"], sync["total_files_deleted"]) == (3, 1)
    assert [blob["properties"]["data"] for blob in (await folder.objects())[f"{s3.bucket}/synced/a.txt"]["blobs"]] == [
        "two"
    ]


async def test_what_cannot_be_reached_deletes_nothing(world: StorageWorld) -> None:
    folder = Folder(world, "gone")
    folder.path.mkdir()
    (folder.path / "a.txt").write_text("one")
    await folder.open()
    away = folder.path.rename(world.media / "away-for-a-while")
    sync = await folder.run()
    assert (sync["status"], sync["consecutive_failures"], sync["total_files_deleted"]) == ("FAILED", 1, 0)
    health = await world.ask("GET", f"analytics/buckets/{sync['bucket_id']}/health")
    (told,) = health["sync_health"]
    assert (told["sync_config_id"], told["consecutive_failures"]) == (sync["sync_config_id"], 1)
    assert (health["overall_health"], health["stuck_syncs"]) == ("degraded", [])
    assert "TAMIS_CONNECTION_FOLDERS" in sync["last_error"] or "not there" in sync["last_error"]
    assert set(await folder.objects()) == {"a.txt"}
    away.rename(folder.path)
    assert (await folder.run())["status"] == "ACTIVE"
    await world.ask("PATCH", "/organizations/connections/gone", {"status": "SUSPENDED"})
    assert "SUSPENDED" in (await folder.run())["last_error"]
    await world.ask("DELETE", "/organizations/connections/gone")
    assert "was not found" in (await folder.run())["last_error"]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({"include_patterns": ["*.txt"]}, {"a.txt", "drafts/d.txt"}),
        ({"exclude_patterns": ["*/drafts/*"]}, {"a.txt", "b.md", "long.md"}),
        ({"include_patterns": ["drafts/*"]}, {"drafts/d.txt"}),
        ({"mime_types": ["text/plain"]}, {"a.txt", "drafts/d.txt"}),
        ({"mime_types": ["text/*"], "min_size_bytes": 5}, {"long.md"}),
        ({"max_size_bytes": 4, "exclude_patterns": ["?.md"]}, {"a.txt", "drafts/d.txt"}),
        ({"modified_after": "2999-01-01T00:00:00"}, set()),
        ({"modified_before": "2999-01-01T00:00:00Z", "include_patterns": ["[ab].*"]}, {"a.txt", "b.md"}),
    ],
)
async def test_files_pass_all_filters(world: StorageWorld, filters: dict[str, Any], names: set[str]) -> None:
    folder = Folder(world, "sieved")
    if not folder.path.exists():
        folder.path.mkdir()
        (folder.path / "drafts").mkdir()
        for name in ("a.txt", "b.md", "drafts/d.txt"):
            (folder.path / name).write_text("text")
        (folder.path / "long.md").write_text("longer")
        await folder.open(sync_mode="initial_only", file_filters={"include_patterns": ["none"]})
        assert await folder.objects() == {}
    await folder.sync(sync_mode="initial_only", file_filters=filters)
    assert set(await folder.objects()) == names
    for found in (await folder.objects()).values():
        await world.ask("DELETE", f"/buckets/sieved/objects/{found['object_id']}", status=204)


async def test_pause_resume_change_and_delete(world: StorageWorld) -> None:
    folder = Folder(world, "paused")
    sync = await folder.open()
    assert (sync["paused"], sync["polling_interval_seconds"]) == (False, 300)
    paused = await world.ask("POST", f"{folder.at}/pause")
    assert (paused["paused"], paused["status"], paused["next_sync_at"]) == (True, "SUSPENDED", None)
    assert "paused" in await world.refused(f"{folder.at}/trigger", status=409)
    (folder.path / "a.txt").write_text("one")
    await world.ask("POST", f"{folder.at}/resume")
    resumed = await folder.settled()
    assert (resumed["paused"], resumed["status"], resumed["total_files_synced"]) == (False, "ACTIVE", 1)
    changed = await world.ask("PATCH", folder.at, {"polling_interval_seconds": 30, "metadata": {"a": 1}})
    assert (changed["polling_interval_seconds"], changed["metadata"]) == (30, {"a": 1})
    assert (await world.ask("PATCH", folder.at, {"status": "SUSPENDED"}))["next_sync_at"] is None
    assert (await world.ask("PATCH", folder.at, {"is_active": True}))["next_sync_at"] is not None
    listed = await world.ask("POST", "/buckets/paused/syncs/list", {"is_active": True})
    assert [one["sync_config_id"] for one in listed["results"]] == [folder.sync_id]
    await world.ask("DELETE", folder.at)
    await world.ask("GET", folder.at, status=404)
    assert set(await folder.objects()) == {"a.txt"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"connection_id": "nobody"}, "was not found"),
        ({"source_path": "../up"}, "is no path"),
        ({"source_path": "not/there"}, "is not there"),
        ({"sync_mode": "hourly"}, "sync_mode"),
        ({"polling_interval_seconds": 5}, "polling_interval_seconds"),
        ({"file_filters": {"extensions": [".mp4"]}}, "it takes exclude_patterns"),
        ({"file_filters": {"include_patterns": [""]}}, "file_filters.include_patterns.0"),
        ({"file_filters": {"min_size_bytes": 5, "max_size_bytes": 4}}, "at least min_size_bytes"),
        ({"file_filters": {"modified_after": "soon"}}, "file_filters.modified_after"),
    ],
)
async def test_what_is_wrong_is_named(world: StorageWorld, body: dict[str, Any], told: str) -> None:
    folder = Folder(world, "wrong")
    if not folder.path.exists():
        await folder.open(sync_mode="initial_only")
    whole = {"connection_id": "wrong", "source_path": "/", **body}
    status = 404 if body.get("connection_id") else 422
    assert told in await world.refused("/buckets/wrong/syncs", whole, status)


async def test_a_stranger_sees_no_sync_and_no_connection(world: StorageWorld) -> None:
    folder = Folder(world, "secret")
    await folder.open()
    for method, rest in (("GET", ""), ("DELETE", ""), ("POST", "/pause"), ("POST", "/trigger"), ("GET", "/files")):
        await asked(world.stranger, method, f"{folder.at}{rest}", status=404)
    await asked(world.stranger, "POST", "/buckets", {"bucket_name": "mine", "bucket_schema": SCHEMA})
    await asked(world.stranger, "GET", f"/buckets/mine/syncs/{folder.sync_id}", status=404)
    body = {"connection_id": "secret", "source_path": "/"}
    await asked(world.stranger, "POST", "/buckets/mine/syncs", body, 404)


async def test_links_that_appear_while_it_looks_lead_nowhere(world: StorageWorld, tmp_path: Path) -> None:
    folder = Folder(world, "links")
    folder.path.mkdir()
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody's business")
    (folder.path / "away").symlink_to(tmp_path)
    (folder.path / "secret.txt").symlink_to(secret)
    (folder.path / "plain.txt").write_text("plain")
    await folder.open()
    assert set(await folder.objects()) == {"plain.txt"}
    (folder.path / "plain.txt").unlink()
    (folder.path / "plain.txt").symlink_to(secret)
    await folder.run()
    assert await folder.objects() == {}


async def test_a_deleted_bucket_takes_its_syncs_along(world: StorageWorld) -> None:
    folder = Folder(world, "brief")
    await folder.open()
    await world.ask("DELETE", "/buckets/brief")
    await world.ask("POST", "/buckets", {"bucket_name": "brief", "bucket_schema": SCHEMA})
    assert (await world.ask("POST", "/buckets/brief/syncs/list"))["total"] == 0
