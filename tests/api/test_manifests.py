"""Manifests over a real system: exported, checked, compared, applied, and nothing lost that nobody named."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from hypothesis import given, settings
from pydantic import SecretStr

from tamis.app import build_app
from tamis.jobs.migrating import MigrationWorker
from tamis.services.manifests.manifests import as_text
from tamis.settings import Settings
from tamis.wiring.system import System, open_system
from tests.generated.manifests import manifests

pytestmark = pytest.mark.asyncio(loop_scope="module")

KEY = "sk_manifests_0123456789abcdef0123456789"
SHOP = """\
version: "1.0"
metadata: {name: shop}
namespaces:
  - name: shop
    description: What we sell
    record_policy: {max_count: 1000}
published:
  - name: shop-page
    retriever: finder
    display_config:
      title: The shop
      inputs: [{field_name: word, field_schema: {type: text}, label: Search}]
      exposed_fields: [title]
    password_secret_name: door
    rate_limit_config: {visitor_credits_per_day: 2}
retrievers:
  - name: finder
    description: By title
    collection_identifiers: [on-sale]
    input_schema: {word: {type: text, required: true}}
    stages:
      - stage_name: find
        config:
          stage_id: attribute_filter
          parameters: {field: title, operator: contains, value: "{{INPUT.word}}"}
collections:
  - name: on-sale
    source: {type: collection, collection_ids: [goods]}
    feature_extractor: {feature_extractor_name: passthrough_extractor}
  - name: goods
    metadata: {team: shop}
    source: {type: bucket, bucket_ids: [goods-in]}
    feature_extractor: &passes {feature_extractor_name: passthrough_extractor, version: v1}
buckets:
  - name: goods-in
    schema: {properties: {title: {type: text}, price: {type: number, required: true}}}
"""


@dataclass
class Hall:
    system: System
    http: httpx.AsyncClient
    key: str = KEY

    async def ask(
        self, method: str, path: str, body: Any = None, status: int = 200, within: str | None = None, **query: Any
    ) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", **({"X-Namespace": within} if within else {})}
        sent = {"content": body.encode()} if isinstance(body, str) else {"json": body}
        if isinstance(body, str):
            headers["Content-Type"] = "application/yaml"
        answer = await self.http.request(method, f"/v1/{path}", params=query, headers=headers, **sent)
        assert answer.status_code == status, answer.text
        return answer.text if "yaml" in answer.headers["content-type"] else answer.json()

    async def apply(self, text: str, status: int = 201, **more: Any) -> Any:
        return await self.ask("POST", "manifest/apply", text, status, **more)

    async def export(self, namespace: str) -> str:
        return str(await self.ask("GET", "manifest/export", namespace_id=namespace))

    async def drop(self, *namespaces: str) -> None:
        for name in namespaces:
            await self.ask("DELETE", f"namespaces/{name}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hall(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Hall]:
    data_dir: Path = tmp_path_factory.mktemp("manifests") / "data"
    secrets = SecretStr('{"door": {"value": "open by a secret", "hosts": ["published"]}}')
    system = await open_system(Settings(data_dir=data_dir, root_key=KEY, secrets=secrets, allowed_hosts="tamis.test"))
    try:
        transport = httpx.ASGITransport(build_app(system))
        async with httpx.AsyncClient(transport=transport, base_url="http://tamis.test") as http:
            yield Hall(system, http)
    finally:
        await system.close()


@pytest_asyncio.fixture(loop_scope="module")
async def shop(hall: Hall) -> AsyncIterator[Hall]:
    """A namespace `shop` as SHOP says."""
    await hall.apply(SHOP)
    yield hall
    await hall.drop("shop")


def statuses(result: Any) -> dict[str, str]:
    return {f"{one['resource_type']} {one['name']}": one["status"] for one in result["resources"]}


async def test_what_is_exported_makes_the_same_again(hall: Hall) -> None:
    made = await hall.apply(SHOP)
    assert (made["success"], made["created_count"], made["failed_count"]) == (True, 6, 0)
    assert list(statuses(made)) == [
        "namespace shop", "bucket goods-in", "collection goods", "collection on-sale", "retriever finder",
        "published retriever shop-page",
    ]  # fmt: skip
    text = await hall.export("shop")
    for hidden in ("col_0", "bkt_0", "ret_0", "open by a secret", "argon2", "pk_0", "pub_0"):
        assert hidden not in text
    await hall.drop("shop")
    assert (await hall.apply(text))["created_count"] == 6
    assert await hall.export("shop") == text
    as_json = await hall.ask("GET", "manifest/export", namespace_id="shop", format="json")
    assert [one["name"] for one in as_json["collections"]] == ["goods", "on-sale"]
    again = await hall.apply(text)
    assert set(statuses(again).values()) == {"skipped"}
    assert set(statuses(await hall.apply(SHOP)).values()) == {"skipped"}
    await hall.drop("shop")


async def test_what_was_applied_runs(shop: Hall) -> None:
    await shop.ask("POST", "collections/on-sale/documents", {"title": "red shoes", "price": 3}, within="shop")
    answer = await shop.ask("POST", "retrievers/finder/execute", {"inputs": {"word": "shoes"}}, within="shop")
    assert [one["title"] for one in answer["documents"]] == ["red shoes"]


async def test_a_plan_is_shown_and_nothing_is_done(hall: Hall) -> None:
    tried = await hall.apply(SHOP, dry_run=True)
    assert (tried["dry_run"], tried["success"], tried["created_count"]) == (True, True, 6)
    names = [one["namespace_name"] for one in (await hall.ask("POST", "namespaces/list", {}))["results"]]
    assert names == ["default"]


async def test_a_difference_is_named_and_goes_by_applying(shop: Hall) -> None:
    text = SHOP.replace("description: By title", "description: By its title").replace(
        'version: "1.0"', 'version: "1.0"\n# a comment'
    )
    await shop.ask("PATCH", "collections/goods", {"metadata": {"team": "others"}}, within="shop")
    await shop.ask("POST", "buckets", {"bucket_name": "beside", "bucket_schema": {"properties": {}}}, within="shop")
    found = await shop.ask("POST", "manifest/diff", text)
    assert [(one["name"], one["action"], one["details"]) for one in found["differences"]] == [
        ("goods", "update", "metadata"), ("finder", "update", "description"),
    ]  # fmt: skip
    assert [one["name"] for one in found["in_system_only"]] == ["beside"]
    assert found["to_create"] == []
    done = await shop.apply(text)
    assert (done["updated_count"], done["skipped_count"], done["created_count"]) == (2, 4, 0)
    assert (await shop.ask("POST", "manifest/diff", text))["differences"] == []
    kept = await shop.ask("GET", "retrievers/finder", within="shop")
    assert (kept["description"], kept["version"]) == ("By its title", 1)


async def test_what_would_lose_data_is_refused_until_it_is_named(shop: Hall) -> None:
    await shop.ask("POST", "collections/goods/documents", {"title": "one", "price": 1}, within="shop")
    text = SHOP.replace("&passes {feature_extractor_name: passthrough_extractor,", "{include_all_source_fields: true, feature_extractor_name: passthrough_extractor, field_passthrough: [{source_path: title}],")  # fmt: skip  # noqa: E501
    before = await shop.export("shop")
    refused = await shop.apply(text, 409)
    told = refused["error"]["details"]["refused"]["collections/goods"]
    assert "1 document" in told
    assert "lose=collections/goods" in told
    tried = await shop.apply(text, dry_run=True)
    assert statuses(tried)["collection goods"] == "failed"
    assert (tried["success"], tried["failed_count"]) == (False, 1)
    # What is made of it would have to go as well.
    half = await shop.apply(text, 409, lose="collections/goods")
    assert list(half["error"]["details"]["refused"]) == ["collections/on-sale"]
    assert await shop.export("shop") == before
    done = await shop.apply(text, lose=["collections/goods", "collections/on-sale"])
    assert [name for name, status in statuses(done).items() if status == "replaced"] == [
        "collection goods", "collection on-sale",
    ]  # fmt: skip
    assert statuses(done)["retriever finder"] == "updated"
    assert (await shop.ask("GET", "collections/goods", within="shop"))["document_count"] == 0
    assert set(statuses(await shop.apply(text)).values()) == {"skipped"}
    assert (await shop.ask("POST", "retrievers/finder/execute", {"inputs": {"word": "one"}}, within="shop"))[
        "documents"
    ] == []


async def test_what_the_manifest_has_not_goes_only_by_name(shop: Hall) -> None:
    text = SHOP[: SHOP.index("published:")] + SHOP[SHOP.index("collections:") :]
    assert (await shop.apply(text))["deleted_count"] == 0
    wrong = await shop.apply(text, 422, lose="retrievers/nobody")
    assert wrong["detail"][0]["loc"] == ["query", "lose"]
    gone = await shop.apply(text, lose=["retrievers/finder", "published/shop-page"])
    assert gone["deleted_count"] == 2
    await shop.ask("GET", "retrievers/finder", status=404, within="shop")


async def test_every_fault_is_told_at_its_line(hall: Hall) -> None:
    text = SHOP.replace("bucket_ids: [goods-in]", "bucket_ids: [goods-out]").replace(
        "stage_id: attribute_filter", "stage_id: no_such_stage"
    )
    found = await hall.ask("POST", "manifest/validate", text)
    assert found["valid"] is False
    lines = {one["path"].partition(".")[0]: one["line"] for one in found["faults"]}
    assert lines["collections[1]"] == next(
        number for number, line in enumerate(text.splitlines(), 1) if "goods-out" in line
    )
    refused = await hall.apply(text, 422)
    assert len(refused["detail"]) == len(found["faults"])
    assert (await hall.ask("POST", "manifest/validate", SHOP))["faults"] == []


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("a: [", 2, "not YAML"),
        ("- 1", 1, "a manifest has version"),
        ('version: "2"', 1, 'write version: "1.0"'),
        ('version: "1.0"\nbucket: []', 2, "did you mean 'buckets'?"),
        ('version: "1.0"\nbuckets: {}', 2, "a list of buckets"),
        ('version: "1.0"\nbuckets:\n  - 1', 3, "an object that describes a bucket"),
        ('version: "1.0"\nbuckets:\n  - schema: {properties: {}}', 3, "a bucket has a name"),
        ('version: "1.0"\nbuckets:\n  - name: a', 3, "Field required"),
        ('version: "1.0"\nbuckets:\n  - name: a\n    schema: {properties: {t: {type: tex}}}', 4, "Input should be"),
        ('version: "1.0"\nbuckets:\n  - name: a\n    schema: {properties: {}}\n    descripton: x', 5, "description"),
        ('version: "1.0"\nbuckets:\n  - {name: a, schema: {properties: {}}, bucket_name: b}', 3, "did you mean 'name'"),
        ('version: "1.0"\nbuckets: [{name: a, schema: {properties: {}}},\n {name: a, schema: {properties: {}}}]', 3, "another"),  # noqa: E501
        ('version: "1.0"\nnamespaces: [{name: a}, {name: b}]', 2, "one namespace"),
        ('version: "1.0"\nnamespaces: [{name: a}]\nbuckets:\n  - {name: a, namespace: b, schema: {properties: {}}}', 4, "is of namespace 'a'"),  # noqa: E501
        ('version: "1.0"\nversion: "1.0"', 2, "a second time"),
        ('version: "1.0"\nretrievers: [{name: r, stages: []}]', 2, "at least 1 item"),
        ('version: "1.0"\npublished: [{name: a-page, retriever: r, password: open}]', 2, "password"),
    ],
)  # fmt: skip
async def test_faults_of_form(hall: Hall, text: str, line: int, said: str) -> None:
    refused = await hall.apply(text, 422)
    message = refused["error"]["message"]
    assert f"line {line}" in message, message
    assert said in message


async def test_hostile_texts_are_bounded(hall: Hall) -> None:
    laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
    )
    for text, said in (
        (laughs, "more than 100000 values"),
        ("[" * 5000, "nested deeper"),
        ("a: !!python/object/apply:os.system [ls]", "is not read"),
        ("a: " + "x" * (1 << 20), "at most"),
    ):
        refused = await hall.apply(text, 422)
        assert said in refused["error"]["message"]


async def test_two_namespaces_and_two_keys_are_kept_apart(shop: Hall) -> None:
    await shop.ask("POST", "namespaces", {"namespace_name": "second"})
    text = SHOP[: SHOP.index("published:")] + SHOP[SHOP.index("retrievers:") :]
    made = await shop.apply(text, within="second")
    assert made["created_count"] == 4
    assert statuses(made)["namespace shop"] == "updated"
    assert "name: second" in await shop.export("second")
    scopes = [{"resource_type": "namespace", "resource_id": "second"}]
    key = await shop.ask("POST", "organizations/users/admin@localhost/api-keys", {
        "name": "narrow", "permissions": ["read", "write"], "scopes": scopes,
    })  # fmt: skip
    narrow = Hall(shop.system, shop.http, key["key"] if "key" in key else key["api_key"])
    await narrow.ask("GET", "manifest/export", status=404, namespace_id="shop")
    await narrow.apply(SHOP.replace("name: shop\n    desc", "name: third\n    desc"), 403)
    await narrow.apply(text, within="second")
    await narrow.apply('version: "1.0"\nnamespaces: [{name: second}]', 403, lose="retrievers/finder")
    await shop.drop("second")


async def test_what_names_each_other_is_made_in_turn(hall: Hall) -> None:
    text = (
        SHOP.replace("metadata: {team: shop}", "taxonomy_applications: [{taxonomy_id: shelves}]")
        + """\
taxonomies:
  - name: shelves
    config:
      taxonomy_type: flat
      retriever_id: finder
      input_mappings: [{input_key: word, source_type: payload, path: title}]
      source_collection: {collection_id: on-sale}
"""
    )
    assert (await hall.apply(text))["created_count"] == 7
    exported = await hall.export("shop")
    assert "tax_0" not in exported
    assert set(statuses(await hall.apply(text)).values()) == {"skipped"}
    await hall.drop("shop")
    await hall.apply(exported)
    assert await hall.export("shop") == exported
    await hall.drop("shop")


async def test_lint_names_its_rules(hall: Hall) -> None:
    found = await hall.ask("POST", "manifest/lint", SHOP)
    assert found["valid"] is True
    assert {one["code"] for one in found["results"]} == {"undescribed"}
    risky = SHOP.replace("rate_limit_config: {visitor_credits_per_day: 2}", 'allowed_origins: ["*"]').replace(
        "metadata: {team: shop}", "metadata: {api_key: sk-1234}"
    ).replace("{{INPUT.word}}", "shoes")  # fmt: skip
    found = await hall.ask("POST", "manifest/lint", risky)
    assert found["valid"] is False
    assert {one["code"] for one in found["results"]} == {
        "undescribed", "open-origin", "unbounded-spending", "plain-secret", "unused-input",
    }  # fmt: skip
    less = await hall.ask("POST", "manifest/lint", risky, skip_rules=["plain-secret", "undescribed"])
    assert less["valid"] is True
    assert less["summary"] == {"warning": 3}
    await hall.ask("POST", "manifest/lint", risky, 422, skip_rules="no-rule")


async def test_a_password_in_the_clear_is_not_carried(shop: Hall) -> None:
    await shop.ask("PATCH", "retrievers/finder/publish", {"password": "a word of mine"}, within="shop")
    text = await shop.export("shop")
    assert "password_protected: true" in text
    assert "word of mine" not in text
    assert set(statuses(await shop.apply(text)).values()) == {"skipped"}
    await shop.drop("shop")
    refused = await shop.apply(text, 422)
    assert "password is in no manifest" in refused["error"]["message"]
    await shop.apply(SHOP)


async def test_a_form_has_it_in_a_field(hall: Hall) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    sent = {"manifest_file": ("shop.yaml", SHOP.encode())}
    answer = await hall.http.post("/v1/manifest/validate", files=sent, headers=headers)
    assert (answer.status_code, answer.json()["valid"]) == (200, True)
    none = await hall.http.post("/v1/manifest/validate", files={"other": ("a", b"")}, headers=headers)
    assert none.json()["detail"][0]["loc"] == ["body", "manifest_file"]
    await hall.ask("POST", "manifest/validate", {"a": 1}, 400)


async def test_who_has_no_language_model_is_told_how_to_set_one_up(hall: Hall) -> None:
    refused = await hall.ask("POST", "manifest/generate", None, 422, description="a shop")
    assert "TAMIS_LLM_API_KEY" in refused["error"]["message"]
    nothing = await hall.ask("POST", "manifest/generate", None, 422)
    assert nothing["detail"][0]["loc"] == ["body", "description"]


FINDINGS = (
    SHOP[: SHOP.index("published:")]
    + SHOP[SHOP.index("collections:") :]
    + """\
clusters:
  - name: by-title
    collection_ids: [goods]
    cluster_type: attribute
    attribute_config: {attributes: [title, price], hierarchical_grouping: true}
    filters: {AND: [{field: price, operator: gt, value: 1}]}
    source_enrichment_config: {field_mappings: [{source_field: cluster_label, target_field: kind}]}
    enrich_source_collection: true
datasets:
  - name: shoes
    description: What people look for
    document_field: title
    queries:
      - {query_id: q1, query_input: {word: shoes}, relevant_documents: [red shoes], relevance_scores: {red shoes: 2}}
      - {query_id: q2, query_input: {word: hats}, relevant_documents: []}
"""
)


async def test_clusters_and_data_sets_are_carried(hall: Hall) -> None:
    made = await hall.apply(FINDINGS)
    assert {"cluster by-title": "created", "evaluation data set shoes": "created"}.items() <= statuses(made).items()
    text = await hall.export("shop")
    assert set(statuses(await hall.apply(text)).values()) == {"skipped"}
    await hall.drop("shop")
    await hall.apply(text)
    assert await hall.export("shop") == text
    cluster = await hall.ask("GET", "clusters/by-title", within="shop")
    assert (cluster["hierarchical_grouping"], cluster["clustered_attributes"]) == (True, ["title", "price"])
    await hall.drop("shop")


async def test_a_cluster_with_runs_is_made_anew_only_where_that_is_named(hall: Hall) -> None:
    await hall.apply(FINDINGS)
    await hall.ask("POST", "clusters/by-title/execute", within="shop")
    told = FINDINGS.replace("by-title\n", "by-title\n    description: By what it says\n")
    assert statuses(await hall.apply(told))["cluster by-title"] == "updated"
    other = told.replace("attributes: [title, price]", "attributes: [price]")
    refused = await hall.apply(other, 409)
    assert "1 run" in refused["error"]["details"]["refused"]["clusters/by-title"]
    assert statuses(await hall.apply(other, lose="clusters/by-title"))["cluster by-title"] == "replaced"
    assert (await hall.ask("GET", "clusters/by-title", within="shop"))["clustered_attributes"] == ["price"]
    await hall.drop("shop")


async def test_what_a_data_set_says_is_changed_and_what_it_has_found_stays(hall: Hall) -> None:
    await hall.apply(FINDINGS)
    judged = {"judgements": {"q2": {"hat": 1}}}
    await hall.ask("POST", "retrievers/evaluations/datasets/shoes/judgements", judged, within="shop")
    assert "hat: 1" in await hall.export("shop")
    other = FINDINGS.replace("document_field: title", "document_field: name").replace("red shoes: 2", "red shoes: 3")
    assert statuses(await hall.apply(other))["evaluation data set shoes"] == "updated"
    found = await hall.ask("GET", "retrievers/evaluations/datasets/shoes", within="shop")
    assert found["document_field"] == "name"
    assert [one["relevance_scores"] for one in found["queries"]] == [{"red shoes": 3}, None]
    twice = FINDINGS.replace("query_id: q2", "query_id: q1")
    wrong = await hall.apply(twice, 422)
    assert "another query" in wrong["detail"][0]["msg"]
    await hall.drop("shop")


async def test_a_data_set_too_large_for_a_manifest_is_named_as_left_out(hall: Hall) -> None:
    await hall.apply(FINDINGS)
    queries = [
        {"query_id": f"q{number}", "query_input": {"word": "w" * 1000}, "relevant_documents": []}
        for number in range(300)
    ]
    body = {"dataset_name": "large", "queries": queries}
    await hall.ask("POST", "retrievers/evaluations/datasets", body, 201, within="shop")
    text = await hall.export("shop")
    assert "left_out:\n    - datasets/large" in text
    assert set(statuses(await hall.apply(text)).values()) == {"skipped"}
    await hall.drop("shop")


async def goes_round(hall: Hall, manifest: dict[str, Any]) -> None:
    await hall.apply(as_text(manifest))
    try:
        text = await hall.export("any")
        await hall.drop("any")
        await hall.apply(text)
        assert await hall.export("any") == text
        again = await hall.ask("POST", "manifest/diff", as_text(manifest))
        assert (again["to_create"], again["differences"]) == ([], [])
    finally:
        await hall.drop("any")


@settings(max_examples=2, deadline=None, derandomize=True, database=None)
@given(manifest=manifests())
async def test_whatever_is_exported_makes_the_same_again(hall: Hall, manifest: dict[str, Any]) -> None:
    await goes_round(hall, manifest)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(manifest=manifests())
async def test_however_much_is_exported_makes_the_same_again(hall: Hall, manifest: dict[str, Any]) -> None:
    await goes_round(hall, manifest)


async def test_a_migration_changes_nothing_that_a_manifest_says(shop: Hall) -> None:
    text = await shop.export("shop")
    config = {"migration_type": "re_extract", "source_namespace_id": "shop"}
    made = await shop.ask("POST", "namespaces/migrations/", {"config": config, "start_immediately": True}, 201)
    migrations: MigrationWorker = shop.system.services[MigrationWorker]
    await migrations.drain()
    ended = await shop.ask("GET", f"namespaces/migrations/{made['migration_id']}")
    assert (ended["status"], len(ended["additional_data"]["collections"])) == ("completed", 2)
    assert "-before-" not in await shop.export("shop")
    assert set(statuses(await shop.apply(text)).values()) == {"skipped"}
