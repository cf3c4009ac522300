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
SHARED = ("feature_extractor_id", "public_name", "template_id", "user_id")
"""Path parameters that name what belongs to nobody, or is open to everybody, or is called so by the tenant alone."""

ORGANIZATION_WIDE = (
    "namespace_identifier", "user_email", "key_name", "key_id", "secret_name", "audit_id", "task_id", "identifier",
)  # fmt: skip
"""Path parameters that name what every namespace of an organisation shares."""

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
        return f"{self.path.format_map(names)}{self.query}"

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


def operations(openapi: Mapping[str, Any]) -> list[Operation]:
    """Every operation that takes an identifier of a tenant's in its path."""
    found = []
    for path, methods in openapi["paths"].items():
        for method, described in methods.items():
            body = _body(described, openapi) if method in _METHODS else None
            operation = Operation(method, path, body, _query(described, openapi))
            if set(operation.parameters) - set(SHARED):
                found.append(operation)
    return found


def _query(described: Mapping[str, Any], openapi: Mapping[str, Any]) -> str:
    """What has to stand in the URL."""
    asked = [one for one in described.get("parameters", ()) if one["in"] == "query" and one.get("required")]
    return "?" + urlencode({one["name"]: _least(one["schema"], openapi) for one in asked}) if asked else ""


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
    retriever = {
        "retriever_name": f"retriever-{label}",
        "collection_identifiers": [collection],
        "stages": [LISTING],
    }
    kept = (await caller.ask("POST", "retrievers", retriever))["retriever"]["retriever_id"]
    await caller.ask("POST", f"retrievers/{kept}/publish", {"public_name": f"page-{label}", "display_config": DISPLAY})
    tenant.ids = {
        "bucket_identifier": bucket,
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
    tenant.ids |= await _learning(caller, tenant.ids, f"judged-{label}")
    # The execution that another one is compared with.
    tenant.ids["other"] = tenant.ids["execution_id"]
    tenant.names = tenant.ids | _names(label)
    return tenant


async def _learning(caller: Caller, ids: Mapping[str, str], name: str) -> dict[str, str]:
    """What is made of executions. name: of the data set."""
    await caller.ask("PUT", f"retrievers/{ids['retriever_id']}/rollout", {"shadow_share": 0})
    told = {"feature_id": ids["document_id"], "interaction_type": ["click"], "position": 0, "user_id": "ann"}
    return {
        "dataset_identifier": await _dataset(caller, ids["anonymous_execution_id"], name),
        "evaluation_id": await _evaluation(caller, f"retrievers/{ids['retriever_id']}/evaluations", name),
        "interaction_id": (await caller.ask("POST", "retrievers/interactions", told))["interaction_id"],
    }


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
        "collection_id": f"shelf-{label}",
        "collection_identifier": f"shelf-{label}",
        "retriever_id": f"retriever-{label}",
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
