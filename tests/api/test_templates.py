"""Templates over a real system: saved of what is there, seen by whom they are for, and made something of elsewhere."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tamis.app import build_app
from tamis.engine.ports.metadata import Session
from tamis.model.limits import TierLimits
from tamis.model.principal import AccountTier, Principal
from tamis.services.access.admission import Admission
from tamis.services.manifests.templates import MOST_TEMPLATES
from tamis.settings import Settings
from tamis.wiring.system import System, open_system

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk_templates_0123456789abcdef0123456789"
SOURCE = """\
version: "1.0"
namespaces: [{name: source, description: Where it comes from}]
buckets:
  - {name: in, schema: {properties: {title: {type: text}}}}
collections:
  - name: goods
    source: {type: bucket, bucket_ids: [in], source_filters: {filters: {field: title, operator: ne, value: ""}}}
    feature_extractor: {feature_extractor_name: passthrough_extractor}
    taxonomy_applications: [{taxonomy_id: kinds, execution_mode: on_demand}]
  - name: labels
    source: {type: bucket, bucket_ids: [in]}
    feature_extractor: {feature_extractor_name: passthrough_extractor}
retrievers:
  - name: finder
    tags: [first]
    collection_identifiers: [goods]
    input_schema: {word: {type: text, required: true}}
    stages:
      - stage_name: find
        config: {stage_id: attribute_filter, parameters: {field: title, operator: contains, value: "{{INPUT.word}}"}}
published:
  - name: source-page
    retriever: finder
    display_config:
      title: A
      inputs: [{field_name: word, field_schema: {type: text}, label: B}]
      exposed_fields: [title]
    rate_limit_config: {visitor_credits_per_day: 2}
taxonomies:
  - {name: kinds, config: {taxonomy_type: flat, feature_uri: embedding, source_collection: {collection_id: labels}}}
clusters:
  - {name: by-title, collection_ids: [goods], cluster_type: attribute, attribute_config: {attributes: [title]}}
datasets:
  - {name: asked, queries: [{query_id: q1, query_input: {word: a}, relevant_documents: []}]}
"""
KINDS = {"bucket": "in", "collection": "goods", "retriever": "finder", "taxonomy": "kinds", "cluster": "by-title"}
PLURAL = {"taxonomy": "taxonomies"}


def path(kind: str, rest: str = "") -> str:
    return f"templates/{PLURAL.get(kind, f'{kind}s')}{rest}"


@dataclass
class Caller:
    http: httpx.AsyncClient
    system: System
    key: str = KEY

    async def ask(
        self, method: str, at: str, body: Any = None, status: int | None = None, within: str | None = None
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", **({"X-Namespace": within} if within else {})}
        sent = {"content": body.encode()} if isinstance(body, str) else {"json": body}
        if isinstance(body, str):
            headers["Content-Type"] = "application/yaml"
        answer = await self.http.request(method, f"/v1/{at}", headers=headers, **sent)
        expected = status or (201 if method == "POST" else 200)
        assert answer.status_code == expected, answer.text
        return answer.json()

    async def save(self, kind: str, source: str, status: int = 201, within: str | None = "source", **more: Any) -> Any:
        body = {"template_name": f"My {kind}", **more}
        return await self.ask("POST", path(kind, f"/from-{kind}/{source}"), body, status, within)

    async def use(self, kind: str, template: str, status: int = 201, within: str | None = "other", **body: Any) -> Any:
        return await self.ask("POST", path(kind, f"/{template}/instantiate"), body, status, within)

    async def named(self, name: str, **more: Any) -> "Caller":
        made = await self.ask("POST", "organizations/users/admin@localhost/api-keys", {"name": name, **more}, 200)
        return Caller(self.http, self.system, made["key"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def me(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Caller]:
    """With a namespace `source` as SOURCE says, and `other` with a bucket `elsewhere` and a collection of it."""
    data_dir: Path = tmp_path_factory.mktemp("templates") / "data"
    system = await open_system(Settings(data_dir=data_dir, root_key=KEY, allowed_hosts="tamis.test"))
    try:
        transport = httpx.ASGITransport(build_app(system))
        async with httpx.AsyncClient(transport=transport, base_url="http://tamis.test") as http:
            me = Caller(http, system)
            await me.ask("POST", "manifest/apply", SOURCE)
            other = SOURCE[: SOURCE.index("    taxonomy_app")].replace("source,", "other,").replace("in]", "elsewhere]")
            await me.ask(
                "POST", "manifest/apply", other.replace("name: in,", "name: elsewhere,").replace("goods", "shelf")
            )
            yield me
    finally:
        await system.close()


async def test_a_resource_is_made_again_in_another_place(me: Caller) -> None:
    told: dict[str, dict[str, Any]] = {
        "bucket": {},
        "collection": {"bucket_ids": ["elsewhere"], "tags": ["new"]},
        "retriever": {"collection_identifiers": ["shelf"], "tags": ["new"]},
        "taxonomy": {"collection_config": {"labels": "shelf"}},
        "cluster": {"collection_ids": ["shelf"]},
    }
    for kind, name in KINDS.items():
        saved = await me.save(kind, name, tags=["mine"], category="shop")
        assert (saved["template_type"], saved["scope"]) == (kind, "organization")
        (listed, *_) = await me.ask("GET", path(kind) + "?category=shop&scope=organization")
        assert listed == await me.ask("GET", path(kind, f"/{saved['template_id']}"))
        assert (listed["name"], listed["tags"], listed["is_public"]) == (f"My {kind}", ["mine"], False)
        body = {f"{kind}_name": f"another-{kind}", "description": "As told", **told[kind]}
        made = await me.use(kind, saved["template_id"], **body)
        assert (made[f"{kind}_name"], made["template_id"], made["status"]) == (body[f"{kind}_name"], saved["template_id"], "created")  # fmt: skip  # noqa: E501
        again = await me.use(kind, saved["template_id"], 409, **body)
        assert again["error"]["type"] == "AlreadyExistsError"
        found = await me.ask("GET", f"{PLURAL.get(kind, f'{kind}s')}/{made[f'{kind}_id']}", within="other")
        shown = found.get("retriever", found)
        assert (shown[f"{kind}_id"], shown["description"]) == (made[f"{kind}_id"], "As told")
    collection = await me.ask("GET", "collections/another-collection", within="other")
    assert collection["metadata"]["tags"] == ["new"]
    assert collection["source"]["source_filters"] is not None
    assert not collection.get("taxonomy_applications")
    taxonomy = await me.ask("GET", "taxonomies/another-taxonomy", within="other")
    assert taxonomy["config"]["source_collection"]["collection_id"] == "shelf"


async def test_a_namespace_is_made_again_whole_without_what_is_one_of_a_kind(me: Caller) -> None:
    saved = await me.save("namespace", "source", within=None)
    made = await me.use("namespace", saved["template_id"], namespace_name="again", within=None)
    assert (made["status"], made["task_id"]) == ("ready", None)
    assert made["namespace_id"].startswith("ns_")
    text = await me.http.get(
        "/v1/manifest/export?namespace_id=again&format=json", headers={"Authorization": f"Bearer {KEY}"}
    )
    manifest = text.json()
    assert [one["description"] for one in manifest["namespaces"]] == ["Where it comes from"]
    assert [one["name"] for one in manifest["collections"]] == ["goods", "labels"]
    assert {"buckets", "retrievers", "taxonomies", "clusters"} <= manifest.keys()
    assert not {"published", "datasets"} & manifest.keys()
    taken = await me.use("namespace", saved["template_id"], 409, namespace_name="again", within=None)
    assert "again" in taken["error"]["message"]
    for name, said in (("ns_0123456789abcdef0123456789ab", "shaped like an id"), (" a b", "space")):
        wrong = await me.use("namespace", saved["template_id"], 422, namespace_name=name, within=None)
        assert wrong["detail"][0]["loc"] == ["body", "namespace_name"]
        assert said in wrong["detail"][0]["msg"]
    await me.ask("DELETE", "namespaces/again")
    assert await me.ask("GET", path("namespace", f"/{saved['template_id']}"))


@pytest.mark.parametrize(
    ("kind", "body", "status", "said"),
    [
        ("collection", {"bucket_ids": ["elsewhere"], "collection_id": "shelf"}, 422, "leave one of them out"),
        ("collection", {"bucket_ids": ["nowhere"]}, 422, "nowhere"),
        ("retriever", {"collection_identifiers": ["nowhere"]}, 404, "nowhere"),
        ("retriever", {"collection_identifiers": []}, 422, "at least 1"),
        ("taxonomy", {"collection_config": {"goods": "shelf"}}, 422, "the template names labels"),
        ("taxonomy", {"collection_config": {}}, 422, "'labels' was not found"),
        ("taxonomy", {"collection_config": {"collection_id": "nowhere"}}, 422, "'nowhere' was not found"),
        ("cluster", {"collection_ids": ["nowhere"]}, 404, "nowhere"),
    ],
)
async def test_what_is_not_there_is_named(me: Caller, kind: str, body: Any, status: int, said: str) -> None:
    saved = await me.save(kind, KINDS[kind])
    wrong = await me.use(kind, saved["template_id"], status, **{f"{kind}_name": "wrong", **body})
    assert said in str(wrong)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scope": "system"}, "scope"),
        ({"is_public": True}, "is_public"),
        ({"template_name": ""}, "template_name"),
        ({"category": "c" * 51}, "category"),
    ],
)
async def test_what_no_template_may_be_is_refused(me: Caller, body: Any, field: str) -> None:
    wrong = await me.save("bucket", "in", 422, **body)
    assert wrong["detail"][0]["loc"] == ["body", field]


async def test_whom_a_template_is_for(me: Caller) -> None:
    """A key with scopes sees what was made of what is within them, and a user's own is his alone."""
    shared = (await me.save("retriever", "finder"))["template_id"]
    mine = (await me.save("retriever", "finder", scope="user"))["template_id"]
    namespaces = (await me.ask("POST", "namespaces/list", {}, 200))["results"]
    ids = {one["namespace_name"]: one["namespace_id"] for one in namespaces}
    scope = {"resource_type": "namespace", "resource_id": ids["other"]}
    narrow = await me.named("narrow", permissions=["read", "write", "delete"], scopes=[scope])
    kept = {one["template_id"] for one in await narrow.ask("GET", path("retriever"))}
    assert not {shared, mine} & kept
    assert "tmpl_retriever_hybrid" in kept
    for method, rest in (("GET", ""), ("DELETE", "")):
        await narrow.ask(method, path("retriever", f"/{shared}{rest}"), status=404)
    await narrow.use("retriever", shared, 404, retriever_name="x", collection_identifiers=["shelf"])
    await narrow.use("namespace", "tmpl_namespace_text", 403, namespace_name="texts", within=None)
    await narrow.save("namespace", ids["source"], 404, within=None)
    own = await narrow.save("bucket", "elsewhere", within="other")
    assert await narrow.ask("GET", path("bucket", f"/{own['template_id']}"))
    user = await me.ask("POST", "organizations/users", {"email": "b@example.com", "user_name": "Bea"}, 200)
    assert user
    made = await me.ask("POST", "organizations/users/b@example.com/api-keys", {"name": "b"}, 200)
    other = Caller(me.http, me.system, made["key"])
    seen = {one["template_id"] for one in await other.ask("GET", path("retriever"))}
    assert (shared in seen, mine in seen) == (True, False)
    await other.ask("GET", path("retriever", f"/{mine}"), status=404)


async def test_what_comes_with_the_installation_stays(me: Caller) -> None:
    refused = await me.ask("DELETE", path("retriever", "/tmpl_retriever_hybrid"), status=409)
    assert "comes with the installation" in refused["error"]["message"]
    assert await me.ask("GET", path("retriever") + "?is_active=false") == []
    await me.ask("GET", path("bucket", "/tmpl_retriever_hybrid"), status=404)
    found = await me.ask("POST", path("retriever"), {"search": "fused", "tags": ["dense"]}, 200)
    assert [one["template_id"] for one in found["results"]] == ["tmpl_retriever_hybrid"]
    await me.ask("POST", "templates/nothings", {}, 404)
    public = await me.http.get("/v1/public/templates/namespaces?category=commerce")
    assert [one["template_id"] for one in public.json()] == ["tmpl_product_search"]


async def test_what_a_template_makes_counts_within_quotas(me: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    admission = me.system.services[Admission]
    before = len((await me.ask("POST", "namespaces/list", {}, 200))["results"])
    monkeypatch.setattr(admission, "_tiers", {AccountTier.ENTERPRISE: TierLimits(quotas={"retrievers": 1})})
    refused = await me.use("namespace", "tmpl_image_catalogue", 403, namespace_name="too-much", within=None)
    assert refused["error"]["type"] == "QuotaExceededError"
    assert len((await me.ask("POST", "namespaces/list", {}, 200))["results"]) == before, "nothing of it was made"
    finder = (await me.save("retriever", "finder"))["template_id"]
    await me.use("retriever", finder, 403, retriever_name="one-more", collection_identifiers=["shelf"])
    text = SOURCE[: SOURCE.index("published:")].replace("source,", "third,")
    refused = await me.ask("POST", "manifest/apply", text.replace("    taxonomy_applications", "    #"), 403)
    assert refused["error"]["details"]["resource"] == "retrievers"


async def test_templates_are_bounded(me: Caller) -> None:
    metadata = me.system.backends.metadata
    mine = await metadata.read(lambda session: session.organizations.first())
    assert mine is not None
    principal = Principal(mine.organization_id)

    def fill(session: Session) -> None:
        (some, *others) = session.templates.list(principal)
        for number in range(MOST_TEMPLATES - 1 - len(others)):
            session.templates.insert(principal, replace(some, template_id=f"tmpl_{number}"))

    await me.save("bucket", "in")
    await metadata.write(fill)
    refused = await me.save("bucket", "in", 409)
    assert "at most 200" in refused["error"]["message"]
    for one in await me.ask("GET", path("bucket") + "?scope=organization"):
        await me.ask("DELETE", path("bucket", f"/{one['template_id']}"))
    assert await me.ask("GET", path("bucket") + "?scope=organization") == []
