"""Keys to single collections: what others hold might as well not be there, and nothing is written."""

from typing import Any

import pytest

from tamis.model.client_token import Claims, sign, verification_key
from tamis.model.organization import ApiKey
from tamis.model.principal import Permission
from tamis.model.secret import hash_key
from tests.api.test_client_tokens import ALLOWED, Shopfront, _Anything, front, ids
from tests.engine.stages.shop import NOW, PRINCIPAL
from tests.retrieval_world import search, stage

__all__ = ["front"]
SECRET = "sk_scoped_to_one_collection_0123456789abcdef"
BOTH = ["products", "more"]
EVERY = stage("attribute_filter", field="document_id", operator="exists", value=True)
THEIRS, OWN = "p1", "p2"


@pytest.fixture
async def keyed(front: Shopfront) -> Shopfront:
    """There is a key to col_b, which holds the even half of the shop."""
    scope: dict[str, Any] = {"resource_type": "collection", "resource_id": "col_b", "namespace_id": "ns_1"}
    key = ApiKey(
        "key_c", "org_1", "usr_1", "col", hash_key(SECRET), "sk_scoped", (Permission.ADMIN,), NOW, scopes=(scope,),
        token_key=verification_key(SECRET),
    )  # fmt: skip
    await front.world.shop.metadata.write(lambda session: session.keys.insert(PRINCIPAL, key))
    return front


async def _ask(keyed: Shopfront, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    answer = await keyed.with_bearer(SECRET, method, path, body)
    assert answer.status_code == status, (path, answer.text)
    return answer.json()


async def test_it_finds_what_is_in_the_collection_alone(keyed: Shopfront) -> None:
    for stages in ([EVERY], [search("shoe")], [search("shoe"), stage("aggregate", group_by=[], aggregations=[{"function": "count", "alias": "n"}])]):  # fmt: skip # noqa: E501 - pipelines
        body = {"stages": stages, "inputs": {}}
        both = await _ask(keyed, "POST", "retrievers/execute", {**body, "collection_identifiers": BOTH})
        alone = await keyed.as_holder("POST", "retrievers/execute", {**body, "collection_identifiers": ["more"]})
        assert [(one["document_id"], one.get("n")) for one in both["documents"]] == [
            (one["document_id"], one.get("n")) for one in alone["documents"]
        ]
        assert both["pagination"]["total"] == alone["pagination"]["total"] > 0
    nothing = await _ask(keyed, "POST", "retrievers/execute", {"stages": [EVERY], "inputs": {}, "collection_identifiers": ["products"]})  # fmt: skip # noqa: E501 - one call
    assert nothing["documents"] == []


async def test_it_reads_what_is_in_the_collection_alone(keyed: Shopfront) -> None:
    assert (await _ask(keyed, "GET", f"collections/col_b/documents/{OWN}"))["document_id"] == OWN
    for path in (f"col_a/documents/{THEIRS}", f"col_b/documents/{THEIRS}"):
        await _ask(keyed, "GET", f"collections/{path}", status=404)
    listed = await _ask(keyed, "POST", "collections/col_a/documents/list", {})
    assert (listed["results"], listed["pagination"]["total"]) == ([], 0)
    assert (await _ask(keyed, "POST", "collections/col_b/documents/list", {}))["pagination"]["total"] == 3
    counted = {"aggregations": [{"function": "count", "alias": "n"}], "group_by": [{"field": "brand"}]}
    assert (await _ask(keyed, "POST", "collections/col_a/documents/aggregate", counted))["results"] == []


async def test_it_opens_nothing_else(keyed: Shopfront) -> None:
    opened = set()
    saved = await keyed.saved("saved", search())
    for path, methods in keyed.app.openapi()["paths"].items():
        for method in methods:
            at = path.removeprefix("/v1/").format_map(_Anything(retriever_id=saved))
            answer = await keyed.with_bearer(SECRET, method, at, {"stages": [search()], "queries": [{}]})
            if answer.status_code not in (403, 404):
                opened.add(f"{method.upper()} {path}")
    assert (await _ask(keyed, "POST", "retrievers/list", {}))["results"] == []
    assert opened - {"GET /v1/retrievers/stages", "POST /v1/retrievers/list"} <= {
        one for one in ALLOWED if "{retriever_id}" not in one
    }
    assert "POST /v1/retrievers/execute" in opened


async def test_client_tokens_that_it_signs_open_nothing(keyed: Shopfront) -> None:
    """They would have to be narrowed twice."""
    saved = await keyed.saved("saved", search())
    for claims in (Claims(pipelines=True), Claims(retrievers=(saved,), pipelines=True)):
        token = sign(SECRET, claims, 60)
        for path in ("retrievers/execute", f"retrievers/{saved}/execute", "collections/col_b/documents/list"):
            answer = await keyed.with_bearer(token, "POST", path, {"stages": [search()], "inputs": {}})
            assert answer.status_code in (403, 404), (path, answer.text)


async def test_with_a_retriever_it_runs_that_one_whole(keyed: Shopfront) -> None:
    """Its owner wrote over what it runs."""
    saved, other = await keyed.saved("saved", EVERY), await keyed.saved("other", EVERY)
    scopes: list[dict[str, Any]] = [
        {"resource_type": "retriever", "resource_id": saved, "namespace_id": "ns_1"},
        {"resource_type": "collection", "resource_id": "col_b", "namespace_id": "ns_1"},
    ]
    secret = SECRET[::-1]
    key = ApiKey("key_d", "org_1", "usr_1", "two", hash_key(secret), "sk_scoped", (Permission.READ,), NOW, scopes=tuple(scopes))  # fmt: skip # noqa: E501 - one row
    await keyed.world.shop.metadata.write(lambda session: session.keys.insert(PRINCIPAL, key))
    assert THEIRS in ids(await keyed.with_bearer(secret, "POST", f"retrievers/{saved}/execute", {}))
    assert (await keyed.with_bearer(secret, "POST", f"retrievers/{other}/execute", {})).status_code == 404
    mine = await keyed.with_bearer(secret, "POST", "retrievers/execute", {"stages": [EVERY], "inputs": {}, "collection_identifiers": BOTH})  # fmt: skip # noqa: E501 - one call
    assert THEIRS not in ids(mine)
    assert OWN in ids(mine)
