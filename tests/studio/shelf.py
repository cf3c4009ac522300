"""What the studio's tests look at: a real server with documents of several kinds, and executions over them."""

import base64
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.cli.ingest import ensure_bucket, ensure_collection
from tamis.client import ApiError, Client
from tests.drawing import drawn, encoded
from tests.live import LiveServer
from tests.llm_server import LanguageServer
from tests.media_samples import write_video

URI = "mixpeek://text_extractor@v1/embedding"
SCRIPT = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
BIDI = "\u202etxet desrever\u202c \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627"
SUBJECTS = ("soup", "bread", "tea", "cheese", "apples", "noodles")
SCHEMA = {"query": {"type": "text", "required": True}}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Ids of executions. plain: search, a filter and a limit.  nasty: over markup.  media: a picture and a video.

    failed: it ran into an error.  saved: of the retriever `dishes`.  collections: by name.
    """

    server: LiveServer
    model: LanguageServer
    plain: str
    plainer: str
    nasty: str
    pictures: str
    videos: str
    failed: str
    saved: str


def filled(server: LiveServer, folder: Path, model: LanguageServer) -> Shelf:
    with server.client() as client:
        texts(client, "dishes", [_dish(n) for n in range(60)])
        texts(client, "nasty", [{"text": f"markup {SCRIPT} {BIDI}", "title": SCRIPT, "kind": "bad"}])
        _files(client, "pictures", "image", [encoded(drawn(seed=n)) for n in range(3)], "image/png")
        write_video(folder / "film.mp4", [(200, 40, 40), (40, 80, 200)], "mpeg4", seconds=2)
        _files(client, "films", "video", [(folder / "film.mp4").read_bytes()], "video/mp4")
        client.post("retrievers", {"retriever_name": "dishes", **pipeline(10)})
        saved = client.post("retrievers/dishes/execute", {"inputs": {"query": "warm soup"}})["execution_id"]
        return Shelf(
            server=server,
            model=model,
            plain=run(client, "warm soup"),
            plainer=run(client, "warm soup", limit=4),
            nasty=run(client, "markup", ["nasty"], where=False),
            pictures=_look(client, "pictures", "image_extractor@v1/color_gradient_descriptor", drawn(seed=1)),
            videos=_look(client, "films", "video_extractor@v1/multimodal_embedding", drawn(seed=1)),
            failed=_fail(client),
            saved=saved,
        )


def run(client: Client, query: str, collections: list[str] | None = None, limit: int = 10, where: bool = True) -> str:
    body = {**pipeline(limit, where), "inputs": {"query": query}}
    return str(
        client.post("retrievers/execute", {**body, "collection_identifiers": collections or ["dishes"]})["execution_id"]
    )


def pipeline(limit: int, where: bool = True) -> dict[str, Any]:
    searches = [{"feature_uri": URI, "query": "{{INPUT.query}}", "top_k": 40}]
    stages = [_stage("search", "feature_search", searches=searches, final_top_k=40)]
    if where:
        stages.append(_stage("cheap", "attribute_filter", field="price", operator="lt", value=40))
        stages.append(_stage("by_price", "sort_attribute", sort_field="price", order="asc"))
    stages.append(_stage("best", "limit", limit=limit))
    return {"stages": stages, "input_schema": SCHEMA, "collection_identifiers": ["dishes"]}


def _stage(name: str, stage_id: str, **parameters: Any) -> dict[str, Any]:
    return {"stage_name": name, "config": {"stage_id": stage_id, "parameters": parameters}}


def _fail(client: Client) -> str:
    body = {**pipeline(5), "inputs": {"query": "soup"}}
    body["stages"] = [*body["stages"], _stage("code", "json_transform", template="no JSON", fail_on_error=True)]
    with pytest.raises(ApiError):
        client.post("retrievers/execute", body)
    failed = client.post("retrievers/executions/list", {"status": "failed"})["executions"]
    return str(failed[0]["execution_id"])


def _look(client: Client, collection: str, uri: str, pixels: Any) -> str:
    example = {"input_mode": "content", "value": _data(encoded(pixels), "image/png")}
    stage = _stage("look", "feature_search", searches=[{"feature_uri": f"mixpeek://{uri}", "query": "{{INPUT.like}}"}])
    body = {"stages": [stage], "input_schema": {"like": {"type": "object"}}, "inputs": {"like": example}}
    return str(client.post("retrievers/execute", {**body, "collection_identifiers": [collection]})["execution_id"])


def _dish(n: int) -> dict[str, Any]:
    subject = SUBJECTS[n % len(SUBJECTS)]
    text = f"Warm {subject} for {n + 1} people, cooked slowly and served with {SUBJECTS[(n + 1) % len(SUBJECTS)]}."
    return {"text": text, "title": f"{subject} {n}", "price": n}


def texts(client: Client, name: str, rows: list[dict[str, Any]]) -> None:
    fields = {field: "integer" if isinstance(value, int) else "string" for field, value in rows[0].items()}
    bucket = ensure_bucket(client, name, {**fields, "text": "text"})
    ensure_collection(client, name, bucket, [field for field in fields if field != "text"])
    blobs = [{"blobs": [{"property": "text", "type": "text", "data": row["text"]}], **_rest(row)} for row in rows]
    _extract(client, bucket, blobs)


def _rest(row: dict[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in row.items() if field != "text"}


def _files(client: Client, name: str, kind: str, files: list[bytes], media_type: str) -> None:
    schema = {"properties": {"file": {"type": kind}, "name": {"type": "string"}}}
    bucket = client.post("buckets", {"bucket_name": name, "bucket_schema": schema})["bucket_id"]
    extractor = {
        "feature_extractor_name": f"{kind}_extractor",
        "version": "v1",
        "input_mappings": {kind: "file"},
        "field_passthrough": [{"source_path": "name"}],
    }
    source = {"type": "bucket", "bucket_ids": [bucket]}
    client.post("collections", {"collection_name": name, "source": source, "feature_extractor": extractor})
    objects = [
        {"name": f"{kind} {n}", "blobs": [{"property": "file", "type": kind, "data": _data(data, media_type)}]}
        for n, data in enumerate(files)
    ]
    _extract(client, bucket, objects)


def _extract(client: Client, bucket: str, objects: list[dict[str, Any]]) -> None:
    made = client.post(f"buckets/{bucket}/objects/batch", {"objects": objects})
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": [one["object_id"] for one in made]})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    deadline = time.monotonic() + 120
    while (status := client.get(f"buckets/{bucket}/batches/{batch}")["status"]) in (
        "PENDING",
        "IN_PROGRESS",
        "PROCESSING",
    ):
        assert time.monotonic() < deadline, status
        time.sleep(0.05)
    assert status == "COMPLETED", status


def _data(data: bytes, media_type: str) -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def deleted(shelf: Shelf, path: str) -> None:
    headers = {"Authorization": f"Bearer {shelf.server.key}", "X-Namespace": "default"}
    httpx.delete(f"{shelf.server.url}/v1/{path}", headers=headers).raise_for_status()


def of(shelf: Shelf, noun: str, name: str) -> str:
    """Address of the page of a bucket or a collection."""
    with shelf.server.client() as client:
        return f"/data/{noun}s/{client.get(f'{noun}s/{name}')[f'{noun}_id']}"


def first_of(shelf: Shelf, noun: str, name: str, part: str) -> str:
    """Address of the page of one of its objects, batches or documents."""
    parts = f"{part}es" if part == "batch" else f"{part}s"
    with shelf.server.client() as client:
        first = client.post(f"{noun}s/{name}/{parts}/list", {"limit": 1})["results"][0]
    return f"{of(shelf, noun, name)}/{parts}/{first[f'{part}_id']}"


def clustered(shelf: Shelf) -> str:
    """The page of a cluster over the dishes that has run; made for whoever comes first."""
    with shelf.server.client() as client:
        known = client.post("clusters/list", {"search": "themes"})["results"]
        if not known:
            vector = {"clustering_method": "kmeans", "kmeans_parameters": {"n_clusters": 3}}
            client.post("clusters", {"cluster_name": "themes", "collection_ids": ["dishes"], "vector_config": vector})
            client.post("clusters/themes/execute")
        for _ in range(6000):
            found = client.get("clusters/themes")
            if found["status"] == "COMPLETED":
                return f"/data/clusters/{found['cluster_id']}"
            assert found["status"] in ("PENDING", "PROCESSING"), client.get("clusters/themes/executions")
            time.sleep(0.01)
    raise AssertionError(found)


def labelled(shelf: Shelf) -> str:
    """The page of a taxonomy of the dishes; made for whoever comes first."""
    with shelf.server.client() as client:
        known = client.post("taxonomies/list", {"search": "courses"})["results"]
        if not known:
            nodes = [
                {"id": "dish", "label": "Dish", "text": "a dish"},
                {"id": "dish.soup", "label": "Soup", "parent": "dish", "text": "a soup"},
            ]
            config = {"hierarchical_nodes": nodes}
            known = [client.post("taxonomies", {"taxonomy_name": "courses", "config": config})]
        return f"/data/taxonomies/{known[0]['taxonomy_id']}"


def talked(shelf: Shelf) -> str:
    """The page of a session in which something was asked; made for whoever comes first."""
    with shelf.server.client() as client:
        known = client.post("agents/sessions/list", {"search": "warm soup"})["sessions"]
        if not known:
            made = client.post("agents/sessions", {"agent_config": {"retrievers": ["dishes"]}})
            find = {"tool": "execute_retriever", "arguments": {"retriever": "dishes", "inputs": {"query": "warm soup"}}}
            text = f"The first of them [D1], not [D77].\n{SCRIPT}"
            shelf.model.script.extend([find, {"tool": "finish", "answer": {"text": text, "citations": ["D2"]}}])
            path = f"agents/sessions/{made['session_id']}/messages"
            client.post(path, {"content": "Which dish is a warm soup?", "stream": False})
            shelf.model.script.extend(["no json", "none"])
            client.post(path, {"content": "And which is cold?", "stream": False})
            known = [made]
        return f"/data/sessions/{known[0]['session_id']}"


def triggered(shelf: Shelf) -> str:
    """The page of a trigger that has fired; made for whoever comes first."""
    with shelf.server.client() as client:
        known = client.post("triggers/list", {"action_type": "collection_trigger"})["triggers"]
        if not known:
            schedule = {"trigger_type": "interval", "schedule_config": {"interval_seconds": 86_400}}
            aim = {"action_type": "collection_trigger", "action_config": {"collection_id": "dishes"}}
            known = [client.post("triggers", {**aim, **schedule, "description": SCRIPT})]
            client.post(f"triggers/{known[0]['trigger_id']}/execute")
    return f"/automation/triggers/{known[0]['trigger_id']}"


def told(shelf: Shelf) -> str:
    """The page of a webhook that has something to tell and whose receiver is refused; made for whoever comes first."""
    trigger = triggered(shelf).rpartition("/")[2]
    with shelf.server.client() as client:
        every = client.post("organizations/webhooks/list")["results"]
        known = [one for one in every if one["webhook_name"] == "shop"]
        if not known:
            channel = {"channel": "webhook", "configs": {"url": "http://127.0.0.1:9/hooks"}}
            body = {"webhook_name": "shop", "channels": [channel], "event_types": ["trigger.resumed"]}
            known = [client.post("organizations/webhooks/", body)]
            for change in ("pause", "resume"):
                client.post(f"triggers/{trigger}/{change}")
    return f"/automation/webhooks/{known[0]['webhook_id']}"


def alerted(shelf: Shelf) -> str:
    """The page of an alert that was executed for three dishes, and then could not be; made for whoever comes first."""
    told(shelf)
    with shelf.server.client() as client:
        known = client.post("alerts/list", {"search": "soups"})["results"]
        if not known:
            channel = {"channel_type": "webhook", "channel_id": "shop"}
            body = {"name": "soups", "retriever_id": "dishes", "description": SCRIPT}
            known = [client.post("alerts", {**body, "notification_config": {"channels": [channel]}})]
            for path in ("title", "nothing"):
                source = {"source_type": "document_field", "path": path}
                task = client.post("alerts/soups/execute", {
                    "collection_id": "dishes", "filters": {"field": "price", "operator": "lt", "value": 3},
                    "input_mappings": [{"input_key": "query", "source": source}],
                })  # fmt: skip
                _ended(client, task["task_id"])
    return f"/automation/alerts/{known[0]['alert_id']}"


def _ended(client: Client, task_id: str) -> None:
    for _ in range(3000):
        if client.get(f"tasks/{task_id}")["status"] == "COMPLETED":
            return
        time.sleep(0.02)
    raise AssertionError("the task did not end")


def synced(shelf: Shelf) -> str:
    """The page of a sync that has brought a file and has no place for another; made for whoever comes first."""
    folder = shelf.server.data_dir.parent / "sources" / "menu"
    with shelf.server.client(None) as organization, shelf.server.client() as client:
        bucket = ensure_bucket(client, "synced", {"file": "document"})
        known = client.post(f"buckets/{bucket}/syncs/list")["results"]
        if not known:
            folder.mkdir(parents=True)
            (folder / "soup.txt").write_text("A warm soup.")
            (folder / "card.pdf").write_bytes(b"%PDF-1.4")
            config = {"folder": str(folder.parent)}
            body = {"name": "files", "provider_type": "local", "provider_config": config}
            connection = organization.post("organizations/connections", body)["connection_id"]
            body = {"connection_id": connection, "source_path": "menu", "sync_mode": "initial_only"}
            known = [client.post(f"buckets/{bucket}/syncs", {**body, "skip_batch_submission": True})]
        sync = known[0]["sync_config_id"]
        for _ in range(6000):
            found = client.get(f"buckets/{bucket}/syncs/{sync}")
            if found["last_sync_at"]:
                return f"/automation/syncs/{bucket}/{sync}"
            time.sleep(0.01)
    raise AssertionError(found)


def connected(shelf: Shelf) -> str:
    """The page of the connection that the sync uses."""
    synced(shelf)
    with shelf.server.client(None) as client:
        return f"/automation/connections/{client.get('organizations/connections/files')['connection_id']}"


def migrated(shelf: Shelf) -> str:
    """The page of a migration that was cancelled before it began; made for whoever comes first."""
    with shelf.server.client(None) as client:
        known = client.post("namespaces/migrations/list", {"status": "cancelled"})["migrations"]
        if not known:
            filters = {"collection_ids": ["nasty"]}
            config = {"migration_type": "re_extract", "source_namespace_id": "default", "filters": filters}
            known = [client.post("namespaces/migrations/", {"config": config})]
            client.post(f"namespaces/migrations/{known[0]['migration_id']}/cancel")
    return f"/automation/migrations/{known[0]['migration_id']}"
