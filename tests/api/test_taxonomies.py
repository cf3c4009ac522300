"""Taxonomies over a real system: stored, applied to what is there and to what comes, taken apart by their figures."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tamis.app import build_app
from tamis.jobs.walking import WalkWorker
from tamis.settings import Settings
from tamis.wiring.system import System, open_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk_taxonomist_0123456789abcdef0123456789"
NODES: list[dict[str, Any]] = [
    {"id": "sport", "label": "Sport", "vector": [1, 0, 0], "properties": {"floor": 1, "team": "A"},
     "enrichment_fields": [{"field_path": "floor", "target_field": "place.floor"}]},
    {"id": "trail", "label": "Trail", "parent": "sport", "vector": [0.6, 0, 0.8], "properties": {"team": "B"},
     "enrichment_fields": [{"field_path": "team", "target_field": "teams", "merge_mode": "append"}]},
    {"id": "home", "label": "Home", "vector": [0, 1, 0]},
]  # fmt: skip
CONFIG = {"taxonomy_type": "hierarchical", "hierarchical_nodes": NODES, "min_score": 0.7}
GOODS: Mapping[str, tuple[str, list[float]]] = {
    "doc_00000000000000000001": ("boots", [0.8, 0, 0.6]),
    "doc_00000000000000000002": ("ball", [1, 0, 0]),
    "doc_00000000000000000003": ("lamp", [0, 1, 0.1]),
    "doc_00000000000000000004": ("nothing", [0, 0, -1]),
}
BOOTS, BALL, LAMP, NOTHING = GOODS


@dataclass
class Town:
    system: System
    http: httpx.AsyncClient
    namespace: str = "default"

    async def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        headers = {"Authorization": f"Bearer {KEY}", "X-Namespace": self.namespace}
        answer = await self.http.request(method, f"/v1/{path}", json=body, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def walked(self) -> None:
        """Every walk has come to its end."""
        worker: WalkWorker = self.system.services[WalkWorker]
        await worker.drain()

    async def collection(self, name: str, **more: Any) -> str:
        vectors = {"embedding": {"dimensions": 3}}
        extractor = {"feature_extractor_name": "passthrough_extractor", "version": "v1"}
        source = {"type": "bucket", "bucket_ids": ["goods-in"]}
        body = {
            "collection_name": name, "source": source,
            "feature_extractor": {**extractor, "parameters": {"vectors": vectors}, **more.pop("extractor", {})}, **more,
        }  # fmt: skip
        return str((await self.ask("POST", "collections", body))["collection_id"])

    async def fill(self, name: str, goods: Mapping[str, tuple[str, list[float]]] = GOODS, **more: Any) -> None:
        lines = [
            {"document_id": key, "metadata": {"title": title, "price": place, **more}, "vectors": {"embedding": vector}}
            for place, (key, (title, vector)) in enumerate(goods.items())
        ]
        headers = {"Authorization": f"Bearer {KEY}", "X-Namespace": self.namespace}
        answer = await self.http.post(
            f"/v1/collections/{name}/documents/import",
            content="\n".join(map(json.dumps, lines)),
            headers={**headers, "Content-Type": "application/x-ndjson"},
        )
        assert answer.json()["created"] == len(goods), answer.text

    async def documents(self, name: str) -> dict[str, Any]:
        page = await self.ask("POST", f"collections/{name}/documents/list", {"limit": 100})
        return {one["document_id"]: one for one in page["results"]}

    async def taxonomy(self, name: str, status: int = 200, **config: Any) -> Any:
        return await self.ask("POST", "taxonomies", {"taxonomy_name": name, "config": {**CONFIG, **config}}, status)

    async def applied(self, name: str, taxonomy: str, **more: Any) -> Any:
        begun = await self.ask("POST", f"collections/{name}/apply-taxonomy", {"taxonomy_id": taxonomy, **more})
        await self.walked()
        return await self.ask("GET", f"tasks/{begun['task_id']}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    data_dir: Path = tmp_path_factory.mktemp("taxonomies") / "data"
    system = await open_system(Settings(data_dir=data_dir, root_key=KEY, allowed_hosts="tamis.test"))
    try:
        app = build_app(system)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tamis.test") as http:
            town = Town(system, http)
            schema = {"properties": {"title": {"type": "string"}, "kind": {"type": "string"}}}
            await town.ask("POST", "buckets", {"bucket_name": "goods-in", "bucket_schema": schema})
            await town.collection("goods")
            await town.fill("goods")
            yield town
    finally:
        await system.close()


async def test_a_taxonomy_lives(town: Town) -> None:
    made = await town.taxonomy("life")
    assert (made["version"], made["ready"], made["result_field"]) == (1, True, "taxonomies.life")
    assert made["config"]["hierarchical_nodes"][1]["parent"] == "sport"
    assert await town.ask("GET", "taxonomies/life") == made
    patched = await town.ask("PATCH", "taxonomies/life", {"description": "of goods", "metadata": {"by": "us"}})
    assert (patched["description"], patched["metadata"], patched["version"]) == ("of goods", {"by": "us"}, 1)
    second = await town.ask(
        "POST", "taxonomies/life/versions", {"config": {"nodes": [{"id": "all", "vector": [1, 1, 1]}]}}
    )
    assert (second["version"], second["config"]["taxonomy_type"]) == (2, "flat")
    versions = await town.ask("GET", f"taxonomies/{made['taxonomy_id']}/versions")
    assert [one["version"] for one in versions["results"]] == [2, 1]
    assert versions["results"][1]["config"] == made["config"]
    assert (await town.ask("GET", "taxonomies/life?version=1"))["config"] == made["config"]
    await town.ask("GET", "taxonomies/life?version=3", status=404)
    clone = await town.ask("POST", "taxonomies/life/clone", {"taxonomy_name": "copy"}, 201)
    assert clone["source_taxonomy_id"] == made["taxonomy_id"]
    assert clone["taxonomy"]["config"] == second["config"]
    listed = await town.ask("POST", "taxonomies/list", {"search": "copy"})
    assert [one["taxonomy_name"] for one in listed["results"]] == ["copy"]
    assert listed["stats"]["flat_taxonomies"] == 1
    for name in ("life", "copy"):
        await town.ask("DELETE", f"taxonomies/{name}")
        await town.ask("GET", f"taxonomies/{name}", status=404)
        await town.ask("GET", f"taxonomies/{name}/versions", status=404)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"taxonomy_name": "list", "config": CONFIG}, ["body", "taxonomy_name"]),
        ({"taxonomy_name": "bad", "config": {"source_collection": {"collection_id": "none"}}},
         ["body", "config", "source_collection", "collection_id"]),
        ({"taxonomy_name": "bad", "config": {"hierarchical_nodes": [{"retriever_id": "none", "label": "a"}]}},
         ["body", "config", "hierarchical_nodes", 0, "retriever_id"]),
        ({"taxonomy_name": "bad", "config": {"hierarchical_nodes": [{"id": "a", "parent": "b"}]}}, ["body", "config"]),
        ({"taxonomy_name": "bad", "config": {"taxonomy_type": "flat"}}, ["body", "config"]),
        ({"taxonomy_name": "bad", "config": {"taxonomy_type": "round"}}, ["body", "config"]),
        ({"taxonomy_name": "bad", "config": {**CONFIG, "min_score": 2}},
         ["body", "config", "hierarchical", "min_score"]),
        ({"taxonomy_name": "bad", "config": {"inference_strategy": "schema"}},
         ["body", "config", "inference_collections"]),
        ({"taxonomy_name": "bad", "config": {"inference_strategy": "cluster", "cluster_ids": ["none"]}},
         ["body", "config", "cluster_ids", 0]),
    ],
)  # fmt: skip
async def test_what_is_none_is_refused_by_its_place(town: Town, body: Any, place: list[Any]) -> None:
    answer = await town.ask("POST", "taxonomies", body, 422)
    assert answer["detail"][0]["loc"] == place


async def test_tried_out_on_documents_that_are_stored_or_sent(town: Town) -> None:
    await town.taxonomy("trial")
    answer = await town.ask("POST", "taxonomies/execute/trial", {"source_documents": [{"document_id": BOOTS}]})
    (found,) = answer["results"]
    assert (found["title"], found["taxonomies"]["trial"]["primary"]["path"]) == ("boots", "Sport > Trail")
    assert found["taxonomies"]["trial"]["primary"]["properties"]["floor"] == 1
    assert found["place"] == {"floor": 1}
    assert answer["stats"] == {"batches": 1, "errors": 0, "processed_docs": 1}
    sampled = await town.ask("POST", "taxonomies/execute/trial", {"source_collection_id": "goods", "batch_size": 3})
    assert [one["title"] for one in sampled["results"]] == ["boots", "ball", "lamp"]
    other = {"nodes": [{"id": "one", "vector": [0, 1, 0]}], "min_score": 0.9}
    tried = await town.ask(
        "POST", "taxonomies/execute/trial", {"source_collection_id": "goods", "taxonomy": {"config": other}}
    )
    labels = [one["taxonomies"]["trial"]["primary"] for one in tried["results"]]
    assert [label and label["id"] for label in labels] == [None, None, "one", None]
    assert all("taxonomies" not in one for one in (await town.documents("goods")).values()), "nothing is stored"
    unknown = await town.ask("POST", "taxonomies/execute/trial", {
        "source_collection_id": "goods", "source_documents": [{"title": "sent"}]
    })  # fmt: skip
    assert unknown["stats"]["errors"] == 1, "it has no vector"
    for body in ({}, {"join_mode": "batch", "source_collection_id": "goods"}, {"source_collection_id": "none"}):
        await town.ask("POST", "taxonomies/execute/trial", body, 422)


async def test_applied_to_what_is_there_once_and_again(town: Town) -> None:
    await town.collection("there")
    goods = {key.replace("0000", "000a", 1): value for key, value in GOODS.items()}
    await town.fill("there", goods)
    await town.taxonomy("there")
    for _ in range(2):
        task = await town.applied("there", "there")
        told = task["additional_data"]
        assert (task["status"], told["labelled_documents"], told["unlabelled_documents"]) == ("COMPLETED", 3, 1)
        boots, ball, lamp, nothing = (await town.documents("there")).values()
        boots, ball, lamp, nothing = sorted((boots, ball, lamp, nothing), key=lambda one: one["document_id"])
        assert boots["taxonomies"]["there"]["path"] == "Sport > Trail"
        assert boots["teams"] == ["B"], "appended once, however often"
        assert (ball["taxonomies"]["there"]["path"], ball["place"]) == ("Sport", {"floor": 1})
        assert lamp["taxonomies"]["there"]["primary"]["confidence"] == pytest.approx(0.995037)
        assert nothing["taxonomies"]["there"]["primary"] is None
    labels = await town.ask("GET", "analytics/taxonomies/there/labels")
    assert [(one["label"], one["count"]) for one in labels["labels"]] == [("Home", 1), ("Sport", 1), ("Trail", 1)]
    history = await town.ask("GET", "analytics/taxonomies/there/enrichments")
    (metric,) = history["metrics"]
    assert (metric["enrichment_count"], metric["success_count"]) == (8, 6)
    found = await town.ask("POST", "collections/there/documents/list", {
        "filters": {"field": "taxonomies.there.primary.id", "operator": "eq", "value": "trail"}
    })  # fmt: skip
    assert [one["title"] for one in found["results"]] == ["boots"]


async def test_only_what_matches(town: Town) -> None:
    await town.collection("some")
    await town.fill("some", {key.replace("0000", "000b", 1): value for key, value in GOODS.items()})
    await town.taxonomy("some")
    wanted = {"field": "price", "operator": "lt", "value": 2}
    task = await town.applied("some", "some", scroll_filters=wanted)
    assert task["additional_data"]["labelled_documents"] == 2
    assert sum("taxonomies" in one for one in (await town.documents("some")).values()) == 2


async def test_a_stage_applies_a_stored_one_as_it_is_now(town: Town) -> None:
    await town.taxonomy("staged")
    listing = {"stage_id": "attribute_filter", "parameters": {"field": "title", "operator": "exists", "value": True}}

    async def labels(**parameters: Any) -> dict[str, Any]:
        enrich = {"stage_id": "taxonomy_enrich", "parameters": {"taxonomy_id": "staged", **parameters}}
        body = {"collection_identifiers": ["goods"], "inputs": {}, "stages": [
            {"stage_name": one["stage_id"], "config": one} for one in (listing, enrich)
        ]}  # fmt: skip
        answer = await town.ask("POST", "retrievers/execute", body)
        return {one["title"]: one["taxonomy"]["primary"] for one in answer["documents"]}

    found = await labels()
    assert {title: label and label["id"] for title, label in found.items()} == {
        "boots": "trail", "ball": "sport", "lamp": "home", "nothing": None,
    }  # fmt: skip
    assert (await labels(min_score=0))["nothing"] is not None, "what the stage says stands over the taxonomy's own"
    await town.ask("POST", "taxonomies/staged/versions", {"config": {"nodes": [{"id": "new", "vector": [1, 0, 0]}]}})
    assert (await labels())["boots"]["id"] == "new"


async def test_new_documents_are_labelled_as_their_batch_completes(town: Town) -> None:
    await town.collection("references", extractor={"field_passthrough": ["title"]})
    for title in ("hat", "shoe"):
        await town.ask("POST", "collections/references/documents", {"title": title})
    retriever = await town.ask("POST", "retrievers", {
        "retriever_name": "by-kind", "collection_identifiers": ["references"],
        "input_schema": {"kind": {"type": "string"}},
        "stages": [{"stage_name": "find", "config": {"stage_id": "attribute_filter", "parameters": {
            "field": "title", "operator": "eq", "value": "{{INPUT.kind}}"}}}],
    })  # fmt: skip
    mapping = [{"input_key": "kind", "source_type": "payload", "path": "kind"}]
    made = await town.ask("POST", "taxonomies", {"taxonomy_name": "kinds", "config": {
        "retriever_id": retriever["retriever_id"], "input_mappings": mapping,
        "source_collection": {"collection_id": "references", "enrichment_fields": [
            {"field_path": "title", "target_field": "known_as"}]},
    }})  # fmt: skip
    body = {"taxonomy_id": "none", "execution_mode": "materialize"}
    refused = await town.ask("POST", "collections", {
        "collection_name": "nope", "source": {"type": "bucket", "bucket_ids": ["goods-in"]},
        "feature_extractor": {"feature_extractor_name": "passthrough_extractor", "version": "v1"},
        "taxonomy_applications": [body],
    }, 422)  # fmt: skip
    assert refused["detail"][0]["loc"] == ["body", "taxonomy_applications", 0, "taxonomy_id"]
    applies = {**body, "taxonomy_id": made["taxonomy_id"]}
    await town.collection("fed", extractor={"field_passthrough": ["kind"]}, taxonomy_applications=[applies])
    await town.ask("PATCH", "collections/references", {"enabled": False})
    objects = [await town.ask("POST", "buckets/goods-in/objects", {"metadata": {"kind": kind}, "blobs": []})
               for kind in ("shoe", "hat", "shoe", "tree")]  # fmt: skip
    batch = await town.ask("POST", "buckets/goods-in/batches", {"object_ids": [one["object_id"] for one in objects]})
    await town.ask("POST", f"buckets/goods-in/batches/{batch['batch_id']}/submit", {})
    await town.system.worker.drain()
    await town.walked()
    labels = sorted(
        (one["kind"], one.get("known_as"), (one["taxonomies"]["kinds"]["primary"] or {}).get("name"))
        for one in (await town.documents("fed")).values()
    )
    assert labels == [
        ("hat", "hat", "hat"), ("shoe", "shoe", "shoe"), ("shoe", "shoe", "shoe"), ("tree", None, None),
    ]  # fmt: skip
    conflict = await town.ask("DELETE", "taxonomies/kinds", status=409)
    assert "fed" in conflict["error"]["message"]
    await town.ask("PATCH", "collections/fed", {"taxonomy_applications": []})
    await town.ask("DELETE", "taxonomies/kinds")


async def test_figures_go_with_documents_and_name_what_is_wrong(town: Town) -> None:
    await town.collection("figured")
    goods = {key.replace("0000", "000c", 1): value for key, value in GOODS.items()}
    await town.fill("figured", goods)
    await town.taxonomy("figured", top_k=2, min_score=0.5)
    await town.applied("figured", "figured")
    confidence = await town.ask("GET", "analytics/taxonomies/figured/confidence?hours=1")
    assert sum(one["count"] for one in confidence["distribution"]) == 3
    assert confidence["low_confidence_count"] == 0
    metrics = await town.ask("GET", "analytics/taxonomies/figured/assignments?group_by=hour")
    assert [one["assignment_count"] for one in metrics["metrics"]] == [3]
    first = next(iter(goods))
    await town.ask("DELETE", f"collections/figured/documents/{first}")
    assert (await town.ask("GET", "analytics/taxonomies/figured/labels"))["total_labels"] == 2
    await town.ask("GET", "analytics/taxonomies/figured/assignments?group_by=year", status=422)
    late = "start_date=2030-01-02T00:00:00Z&end_date=2030-01-01T00:00:00Z"
    await town.ask("GET", f"analytics/taxonomies/figured/assignments?{late}", status=422)
    for path in ("confidence", "labels", "assignments", "enrichments"):
        await town.ask("GET", f"analytics/taxonomies/none/{path}", status=404)
    await town.ask("DELETE", "collections/figured")
    assert (await town.ask("GET", "analytics/taxonomies/figured/labels"))["total_labels"] == 0


async def test_journeys_from_label_to_label(town: Town) -> None:
    await town.collection("mail")
    rows = {"trail": [0.8, 0, 0.6], "sport": [1, 0, 0], "home": [0, 1, 0]}
    days = [
        ("a", 1, "sport", "x"), ("a", 2, "trail", "x"), ("a", 4, "home", "x"),
        ("b", 1, "sport", "y"), ("b", 3, "home", "y"),
        ("c", 1, "sport", "y"),
    ]  # fmt: skip
    for thread, day, kind, sender in days:
        await town.ask("POST", "collections/mail/documents", {
            "thread": thread, "at": f"2026-01-0{day}T00:00:00Z", "sender": sender,
            "features": [{"feature_extractor_id": "passthrough_extractor_v1", "vectors": {"embedding": rows[kind]},
                          "payload": {}}],
        })  # fmt: skip
    steps = {"sequence_id_field": "thread", "timestamp_field": "at", "step_key_source": "assignment_node_id",
             "covariates": [{"name": "Sender", "field_path": "sender", "covariate_type": "categorical"}]}  # fmt: skip
    await town.taxonomy("mail", step_analytics=steps, top_k=1)
    await town.applied("mail", "mail")
    found = await town.ask("GET", "taxonomies/mail/analytics/available-steps?collection_id=mail")
    assert [(one["step_key"], one["event_count"]) for one in found["steps"]] == [
        ("sport", 3),
        ("home", 2),
        ("trail", 1),
    ]
    body = {"collection_id": "mail", "from_step": "sport", "to_step": "home", "min_support": 1}
    moved = await town.ask("POST", "taxonomies/mail/analytics/transitions", body)
    assert (moved["count"], moved["converted"], moved["durations_sec"]["mean"]) == (3, 2, 2.5 * 86_400)
    assert [(one["value"], one["lift"]) for one in moved["top_predictors"]] == [("x", 1.5), ("y", 0.75)]
    paths = await town.ask("POST", "taxonomies/mail/analytics/paths", body)
    assert [one["path"] for one in paths["paths"]] == [["sport", "home"], ["sport", "trail", "home"]]
    within = await town.ask("POST", "taxonomies/mail/analytics/transitions", {**body, "max_window_days": 2})
    assert (within["count"], within["converted"]) == (2, 1)
    await town.ask("POST", "taxonomies/mail/analytics/paths", {**body, "taxonomy_id": "other"}, 422)
    await town.taxonomy("mute")
    await town.ask("POST", "taxonomies/mute/analytics/paths", body, 422)


async def test_inferred_from_schemas(town: Town) -> None:
    narrow = {"extractor": {"field_passthrough": ["title", "kind"]}}
    broad_id = await town.collection("broad", extractor={"field_passthrough": ["title"]})
    narrow_id = await town.collection("narrow", **narrow)
    config = {"inference_strategy": "schema", "inference_collections": ["broad", "narrow"]}
    made = await town.ask("POST", "taxonomies", {"taxonomy_name": "inferred", "config": config})
    nodes = {one["collection_id"]: one for one in made["config"]["hierarchical_nodes"]}
    assert nodes[narrow_id]["parent_collection_id"] == broad_id
    assert nodes[broad_id]["label"] == "broad"


async def test_another_namespace_sees_and_touches_none_of_it(town: Town) -> None:
    await town.taxonomy("mine")
    await town.ask(
        "POST",
        "namespaces",
        {
            "namespace_name": "theirs",
            "feature_extractors": [{"feature_extractor_name": "passthrough_extractor", "version": "v1"}],
        },
    )
    theirs = Town(town.system, town.http, "theirs")
    for method, path, body in (
        ("GET", "taxonomies/mine", None),
        ("PATCH", "taxonomies/mine", {"description": "x"}),
        ("DELETE", "taxonomies/mine", None),
        ("POST", "taxonomies/mine/clone", {"taxonomy_name": "x"}),
        ("POST", "taxonomies/mine/versions", {}),
        ("POST", "taxonomies/execute/mine", {"source_documents": [{"document_id": BOOTS}]}),
        ("POST", "collections/goods/apply-taxonomy", {"taxonomy_id": "mine"}),
        ("GET", "analytics/taxonomies/mine/labels", None),
    ):
        await theirs.ask(method, path, body, 404)
    assert (await theirs.ask("POST", "taxonomies/list", {}))["total_count"] == 0
    made = await theirs.taxonomy("mine")
    assert made["taxonomy_id"] != (await town.ask("GET", "taxonomies/mine"))["taxonomy_id"]
    trial = await theirs.ask("POST", "taxonomies/execute/mine", {"source_documents": [{"document_id": BOOTS}]}, 422)
    assert trial["detail"], "another's document is none"
