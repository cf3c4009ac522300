"""Clusters of a real server: by the command, and one result of a run that a kill cut off."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import psutil
import pytest

from tests.cluster_samples import lines, rows
from tests.commands import tamis
from tests.live import LiveServer

COUNT = 300


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("clusters") / "data") as live:
        with http_of(live) as http:
            extractor = {
                "feature_extractor_name": "passthrough_extractor", "version": "v1",
                "parameters": {"vectors": {"look": {"dimensions": 8}}},
            }  # fmt: skip
            http.post("/buckets", json={"bucket_name": "own", "bucket_schema": {"properties": {}}})
            source = {"type": "bucket", "bucket_ids": ["own"]}
            body = {"collection_name": "things", "source": source, "feature_extractor": extractor}
            http.post("/collections", json=body).raise_for_status()
            http.post("/collections/things/documents/import", content=lines(rows(COUNT))).raise_for_status()
        yield live


def http_of(live: LiveServer) -> httpx.Client:
    headers = {"Authorization": f"Bearer {live.key}", "X-Namespace": "default"}
    return httpx.Client(base_url=f"{live.url}/v1", headers=headers, timeout=60)


def clustering() -> list[psutil.Process]:
    """Processes that cluster."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any("clustering_worker" in part for part in process.info["cmdline"] or ())
    ]


def until(http: httpx.Client, path: str, *wanted: str, name: str = "status") -> Any:
    for _ in range(6000):
        found = http.get(path).json()
        if found[name] in wanted:
            return found
        time.sleep(0.01)
    raise AssertionError(found)


def test_a_run_that_is_killed_begins_anew_and_has_one_result(live: LiveServer) -> None:
    before = {one.pid for one in clustering()}
    with http_of(live) as http:
        vector = {"clustering_method": "kmeans", "kmeans_parameters": {"n_clusters": 3}}
        body = {"collection_ids": ["things"], "cluster_name": "themes", "vector_config": vector}
        http.post("/clusters", json={**body, "enrich_source_collection": True}).raise_for_status()
        run_id = http.post("/clusters/themes/execute").json()["additional_data"]["run_id"]
        path = f"/clusters/themes/executions/{run_id}"
        until(http, path, "computing", name="phase")
        working = [one for one in clustering() if one.pid not in before]
        live.kill()
    assert psutil.wait_procs(working, timeout=30)[1] == []
    live.start()
    with http_of(live) as http:
        done = until(http, path, "completed", "failed")
        assert (done["status"], done["num_clusters"], done["num_points"]) == ("completed", 3, COUNT)
        told = http.get(f"{path}/artifacts", params={"include_members": True, "limit": 1000}).json()
        assert len({one["document_id"] for one in told["members"]}) == told["total_members"] == COUNT
        listed = http.post("/clusters/themes/executions/list", json={}).json()
        assert [one["run_id"] for one in listed["results"]] == [run_id]
        assert http.get(f"/tasks/{done['task_id']}").json()["status"] == "COMPLETED"
        counted = {"filters": {"field": "cluster_id", "operator": "is_null", "value": False}, "count_only": True}
        for _ in range(3000):
            told_of = http.post("/collections/things/documents/list", json=counted).json()["pagination"]["total"]
            if told_of == COUNT:
                break
            time.sleep(0.01)
        assert told_of == COUNT


def test_by_the_command(live: LiveServer) -> None:
    assert "cluster clust_" in tamis("cluster", "create", "groups", "things", "--attribute", "group", server=live)
    first = json.loads(tamis("cluster", "run", "groups", "--json", server=live))
    assert {one["label"] for one in first["centroids"]} == {"shoes", "kitchen", "camping"}
    second = json.loads(tamis("cluster", "run", "groups", "--json", server=live))
    shown = tamis("cluster", "show", "groups", server=live)
    assert "300 documents in 3 clusters, 0 in none" in shown
    assert "kitchen" in shown
    compared = tamis("cluster", "compare", "groups", first["run_id"], second["run_id"], server=live)
    assert "300 of 300 documents stayed" in compared
    assert first["run_id"] in tamis("cluster", "runs", "groups", server=live)
    assert "300 of 300 documents say" in tamis("cluster", "enrich", "groups", "--collection", "things", server=live)
    listed = tamis("cluster", "list", server=live)
    assert all(name in listed for name in ("groups", "themes", "kmeans"))
    assert "trigger trig_" in tamis("cluster", "trigger", "groups", "--after", "100", server=live)
    assert "0 of 100 new documents" in tamis("cluster", "triggers", server=live)
    assert "give one of" in tamis("cluster", "trigger", "groups", server=live, status=1)
    made = tamis("trigger", "create", "--cluster", "groups", "--cron", "0 2 * * *", server=live).split()[1]
    assert "0 2 * * * UTC" in tamis("trigger", "list", server=live)
    assert tamis("trigger", "pause", made, server=live).strip() == "paused"
    task = tamis("trigger", "execute", made, server=live).split()[1]
    assert task in tamis("trigger", "history", made, server=live)
    assert "give --cluster" in tamis("trigger", "create", "--taxonomy", "x", "--every", "9", server=live, status=1)
    assert tamis("trigger", "delete", made, server=live).strip() == "deleted"
    assert "deleted groups" in tamis("cluster", "delete", "groups", server=live)
    assert "was not found" in tamis("cluster", "show", "groups", server=live, status=1)
