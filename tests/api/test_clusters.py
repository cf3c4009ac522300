"""Clusters over the API, in a whole system: by vectors in a process of their own, by attributes, into documents."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import pytest_asyncio
from sklearn import metrics
from sklearn.cluster import KMeans

from tamis.app import build_app
from tamis.jobs.clustering import ClusteringWorker
from tamis.jobs.walking import WalkWorker
from tamis.settings import Settings
from tamis.wiring.system import System, open_system
from tests.cluster_samples import THEMES, collection, document_id, rows

pytestmark = pytest.mark.asyncio(loop_scope="module")

_KEY = "sk_clusters_0123456789abcdef0123456789"
_HEADERS = {"Authorization": f"Bearer {_KEY}", "X-Namespace": "default"}
COUNT = 60
KMEANS = {"clustering_method": "kmeans", "kmeans_parameters": {"n_clusters": 3, "random_state": 42}}
BY_GROUP = {"collection_ids": ["things"], "cluster_type": "attribute", "attribute_config": {"attributes": ["group"]}}


class Asking:
    def __init__(self, http: httpx.AsyncClient, system: System) -> None:
        self.http, self.system = http, system

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def refused(self, path: str, body: Any, status: int = 422, method: str = "POST") -> str:
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        told = answer.json()
        faults = [".".join(map(str, one["loc"])) + ": " + one["msg"] for one in told.get("detail") or []]
        return " | ".join(faults) or str(told["error"]["message"])

    async def run(self, cluster: str) -> Any:
        """Execute it, and its run once that and all that follows is over."""
        await self.ask("POST", f"/clusters/{cluster}/execute")
        await self.system.services[ClusteringWorker].drain()
        await self.system.services[WalkWorker].drain()
        return await self.ask("GET", f"/clusters/{cluster}/executions")

    async def document(self, number: int) -> Any:
        return await self.ask("GET", f"/collections/things/documents/{document_id(number)}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Asking]:
    data_dir: Path = tmp_path_factory.mktemp("clusters") / "data"
    system = await open_system(Settings(data_dir=data_dir, root_key=_KEY))
    try:
        app = httpx.ASGITransport(build_app(system))
        async with httpx.AsyncClient(transport=app, base_url="http://localhost/v1", headers=_HEADERS) as http:
            await collection(http, "things", rows(COUNT))
            yield Asking(http, system)
    finally:
        await system.close()


async def test_a_run_finds_what_scikit_learn_finds_and_tells_the_documents(asking: Asking) -> None:
    made = await asking.ask("POST", "/clusters", {
        "collection_ids": ["things"], "cluster_name": "themes", "vector_config": {**KMEANS, "feature_uris": ["look"]},
        "enrich_source_collection": True, "metadata": {"owner": "us"},
        "source_enrichment_config": {"field_mappings": [
            {"source_field": "cluster_id", "target_field": "theme.id"},
            {"source_field": "cluster_label", "target_field": "theme.label"},
            {"source_field": "distance_to_centroid", "target_field": "theme.distance"},
            {"source_field": "x", "target_field": "theme.x"},
            {"source_field": "metadata.owner", "target_field": "theme.owner"},
        ]},
    })  # fmt: skip
    assert (made["status"], made["algorithm"], made["num_clusters"]) == ("PENDING", "kmeans", None)
    run = await asking.run("themes")
    assert (run["status"], run["num_points"], run["num_clusters"], run["error_message"]) == ("completed", 60, 3, None)
    labels = {one["label"] for one in run["centroids"]}
    assert labels == {", ".join(sorted(words.split())) for words, _, _ in THEMES}

    path = f"/clusters/themes/executions/{run['run_id']}"
    told = await asking.ask("GET", f"{path}/artifacts?include_members=true&projection_method=3d")
    vectors = rows(COUNT)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    direct = KMeans(3, n_init=10, random_state=42).fit_predict(unit.astype(np.float64))
    own = {one["document_id"]: one for one in told["members"]}
    mine = np.array([int(own[document_id(n)]["cluster_id"].removeprefix("cl_")) for n in range(COUNT)])
    assert metrics.adjusted_rand_score(direct, mine) == 1.0
    found = run["metrics"]
    assert found["silhouette_score"] == pytest.approx(metrics.silhouette_score(unit, mine, metric="cosine"), abs=1e-5)
    assert found["davies_bouldin_index"] == pytest.approx(metrics.davies_bouldin_score(unit, mine), abs=1e-5)
    assert found["calinski_harabasz_score"] == pytest.approx(metrics.calinski_harabasz_score(unit, mine), rel=1e-5)
    centroid = np.array(told["centroids"][0]["centroid_vector"])
    mean = unit[mine == 0].mean(axis=0)
    assert centroid == pytest.approx(mean / np.linalg.norm(mean), abs=1e-6)
    first = told["centroids"][0]["representative_ids"][0]
    nearest = np.argmax(np.where(mine == 0, unit @ centroid, -1))
    assert first == document_id(int(nearest))
    assert own[first]["distance_to_centroid"] == pytest.approx(1 - unit[nearest] @ centroid, abs=1e-5)
    assert all(isinstance(own[first][axis], float) for axis in "xyz")

    member = own[document_id(4)]
    theme = (await asking.document(4))["metadata"]["theme"]
    label = next(one["label"] for one in run["centroids"] if one["cluster_id"] == member["cluster_id"])
    assert theme == {
        "id": member["cluster_id"], "label": label, "distance": member["distance_to_centroid"], "x": member["x"],
        "owner": "us",
    }  # fmt: skip
    task = await asking.ask("GET", f"/tasks/{run['task_id']}")
    assert (task["status"], task["additional_data"]["progress"]) == ("COMPLETED", 1.0)
    shown = await asking.ask("GET", "/clusters/themes")
    assert (shown["status"], shown["num_clusters"], shown["num_documents_clustered"]) == ("COMPLETED", 3, 60)


async def test_windows_of_members_and_single_clusters(asking: Asking) -> None:
    run = await asking.ask("GET", "/clusters/themes/executions")
    path = f"/clusters/themes/executions/{run['run_id']}/data"
    page = await asking.ask("POST", path, {"cluster_id": "cl_1", "include_members": True, "limit": 15})
    assert (len(page["members"]), page["total_members"], page["next_offset"]) == (15, 20, 15)
    assert [one["cluster_id"] for one in page["centroids"]] == ["cl_1"]
    rest = await asking.ask("POST", path, {"cluster_id": "cl_1", "include_members": True, "limit": 15, "offset": 15})
    assert (len(rest["members"]), rest["next_offset"]) == (5, None)
    distances = [one["distance_to_centroid"] for one in page["members"] + rest["members"]]
    assert distances == sorted(distances)
    none = await asking.ask("POST", path, {"cluster_id": "noise", "include_members": True, "include_centroids": False})
    assert (none["members"], none["centroids"]) == ([], None)
    assert "cl_ and a number" in await asking.refused(path, {"cluster_id": "first"})
    flat = await asking.ask(
        "GET", f"/clusters/themes/executions/{run['run_id']}/artifacts?include_members=true&limit=1"
    )
    assert flat["members"][0]["z"] is None
    assert await asking.refused(
        f"/clusters/themes/executions/{run['run_id']}/artifacts?projection_method=4d", None, method="GET"
    )


async def test_enriching_again_writes_nothing_that_stands_already(asking: Asking) -> None:
    before = await asking.document(3)
    body = {"clustering_ids": ["themes"], "source_collection_id": "things", "batch_size": 25}
    done = await asking.ask("POST", "/clusters/enrich", body)
    assert done == {"processed": 60, "enriched": 60, "failed": 0, "batches": 3}
    assert (await asking.document(3))["updated_at"] == before["updated_at"]
    await collection(asking.http, "other", rows(3), first=500)
    target = {**body, "target_collection_id": "other"}
    assert "source_collection_id" in await asking.refused("/clusters/enrich", target)
    assert "is not over this collection" in await asking.refused(
        "/clusters/enrich", {**body, "source_collection_id": "other"}
    )


async def test_documents_of_equal_attributes_are_a_cluster(asking: Asking) -> None:
    body = {**BY_GROUP, "cluster_name": "nested", "attribute_config": {
        "attributes": ["colour", "group"], "hierarchical_grouping": True,
    }}  # fmt: skip
    await asking.ask("POST", "/clusters", body)
    run = await asking.run("nested")
    sizes = {(one["label"], one["parent_cluster_id"]): one["num_members"] for one in run["centroids"]}
    without = sum(number % 7 == 6 for number in range(COUNT))
    assert (run["num_clusters"], run["noise_points"], run["metrics"]["silhouette_score"]) == (3, without, None)
    parents = {one["label"]: one["cluster_id"] for one in run["centroids"] if one["parent_cluster_id"] is None}
    assert set(parents) == {"red", "blue"}
    with_colour = [n for n in range(COUNT) if n % 7 != 6]
    assert sizes["red", None] == sum(n % 3 < 2 for n in with_colour)
    assert sizes["camping", parents["blue"]] == sum(n % 3 == 2 for n in with_colour)
    none = await asking.ask(
        "POST", f"/clusters/nested/executions/{run['run_id']}/data", {"cluster_id": "noise", "include_members": True}
    )
    assert {one["reason"] for one in none["members"]} == {"no_value"}
    shown = await asking.ask("GET", "/clusters/nested")
    assert (shown["hierarchy_detected"], shown["clustered_attributes"]) == (True, ["colour", "group"])


async def test_which_cluster_became_which(asking: Asking) -> None:
    body = {**BY_GROUP, "cluster_name": "groups", "filters": {"field": "group", "operator": "ne", "value": "camping"}}
    await asking.ask("POST", "/clusters", body)
    before = await asking.run("groups")
    assert {one["label"] for one in before["centroids"]} == {"shoes", "kitchen"}
    patch = {"group": "boots"}
    for number in (0, 3):
        await asking.ask("PATCH", f"/collections/things/documents/{document_id(number)}", patch)
    after = await asking.run("groups")
    found = await asking.ask("GET", f"/clusters/groups/executions/{before['run_id']}/compare/{after['run_id']}")
    became = {
        (pair["before"] or {}).get("label"): ((pair["after"] or {}).get("label"), pair["shared"])
        for pair in found["pairs"]
    }
    assert became == {"shoes": ("shoes", 18), "kitchen": ("kitchen", 20), None: ("boots", 0)}
    assert (found["documents"], found["kept"]) == (40, 38)
    assert 0.8 < found["adjusted_rand_index"] < 1.0
    listed = await asking.ask("POST", "/clusters/groups/executions/list", {"limit": 1})
    assert ([one["run_id"] for one in listed["results"]], listed["total_count"]) == ([after["run_id"]], 2)
    assert listed["stats"]["executions_by_status"] == {"completed": 2}
    await asking.ask("GET", f"/clusters/themes/executions/{after['run_id']}", status=404)


async def test_a_run_is_cancelled_and_leaves_nothing(asking: Asking) -> None:
    vector = {"clustering_method": "optics", "feature_uri": "look"}
    await asking.ask("POST", "/clusters", {
        "collection_ids": ["things"], "cluster_name": "slow", "vector_config": vector,
    })  # fmt: skip
    task = await asking.ask("POST", "/clusters/slow/execute")
    assert "is under way" in await asking.refused("/clusters/slow/execute", None, 409)
    run_id = task["additional_data"]["run_id"]
    ended = await asking.ask("POST", f"/clusters/slow/executions/{run_id}/cancel")
    assert (ended["status"], ended["error_message"], ended["centroids"]) == ("failed", "it was cancelled", None)
    await asking.system.services[ClusteringWorker].drain()
    assert (await asking.ask("GET", f"/tasks/{task['task_id']}"))["status"] == "CANCELED"
    assert "has ended" in await asking.refused(f"/clusters/slow/executions/{run_id}/cancel", None, 409)
    members = await asking.ask("GET", f"/clusters/slow/executions/{run_id}/artifacts?include_members=true")
    assert (members["members"], members["centroids"]) == ([], [])
    # The task's own way to stop it, and the next run is free to begin.
    task = await asking.ask("POST", "/clusters/slow/execute")
    await asking.ask("DELETE", f"/tasks/{task['task_id']}")
    await asking.system.services[ClusteringWorker].drain()
    assert (await asking.ask("GET", "/clusters/slow/executions"))["error_message"] == "its task was killed"


async def test_a_failed_run_says_why(asking: Asking) -> None:
    nobody = {"field": "group", "operator": "eq", "value": "nothing"}
    vector = {"collection_ids": ["things"], "cluster_name": "empty", "vector_config": KMEANS, "filters": nobody}
    await asking.ask("POST", "/clusters", vector)
    run = await asking.run("empty")
    assert (run["status"], "nothing to cluster" in run["error_message"]) == ("failed", True)
    assert (await asking.ask("GET", "/clusters/empty"))["status"] == "FAILED"
    assert "no completed run" in await asking.refused(
        "/clusters/enrich", {"clustering_ids": ["empty"], "source_collection_id": "things"}, 409
    )


def by(**vector: Any) -> dict[str, Any]:
    return {"vector_config": {**KMEANS, "feature_uris": ["look"], **vector}}


def mapped(source: str, target: str) -> dict[str, Any]:
    return {"source_enrichment_config": {"field_mappings": [{"source_field": source, "target_field": target}]}}


def named_by(**labelling: Any) -> dict[str, Any]:
    return {"llm_labeling": {"enabled": True, **labelling}}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vector_config": None}, "vector_config"),
        ({"cluster_type": "attribute"}, "attribute_config"),
        ({"vector_config": {"clustering_method": "kmedoids"}}, "clustering_method"),
        ({"vector_config": {"clustering_method": "attribute_based"}}, "cluster_type attribute"),
        ({"vector_config": {"clustering_method": "kmeans", "algorithm_params": {"clusters": 3}}}, "kmeans takes"),
        ({"vector_config": {"clustering_method": "dbscan", "kmeans_parameters": {"n_clusters": 3}}}, "is dbscan"),
        ({"vector_config": {"clustering_method": "dbscan", "algorithm_params": {"eps": -1}}}, "eps"),
        (by(feature_uris=["sound"]), "feature_uris"),
        (by(feature_weights={"sound": 1}), "feature_weights.sound"),
        (by(multi_feature_strategy="weighted"), "not learned"),
        (by(feature_uris=["a", "b"], multi_feature_strategy="independent"), "one for each"),
        (by(output_strategy="per_feature"), "makes no collections"),
        (by(weight_learning_config={"method": "grid_search"}), "say them as feature_weights"),
        ({"vector_config": {"clustering_method": "optics", "sample_size": 6000}}, "at most 5000"),
        ({"collection_ids": []}, "collection_ids"),
        ({"cluster_name": "triggers"}, "cluster_name"),
        ({"filters": {"field": "a", "operator": "near", "value": 1}}, "filters"),
        (mapped("size", "a"), "source_field"),
        (mapped("x", "document_id"), "system's own"),
        (named_by(use_embedding_dedup=True), "use_embedding_dedup"),
        (named_by(labeling_inputs={"input_mappings": [{"input_key": "a", "source_type": "vector"}]}), "mappings.0"),
    ],
)
async def test_what_cannot_be_is_refused_where_it_stands(asking: Asking, change: dict[str, Any], says: str) -> None:
    body = {"collection_ids": ["things"], "vector_config": KMEANS, **change}
    assert says in await asking.refused("/clusters", body)


async def test_names_listing_changing_and_deleting(asking: Asking) -> None:
    await asking.ask("POST", "/clusters", {**BY_GROUP, "collection_ids": ["nowhere"]}, 404)
    await asking.refused("/clusters", {**BY_GROUP, "cluster_name": "groups"}, 409)
    unnamed = await asking.ask("POST", "/clusters", BY_GROUP)
    assert unnamed["cluster_name"].startswith("cluster ")
    named = await asking.ask(
        "PATCH", f"/clusters/{unnamed['cluster_id']}", {"cluster_name": "renamed", "description": "x"}
    )
    assert (named["cluster_name"], named["description"], named["attribute_config"]["attributes"]) == (
        "renamed",
        "x",
        ["group"],
    )
    listed = await asking.ask("POST", "/clusters/list", {"search": "renamed"})
    assert ([one["cluster_name"] for one in listed["results"]], listed["stats"]["total_clusters"]) == (["renamed"], 1)
    trigger = {"cluster_id": "renamed", "trigger_type": "interval", "schedule_config": {"interval_seconds": 3600}}
    made = await asking.ask("POST", "/clusters/triggers", trigger, 201)
    task = await asking.ask("POST", "/clusters/renamed/execute")
    await asking.ask("DELETE", "/clusters/renamed")
    await asking.ask("GET", "/clusters/renamed", status=404)
    await asking.ask("GET", f"/clusters/triggers/{made['trigger_id']}", status=404)
    await asking.system.services[ClusteringWorker].drain()
    assert (await asking.ask("GET", f"/tasks/{task['task_id']}"))["status"] in ("CANCELED", "COMPLETED")


async def test_triggers_are_made_changed_paused_and_deleted(asking: Asking) -> None:
    brought = {
        "trigger_type": "event", "description": "as it grows",
        "schedule_config": {"event_type": "documents_added", "event_threshold": 5, "collection_id": "other"},
        "execution_config": {"collection_ids": ["other"], "config": {"algorithm": "hierarchical", "n_clusters": 3}},
    }  # fmt: skip
    made = await asking.ask("POST", "/clusters/triggers", brought, 201)
    assert (made["status"], made["execution_config"]["config"]["algorithm"]) == ("active", "agglomerative")
    path = f"/clusters/triggers/{made['trigger_id']}"
    assert (await asking.ask("POST", f"{path}/pause"))["next_scheduled_at"] is None
    assert (await asking.ask("POST", f"{path}/resume"))["next_scheduled_at"] is not None
    changed = await asking.ask("PATCH", path, {"schedule_config": {"event_threshold": 9}, "description": "later"})
    assert (changed["schedule_config"]["event_threshold"], changed["description"]) == (9, "later")
    cron = {"cron_expression": "0 2 * * mon-fri", "timezone": "Europe/Berlin"}
    nightly = {"cluster_id": "groups", "trigger_type": "cron", "schedule_config": cron, "status": "paused"}
    second = await asking.ask("POST", "/clusters/triggers", nightly, 201)
    listed = await asking.ask("POST", "/clusters/triggers/list", {"sort_by": "created_at", "direction": "asc"})
    assert [one["trigger_id"] for one in listed["triggers"]] == [made["trigger_id"], second["trigger_id"]]
    only = await asking.ask("POST", "/clusters/triggers/list", {"cluster_id": "groups", "status": "paused"})
    assert (only["total"], only["triggers"][0]["schedule_config"]) == (1, cron)
    assert (await asking.ask("POST", f"{path}/history"))["executions"] == []
    await asking.ask("DELETE", path, status=204)
    await asking.ask("GET", path, status=404)


@pytest.mark.parametrize(
    ("kind", "schedule", "says"),
    [
        ("cron", {"cron_expression": "0 25 * * *"}, "hour: '25'"),
        ("cron", {"cron_expression": "0 2 30 2 *"}, "no such day"),
        ("cron", {"cron_expression": "0 2 * * *", "timezone": "Mars"}, "time zone"),
        ("cron", {"interval_seconds": 5}, "schedule_config"),
        ("interval", {"interval_seconds": 0}, "schedule_config.interval_seconds"),
        ("interval", {"interval_seconds": 60, "jitter": 1}, "interval takes"),
        ("event", {"event_type": "objects_added"}, "schedule_config.event_type"),
        ("event", {"collection_id": "other"}, "is not over this collection"),
        ("conditional", {"condition_type": "drift", "threshold": 0.1, "metric": "new_share"}, "cosine_drift"),
        ("hourly", {}, "trigger_type"),
    ],
)
async def test_when_a_trigger_cannot_fire_is_said(asking: Asking, kind: str, schedule: Any, says: str) -> None:
    body = {"cluster_id": "groups", "trigger_type": kind, "schedule_config": schedule}
    assert says in await asking.refused("/clusters/triggers", body)


async def test_a_trigger_needs_something_to_run(asking: Asking) -> None:
    body: dict[str, Any] = {"trigger_type": "interval", "schedule_config": {"interval_seconds": 60}}
    assert "cluster_id" in await asking.refused("/clusters/triggers", body)
    config = {"collection_ids": ["other"], "config": {"algorithm": "kmedoids"}}
    assert "algorithm" in await asking.refused("/clusters/triggers", {**body, "execution_config": config})
    await asking.refused("/clusters/triggers", {**body, "cluster_id": "nobody"}, 404)
    assert "sort_by" in await asking.refused("/clusters/triggers/list", {"sort_by": "name"})
