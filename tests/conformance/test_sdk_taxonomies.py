"""Taxonomies, driven by the published client; and by the command."""

import json
import time
from pathlib import Path
from typing import Any

import mixpeek

from tests.commands import tamis
from tests.conformance.conftest import SENTENCES, Corpus
from tests.conformance.pipelines import INPUT_SCHEMA, search
from tests.conformance.wire import Wire
from tests.live import LiveServer

QUESTIONS = ("What warns a ship of rocks after dark?", "How is a blunt blade made sharp?")


def test_a_taxonomy_is_made_applied_measured_and_deleted(
    wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus, server: LiveServer, tmp_path: Path
) -> None:
    retriever_id, collection_id = _furnished(generated, wire, corpus)
    api = _Raw(mixpeek.TaxonomiesApi(generated), wire)
    mapping = [{"input_key": "query", "source_type": "payload", "path": "question"}]
    config: dict[str, Any] = {
        "taxonomy_type": "flat", "retriever_id": retriever_id, "input_mappings": mapping,
        "source_collection": {"collection_id": corpus.collection_id, "enrichment_fields": [
            {"field_path": "topic", "target_field": "topic", "merge_mode": "replace"}]},
        "step_analytics": {"sequence_id_field": "thread", "timestamp_field": "created_at",
                           "step_key_source": "field_path", "step_key_field_path": "topic"},
    }  # fmt: skip
    made = api.call("create_taxonomy_taxonomies", _create("topics", config))
    taxonomy_id = made["taxonomy_id"]
    assert (made["version"], made["config"]["retriever_id"]) == (1, retriever_id)
    node = {"collection_id": corpus.collection_id, "label": "Notes", "enrichment_fields": []}
    tree = {"taxonomy_type": "hierarchical", "hierarchical_nodes": [node]}
    assert api.call("create_taxonomy_version_taxonomies", taxonomy_id, _version(tree))["version"] == 2
    api.call("create_taxonomy_version_taxonomies", taxonomy_id, _version(config))
    versions = api.call("list_taxonomy_versions_taxonomies", taxonomy_id)["results"]
    assert [one["version"] for one in versions] == [3, 2, 1]
    found = api.call("get_taxonomy_taxonomies", "topics", version=1)
    assert found["config"] == made["config"]
    patch = mixpeek.PatchTaxonomyRequest.from_dict({"description": "what a question is about"})
    assert api.call("patch_taxonomy_taxonomies", "topics", patch)["description"] == "what a question is about"
    assert api.call("list_taxonomies_0")["total_count"] == 1
    clone = mixpeek.CloneTaxonomyRequest.from_dict({"taxonomy_name": "topics-again"})
    assert api.call("clone_taxonomy_taxonomies", "topics", clone)["source_taxonomy_id"] == taxonomy_id
    api.call("delete_taxonomy_taxonomies", "topics-again")

    tried = _post(wire, generated, "/v1/taxonomies/execute/topics", {"source_documents": [{"question": QUESTIONS[0]}]})
    assert tried["results"][0]["taxonomies"]["topics"]["primary"]["document_id"]
    assert tried["results"][0]["topic"] == "sea"

    applied = _Raw(mixpeek.CollectionTaxonomiesApi(generated), wire)
    request = mixpeek.ApplyTaxonomyRequest.from_dict({"taxonomy_id": taxonomy_id})
    begun = applied.call("apply_taxonomy_to_collection", "questions", request)
    assert begun["estimated_documents"] == len(QUESTIONS)
    _await(generated, wire, begun["task_id"])
    documents = _post(wire, generated, f"/v1/collections/{collection_id}/documents/list", {})["results"]
    assert sorted((one["question"], one["topic"]) for one in documents) == sorted(
        zip(QUESTIONS, ("sea", "kitchen"), strict=True)
    )
    _measured(generated, wire, taxonomy_id, collection_id)
    _by_command(server, tmp_path, corpus)
    api.call("delete_taxonomy_taxonomies", "topics")
    assert api.call("list_taxonomies_0")["total_count"] == 0


def _furnished(generated: mixpeek.ApiClient, wire: Wire, corpus: Corpus) -> tuple[str, str]:
    retrievers: Any = mixpeek.RetrieversApi(generated)
    body = {
        "retriever_name": "nearest-note",
        "collection_identifiers": ["notes"],
        "stages": [search(2)],
        "input_schema": INPUT_SCHEMA,
    }
    retrievers.create_retriever(mixpeek.CreateRetrieverRequest.from_dict(body))
    retriever_id = wire.last()["retriever"]["retriever_id"]
    extractor = {"feature_extractor_name": "passthrough_extractor", "version": "v1"}
    source = {"type": "bucket", "bucket_ids": [corpus.bucket_id]}
    made = _post(wire, generated, "/v1/collections", {
        "collection_name": "questions", "source": source, "feature_extractor": extractor, "enabled": False,
    })  # fmt: skip
    for question in QUESTIONS:
        _post(wire, generated, "/v1/collections/questions/documents", {"question": question, "thread": "one"})
    return str(retriever_id), str(made["collection_id"])


def _measured(generated: mixpeek.ApiClient, wire: Wire, taxonomy_id: str, collection_id: str) -> None:
    figures = _Raw(mixpeek.AnalyticsTaxonomiesApi(generated), wire)
    suffix = "analytics_taxonomies_taxonomy"
    assert figures.call(f"get_label_distribution_{suffix}", taxonomy_id)["total_labels"] >= len(QUESTIONS)
    assert figures.call(f"get_confidence_distribution_{suffix}", taxonomy_id)["distribution"]
    assert len(figures.call(f"get_assignment_metrics_{suffix}", taxonomy_id)["metrics"]) == 1
    assert figures.call(f"get_enrichment_history_{suffix}", taxonomy_id)["summary"]["success_rate"] == 1
    journeys = _Raw(mixpeek.TaxonomyAnalyticsApi(generated), wire)
    suffix = "taxonomies_taxonomy_id_analytics"
    steps = journeys.call(f"get_available_steps_{suffix}", taxonomy_id, collection_id=collection_id)
    assert {one["step_key"] for one in steps["steps"]} == {"sea", "kitchen"}
    body = {"taxonomy_id": taxonomy_id, "collection_id": collection_id, "from_step": "sea", "to_step": "kitchen"}
    asked: Any = mixpeek.StepTransitionRequest.from_dict({**body, "min_support": 1})
    assert journeys.call(f"compute_step_transitions_{suffix}", taxonomy_id, asked)["converted"] == 1
    asked = mixpeek.PathAnalysisRequest.from_dict({**body, "min_support": 1})
    ways = journeys.call(f"analyze_transition_paths_{suffix}", taxonomy_id, asked)["paths"]
    assert [one["path"] for one in ways] == [["sea", "kitchen"]]


def _by_command(server: LiveServer, folder: Path, corpus: Corpus) -> None:
    config = folder / "tree.json"
    nodes = [{"id": "any", "text": SENTENCES[3][0]}, {"id": "any.sea", "parent": "any", "text": SENTENCES[1][0]}]
    config.write_text(json.dumps({"hierarchical_nodes": nodes, "content_field": "question"}))

    def typed(*arguments: Any, status: int = 0) -> str:
        return tamis("taxonomy", *arguments, server=server, status=status, TAMIS_NAMESPACE=corpus.namespace)

    assert "version 1: 2 nodes" in typed("create", "typed", config)
    assert "hierarchical" in typed("list")
    assert "version 2" in typed("version", "typed", config)
    applied = typed("apply", "typed", "--collection", "questions", "--wait", status=1)
    assert "no collection given has a dense feature" in applied, "the collection has no vectors"
    shown = typed("show", "topics")
    assert "topics, tax_" in shown
    assert "doc_" in shown, "each document of the source is a label"
    config.write_text("{")
    assert "is no JSON" in typed("create", "broken", config, status=1)
    assert "deleted typed" in typed("delete", "typed")


def _create(name: str, config: dict[str, Any]) -> Any:
    return mixpeek.CreateTaxonomyRequest.from_dict({"taxonomy_name": name, "config": config})


def _version(config: dict[str, Any]) -> dict[str, Any]:
    return {"config": config}


class _Raw:
    """Its methods, whose answers are read as they came: the later client demands fields that the contract has not."""

    def __init__(self, api: Any, wire: Wire) -> None:
        self._api = api
        self._wire = wire

    def call(self, name: str, *arguments: Any, **named: Any) -> Any:
        assert getattr(self._api, f"{name}_without_preload_content")(*arguments, **named).data is not None
        return self._wire.last()


def _post(wire: Wire, generated: Any, path: str, body: Any) -> Any:
    method, url, headers, sent, _ = generated.param_serialize(
        "POST", path, header_params={"Content-Type": "application/json"}, body=body,
        auth_settings=["BearerAuth", "NamespaceHeader"],
    )  # fmt: skip
    assert generated.call_api(method, url, headers, sent).read() is not None
    return wire.last()


def _await(generated: mixpeek.ApiClient, wire: Wire, task_id: str) -> None:
    tasks: Any = mixpeek.TasksApi(generated)
    deadline = time.monotonic() + 60
    while True:
        tasks.get_task_without_preload_content(task_id).data  # noqa: B018 - it is on the wire once it is read
        if wire.last()["status"] not in ("PENDING", "IN_PROGRESS"):
            break
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert wire.last()["status"] == "COMPLETED"
