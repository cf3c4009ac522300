"""Users, keys, the audit log, use, credits and secrets over the whole application."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tamis.app import openapi
from tamis.auth.gate import Gate
from tamis.engine.ports.metadata import Session
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.principal import Principal
from tests.access_world import KEYS, Access, Caller, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
USERS = "organizations/users"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Access]:
    async with opened(tmp_path_factory.mktemp("access") / "data") as access:
        yield access


async def _user(world: Access, name: str, role: str = "member") -> str:
    email = f"{name}@example.com"
    await world.me.ask("POST", USERS, {"email": email, "user_name": name, "role": role})
    return email


async def test_a_user_is_made_found_changed_and_deleted(world: Access) -> None:
    body = {"email": "Ada@Example.com", "user_name": "Ada", "role": "viewer", "metadata": {"team": 1}}
    made = await world.me.ask("POST", USERS, body)
    assert (made["email"], made["role"], made["status"]) == ("Ada@Example.com", "viewer", "active")
    assert await world.me.ask("GET", f"{USERS}/ada@example.com") == made
    assert await world.me.ask("GET", f"{USERS}/{made['user_id']}") == made
    await world.me.ask("POST", USERS, {**body, "email": "ada@EXAMPLE.com"}, 409)
    changed = await world.me.ask("PATCH", f"{USERS}/ada@example.com", {"user_name": "Lady Ada", "metadata": None})
    assert (changed["user_name"], changed["metadata"], changed["role"]) == ("Lady Ada", {}, "viewer")
    listed = await world.me.ask("GET", USERS, role="viewer")
    assert ([user["email"] for user in listed["users"]], listed["total"]) == (["Ada@Example.com"], 1)
    assert (await world.me.ask("GET", USERS, skip=1, limit=1))["results"][0]["email"] == "Ada@Example.com"
    await world.me.ask("DELETE", f"{USERS}/ada@example.com")
    await world.me.ask("GET", f"{USERS}/ada@example.com", status=404)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"user_name": "ab"}, "email"),
        ({"email": "nobody", "user_name": "ab"}, "email"),
        ({"email": "a b@c", "user_name": "ab"}, "email"),
        ({"email": "a/b@c", "user_name": "ab"}, "email"),
        ({"email": "a@b", "user_name": "a"}, "user_name"),
        ({"email": "a@b", "user_name": "ab", "role": "king"}, "role"),
    ],
)
async def test_a_bad_user_names_its_field(world: Access, body: dict[str, Any], place: str) -> None:
    assert await world.me.places("POST", USERS, body) == [["body", place]]


async def test_what_a_user_may_bounds_their_keys_at_once(world: Access) -> None:
    email = await _user(world, "bea", "admin")
    bea = await world.key("bea", email, permissions=["admin"])
    await bea.ask("GET", USERS)
    await world.me.ask("PATCH", f"{USERS}/{email}", {"role": "member"})
    await bea.ask("GET", USERS, status=403)
    await bea.ask("POST", "buckets", {"bucket_name": "beas", "bucket_schema": {"properties": {}}})
    await world.me.ask("PATCH", f"{USERS}/{email}", {"role": "viewer"})
    await bea.ask("POST", "buckets", {"bucket_name": "more", "bucket_schema": {"properties": {}}}, 403)
    await bea.ask("GET", "buckets/beas")
    await world.me.ask("PATCH", f"{USERS}/{email}", {"status": "suspended"})
    refused = await bea.ask("GET", "buckets/beas", status=401)
    assert "suspended" in refused["error"]["message"]
    await world.me.ask("PATCH", f"{USERS}/{email}", {"status": "active"})
    await bea.ask("GET", "buckets/beas")
    await world.me.ask("DELETE", f"{USERS}/{email}")
    await bea.ask("GET", "buckets/beas", status=401)
    assert (await world.events(resource_type="api_key", action="api_key_revoked"))[0]["changes"]["after"]


async def test_the_last_administrator_stays(world: Access) -> None:
    for body in ({"role": "member"}, {"status": "suspended"}):
        await world.me.ask("PATCH", f"{USERS}/admin@localhost", body, 409)
    await world.me.ask("DELETE", f"{USERS}/admin@localhost", status=409)
    await world.me.places("PATCH", f"{USERS}/admin@localhost", {"role": None})


async def test_a_rotated_keys_former_secret_opens_for_its_grace(world: Access) -> None:
    old = await world.key("turning")
    rotated = await world.me.ask("POST", f"{KEYS}/turning/rotate", None, grace_s=3600)
    new = Caller(old.http, rotated["key"])
    for caller in (old, new):
        await caller.ask("GET", "organizations")
    newest = await world.me.ask("POST", f"{KEYS}/turning/rotate", None, grace_s=3600)
    # Only the last former secret has a grace.
    assert [(await each.send("GET", "organizations")).status_code for each in (old, new)] == [401, 200]
    await _end_grace(world, rotated["key_id"])
    refused = await new.ask("GET", "organizations", status=401)
    assert "rotated" in refused["error"]["message"]
    last = Caller(old.http, newest["key"])
    await last.ask("GET", "organizations")
    await world.me.ask("DELETE", f"{KEYS}/turning")
    await last.ask("GET", "organizations", status=401)
    assert await world.me.places("POST", f"{KEYS}/root/rotate", None, grace_s=-1) == [["query", "grace_s"]]


async def _end_grace(world: Access, key_id: str) -> None:
    """As time would."""

    def end(session: Session) -> None:
        organization = session.organizations.first()
        assert organization is not None
        principal = Principal(organization.organization_id)
        key = next(key for key in session.keys.list(principal) if key.key_id == key_id)
        session.keys.replace(principal, replace(key, previous_until=datetime.now(UTC) - timedelta(seconds=1)))

    await world.system.backends.metadata.write(end)
    world.system.services[Gate].forget()


async def test_each_change_says_who_made_it_and_what_was_before(world: Access) -> None:
    await world.me.ask("POST", "buckets", {"bucket_name": "audited", "bucket_schema": {"properties": {}}})
    bucket = await world.me.ask("PATCH", "buckets/audited", {"description": "new"})
    await world.me.ask("DELETE", "buckets/audited")
    events = await world.events(resource_id=bucket["bucket_id"])
    assert [event["action"] for event in events] == ["bucket_deleted", "bucket_updated", "bucket_created"]
    mine = next(user for user in (await world.me.ask("GET", USERS))["users"] if user["email"] == "admin@localhost")
    assert {(event["actor_id"], event["actor_type"]) for event in events} == {(mine["user_id"], "user")}
    assert events[1]["changes"] == {"before": {"description": None}, "after": {"description": "new"}}
    assert all(event["request_id"] and event["ip_address"] and event["key_id"] for event in events)
    assert await world.me.ask("GET", f"organizations/audit/logs/{events[0]['audit_id']}") == events[0]
    await world.me.ask("GET", "organizations/audit/logs/audit_0123456789abcdef012345", status=404)


async def test_a_change_that_is_refused_is_not_in_the_log(world: Access) -> None:
    before = (await world.me.ask("GET", "organizations/audit/logs"))["total"]
    await world.me.ask("POST", "namespaces", {"namespace_name": "default"}, 409)
    await world.me.ask("DELETE", "buckets/none", status=404)
    assert (await world.me.ask("GET", "organizations/audit/logs"))["total"] == before


async def test_the_log_is_filtered_and_paged(world: Access) -> None:
    page = await world.me.ask("GET", "organizations/audit/logs", limit=1, skip=1)
    assert (len(page["results"]), page["skip"], page["limit"]) == (1, 1, 1)
    assert (await world.me.ask("GET", "organizations/audit/logs", actor_id="nobody"))["total"] == 0
    assert (await world.me.ask("GET", "organizations/audit/logs", end="2020-01-01"))["total"] == 0
    assert (await world.me.ask("GET", "organizations/audit/logs", start="2020-01-01"))["total"] == page["total"]
    assert await world.me.places("GET", "organizations/audit/logs", start="yesterday") == [["query", "start"]]


async def test_reading_is_noted_where_it_is_asked_for(world: Access) -> None:
    path = "organizations/audit/settings"
    assert await world.me.ask("GET", path) == {"read_auditing_enabled": False, "retention_days": None}
    await world.me.ask("GET", "namespaces/default")
    changed = await world.me.ask("PATCH", path, {"read_auditing_enabled": True, "retention_days": 90})
    assert changed == {"read_auditing_enabled": True, "retention_days": 90}
    await world.me.ask("GET", "namespaces/default")
    await world.me.ask("GET", "namespaces/nowhere", status=404)
    await world.me.ask("PATCH", path, {"read_auditing_enabled": False, "retention_days": None})
    await world.me.ask("GET", "organizations/usage")
    (event,) = await world.events(action="namespace_accessed")
    assert (event["resource_id"], event["actor_type"]) == ("default", "user")
    assert await world.me.places("PATCH", path, {"retention_days": 0}) == [["body", "retention_days"]]


async def test_requests_are_counted_by_key_and_endpoint(world: Access) -> None:
    caller = await world.key("counted")
    for _ in range(3):
        await caller.ask("GET", "organizations")
    await caller.ask("POST", "retrievers/execute", {"stages": []}, 422)
    await caller.ask("GET", "retrievers/none", status=404)
    keys = (await world.me.ask("GET", KEYS))["api_keys"]
    key_id = next(key["key_id"] for key in keys if key["name"] == "counted")
    usage = await world.me.ask("GET", f"organizations/api-keys/{key_id}/usage")
    assert (usage["requests"], usage["failed_requests"]) == (5, 2)
    assert usage["last_used_at"] is not None
    found = await world.me.ask("GET", f"organizations/api-keys/{key_id}/usage/endpoints")
    assert {each["endpoint"]: (each["requests"], each["failed_requests"]) for each in found} == {
        "GET /v1/organizations": (3, 0),
        "POST /v1/retrievers/execute": (1, 1),
        "GET /v1/retrievers/{retriever_id}": (1, 1),
    }
    whole = await world.me.ask("GET", "organizations/usage")
    assert {"key_id": key_id, "requests": 5, "failed_requests": 2} in whole["keys"]
    used = next(key for key in (await world.me.ask("GET", KEYS))["api_keys"] if key["name"] == "counted")
    assert used["last_used_at"] == usage["last_used_at"]
    past = await world.me.ask("GET", f"organizations/api-keys/{key_id}/usage", start="2026-01-01", end="2026-01-02")
    assert past["requests"] == 0
    await world.me.ask("GET", "organizations/api-keys/key_none/usage", status=404)
    assert await world.me.places("GET", "organizations/usage", start="soon") == [["query", "start"]]
    assert await world.me.places("GET", "organizations/usage", start="2026-02-01", end="2026-01-01") == [["query", "start"]]  # fmt: skip  # noqa: E501 - one question


async def _spend(world: Access, credits: float) -> None:
    """As an execution of that price does."""
    header = ExecutionHeader(
        f"exec_{datetime.now(UTC).timestamp():.6f}", "saved", ExecutionStatus.COMPLETED, datetime.now(UTC), 1.0,
        credits, 0, 0, 1, 1, (),
    )  # fmt: skip

    def write(session: Session) -> None:
        principal, _ = session.every_namespace()[0]
        session.executions.insert(principal, StoredExecution(header, "{}", b""), {})

    await world.system.backends.metadata.write(write)


async def test_credits_are_given_spent_and_capped(world: Access) -> None:
    await _spend(world, 2.5)
    month = await world.me.ask("GET", "organizations/billing/usage/current")
    assert (month["current_month_usage"], month["estimated_cost_usd"], month["credit_rate"]) == (3, 0.0025, 0.001)
    breakdown = await world.me.ask("GET", "organizations/billing/usage/breakdown", billing_month=month["billing_month"])
    assert (breakdown["by_operation"], breakdown["total_credits"]) == ({"saved": 3}, 3)
    assert (await world.me.ask("GET", "organizations/billing/usage/breakdown", billing_month="2020-02"))["total_credits"] == 0  # fmt: skip  # noqa: E501 - one question
    assert await world.me.places("GET", "organizations/billing/usage/breakdown", billing_month="may") == [["query", "billing_month"]]  # fmt: skip  # noqa: E501 - one question
    added = await world.me.ask("POST", "organizations/credits", {"credits": 100})
    # What was spent before is no debt.
    assert (added["previous_balance"], added["new_balance"], added["tier_upgraded"]) == (0, 100, False)
    await _spend(world, 40)
    assert (await world.me.ask("GET", "organizations"))["credit_count"] == 60
    assert (await world.me.ask("POST", "organizations/credits", {"credits": 1}))["previous_balance"] == 60
    assert await world.me.places("POST", "organizations/credits", {"credits": 0}) == [["body", "credits"]]
    path = "organizations/billing/spending-caps"
    caps = await world.me.ask("POST", path, {"monthly_spending_budget": 5, "hard_cap_enabled": True, "hard_spending_cap": 9})  # fmt: skip  # noqa: E501 - one body
    assert caps["budget_percentage_used"] == 85.0
    assert caps["spending_alerts_sent"] == [50, 75]
    assert await world.me.ask("GET", path) == caps
    assert await world.me.places("POST", path, {"hard_spending_cap": None}) == [["body", "hard_spending_cap"]]
    assert await world.me.places("POST", path, {"spending_alert_thresholds": [0]}) == [
        ["body", "spending_alert_thresholds", 0]
    ]


async def test_what_has_no_shop_says_so(world: Access) -> None:
    for method, path in (
        ("GET", "organizations/billing/invoices"), ("GET", "organizations/billing/payment-method"),
        ("POST", "organizations/billing/enable-auto-billing"), ("POST", "organizations/billing/disable-auto-billing"),
        ("POST", "organizations/billing/setup-payment-method"),
        ("POST", "organizations/billing/confirm-payment-method"),
        ("POST", "notifications/list"), ("GET", "notifications/preferences"), ("PUT", "notifications/preferences"),
        ("POST", "notifications/read/all"), ("GET", "notifications/unread/count"), ("GET", "notifications/n"),
        ("DELETE", "notifications/n"), ("POST", "notifications/n/read"),
    ):  # fmt: skip
        answer = await world.me.ask(method, path, {} if method in ("POST", "PUT") else None, 501)
        assert "no shop" in answer["error"]["message"], path


async def test_a_secret_is_kept_bound_and_never_shown(world: Access) -> None:
    path, value = "organizations/secrets", "canary-value-of-a-secret"
    made = await world.me.ask("POST", path, {"secret_name": "crm", "secret_value": value, "hosts": ["API.example.com."]}, 201)  # fmt: skip  # noqa: E501 - one body
    assert made == {"secret_name": "crm", "created": True, "hosts": ["api.example.com"], "deleted": None, "updated": None}  # fmt: skip  # noqa: E501 - one answer
    await world.me.ask("POST", path, {"secret_name": "crm", "secret_value": value}, 409)
    listed = await world.me.ask("GET", path)
    assert (listed["secrets"], listed["count"], listed["details"][0]["hosts"]) == (["crm"], 1, ["api.example.com"])
    await world.me.ask("PUT", f"{path}/crm", {"hosts": ["other.example.com"], "namespaces": ["default"]})
    assert (await world.me.ask("GET", path))["details"][0]["hosts"] == ["other.example.com"]
    await world.me.ask("PUT", f"{path}/none", {"secret_value": value}, 404)
    assert value not in str(await world.events(resource_type="secret"))
    await world.me.ask("DELETE", f"{path}/crm")
    assert (await world.me.ask("GET", path))["count"] == 0
    await world.me.ask("DELETE", f"{path}/crm", status=404)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"secret_name": "x"}, ["body", "secret_value"]),
        ({"secret_name": "x", "secret_value": "canary7"}, ["body", "secret_value"]),
        ({"secret_name": "1x", "secret_value": "canary-value"}, ["body", "secret_name"]),
        ({"secret_name": "x", "secret_value": "canary-value", "hosts": ["*.com"]}, ["body", "hosts", 0]),
        ({"secret_name": "x", "secret_value": "canary-value", "hosts": ["a:80"]}, ["body", "hosts", 0]),
        ({"secret_name": "x", "secret_value": "canary-value", "namespaces": ["no"]}, ["body", "namespaces", 0]),
    ],
)
async def test_a_bad_secret_names_its_field_and_repeats_nothing(
    world: Access, body: dict[str, Any], place: list[Any]
) -> None:
    answer = await world.me.send("POST", "organizations/secrets", body)
    assert (answer.status_code, [each["loc"] for each in answer.json()["detail"]]) == (422, [place])
    assert "canary" not in answer.text


_NEEDS_NO_KEY = re.compile(r"/v1/(health|discovery|public|uploads|blobs)\b|/(livez|readyz|metrics)\b")
_ASKS = re.compile(
    r"/v1/(?!(?:clusters|triggers|alerts)/[^/]+/execute)(.*/(list|execute|execute/batch|execute/explain|aggregate|replay|why|check|interactions|interactions/batch"
    r"|analyze-tuning)|inference|resources/search|manifest/(diff|lint)"
    r"|taxonomies/(execute/.*|.*/analytics/.*)|clusters/.*/(data|history))"
)
_ADMINISTERS = re.compile(
    r"\w+ /v1/organizations/(users|secrets|connections|audit|billing|credits|usage|webhooks|api-keys)\b.*"
    r"|(patch|delete) /v1/organizations|get /v1/analytics/usage/summary"
)
_TALKS = re.compile(r"\w+ /v1/agents/sessions\b.*")
"""Ending a conversation deletes nothing; to forget one needs more, which its own test asks for."""
_TELLS_OF_NO_TENANT = re.compile(r"/v1/retrievers/(prices|stages)\b.*|/v1/collections/features/extractors\b.*")


def _needed(method: str, path: str) -> set[str]:
    """An administrator's operations are refused to all three keys."""
    if _ADMINISTERS.fullmatch(f"{method} {path}"):
        return {"read", "write", "delete"}
    if _TALKS.fullmatch(f"{method} {path}"):
        return {"read"}
    if method == "get" or (method == "post" and _ASKS.fullmatch(path)):
        return {"read"}
    return {"delete"} if method == "delete" and not path.endswith("/cache") else {"write"}


async def test_every_route_refuses_a_key_without_its_permission(world: Access) -> None:
    """One permission is what it needs, neither none nor another; whatever the path names."""
    every = {"read", "write", "delete"}
    lacking = {each: await world.key(f"lacks {each}", permissions=[*sorted(every - {each})]) for each in sorted(every)}
    wrong = []
    for path, methods in openapi(world.app)["paths"].items():
        asked = re.sub(r"\{\w+\}", "x", path).removeprefix("/v1/")
        for method in () if _NEEDS_NO_KEY.match(path) or _TELLS_OF_NO_TENANT.match(path) else methods:
            refused = {
                permission
                for permission, caller in lacking.items()
                if (await caller.send(method.upper(), asked, {})).status_code == 403
            }
            if refused != _needed(method, path):
                wrong.append((method, path, refused))
    assert wrong == [], wrong
