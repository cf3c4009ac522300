"""A client token sees what its filter lets through, in whatever way it asks."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tamis.api import documents, lineage
from tamis.auth.gate import Gate
from tamis.model.client_token import Claims, sign
from tamis.model.principal import Permission
from tamis.services.access.keys import KeyDraft, KeyService
from tamis.services.data.blob_links import BlobLinks
from tamis.services.data.documents import DocumentService
from tamis.services.data.lineage import LineageService
from tamis.services.upkeep.indexing import Indexer
from tamis.storage.blobs import open_blobs
from tests.engine.stages.shop import PRINCIPAL
from tests.retrieval_world import HEADERS, KEY, World, opened, search, stage

SOLE: dict[str, Any] = {"field": "brand", "operator": "eq", "value": "Sole"}
MINE, HIDDEN = ["p1", "p2"], "p4"
EVERYTHING: dict[str, Any] = {"OR": [{"field": "price", "operator": "exists", "value": True}, {"NOT": [SOLE]}]}


@dataclass
class Shopfront:
    world: World
    http: httpx.AsyncClient

    async def as_client(self, method: str, path: str, body: Any = None, **claims: Any) -> httpx.Response:
        token = sign(KEY, Claims(**{"filter": SOLE, **claims}), 60)
        return await self.with_bearer(token, method, path, body)

    async def with_bearer(self, bearer: str, method: str, path: str, body: Any = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {bearer}", "X-Namespace": "ns_1"}
        return await self.http.request(method, f"/v1/{path}", json=body, headers=headers)

    async def as_holder(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(method, f"/v1/{path}", json=body, headers=HEADERS)
        assert answer.is_success, answer.text
        return answer.json()

    async def saved(self, name: str, *stages: Mapping[str, Any]) -> str:
        body = {"retriever_name": name, "stages": list(stages)}
        return str((await self.as_holder("POST", "retrievers", body))["retriever_id"])

    @property
    def keys(self) -> KeyService:
        gate: Gate = self.app.state.services[Gate]
        return KeyService(self.world.shop.metadata, gate.forget)

    app: Any = None


@pytest.fixture
async def front(tmp_path: Path) -> AsyncIterator[Shopfront]:
    async with opened(tmp_path) as world:
        app, metadata = world.app, world.shop.metadata
        indexer = Indexer(metadata, world.shop.index)
        blobs = open_blobs(tmp_path / "blobs", None)
        app.state.services |= {
            DocumentService: DocumentService(metadata, indexer),
            LineageService: LineageService(metadata),
            BlobLinks: BlobLinks(blobs, bytes(32)),
        }
        for module in (documents, lineage):
            app.include_router(module.router)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://tamis") as http:
            yield Shopfront(world, http, app)
        await indexer.close()


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["document_id"] for one in answer.json()["documents"]]


async def test_a_search_finds_what_the_filter_lets_through(front: Shopfront) -> None:
    shoes = await front.saved("shoes", search("bread knife"))
    answer = await front.as_client("POST", f"retrievers/{shoes}/execute", {})
    assert sorted(ids(answer)) == MINE
    assert answer.json()["pagination"]["total"] == 2
    stages = answer.json()["stage_statistics"]["stages"]
    assert stages["search"]["output_count"] == 2
    batch = await front.as_client(
        "POST", f"retrievers/{shoes}/execute/batch", {"queries": [{}, {"filters": EVERYTHING}]}
    )
    assert [sorted(one["document_id"] for one in each["documents"]) for each in batch.json()["results"]] == [MINE, MINE]


async def test_the_requests_own_filters_only_narrow_further(front: Shopfront) -> None:
    shoes = await front.saved("shoes", search("bread knife"))
    wider = await front.as_client("POST", f"retrievers/{shoes}/execute", {"filters": EVERYTHING})
    assert sorted(ids(wider)) == MINE
    other = {"field": "brand", "operator": "eq", "value": "Blade"}
    assert ids(await front.as_client("POST", f"retrievers/{shoes}/execute", {"filters": other})) == []
    lifted = [
        search("bread knife", filters={"NOT": [SOLE]}),
        stage("attribute_filter", conditions={"OR": [EVERYTHING, {"NOT": [SOLE]}]}),
    ]
    assert ids(await front.as_client("POST", "retrievers/execute", {"stages": lifted}, pipelines=True)) == []


async def test_facets_and_counts_are_of_what_is_seen(front: Shopfront) -> None:
    stages = [search("bread knife", facets=["brand"])]
    answer = await front.as_client("POST", "retrievers/execute", {"stages": stages}, pipelines=True)
    told = answer.json()["stage_statistics"]["stages"]["search"]["metadata"]
    assert "Sole" in str(told)
    assert "Blade" not in str(told)
    counting = [stage("attribute_filter", field="text", operator="exists", value=True),
                stage("aggregate", aggregations=[{"function": "count", "alias": "n"}])]  # fmt: skip
    answer = await front.as_client("POST", "retrievers/execute", {"stages": counting}, pipelines=True)
    assert answer.status_code == 200, answer.text
    assert [row["n"] for row in answer.json()["documents"]] == [2]


async def test_a_hidden_document_is_no_question(front: Shopfront) -> None:
    def like(document_id: str) -> dict[str, Any]:
        reference = {"collection_id": "col_b", "document_id": document_id}
        return {"stages": [search({"input_mode": "document", "document_ref": reference})]}

    hidden = await front.as_client("POST", "retrievers/execute", like(HIDDEN), pipelines=True)
    absent = await front.as_client("POST", "retrievers/execute", like("p9"), pipelines=True)
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.json()["error"]["message"] == absent.json()["error"]["message"].replace("p9", HIDDEN)
    assert sorted(ids(await front.as_client("POST", "retrievers/execute", like("p2"), pipelines=True))) == MINE
    assert len(ids(await front.with_bearer(KEY, "POST", "retrievers/execute", like(HIDDEN)))) == 6


@pytest.mark.parametrize("content", ["obj_0123456789abcdef01234567", "blob://bkt_1/knife.png"])
async def test_what_is_stored_beside_documents_is_no_question(front: Shopfront, content: str) -> None:
    stages = [search({"input_mode": "content", "value": content})]
    answer = await front.as_client("POST", "retrievers/execute", {"stages": stages}, pipelines=True)
    assert answer.status_code == 404, answer.text


async def test_documents_are_read_and_counted_through_the_filter(front: Shopfront) -> None:
    here, there = "collections/col_a/documents", "collections/col_b/documents"
    assert (await front.as_client("GET", f"{there}/{HIDDEN}")).status_code == 404
    assert (await front.as_client("GET", f"{here}/p1")).json()["document_id"] == "p1"
    listed = (await front.as_client("POST", f"{here}/list", {"filters": EVERYTHING})).json()
    assert [one["document_id"] for one in listed["results"]] == ["p1"]
    assert listed["pagination"]["total"] == 1
    grouped = (await front.as_client("POST", f"{there}/list", {"group_by": "brand"})).json()
    assert [(group["group_key"], len(group["documents"])) for group in grouped["groups"]] == [("Sole", 1)]
    counted = await front.as_client(
        "POST",
        f"{here}/aggregate",
        {"aggregations": [{"function": "count", "alias": "n"}], "group_by": [{"field": "brand"}]},
    )
    assert [row["metrics"]["n"] for row in counted.json()["results"]] == [1]


async def test_a_page_of_somebody_elses_series_is_not_turned(front: Shopfront) -> None:
    shoes = await front.saved("shoes", search("bread knife"))
    path = f"retrievers/{shoes}/execute"
    first = await front.as_holder("POST", path, {"pagination": {"method": "cursor", "limit": 2}})
    following = {"pagination": {"method": "cursor", "limit": 2, "cursor": first["pagination"]["next_cursor"]}}
    assert (await front.as_client("POST", path, following)).status_code == 422
    front.world.snapshots.clear()
    assert (await front.as_client("POST", path, following)).status_code == 422
    mine = await front.as_client("POST", path, {"pagination": {"method": "cursor", "limit": 1}})
    following = {"pagination": {"method": "cursor", "limit": 1, "cursor": mine.json()["pagination"]["next_cursor"]}}
    front.world.snapshots.clear()
    assert len(ids(await front.as_client("POST", path, following))) == 1
    assert (await front.as_client("POST", path, following, filter=EVERYTHING)).status_code == 422


async def test_a_replay_keeps_to_the_filter(front: Shopfront) -> None:
    shoes = await front.saved("shoes", search("bread knife"))
    execution_id = (await front.as_client("POST", f"retrievers/{shoes}/execute", {})).json()["execution_id"]
    for mode in ("frozen", "live"):
        path = f"retrievers/{shoes}/executions/{execution_id}/replay"
        replayed = await front.as_holder("POST", path, {"mode": mode})
        assert replayed["verdict"] == "identical", replayed


async def test_why_not_says_that_the_filter_hid_it(front: Shopfront) -> None:
    shoes = await front.saved("shoes", search("bread knife"))
    execution_id = (await front.as_client("POST", f"retrievers/{shoes}/execute", {})).json()["execution_id"]
    path = f"retrievers/{shoes}/executions/{execution_id}/why"
    told = await front.as_holder("POST", path, {"document_id": HIDDEN})
    assert told["stopped_at"] == "search"
    assert "client token" in str(told)
    assert (await front.as_holder("POST", path, {"document_id": "p1"}))["returned"] is True


async def test_a_diff_says_that_the_filters_were_others(front: Shopfront) -> None:
    shoes = await front.saved("shoes", search("bread knife"))
    mine = (await front.as_client("POST", f"retrievers/{shoes}/execute", {})).json()["execution_id"]
    theirs = (await front.as_holder("POST", f"retrievers/{shoes}/execute", {}))["execution_id"]
    told = await front.as_holder("GET", f"retrievers/{shoes}/executions/{mine}/diff/{theirs}")
    assert "client tokens have different filters" in str(told)


ALLOWED = {
    "POST /v1/retrievers/execute",
    "POST /v1/retrievers/{retriever_id}/execute",
    "POST /v1/retrievers/{retriever_id}/execute/batch",
    "POST /v1/collections/{collection_identifier}/documents/list",
    "POST /v1/collections/{collection_identifier}/documents/aggregate",
    "GET /v1/collections/{collection_identifier}/documents/{document_id}",
    "POST /v1/retrievers/interactions",
    "POST /v1/retrievers/interactions/batch",
}


async def test_it_opens_nothing_else(front: Shopfront) -> None:
    """Not what others executed, not the objects that documents were made of, not what collections are.

    Who searches may tell what was done with what was found, and reads none of that.
    """
    opened_by_token = set()
    for path, methods in front.app.openapi()["paths"].items():
        for method in methods:
            at = path.removeprefix("/v1/").format_map(_Anything())
            answer = await front.as_client(method, at, {"stages": [search()], "queries": [{}]})
            if answer.status_code != 403:
                opened_by_token.add(f"{method.upper()} {path}")
    # Whole pipelines need a claim of their own, and the catalogue of stages is nobody's.
    assert opened_by_token - {"GET /v1/retrievers/stages"} == ALLOWED - {"POST /v1/retrievers/execute"}


class _Anything(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "none-of-this-name"


async def test_a_token_for_single_retrievers_runs_those_alone(front: Shopfront) -> None:
    shoes, knives = await front.saved("shoes", search()), await front.saved("knives", search("knife"))
    asked = {"retrievers": (shoes,), "filter": None}
    assert len(ids(await front.as_client("POST", f"retrievers/{shoes}/execute", {}, **asked))) == 6
    assert (await front.as_client("POST", f"retrievers/{knives}/execute", {}, **asked)).status_code == 404
    chosen = await front.as_client("POST", "retrievers/shoes/execute", {"collection_identifiers": ["more"]}, **asked)
    assert chosen.status_code == 422
    for path in ("retrievers/execute", "collections/col_a/documents/list"):
        body = {"stages": [search()]}
        assert (await front.as_client("POST", path, body, pipelines=True, **asked)).status_code == 403
    whole = await front.as_client("POST", "retrievers/execute", {"stages": [search()]})
    assert whole.status_code == 403
    assert "pipelines" in whole.json()["error"]["message"]


async def test_it_is_for_its_namespace(front: Shopfront) -> None:
    shoes = await front.saved("shoes", search())
    path = f"retrievers/{shoes}/execute"
    assert (await front.as_client("POST", path, {}, namespace="shop")).status_code == 200
    assert (await front.as_client("POST", path, {}, namespace="ns_2")).status_code == 404


async def test_it_goes_with_its_key(front: Shopfront) -> None:
    made = await front.keys.create(PRINCIPAL, KeyDraft("of a team", (Permission.READ,)))
    shoes = await front.saved("shoes", search())
    token = sign(made.secret, Claims(SOLE), 60)
    path = f"retrievers/{shoes}/execute"
    assert sorted(ids(await front.with_bearer(token, "POST", path, {}))) == MINE
    rotated = await front.keys.rotate(PRINCIPAL, made.key.key_id)
    assert (await front.with_bearer(token, "POST", path, {})).status_code == 401
    token = sign(rotated.secret, Claims(SOLE), 60)
    assert (await front.with_bearer(token, "POST", path, {})).status_code == 200
    await front.keys.revoke(PRINCIPAL, made.key.key_id)
    assert (await front.with_bearer(token, "POST", path, {})).status_code == 401


async def test_a_key_that_may_not_read_signs_for_nobody(front: Shopfront) -> None:
    made = await front.keys.create(PRINCIPAL, KeyDraft("writer", (Permission.WRITE,)))
    shoes = await front.saved("shoes", search())
    answer = await front.with_bearer(sign(made.secret, Claims(SOLE), 60), "POST", f"retrievers/{shoes}/execute", {})
    assert answer.status_code == 403


async def test_it_lives_no_longer_than_the_operator_lets_it(front: Shopfront) -> None:
    token = sign(KEY, Claims(SOLE), 86_401)
    answer = await front.with_bearer(token, "POST", "retrievers/execute", {})
    assert answer.status_code == 401
    assert "86400 seconds" in answer.json()["error"]["message"]
