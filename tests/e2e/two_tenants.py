"""A tenant with one of everything, and how a stranger's request for it is made from the OpenAPI alone."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

OWNER_KEY = "sk_owner_0123456789abcdef0123456789"
_METHODS = ("get", "post", "put", "patch", "delete")
SHARED = ("feature_extractor_id", "public_name", "user_id")
"""Path parameters that name what belongs to nobody, or is open to everybody, or is called so by the tenant alone."""

ORGANIZATION_WIDE = (
    "namespace_identifier", "migration_id", "user_email", "key_name", "key_id", "secret_name", "audit_id", "task_id",
    "identifier", "connection_identifier", "namespace_id", "template_id",
)  # fmt: skip
"""Path parameters that name what every namespace of an organisation shares."""

FOLDER = Path(__file__).resolve().parent
"""What connections of tenants lead to."""

LISTING = {
    "stage_name": "all",
    "config": {
        "stage_id": "attribute_filter",
        "parameters": {"field": "number", "operator": "exists"},
    },
}
DISPLAY: dict[str, Any] = {
    "title": "A page",
    "inputs": [{"field_name": "word", "field_schema": {"type": "text"}, "label": "Search"}],
    "exposed_fields": ["number"],
}


def _webhook(name: str) -> dict[str, Any]:
    configs = {"url": "https://example.com"}
    return {
        "webhook_name": name,
        "event_types": ["object.created"],
        "channels": [{"channel": "webhook", "configs": configs}],
    }


BY = {"attributes": ["number"]}
ORDER = {"sequence_id_field": "number", "timestamp_field": "at"}
_BODIES: dict[str, Any] = {
    "AddObjectsToBatchRequest": {"object_ids": ["obj_00000000000000000000000000000000"]},
    "AggregationRequest": {"aggregations": [{"function": "count", "alias": "n"}]},
    "BatchConfirmRequest": {"confirmations": [{"upload_id": "upl_00000000000000000000000000000000"}]},
    "BatchDeleteDocumentsRequest": {"document_ids": ["doc_00000000000000000000000000000000"]},
    "BatchUpdateDocumentsRequest": {"filters": {"number": 1}, "update_data": {"number": 2}},
    "BulkUpdateDocumentsRequest": {"update_data": {"number": 2}},
    "DeleteExecutionsRequest": {"inputs_hash": "0" * 40},
    "JudgeRequest": {"judgements": {"query": {"doc": 1}}},
    "StartEvaluationRequest": {"dataset_name": "judged-taken"},
    "PublishRetrieverRequest": {"public_name": "taken-over", "display_config": DISPLAY},
    "PromoteRequest": {"to": "dataset", "dataset_name": "taken-over"},
    "SubmitFeedbackRequest": {"message_id": "msg_00000000000000000000", "rating": "positive"},
    "UpdateNamespaceRequest": {"namespace_name": "taken-over"},
    "WebhookInput": _webhook("taken-over"),
}
"""Bodies by schema, where the least that the schema asks for would be refused for what it means."""


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    body: Any
    query: str = ""

    @property
    def parameters(self) -> list[str]:
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    def at(self, names: Mapping[str, str]) -> str:
        if self.path.startswith("/v1/retrievers/executions/"):
            names = {**names, "execution_id": names["anonymous_execution_id"]}
        if "/tunings/" in self.path:
            names = {**names, "task_id": names["tuning_task_id"]}
        if self.path.startswith("/v1/templates/"):
            names = {**names, "template_id": names[f"of_{self.path.split('/')[3]}"]}
        return f"{self.path}{self.query}".format_map(names)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def operations(openapi: Mapping[str, Any]) -> list[Operation]:
    """Every operation that takes an identifier of a tenant's in its path."""
    found = []
    for path, methods in openapi["paths"].items():
        for method, described in methods.items():
            body = _body(described, openapi) if method in _METHODS else None
            operation = Operation(method, path, body, _query(described, openapi))
            if set(operation.parameters) - set(SHARED) and not path.startswith("/v1/public/templates/"):
                found.append(operation)
    return found


def _query(described: Mapping[str, Any], openapi: Mapping[str, Any]) -> str:
    """What has to stand in the URL, and what ends a stream."""
    parameters = [one for one in described.get("parameters", ()) if one["in"] == "query"]
    values = {one["name"]: _least(one["schema"], openapi) for one in parameters if one.get("required")}
    values |= {one["name"]: "false" for one in parameters if one["name"] == "follow"}
    if "collection_id" in values:  # whose it is depends on who is asked about
        values["collection_id"] = "{collection_id}"
    return "?" + urlencode(values, safe="{}") if values else ""


def _body(described: Mapping[str, Any], openapi: Mapping[str, Any]) -> Any:
    content = described.get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema")
    return None if schema is None else _least(schema, openapi)


def _least(schema: Mapping[str, Any], openapi: Mapping[str, Any]) -> Any:
    """The smallest value that a schema lets through."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return _BODIES[name] if name in _BODIES else _least(openapi["components"]["schemas"][name], openapi)
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return _least(schema[choice][0], openapi)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object":
        return {name: _least(schema["properties"][name], openapi) for name in schema.get("required", ())}
    if schema.get("type") == "array":
        return [_least(schema["items"], openapi)] * int(schema.get("minItems", 0))
    return {"string": "x" * max(4, int(schema.get("minLength", 0))), "boolean": True}.get(
        str(schema.get("type")), schema.get("minimum", 1)
    )


@dataclass
class Caller:
    http: httpx.AsyncClient
    headers: dict[str, str]

    async def send(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return await self.http.request(method, path, json=body, headers=self.headers)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.send(method, f"/v1/{path}", body)
        assert answer.is_success, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None


@dataclass
class Tenant:
    """ids and names: of one of everything, by the path parameter that it goes under."""

    caller: Caller
    namespace_id: str
    ids: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)


async def furnish(caller: Caller, settle: Callable[[], Awaitable[object]], label: str, email: str) -> Tenant:
    """A namespace called `label` with one of everything that an identifier can name, made over the API.

    settle: returns when no batch has work left.
    """
    namespace_id = (await caller.ask("POST", "namespaces", {"namespace_name": label}))["namespace_id"]
    caller.headers["X-Namespace"] = namespace_id
    tenant = Tenant(caller, namespace_id)
    schema = {"properties": {"text": {"type": "text"}, "number": {"type": "integer"}}}
    bucket = (await caller.ask("POST", "buckets", {"bucket_name": f"bucket-{label}", "bucket_schema": schema}))[
        "bucket_id"
    ]
    collection = await _collection(caller, bucket, f"shelf-{label}")
    blob = {"property": "text", "type": "text", "data": "a word"}
    made = await caller.ask("POST", f"buckets/{bucket}/objects", {"blobs": [blob], "number": 1})
    batch = await caller.ask("POST", f"buckets/{bucket}/batches", {"object_ids": [made["object_id"]]})
    task = await caller.ask("POST", f"buckets/{bucket}/batches/{batch['batch_id']}/submit", {})
    await settle()
    (document,) = (await caller.ask("POST", f"collections/{collection}/documents/list", {}))["results"]
    upload = {"filename": "a.txt", "content_type": "text/plain", "file_size_bytes": 3}
    kept = await _retriever(caller, collection, label)
    tenant.ids = {
        "bucket_identifier": bucket,
        "bucket_id": bucket,
        "object_id": made["object_id"],
        "object_identifier": made["object_id"],
        "batch_id": batch["batch_id"],
        "task_id": task["task_id"],
        "collection_id": collection,
        "collection_identifier": collection,
        "document_id": document["document_id"],
        "upload_id": (await caller.ask("POST", f"buckets/{bucket}/uploads", upload))["upload_id"],
        "retriever_id": kept,
        "execution_id": (await caller.ask("POST", f"retrievers/{kept}/execute", {}))["execution_id"],
        "anonymous_execution_id": (await caller.ask("POST", "retrievers/execute", {"stages": [LISTING]}))[
            "execution_id"
        ],
        "namespace_identifier": namespace_id,
        **await _access(caller, label, email),
    }
    tenant.ids |= await _surroundings(caller, tenant.ids, label)
    tenant.ids |= {"namespace_id": namespace_id, "bucket_id": bucket}
    tenant.ids |= await _templates(caller, tenant.ids)
    # The execution that another one is compared with.
    tenant.ids["other"] = tenant.ids["execution_id"]
    tenant.names = tenant.ids | _names(label)
    return tenant


async def _surroundings(caller: Caller, ids: dict[str, str], label: str) -> dict[str, str]:
    """What a team has around its retrievers."""
    made = await _learning(caller, ids, f"judged-{label}")
    made |= await _sync(caller, ids["bucket_id"], f"storage-{label}")
    made |= await _cluster(caller, ids["collection_id"], f"cluster-{label}")
    made |= await _taxonomy(caller, f"taxonomy-{label}")
    made |= await _session(caller)
    made |= await _alert(caller, ids, f"alert-{label}")
    config = {"migration_type": "re_extract", "source_namespace_id": ids["namespace_identifier"]}
    draft = await caller.ask("POST", "namespaces/migrations/", {"config": config})
    snapshot = await _snapshot(caller, f"snapshot-{label}")
    return made | {"migration_id": draft["migration_id"], "snapshot_identifier": snapshot}


async def _retriever(caller: Caller, collection: str, label: str) -> str:
    """One that is published."""
    body = {"retriever_name": f"retriever-{label}", "collection_identifiers": [collection], "stages": [LISTING]}
    kept = str((await caller.ask("POST", "retrievers", body))["retriever"]["retriever_id"])
    await caller.ask("POST", f"retrievers/{kept}/publish", {"public_name": f"page-{label}", "display_config": DISPLAY})
    return kept


async def _learning(caller: Caller, ids: Mapping[str, str], name: str) -> dict[str, str]:
    """What is made of executions. name: of the data set."""
    await caller.ask("PUT", f"retrievers/{ids['retriever_id']}/rollout", {"shadow_share": 0})
    told = {"feature_id": ids["document_id"], "interaction_type": ["click"], "position": 0, "user_id": "ann"}
    dataset = await _dataset(caller, ids["anonymous_execution_id"], name)
    return {
        "dataset_identifier": dataset,
        "evaluation_id": await _evaluation(caller, f"retrievers/{ids['retriever_id']}/evaluations", name),
        "tuning_task_id": await _tuning(caller, f"retrievers/{ids['retriever_id']}", name, ids["document_id"]),
        "interaction_id": (await caller.ask("POST", "retrievers/interactions", told))["interaction_id"],
    }


async def _tuning(caller: Caller, retriever: str, dataset: str, document: str) -> str:
    """One that has ended."""
    path = f"retrievers/evaluations/datasets/{dataset}"
    (query,) = (await caller.ask("GET", path))["queries"]
    await caller.ask("POST", f"{path}/judgements", {"judgements": {query["query_id"]: {document: 1}}})
    started = await caller.ask("POST", f"{retriever}/tune", {"dataset": dataset})
    running = ("pending", "in_progress")
    while (await caller.ask("GET", f"{retriever}/tunings/{started['task_id']}"))["status"].lower() in running:  # noqa: ASYNC110 - over HTTP
        await asyncio.sleep(0.02)
    return str(started["task_id"])


async def _sync(caller: Caller, bucket: str, name: str) -> dict[str, str]:
    """Of a folder that the server lets everybody's connections read."""
    config = {"folder": str(FOLDER)}
    body = {"name": name, "provider_type": "local", "provider_config": config}
    connection = (await caller.ask("POST", "organizations/connections", body))["connection_id"]
    none = {"include_patterns": ["nothing"]}
    sync = {"connection_id": connection, "source_path": "/", "sync_mode": "initial_only", "file_filters": none}
    made = await caller.ask("POST", f"buckets/{bucket}/syncs", sync)
    path = f"buckets/{bucket}/syncs/{made['sync_config_id']}"
    while (await caller.ask("GET", path))["status"] != "COMPLETED":  # noqa: ASYNC110 - over HTTP
        await asyncio.sleep(0.01)
    return {"connection_identifier": connection, "bucket_id": bucket, "sync_config_id": made["sync_config_id"]}


async def _cluster(caller: Caller, collection: str, name: str) -> dict[str, str]:
    body = {"collection_ids": [collection], "cluster_name": name, "cluster_type": "attribute", "attribute_config": BY}
    made = await caller.ask("POST", "clusters", body)
    hourly = {"trigger_type": "interval", "schedule_config": {"interval_seconds": 3600}, "status": "paused"}
    trigger = await caller.ask("POST", "clusters/triggers", {**hourly, "cluster_id": name})
    await caller.ask("GET", f"triggers/{trigger['trigger_id']}/history")
    await caller.ask("POST", f"clusters/{name}/execute")
    for _ in range(3000):
        run = await caller.ask("GET", f"clusters/{name}/executions")
        if run["status"] == "completed":
            break
        await asyncio.sleep(0.01)
    return {
        "cluster_id": made["cluster_id"],
        "cluster_identifier": made["cluster_id"],
        "run_id": run["run_id"],
        "other_run_id": run["run_id"],
        "trigger_id": trigger["trigger_id"],
    }


async def _taxonomy(caller: Caller, name: str) -> dict[str, str]:
    """Whose labels have an order, so that its analytics of sequences answer too."""
    nodes = [{"id": "odd", "label": "Odd", "keywords": ["one"]}]
    config = {"taxonomy_type": "hierarchical", "hierarchical_nodes": nodes, "step_analytics": ORDER}
    made = await caller.ask("POST", "taxonomies", {"taxonomy_name": name, "config": config})
    return {"taxonomy_id": made["taxonomy_id"], "taxonomy_identifier": made["taxonomy_id"]}


async def _alert(caller: Caller, ids: Mapping[str, str], name: str) -> dict[str, str]:
    """One that was executed."""
    await caller.ask("POST", "organizations/webhooks/", _webhook(f"of-{name}"))
    told = {"channels": [{"channel_type": "webhook", "channel_id": f"of-{name}"}]}
    body = {"name": name, "retriever_id": ids["retriever_id"], "notification_config": told}
    made = await caller.ask("POST", "alerts", body)
    mappings = [{"input_key": "word", "source": {"source_type": "constant", "value": "one"}}]
    asked = {"collection_id": ids["collection_id"], "input_mappings": mappings}
    await caller.ask("POST", f"alerts/{name}/execute", asked)
    while not (await caller.ask("GET", f"alerts/{name}/executions"))["results"]:  # noqa: ASYNC110 - over HTTP
        await asyncio.sleep(0.02)
    return {"alert_identifier": made["alert_id"]}


async def _session(caller: Caller) -> dict[str, str]:
    """In which something was asked, though there is no model to answer it."""
    made = await caller.ask("POST", "agents/sessions", {"agent_config": {"provider": "openai"}})
    path = f"agents/sessions/{made['session_id']}"
    await caller.ask("POST", f"{path}/messages", {"content": "What is there?", "stream": False})
    return {"session_id": made["session_id"], "confirmation_id": "conf_00000000000000000000"}


async def _snapshot(caller: Caller, name: str) -> str:
    """One that is whole."""
    made = await caller.ask("POST", "snapshots", {"snapshot_name": name})
    while (await caller.ask("GET", f"snapshots/{name}"))["status"] in ("pending", "in_progress"):  # noqa: ASYNC110 - over HTTP
        await asyncio.sleep(0.02)
    return str(made["snapshot_id"])


async def _templates(caller: Caller, ids: Mapping[str, str]) -> dict[str, str]:
    """One of each kind, by the kind's part of the path."""
    sections = {"taxonomy": "taxonomies"}
    made = {}
    for kind in ("namespace", "bucket", "collection", "retriever", "cluster", "taxonomy"):
        section = sections.get(kind, f"{kind}s")
        body = {"template_name": f"As this {kind}"}
        saved = await caller.ask("POST", f"templates/{section}/from-{kind}/{ids[f'{kind}_id']}", body)
        made[f"of_{section}"] = saved["template_id"]
    return {**made, "template_id": made["of_buckets"]}


async def _access(caller: Caller, label: str, email: str) -> dict[str, str]:
    """A key, a secret, and what the audit log noted of the key."""
    key = await caller.ask("POST", f"organizations/users/{email}/api-keys", {"name": f"key-{label}"})
    secret: dict[str, Any] = {
        "secret_name": f"token-{label}",
        "secret_value": "a value of its own",
        "hosts": ["api.example.com"],
    }
    await caller.ask("POST", "organizations/secrets", secret)
    made = await caller.ask("POST", "organizations/webhooks/", _webhook(f"webhook-{label}"))
    (noted,) = (await caller.ask("GET", f"organizations/audit/logs?resource_id={key['key_id']}"))["results"]
    return {
        "user_email": email,
        "key_name": f"key-{label}",
        "key_id": key["key_id"],
        "secret_name": secret["secret_name"],
        "audit_id": noted["audit_id"],
        "identifier": made["webhook_id"],
    }


def _names(label: str) -> dict[str, str]:
    return {
        "bucket_identifier": f"bucket-{label}",
        "bucket_id": f"bucket-{label}",
        "collection_id": f"shelf-{label}",
        "collection_identifier": f"shelf-{label}",
        "taxonomy_id": f"taxonomy-{label}",
        "taxonomy_identifier": f"taxonomy-{label}",
        "alert_identifier": f"alert-{label}",
        "retriever_id": f"retriever-{label}",
        "snapshot_identifier": f"snapshot-{label}",
        "dataset_identifier": f"judged-{label}",
        "namespace_identifier": label,
    }


async def _dataset(caller: Caller, execution_id: str, name: str) -> str:
    path = f"retrievers/executions/{execution_id}/promote"
    promoted = await caller.ask("POST", path, {"to": "dataset", "dataset_name": name})
    return str(promoted["dataset"]["dataset_id"])


async def _evaluation(caller: Caller, path: str, dataset: str) -> str:
    """One that has ended, so that nothing changes behind the test's back."""
    started = await caller.ask("POST", path, {"dataset_name": dataset})
    running = ("pending", "in_progress")
    while (await caller.ask("GET", f"{path}/{started['evaluation_id']}"))["status"] in running:  # noqa: ASYNC110 - over HTTP
        await asyncio.sleep(0.02)
    return str(started["evaluation_id"])


async def _collection(caller: Caller, bucket: str, name: str) -> str:
    extractor = {
        "feature_extractor_name": "passthrough_extractor",
        "version": "v1",
        "field_passthrough": [{"source_path": "number"}],
    }
    source = {"type": "bucket", "bucket_ids": [bucket]}
    body = {"collection_name": name, "source": source, "feature_extractor": extractor}
    return str((await caller.ask("POST", "collections", body))["collection_id"])


def holdings(data_dir: Path, column: str, owner: str) -> dict[str, Any]:
    """All that the store holds of a namespace or an organisation: the rows of every table, and the files."""
    kept: dict[str, Any] = {}
    with contextlib.closing(sqlite3.connect(f"file:{data_dir / 'tamis.sqlite3'}?mode=ro", uri=True)) as connection:
        for table in _tables(connection, column):
            query = f'SELECT * FROM "{table}" WHERE {column} = ? ORDER BY 1, 2, 3'
            kept[table] = connection.execute(query, (owner,)).fetchall()
    for path in sorted((data_dir / "blobs").rglob("*")):
        if path.is_file() and owner in path.parts:
            kept[path.relative_to(data_dir).as_posix()] = path.read_bytes()
    return kept


def _tables(connection: sqlite3.Connection, column: str) -> Iterator[str]:
    """Without what the server itself writes in the background: how long the tenant's own stages took, what it asked,
    how far its own webhooks have been told.
    """
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'table' "
        "AND name NOT IN ('stage_statistics', 'key_usage', 'key_uses', 'webhook_deliveries')"
    )
    for (table,) in connection.execute(query).fetchall():
        if any(described[1] == column for described in connection.execute(f'PRAGMA table_info("{table}")')):
            yield table
