"""Keys that are limited to namespaces or to single retrievers: what is outside does not exist for them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.api.operations import operation_of
from tamis.errors import ForbiddenError
from tamis.model.organization import ApiKey, User, UserRole
from tamis.model.principal import Permission
from tamis.model.secret import hash_key
from tests.engine.stages.shop import NOW, PRINCIPAL
from tests.resource_world import Caller, Resources, open_resources
from tests.retrieval_world import HEADERS, World, opened, search, stage

KEYS = "/organizations/users/admin@localhost/api-keys"
ONE_RETRIEVER = "sk_scoped_to_one_retriever_0123456789abcdef"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path) as opened_world:
        yield opened_world


async def _scoped(world: Resources, *scopes: dict[str, Any], **more: Any) -> Caller:
    body = {"name": f"scoped {len(scopes)}", "permissions": ["admin"], "scopes": list(scopes), **more}
    made = await world.me.post(KEYS, body)
    return world.as_key(made["key"])


def _namespace(identifier: str) -> dict[str, Any]:
    return {"resource_type": "namespace", "resource_id": identifier}


async def test_a_key_to_one_namespace_sees_no_other(world: Resources) -> None:
    other = await world.me.post("/namespaces", {"namespace_name": "other"})
    caller = await _scoped(world, _namespace("other"))
    listed = await caller.post("/namespaces/list")
    assert [each["namespace_name"] for each in listed["results"]] == ["other"]
    assert (listed["total_count"], listed["pagination"]["total"]) == (1, 1)
    await caller.get(f"/namespaces/{other['namespace_id']}")
    for method, body in (("GET", None), ("PATCH", {"description": "mine"}), ("DELETE", None)):
        await caller.send(method, "/namespaces/default", body, 404)
    # The only namespace that it enters needs no header.
    assert (await caller.post("/buckets/list"))["results"] == []
    caller.headers["X-Namespace"] = "default"
    await caller.post("/buckets/list", status=404)


async def test_a_key_with_scopes_has_no_say_in_the_organisation(world: Resources) -> None:
    caller = await _scoped(world, _namespace("default"))
    assert (await caller.get("/organizations"))["users"] == []
    await caller.patch("/organizations", {"organization_name": "Mine"}, 403)
    await caller.get(KEYS, 403)
    await caller.post(KEYS, {"name": "wider"}, 403)
    await caller.post("/namespaces", {"namespace_name": "new"}, 403)


async def test_a_scope_follows_the_key_and_is_shown(world: Resources) -> None:
    caller = await _scoped(world, _namespace("default"))
    await world.me.patch(f"{KEYS}/scoped 1", {"scopes": []})
    await caller.get(KEYS)
    shown = await world.me.patch(f"{KEYS}/scoped 1", {"scopes": [_namespace("default")]})
    assert [scope["resource_type"] for scope in shown["scopes"]] == ["namespace"]
    await caller.get(KEYS, 403)


@pytest.mark.parametrize("identifier", ["nowhere", "ns_of_others"])
async def test_a_scope_to_what_is_not_there_is_refused(world: Resources, identifier: str) -> None:
    body = {"name": "x", "scopes": [_namespace("default"), _namespace(identifier)]}
    assert await world.me.places(KEYS, body) == [["body", "scopes", 1, "resource_id"]]
    retriever = {"resource_type": "retriever", "resource_id": "ret_none"}
    assert await world.me.places(KEYS, {"name": "x", "scopes": [retriever]}) == [["body", "scopes", 0, "resource_id"]]


async def test_scopes_that_nothing_enforces_are_not_accepted(world: Resources) -> None:
    await world.me.post(KEYS, {"name": "x", "scopes": [{"resource_type": "bucket", "resource_id": "b"}]}, 501)
    for wrong in ([], ["fly"]):
        scope = {**_namespace("default"), "operations": wrong}
        places = await world.me.places(KEYS, {"name": "x", "scopes": [scope]})
        assert places[0][:4] == ["body", "scopes", 0, "operations"]


async def test_a_scope_is_for_its_operations_alone(world: Resources) -> None:
    other = await world.me.post("/namespaces", {"namespace_name": "other"})
    reads = {**_namespace("default"), "operations": ["read_data", "write_data"]}
    builds = {**_namespace("other"), "operations": ["modify_infrastructure"]}
    bucket = {"bucket_name": "b", "bucket_schema": {"properties": {"t": {"type": "string"}}}}
    await world.me.post("/buckets", bucket)
    caller = await _scoped(world, reads, builds)
    caller.headers["X-Namespace"] = "default"
    await caller.get("/buckets/b")
    made = await caller.post("/buckets/b/objects", {"t": "x"})
    refused = await caller.send("DELETE", f"/buckets/b/objects/{made['object_id']}", None, 403)
    assert refused["error"]["details"]["operation"] == "delete_data"
    await caller.post("/buckets", {**bucket, "bucket_name": "c"}, 403)
    await caller.send("DELETE", "/buckets/b", None, 403)
    caller.headers["X-Namespace"] = "other"
    await caller.post("/buckets", {**bucket, "bucket_name": "c"})
    await caller.get("/buckets/c", 403)
    await caller.post("/buckets/c/objects", {"t": "x"}, 403)
    # Of the namespaces themselves each operation sees those that a scope lets it see.
    assert [one["namespace_name"] for one in (await caller.post("/namespaces/list"))["results"]] == ["default"]
    await caller.patch(f"/namespaces/{other['namespace_id']}", {"description": "built"})
    await caller.patch("/namespaces/default", {"description": "built"}, 404)


async def test_the_studio_refuses_a_key_that_is_for_operations(world: Resources) -> None:
    """Its pages do many things, and are none of them by name."""
    caller = await _scoped(world, {**_namespace("default"), "operations": ["read_data"]})
    with pytest.raises(ForbiddenError, match="no scope of this key is for the operation asked here"):
        await world.gate.identify(caller.headers["Authorization"], Permission.READ)


OPERATIONS = {
    ("POST", "/v1/retrievers/execute", "read"): "execute_retriever",
    ("POST", "/v1/retrievers/{retriever_id}/execute", "read"): "execute_retriever",
    ("POST", "/v1/retrievers/{retriever_id}/execute/batch", "read"): "execute_retriever",
    ("POST", "/v1/retrievers/executions/{execution_id}/replay", "read"): "execute_retriever",
    ("POST", "/v1/retrievers/executions/list", "read"): "read_data",
    ("DELETE", "/v1/retrievers/executions/{execution_id}", "delete"): "delete_data",
    ("POST", "/v1/retrievers", "write"): "create_retriever",
    ("POST", "/v1/retrievers/list", "read"): "read_data",
    ("POST", "/v1/retrievers/executions/{execution_id}/promote", "write"): "create_retriever",
    ("POST", "/v1/retrievers/interactions/batch", "read"): "execute_retriever",
    ("DELETE", "/v1/retrievers/interactions/{interaction_id}", "delete"): "delete_data",
    ("POST", "/v1/retrievers/{retriever_id}/evaluations", "write"): "execute_job",
    ("DELETE", "/v1/retrievers/{retriever_id}/cache", "write"): "create_retriever",
    ("POST", "/v1/retrievers/{retriever_id}/publish", "write"): "create_retriever",
    ("DELETE", "/v1/retrievers/{retriever_id}", "delete"): "delete_retriever",
    ("POST", "/v1/buckets/{bucket_identifier}/batches/{batch_id}/submit", "write"): "execute_job",
    ("POST", "/v1/buckets/{bucket_identifier}/batches/{batch_id}/cancel", "write"): "cancel_job",
    ("DELETE", "/v1/tasks/{task_id}", "delete"): "cancel_job",
    ("POST", "/v1/collections/{collection_identifier}/documents", "write"): "write_data",
    ("DELETE", "/v1/collections/{collection_identifier}", "delete"): "modify_infrastructure",
    ("GET", "/v1/collections/{collection_identifier}", "read"): "read_data",
}


@pytest.mark.parametrize("asked", OPERATIONS, ids=lambda asked: " ".join(asked[:2]))
def test_each_route_is_one_operation(asked: tuple[str, str, str]) -> None:
    method, path, permission = asked
    assert operation_of(method, path, Permission(permission)) == OPERATIONS[asked]


async def test_a_key_that_runs_retrievers_reads_nothing_else(shop: World) -> None:
    async with shop.client() as http:
        mine = await _saved(http, "mine")
        scope: dict[str, Any] = {
            "resource_type": "retriever", "resource_id": mine, "namespace_id": "ns_1",
            "operations": ["execute_retriever"],
        }  # fmt: skip
        permissions = (Permission.READ,)
        key = ApiKey(
            "key_3", "org_1", "usr_1", "runs", hash_key(ONE_RETRIEVER), "sk_scoped", permissions, NOW, scopes=(scope,)
        )
        await shop.shop.metadata.write(lambda session: session.keys.insert(PRINCIPAL, key))
        http.headers.update({**HEADERS, "Authorization": f"Bearer {ONE_RETRIEVER}"})
        ran = await http.post(f"/v1/retrievers/{mine}/execute", json={"inputs": {}})
        assert ran.status_code == 200, ran.text
        for path in (f"/v1/retrievers/{mine}", f"/v1/retrievers/{mine}/executions/{ran.json()['execution_id']}"):
            assert (await http.get(path)).status_code == 403


async def test_a_key_does_no_more_than_its_users_role(world: Resources) -> None:
    viewer = User("usr_viewer", world.principal.organization_id, "v@example.com", NOW, "V", UserRole.VIEWER)
    key = ApiKey("key_v", viewer.organization_id, "usr_viewer", "v", hash_key("sk_v" * 9), "sk_v", (Permission.ADMIN,), NOW)  # fmt: skip  # noqa: E501 - one row
    await world.metadata.write(lambda session: session.organizations.add_user(world.principal, viewer))
    await world.metadata.write(lambda session: session.keys.insert(world.principal, key))
    caller = world.as_key("sk_v" * 9)
    await caller.get("/organizations")
    await caller.get(KEYS, 403)
    await caller.post("/namespaces", {"namespace_name": "new"}, 403)
    mine = "/organizations/users/v@example.com/api-keys"
    assert await world.me.places(mine, {"name": "x", "permissions": ["read", "write"]}) == [["body", "permissions"]]
    assert (await world.me.post(mine, {"name": "x"}))["permissions"] == ["read"]


async def _saved(http: httpx.AsyncClient, name: str) -> str:
    body = {
        "retriever_name": name,
        "collection_identifiers": ["products"],
        "stages": [search(), stage("limit", limit=2)],
    }
    answer = await http.post("/v1/retrievers", json=body)
    assert answer.is_success, answer.text
    return str(answer.json()["retriever"]["retriever_id"])


async def test_a_key_to_one_retriever_runs_and_reads_that_alone(shop: World) -> None:
    async with shop.client() as http:
        mine, other = await _saved(http, "mine"), await _saved(http, "other")
        ran = (await http.post(f"/v1/retrievers/{other}/execute", json={"inputs": {}})).json()["execution_id"]
        anonymous = (await http.post("/v1/retrievers/execute", json={"stages": [search()], "collection_identifiers": ["products"], "inputs": {}})).json()["execution_id"]  # fmt: skip  # noqa: E501 - one call
        scope: dict[str, Any] = {"resource_type": "retriever", "resource_id": mine, "namespace_id": "ns_1"}
        key = ApiKey("key_2", "org_1", "usr_1", "one", hash_key(ONE_RETRIEVER), "sk_scoped", (Permission.ADMIN,), NOW, scopes=(scope,))  # fmt: skip  # noqa: E501 - one row
        await shop.shop.metadata.write(lambda session: session.keys.insert(PRINCIPAL, key))
        http.headers.update({**HEADERS, "Authorization": f"Bearer {ONE_RETRIEVER}"})
        answer = await http.post(f"/v1/retrievers/{mine}/execute", json={"inputs": {}})
        assert len(answer.json()["documents"]) == 2
        execution = answer.json()["execution_id"]
        assert (await http.get(f"/v1/retrievers/{mine}/executions/{execution}")).status_code == 200
        assert (await http.get(f"/v1/retrievers/{mine}/executions/{execution}/trace")).status_code == 200
        listed = (await http.post("/v1/retrievers/list", json={})).json()
        assert ([each["retriever_id"] for each in listed["results"]], listed["total"]) == ([mine], 1)
        for method, path in (
            ("GET", other), ("POST", f"{other}/execute"), ("POST", f"{other}/executions/list"),
            ("GET", f"{other}/executions/{ran}"), ("GET", f"{mine}/executions/{ran}"),
            ("GET", f"{mine}/executions/{execution}/diff/{ran}"),
            ("GET", f"{mine}/executions/{execution}/diff/{anonymous}"),
        ):  # fmt: skip
            answer = await http.request(method, f"/v1/retrievers/{path}", json={} if method == "POST" else None)
            assert answer.status_code == 404, (path, answer.text)
        for method, path in (
            ("POST", "execute"), ("POST", "executions/list"), ("GET", f"executions/{anonymous}"),
            ("PATCH", mine), ("DELETE", mine), ("DELETE", f"{mine}/executions"),
        ):  # fmt: skip
            body = {"stages": [search()], "inputs": {}} if path == "execute" else {"description": "x"}
            answer = await http.request(method, f"/v1/retrievers/{path}", json=None if method == "GET" else body)
            assert answer.status_code == 403, (path, answer.text)


async def test_a_collection_is_named_by_its_id(world: Resources) -> None:
    scope = {"resource_type": "collection", "resource_id": "col_none"}
    assert await world.me.places(KEYS, {"name": "x", "scopes": [scope]}) == [["body", "scopes", 0, "resource_id"]]
