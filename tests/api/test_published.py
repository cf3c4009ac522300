"""Published retrievers over a real system: what a stranger on the internet gets to see, and how much of it."""

from typing import Any

import httpx
import pytest

from tamis.model.client_token import Claims, sign
from tamis.model.principal import Principal
from tamis.services.public.public_limits import LOOKS, Visitor
from tamis.services.public.public_retrievers import PublicRetrievers
from tests.api.shop_town import DISPLAY, FINDING, KEY, PRICE, Town, town

__all__ = ["town"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_only_the_exposed_fields_leave(town: Town) -> None:
    page = await town.published()
    answer = await page.search()
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"execution_id", "status", "documents", "results", "pagination"}
    assert [set(one) for one in body["documents"]] == [{"document_id", "score", "title", "price", "maker"}] * 2
    assert [one["maker"] for one in body["documents"]] == [{"name": "Sole"}] * 2
    for hidden in ("cost", "secret-iban", "shelf", "attribute_filter", "credits", "col_", "stage"):
        assert hidden not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_the_configuration_tells_how_to_ask_and_nothing_of_the_pipeline(town: Town) -> None:
    page = await town.published()
    told = (await page.get("config")).json()
    assert told["public_api_key"] == page.key
    assert told["display_config"]["exposed_fields"] == DISPLAY["exposed_fields"]
    assert told["retriever_metadata"]["stages"] == [{"stage_id": "attribute_filter", "stage_type": "filter"}]
    for hidden in ("contains", "INPUT", "goods", page.retriever_id, 'limit"'):
        assert hidden not in str(told)
    silent = await town.published(include_metadata=False)
    assert (await silent.get("config")).json()["retriever_metadata"] is None


async def test_it_is_asked_with_its_own_key_and_inputs(town: Town) -> None:
    page = await town.published()
    assert await page.found() == ["red shoes", "blue shoes"] or await page.found() == ["blue shoes", "red shoes"]
    wrong = await page.search(headers={"X-Public-API-Key": "pk_wrong"})
    assert (wrong.status_code, wrong.json()["error"]["type"]) == (401, "VisitorRefusedError")
    other = await page.search(inputs={"limit": 3})
    assert other.status_code == 422
    assert other.json()["detail"][0]["loc"] == ["body", "inputs", "limit"]
    assert (await page.search(word=7)).status_code == 422  # type: ignore[arg-type]
    assert (await page.search(stream=True)).status_code == 422
    for unknown in ("filters", "collection_identifiers", "settings", "skip_cache", "return_vectors"):
        body: dict[str, Any] = {unknown: {"field": "shelf", "value": "back"}}
        answered = await page.search(**body)
        assert len(answered.json()["documents"]) == 2, "what it does not know changes nothing"


async def test_what_fails_inside_stays_inside(town: Town) -> None:
    pattern = {"field": "title", "operator": "regex", "value": "{{INPUT.word}}"}
    page = await town.published(
        {"stage_name": "matches", "config": {"stage_id": "attribute_filter", "parameters": pattern}}
    )
    answer = await page.search("(")
    assert (answer.status_code, answer.json()["error"]["type"]) == (422, "PublicInputsError")
    for hidden in ("attribute_filter", "matches", "regex", "title"):
        assert hidden not in answer.text
    execution_id = answer.json()["error"]["details"]["execution_id"]
    record = await town.ask("GET", f"retrievers/{page.retriever_id}/executions/{execution_id}")
    assert "RE2" in record["error"]


async def test_what_the_server_lacks_is_not_the_visitors_fault(town: Town) -> None:
    call = {"url": "http://internal-host.example/secret-path", "method": "GET", "output_field": "told"}
    page = await town.published(
        FINDING, {"stage_name": "calls", "config": {"stage_id": "api_call", "parameters": call}}
    )
    answer = await page.search()
    assert (answer.status_code, answer.json()["error"]["type"]) == (500, "PublicSearchError")
    for hidden in ("internal-host", "api_call", "calls", "TAMIS_"):
        assert hidden not in answer.text


async def test_executions_are_recorded_as_public(town: Town) -> None:
    page = await town.published()
    execution_id = (await page.search()).json()["execution_id"]
    listed = await town.ask("POST", f"retrievers/{page.retriever_id}/executions/list", {})
    assert execution_id in [one["execution_id"] for one in listed["results"]]
    principal = Principal(*(await _tenant(town)))
    stored = await town.system.backends.metadata.read(lambda session: session.executions.get(principal, execution_id))
    assert stored is not None
    assert stored.header.mode == "public"


async def _tenant(town: Town) -> tuple[str, str]:
    found = await town.system.backends.metadata.read(lambda session: session.every_namespace())
    return found[0][0].organization_id, found[0][0].namespace_id


async def test_no_more_results_than_the_publisher_lets_out(town: Town) -> None:
    page = await town.published(rate_limit_config={"max_results_per_query": 2})
    body = (await page.search("", pagination={"method": "offset", "page_size": 500})).json()
    assert (len(body["documents"]), body["pagination"]["total"]) == (2, 2)
    first = (await page.search("", pagination={"method": "cursor", "limit": 1})).json()
    cursor = first["pagination"]["next_cursor"]
    second = (await page.search("", pagination={"method": "cursor", "limit": 1, "cursor": cursor})).json()
    assert second["pagination"]["has_next"] is False
    assert first["documents"] != second["documents"]


async def test_a_page_of_the_publishers_own_search_is_not_turned(town: Town) -> None:
    page = await town.published(rate_limit_config={"max_results_per_query": 1})
    mine = await town.ask("POST", f"retrievers/{page.retriever_id}/execute",
                          {"inputs": {"word": ""}, "pagination": {"method": "cursor", "limit": 1}})  # fmt: skip
    following = {"method": "cursor", "limit": 9, "cursor": mine["pagination"]["next_cursor"]}
    assert (await page.search("", pagination=following)).status_code == 422


async def test_limits_are_told_and_kept(town: Town) -> None:
    page = await town.published(rate_limit_config={"requests_per_minute": 2, "tier": "unlimited"})
    first = await page.search(address="192.0.2.1")
    assert (first.headers["x-ratelimit-limit"], first.headers["x-ratelimit-remaining"]) == ("2", "1")
    await page.search(address="192.0.2.2")
    refused = await page.search(address="192.0.2.3")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["x-ratelimit-remaining"] == "0"
    assert "all visitors" in refused.json()["error"]["message"]


async def test_nobody_looks_without_end(town: Town) -> None:
    page = await town.published()
    public: PublicRetrievers = town.system.services[PublicRetrievers]
    paths = [
        f"retrievers/{page.name}/config",
        "retrievers/",
        f"retrievers/{page.name}/template",
        "templates/namespaces",
    ]
    async with town.visitor("192.0.2.200") as http, town.visitor("192.0.2.201") as other:
        shown = [await http.get(f"/v1/public/{path}") for path in paths]
        assert [one.status_code for one in shown] == [200, 200, 403, 200]
        left = int(shown[-1].headers["x-ratelimit-remaining"])
        assert left == LOOKS.limit - len(paths)
        for _ in range(left):
            await public.look(Visitor("192.0.2.200"))
        refused = [await http.get(f"/v1/public/{path}") for path in paths]
        assert {one.status_code for one in refused} == {429}
        assert all(int(one.headers["retry-after"]) > 0 for one in refused)
        assert (await other.get(f"/v1/public/{paths[0]}")).status_code == 200, "another looks on"


async def test_one_visitor_has_limits_of_his_own(town: Town) -> None:
    limits = {"visitor_requests_per_hour": 1, "enable_ip_limits": True, "max_requests_per_ip_hour": 5}
    page = await town.published(rate_limit_config=limits)
    assert (await page.search(address="192.0.2.1")).status_code == 200
    refused = await page.search(
        address="192.0.2.1", headers={"X-Session-ID": "another", "X-Forwarded-For": "192.0.2.9"}
    )
    assert refused.status_code == 429
    assert "one visitor" in refused.json()["error"]["message"]
    assert (await page.search(address="192.0.2.2")).status_code == 200
    behind = await page.search(address="10.0.0.1", headers={"X-Forwarded-For": "192.0.2.1"})
    assert behind.status_code == 429, "a proxy of ours tells who came"
    assert (await page.search(address="10.0.0.1", headers={"X-Forwarded-For": "192.0.2.4"})).status_code == 200
    near, far = "2001:db8:1:1::1", "2001:db8:1:1:ffff::2"
    assert (await page.search(address=near)).status_code == 200
    assert (await page.search(address=far)).status_code == 429, "one house"


async def test_a_visitor_spends_his_own_budget_and_nobody_elses(town: Town) -> None:
    page = await town.published(rate_limit_config={"visitor_credits_per_day": 2 * PRICE})
    for _ in range(2):
        assert (await page.search(address="192.0.2.1")).status_code == 200
    refused = await page.search(address="192.0.2.1")
    assert refused.status_code == 429
    assert "credits a day" in refused.json()["error"]["message"]
    assert (await page.search(address="192.0.2.2")).status_code == 200


async def test_a_password_is_asked_once_and_a_grant_stands_for_it(town: Town) -> None:
    page = await town.published(password="open sesame please")
    assert (await page.get("config")).json()["password_protected"] is True
    assert (await page.search()).status_code == 401
    wrong = (await page.post("verify", {"password": "open barley"})).json()
    assert wrong == {"valid": False, "grant": None, "expires_at": None, "public_api_key": None}
    right = (await page.post("verify", {"password": "open sesame please"})).json()
    assert right["valid"]
    assert (await page.search(headers={"X-Retriever-Grant": right["grant"]})).status_code == 200
    assert (await page.search(headers={"X-Retriever-Password": "open sesame please"})).status_code == 200
    assert (await page.search(headers={"X-Retriever-Grant": right["grant"][:-2] + "AA"})).status_code == 401
    other = await town.published(password="open sesame please")
    assert (await other.search(headers={"X-Retriever-Grant": right["grant"]})).status_code == 401
    await page.change(password="another one today")
    assert (await page.search(headers={"X-Retriever-Grant": right["grant"]})).status_code == 401
    await page.change(password="")
    assert (await page.search()).status_code == 200
    assert "argon2" not in str(await town.ask("GET", f"retrievers/{page.retriever_id}/publish"))


async def test_a_password_may_be_a_secret_that_is_bound_to_it(town: Town) -> None:
    page = await town.published(password_secret_name="door")
    assert (await page.search()).status_code == 401
    assert (await page.search(headers={"X-Retriever-Password": "open by a secret"})).status_code == 200
    for name in ("other", "absent"):
        told = await town.ask("PATCH", f"retrievers/{page.retriever_id}/publish", {"password_secret_name": name}, 422)
        assert "open" not in told["error"]["message"]
    await page.change(password_secret_name=None)
    assert (await page.search()).status_code == 200


async def test_passwords_are_not_guessed_for_long(town: Town) -> None:
    page = await town.published(password="open sesame please")
    answers = [await page.post("verify", {"password": f"guess {n}"}, "192.0.2.66") for n in range(11)]
    assert [one.status_code for one in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) > 0
    assert (await page.post("verify", {"password": "open sesame please"}, "192.0.2.67")).json()["valid"]
    right = {"X-Retriever-Password": "open sesame please"}
    often = [(await page.search(address="192.0.2.68", headers=right)).status_code for _ in range(12)]
    assert often == [200] * 12, "a right one is no guess"


async def test_other_sites_may_ask_where_the_publisher_says_so(town: Town) -> None:
    page = await town.published(allowed_origins=["https://shop.example"])
    preflight = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-public-api-key"}
    async with town.visitor("192.0.2.1") as http:
        path = f"/v1/public/retrievers/{page.name}/execute"
        yes = await http.options(path, headers={"Origin": "https://shop.example", **preflight})
        no = await http.options(path, headers={"Origin": "https://evil.example", **preflight})
        elsewhere = await http.options(
            "/v1/retrievers/execute", headers={"Origin": "https://shop.example", **preflight}
        )
    assert yes.headers["access-control-allow-origin"] == "https://shop.example"
    assert "X-Public-API-Key" in yes.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in yes.headers
    for refused in (no, elsewhere):
        assert not [name for name in refused.headers if name.startswith("access-control")]
    asked = await page.search(headers={"Origin": "https://shop.example"})
    assert asked.headers["access-control-allow-origin"] == "https://shop.example"
    assert asked.headers["vary"] == "Origin"
    refused = await page.search(headers={"Origin": "https://shop.example", "X-Public-API-Key": "pk_wrong"})
    assert refused.headers["access-control-allow-origin"] == "https://shop.example", "a page has to read why"
    plain = await page.search(headers={"Origin": "https://evil.example"})
    assert "access-control-allow-origin" not in plain.headers


async def test_a_client_token_narrows_a_published_retriever_too(town: Town) -> None:
    page = await town.published()
    dear = Claims({"field": "price", "operator": "gte", "value": 80}, sub="anna")
    answer = await page.search(headers={"Authorization": f"Bearer {sign(KEY, dear, 60)}"})
    assert [one["title"] for one in answer.json()["documents"]] == ["red shoes"]
    assert answer.json()["pagination"]["total"] == 1
    assert (await page.search(headers={"Authorization": f"Bearer {KEY}"})).status_code == 403
    other = Claims(retrievers=("ret_0123456789abcdef01234567",))
    assert (await page.search(headers={"Authorization": f"Bearer {sign(KEY, other, 60)}"})).status_code == 403


async def test_a_budget_in_a_client_token_is_its_visitors(town: Town) -> None:
    retriever = await town.retriever()

    async def run(visitor: str) -> httpx.Response:
        token = sign(KEY, Claims(sub=visitor, credits_per_day=PRICE, requests_per_minute=2), 60)
        headers = {"Authorization": f"Bearer {token}", "X-Namespace": "default"}
        return await town.http.post(
            f"/v1/retrievers/{retriever}/execute", json={"inputs": {"word": "a"}}, headers=headers
        )

    assert (await run("anna")).status_code == 200
    spent = await run("anna")
    assert (spent.status_code, "credits a day" in spent.text) == (429, True)
    often = await run("anna")
    assert (often.status_code, "requests a minute" in often.text) == (429, True)
    assert (await run("bert")).status_code == 200


async def test_interactions_are_kept(town: Town) -> None:
    page = await town.published()
    execution_id = (await page.search()).json()["execution_id"]
    one = {
        "document_id": "doc_1",
        "interaction_type": ["click", "long_view"],
        "position": 0,
        "execution_id": execution_id,
    }
    told = await page.post("interactions", one, **{"X-Public-API-Key": page.key, "X-Session-ID": "s-1"})
    assert told.json()["tracked"] == 1, told.text
    batch = {"interactions": [{**one, "interaction_type": ["skip"], "position": n} for n in range(3)]}
    assert (await page.post("interactions/batch", batch, **{"X-Public-API-Key": page.key})).json()["tracked"] == 3
    principal = Principal(*(await _tenant(town)))
    kept = await town.system.backends.metadata.read(
        lambda session: session.interactions.of_execution(principal, execution_id)
    )
    assert sorted(len(each.types) for each in kept) == [1, 1, 1, 2]
    assert {each.session_id for each in kept} == {"s-1", None}
    assert {each.retriever_id for each in kept} == {page.retriever_id}
    for wrong in ({**one, "interaction_type": ["stare"]}, {**one, "position": -1}, {**one, "interaction_type": []}):
        assert (await page.post("interactions", wrong, **{"X-Public-API-Key": page.key})).status_code == 422
    assert (await page.post("interactions", one, **{"X-Public-API-Key": "pk_wrong"})).status_code == 401


async def test_who_may_search_may_tell_of_interactions(town: Town) -> None:
    retriever = await town.retriever()
    body = {"feature_id": "doc_1", "interaction_type": ["purchase"], "position": 2, "retriever_id": retriever}
    made = await town.ask("POST", "retrievers/interactions", body)
    assert made["interaction_id"].startswith("int_")
    assert made["retriever_id"] == retriever
    await town.ask("POST", "retrievers/interactions", {**body, "retriever_id": "nobody's"}, status=404)


async def test_a_pipeline_is_copied_only_where_it_is_shared(town: Town) -> None:
    page = await town.published()
    assert (await page.get("template")).status_code == 403
    await page.change(share_template=True)
    told = (await page.get("template")).json()
    assert told["stages"][0]["config"]["parameters"]["value"] == "{{INPUT.word}}"
    assert told["collection_identifiers"] == []


async def test_a_name_is_one_on_the_server_and_free_again_once_unpublished(town: Town) -> None:
    page = await town.published(public_name="corner-shop")
    other = await town.retriever()
    path = f"retrievers/{other}/publish"
    assert (await town.ask("GET", f"{path}/availability?name=corner-shop"))["available"] is False
    await town.ask("POST", path, {"public_name": "corner-shop", "display_config": DISPLAY}, 409)
    await town.ask("POST", path, {"public_name": "Corner Shop", "display_config": DISPLAY}, 422)
    await town.ask("GET", f"{path}/availability?name=Corner%20Shop", status=422)
    await town.ask(
        "POST", f"retrievers/{page.retriever_id}/publish", {"public_name": "x-y-z", "display_config": DISPLAY}, 409
    )
    await town.ask("DELETE", f"retrievers/{page.retriever_id}/publish")
    assert (await page.search()).status_code == 404
    await town.ask("GET", f"retrievers/{page.retriever_id}/publish", status=404)
    assert (await town.ask("GET", f"{path}/availability?name=corner-shop"))["available"] is True


async def test_a_retriever_takes_its_page_along(town: Town) -> None:
    page = await town.published()
    assert (await town.ask("GET", f"retrievers/{page.retriever_id}"))["is_published"] is True
    await town.ask("DELETE", f"retrievers/{page.retriever_id}")
    assert (await page.get("config")).status_code == 404


async def test_what_is_not_active_is_not_there(town: Town) -> None:
    page = await town.published()
    await page.change(is_active=False)
    assert (await page.search()).status_code == 404
    assert (await page.get("config")).status_code == 404
    async with town.visitor("192.0.2.1") as http:
        listed = (await http.get("/v1/public/retrievers/?include_inactive=true&page_size=100")).json()
    assert page.name not in [one["public_name"] for one in listed["results"]]
    await page.change(is_active=True)
    assert (await page.search()).status_code == 200


async def test_the_directory_shows_what_is_open(town: Town) -> None:
    page = await town.published(display_config={**DISPLAY, "title": "Very Odd Things"})
    async with town.visitor("192.0.2.1") as http:
        found = (await http.get("/v1/public/retrievers/?search=very%20odd")).json()
        every = (await http.get("/v1/public/retrievers/?page=2&page_size=1")).json()
    assert [one["public_name"] for one in found["results"]] == [page.name]
    assert found["stats"] == {"total_active": 1, "total_open": 1, "total_password_protected": 0}
    assert (len(every["results"]), every["page"], every["total_pages"]) == (1, 2, every["total_count"])
    assert page.key not in str(every)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"display_config": {**DISPLAY, "title": "<script>alert(1)</script>"}}, "title"),
        ({"display_config": {**DISPLAY, "logo_url": "javascript:alert(1)"}}, "logo_url"),
        ({"display_config": {**DISPLAY, "logo_url": "//evil.example/logo.png"}}, "logo_url"),
        ({"display_config": {**DISPLAY, "theme": {"primary_color": "red;background:url(//x)"}}}, "primary_color"),
        ({"display_config": {**DISPLAY, "markdowns": [{"title": "a", "content": "<img src=x>"}]}}, "content"),
        ({"display_config": {**DISPLAY, "markdowns": [{"title": "a", "content": "[a](http://u:p@h/)"}]}}, "content"),
        ({"display_config": {**DISPLAY, "seo": {"structured_data": {"additional_properties": {"a": ["</script>"]}}}}},
         "additional_properties"),
        ({"display_config": {**DISPLAY, "inputs": [{**DISPLAY["inputs"][0], "field_name": "nothing"}]}}, "field_name"),
        ({"display_config": {**DISPLAY, "exposed_fields": []}}, "exposed_fields"),
        ({"allowed_origins": ["shop.example"]}, 0),
        ({"allowed_origins": ["https://shop.example/"]}, 0),
        ({"password": "short"}, "password"),
        ({"rate_limit_config": {"max_results_per_query": 5000}}, "max_results_per_query"),
        ({"rate_limit_config": {"visitor_credits_per_day": 0}}, "visitor_credits_per_day"),
    ],
)  # fmt: skip
async def test_what_could_run_or_is_wrong_is_not_published(town: Town, change: Any, place: str | int) -> None:
    retriever = await town.retriever()
    body = {"public_name": f"wrong-{town.made}", "display_config": DISPLAY, **change}
    told = await town.ask("POST", f"retrievers/{retriever}/publish", body, 422)
    assert place in told["detail"][0]["loc"], told


async def test_without_a_word_of_what_leaves_nothing_does(town: Town) -> None:
    retriever = await town.retriever()
    told = await town.ask("POST", f"retrievers/{retriever}/publish", {"public_name": "nothing-said"}, 422)
    assert told["detail"][0]["loc"] == ["body", "display_config"]


async def test_an_organization_publishes_so_many(town: Town) -> None:
    stats = await town.ask("GET", "retrievers/publish/stats")
    assert stats["max_allowed"] == 40
    assert stats["remaining"] == 40 - stats["current_count"]
    listed = await town.ask("GET", "retrievers/published?limit=2")
    assert (len(listed["results"]), listed["total"]) == (2, stats["current_count"])


async def test_an_executed_search_costs_the_publisher_and_is_cut_at_the_visitors_budget(town: Town) -> None:
    twice = {**FINDING, "stage_name": "again"}
    page = await town.published(FINDING, twice, rate_limit_config={"visitor_credits_per_day": 1.5 * PRICE})
    body = (await page.search(address="192.0.2.90")).json()
    assert body["status"] == "degraded"


async def test_what_a_template_says_can_be_made(town: Town) -> None:
    extractor = {"feature_extractor_name": "text_extractor", "version": "v1", "input_mappings": {"text": "title"}}
    source = {"type": "bucket", "bucket_ids": ["goods-in"]}
    await town.ask(
        "POST", "collections", {"collection_name": "texts", "source": source, "feature_extractor": extractor}
    )
    made = 0
    async with town.visitor("192.0.2.1") as http:
        for kind in ("retrievers", "namespaces"):
            for template in (await http.get(f"/v1/public/templates/{kind}")).json():
                one = (await http.get(f"/v1/public/templates/{kind}/{template['template_id']}")).json()
                assert one == template
                if kind == "retrievers":
                    await town.ask("POST", kind, one["configuration"])
                elif "buckets" not in one["configuration"]:  # tests/e2e/test_templates.py has the others
                    path = f"templates/namespaces/{one['template_id']}/instantiate"
                    await town.ask("POST", path, {"namespace_name": one["template_id"].replace("_", "-")}, 201)
                made += 1
        assert (await http.get("/v1/public/templates/retrievers?category=nothing")).json() == []
        assert (await http.get("/v1/public/templates/retrievers/tmpl_namespace_text")).status_code == 404
    assert made == 3 + 7
