"""Clusters and their triggers, driven by the published client."""

import time
from typing import Any

import mixpeek

from tests.conformance.conftest import Corpus
from tests.conformance.wire import Wire


def test_a_cluster_is_made_run_read_and_deleted(wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus) -> None:
    clusters, runs = mixpeek.ClustersApi(generated), mixpeek.ClusterExecutionsApi(generated)
    body = {
        "collection_ids": [corpus.collection_id], "cluster_name": "topics", "cluster_type": "attribute",
        "attribute_config": {"attributes": ["topic"]},
    }  # fmt: skip
    _call(clusters, "create_cluster")(mixpeek.CreateClusterRequest.from_dict(body))
    cluster_id = wire.last()["cluster_id"]
    _call(clusters, "execute_clustering_clusters")(cluster_id)
    run_id = wire.last()["additional_data"]["run_id"]
    for _ in range(3000):
        _call(runs, "get_cluster_execution_by_run")(cluster_id, run_id)
        if wire.last()["status"] in ("completed", "failed"):
            break
        time.sleep(0.01)
    found = {one["label"]: one["num_members"] for one in wire.last()["centroids"]}
    assert found == {"kitchen": 3, "sea": 3}
    _call(runs, "get_cluster_execution")(cluster_id)
    assert wire.last()["run_id"] == run_id
    _call(runs, "list_cluster_executions")(cluster_id)
    assert wire.last()["total_count"] == 1
    _call(clusters, "get_cluster")("topics")
    assert wire.last()["num_clusters"] == 2
    _call(clusters, "list_clusters")(list_clusters_request=mixpeek.ListClustersRequest(search="topics"))
    assert [one["cluster_id"] for one in wire.last()["results"]] == [cluster_id]
    _call(clusters, "patch_cluster")("topics", mixpeek.PatchClusterRequest(cluster_name="subjects"))
    assert wire.last()["cluster_name"] == "subjects"
    _call(clusters, "delete_cluster")(cluster_id)


def test_a_trigger_is_made_paused_resumed_and_deleted(wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus) -> None:
    triggers = mixpeek.ClusterTriggersApi(generated)
    body = {
        "trigger_type": "cron", "schedule_config": {"cron_expression": "0 2 * * *", "timezone": "UTC"},
        "execution_config": {
            "collection_ids": [corpus.collection_id], "config": {"algorithm": "kmeans", "n_clusters": 2},
        },
    }  # fmt: skip
    made = mixpeek.SharedClustersTriggersModelsCreateTriggerRequest.from_dict(body)
    _call(triggers, "create_trigger_clusters")(made)
    trigger_id = wire.last()["trigger_id"]
    for verb, status in (("pause", "paused"), ("resume", "active"), ("get", "active")):
        _call(triggers, f"{verb}_trigger_clusters")(trigger_id)
        assert wire.last()["status"] == status
    change = mixpeek.SharedClustersTriggersModelsUpdateTriggerRequest(description="nightly")
    _call(triggers, "update_trigger_clusters")(trigger_id, change)
    assert wire.last()["description"] == "nightly"
    _call(triggers, "list_triggers_clusters")(mixpeek.SharedClustersTriggersModelsListTriggersRequest())
    assert wire.last()["total"] == 1
    _call(triggers, "get_trigger_history_clusters")(trigger_id, mixpeek.TriggerHistoryRequest())
    assert wire.last()["executions"] == []
    _call(triggers, "delete_trigger_clusters")(trigger_id)


def test_a_trigger_of_any_action_is_made_fired_and_read(
    wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus
) -> None:
    triggers, clusters = mixpeek.TriggersApi(generated), mixpeek.ClustersApi(generated)
    cluster = {
        "collection_ids": [corpus.collection_id], "cluster_name": "fired", "cluster_type": "attribute",
        "attribute_config": {"attributes": ["topic"]},
    }  # fmt: skip
    _call(clusters, "create_cluster")(mixpeek.CreateClusterRequest.from_dict(cluster))
    cluster_id = wire.last()["cluster_id"]
    body = {
        "action_type": "cluster", "action_config": {"cluster_id": "fired"}, "trigger_type": "cron",
        "schedule_config": {"cron_expression": "0 2 * * *", "timezone": "UTC"},
    }  # fmt: skip
    _call(triggers, "create_trigger")(mixpeek.SharedTriggersModelsCreateTriggerRequest.from_dict(body))
    trigger_id = wire.last()["trigger_id"]
    for verb, status in (("pause", "paused"), ("resume", "active"), ("get", "active")):
        _call(triggers, f"{verb}_trigger")(trigger_id)
        assert wire.last()["status"] == status
    change = mixpeek.SharedTriggersModelsUpdateTriggerRequest(description="nightly")
    _call(triggers, "update_trigger")(trigger_id, change)
    assert wire.last()["description"] == "nightly"
    _call(triggers, "list_triggers_0")(mixpeek.SharedTriggersModelsListTriggersRequest(resource_id=cluster_id))
    assert [one["trigger_id"] for one in wire.last()["triggers"]] == [trigger_id]
    _call(triggers, "execute_trigger_now")(trigger_id)
    task_id = wire.last()["task_id"]
    for _ in range(3000):
        _call(triggers, "get_trigger_history")(trigger_id)
        (firing,) = wire.last()["executions"]
        if firing["status"] in ("completed", "failed"):
            break
        time.sleep(0.01)
    assert (firing["task_id"], firing["status"], firing["error"]) == (task_id, "completed", None)
    _call(triggers, "delete_trigger")(trigger_id)
    _call(clusters, "delete_cluster")(cluster_id)


def _call(api: Any, name: str) -> Any:
    """The client's method; its answer is on the wire once it is read."""
    method = getattr(api, f"{name}_without_preload_content")

    def call(*arguments: Any, **named: Any) -> None:
        assert method(*arguments, **named).data is not None

    return call
