"""Rate limits and quotas at the edge, on the routes and on the way that executions take past them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tamis.api.admission import kind_of
from tamis.api.correlation import Correlation
from tamis.api.express import Express
from tamis.auth.gate import Gate
from tamis.model.limits import OperationKind, RateLimits, TierLimits
from tamis.model.principal import AccountTier
from tamis.services.access.admission import Admission
from tamis.services.access.organizations import OrganizationService
from tamis.services.upkeep.first_start import ADMIN_EMAIL
from tamis.storage.rates import MemoryRates
from tamis.telemetry.watching import Telemetry
from tests.resource_world import Caller, Resources, open_resources
from tests.retrieval_world import HEADERS, WallClock, World, opened, search

RATES = RateLimits(compute=2, data=3, metadata=4, search=2, upload=2)
QUOTAS = {"buckets": 2, "namespaces": 2, "api_keys": 3}


class Time:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def admission(time: Time, **tier: Any) -> Admission:
    return Admission(MemoryRates(clock=time), WallClock(), {AccountTier.ENTERPRISE: TierLimits(**tier)})


@pytest.fixture
async def world(tmp_path: Path, time: Time) -> AsyncIterator[World]:
    async with opened(tmp_path) as world:
        yield world


def client(world: World, limits: Admission, direct: bool) -> httpx.AsyncClient:
    """direct: to the routes, not past them."""
    api = world.app
    api.state.services[Admission] = limits
    inner = api if direct else Express(api, api.state.services)
    transport = httpx.ASGITransport(Correlation(inner, Telemetry()))
    return httpx.AsyncClient(transport=transport, base_url="http://tamis", headers=HEADERS)


async def run(http: httpx.AsyncClient, **more: Any) -> httpx.Response:
    return await http.post("/v1/retrievers/execute", json={"stages": [search()], **more})


@pytest.mark.parametrize("direct", [True, False])
async def test_a_search_too_many_is_refused_and_told_when_to_come_back(world: World, time: Time, direct: bool) -> None:
    async with client(world, admission(time, requests_per_minute=RATES), direct) as http:
        answers = [await run(http) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        told = [
            {name: answer.headers[f"X-RateLimit-{name}"] for name in ("Limit", "Remaining", "Window")}
            for answer in answers
        ]
        assert [each["Remaining"] for each in told] == ["1", "0", "0"]
        assert {(each["Limit"], each["Window"]) for each in told} == {("2", "60")}
        refused = answers[2]
        assert refused.json()["error"]["type"] == "TooManyRequestsError"
        details = refused.json()["error"]["details"]
        assert details == {
            "limit": 2,
            "window": "1m",
            "retry_after": int(refused.headers["Retry-After"]),
            "api_name": "search",
            "subject": "organization",
        }
        now = WallClock().now().timestamp()
        assert now < int(refused.headers["X-RateLimit-Reset"]) <= now + 65
        time.now += details["retry_after"]
        assert (await run(http)).status_code == 200


@pytest.mark.parametrize("direct", [True, False])
async def test_without_limits_nothing_is_told(world: World, time: Time, direct: bool) -> None:
    async with client(world, admission(time), direct) as http:
        answer = await run(http)
        assert answer.status_code == 200
        assert not [name for name in answer.headers if name.startswith("x-ratelimit")]


async def test_what_goes_on_from_the_express_way_is_counted_once(world: World, time: Time) -> None:
    async with client(world, admission(time, requests_per_minute=RATES), direct=False) as http:
        wrong = await http.post("/v1/retrievers/execute", json={"stages": "none"})
        assert wrong.status_code == 422
        assert wrong.headers["X-RateLimit-Remaining"] == "1"
        left = await http.post("/v1/retrievers/execute?skip_cache=true", json={"stages": [search()]})
        assert left.headers["X-RateLimit-Remaining"] == "0"


async def test_kinds_are_counted_apart_and_many_at_once_exactly(world: World, time: Time) -> None:
    async with client(world, admission(time, requests_per_minute=RATES), direct=False) as http:
        answers = await asyncio.gather(*(run(http) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200, 200, 429, 429, 429, 429]
        listed = [await http.post("/v1/retrievers/list", json={}) for _ in range(5)]
        assert [answer.status_code for answer in listed] == [200, 200, 200, 200, 429]


@pytest.fixture
async def resources(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


def limited(resources: Resources, limits: Admission) -> None:
    transport: Any = resources.http._transport
    app: FastAPI = transport.app
    gate: Gate = app.state.services[Gate]
    organizations = OrganizationService(resources.metadata, limits._tiers, gate.forget)
    app.state.services |= {Admission: limits, OrganizationService: organizations}


async def statuses(caller: Caller, times: int, path: str = "/namespaces/list") -> list[int]:
    return [(await caller.http.post(f"/v1{path}", json={}, headers=caller.headers)).status_code for _ in range(times)]


async def test_a_key_has_a_rate_of_its_own(resources: Resources, time: Time) -> None:
    limited(resources, admission(time))
    made = await resources.me.post(
        f"/organizations/users/{ADMIN_EMAIL}/api-keys", {"name": "slow", "rate_limit_override": 2}
    )
    assert made["rate_limit_override"] == 2
    slow = resources.as_key(made["key"], "default")
    assert await statuses(slow, 3) == [200, 200, 429]
    assert await statuses(resources.me, 5) == [200] * 5
    path = f"/organizations/users/{ADMIN_EMAIL}/api-keys/slow"
    assert (await resources.me.patch(path, {"rate_limit_override": 5}))["rate_limit_override"] == 5
    assert await statuses(slow, 4) == [200, 200, 200, 429]
    await resources.me.patch(path, {"rate_limit_override": None})
    assert await statuses(slow, 4) == [200] * 4
    assert await resources.me.places(path, {"rate_limit_override": 0}, "PATCH") == [["body", "rate_limit_override"]]


async def test_an_organisation_bounds_itself_and_never_beyond_its_tier(resources: Resources, time: Time) -> None:
    limited(resources, admission(time))
    assert (await resources.me.get("/organizations"))["rate_limits"]["search"] == 1_000_000_000
    wanted = {"compute": 5, "data": 5, "metadata": 3, "search": 5, "upload": 5}
    assert (await resources.me.patch("/organizations", {"rate_limits": wanted}))["rate_limits"] == wanted
    again = await resources.me.patch("/organizations", {"rate_limits": {"search": 9}, "metadata": {"a": 1}})
    assert again["rate_limits"] == {**wanted, "search": 9}
    assert await statuses(resources.me, 3) == [200, 200, 429]
    assert await statuses(resources.other, 5) == [200] * 5
    limited(resources, admission(time, requests_per_minute=replace(RATES, metadata=100)))
    assert await resources.me.places(
        "/organizations", {"rate_limits": {**wanted, "compute": 2, "data": 3, "upload": 2}}, "PATCH"
    ) == [["body", "rate_limits", "search"]]
    freed = await resources.me.patch("/organizations", {"rate_limits": None})
    assert freed["rate_limits"]["metadata"] == 100


async def test_a_wrong_key_takes_nothing_and_is_told_what_is_wrong(resources: Resources, time: Time) -> None:
    limited(resources, admission(time, requests_per_minute=RATES))
    assert set(await statuses(resources.as_key("sk_nobody"), 9)) == {401}
    assert set(await statuses(Caller(resources.http, {}), 9)) == {401}
    assert await statuses(resources.me, 5) == [200, 200, 200, 200, 429]
    assert await statuses(resources.reader, 1) == [429]


async def test_health_is_never_refused(resources: Resources, time: Time) -> None:
    limited(resources, admission(time, requests_per_minute=RATES))
    for _ in range(9):
        await resources.me.get("/health")


async def test_there_is_no_more_of_a_noun_than_its_quota(resources: Resources, time: Time) -> None:
    limited(resources, admission(time, quotas=QUOTAS))
    schema = {"properties": {"title": {"type": "string"}}}
    made = await asyncio.gather(
        *(
            resources.http.post(
                "/v1/buckets", json={"bucket_name": f"b{number}", "bucket_schema": schema}, headers=resources.me.headers
            )
            for number in range(5)
        )
    )
    assert sorted(answer.status_code for answer in made) == [200, 200, 403, 403, 403]
    refused = next(answer.json()["error"] for answer in made if answer.status_code == 403)
    assert refused["type"] == "QuotaExceededError"
    assert refused["details"] == {"resource": "buckets", "current": 2, "limit": 2, "tier": "enterprise"}
    second = await resources.me.post("/namespaces", {"namespace_name": "second"})
    elsewhere = Caller(resources.http, {**resources.me.headers, "X-Namespace": second["namespace_id"]})
    await elsewhere.post("/buckets", {"bucket_name": "b", "bucket_schema": schema}, 403)
    await resources.me.post("/namespaces", {"namespace_name": "third"}, 403)
    keys = f"/organizations/users/{ADMIN_EMAIL}/api-keys"
    await resources.me.post(keys, {"name": "third"})
    await resources.me.post(keys, {"name": "fourth"}, 403)
    await resources.me.delete(f"{keys}/third")
    await resources.me.post(keys, {"name": "fourth"})
    await resources.other.post("/buckets", {"bucket_name": "b", "bucket_schema": schema})


async def test_a_retriever_that_an_execution_becomes_counts_as_one(world: World, time: Time) -> None:
    async with client(world, admission(time, quotas={"retrievers": 1}), direct=True) as http:
        ran = (await http.post("/v1/retrievers/execute", json={"stages": [search()], "inputs": {}})).json()
        path = f"/v1/retrievers/executions/{ran['execution_id']}/promote"
        made = [await http.post(path, json={"to": "retriever", "retriever_name": name}) for name in ("first", "second")]
        assert [one.status_code for one in made] == [200, 403]
        assert made[1].json()["error"]["details"]["resource"] == "retrievers"
        assert (await http.post(path, json={"to": "dataset", "dataset_name": "golden"})).status_code == 200


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        ("POST /v1/retrievers/execute", OperationKind.SEARCH),
        ("POST /v1/retrievers/{retriever_id}/execute/batch", OperationKind.SEARCH),
        ("POST /v1/retrievers/executions/{execution_id}/replay", OperationKind.SEARCH),
        ("POST /v1/buckets/{bucket_identifier}/objects", OperationKind.UPLOAD),
        ("POST /v1/buckets/{bucket_identifier}/objects/batch", OperationKind.UPLOAD),
        ("POST /v1/buckets/{bucket_identifier}/uploads/{upload_id}/confirm", OperationKind.UPLOAD),
        ("PUT /v1/buckets/{bucket_identifier}/objects/{object_identifier}", OperationKind.UPLOAD),
        ("POST /v1/buckets/{bucket_identifier}/objects/list", OperationKind.DATA),
        ("POST /v1/buckets/{bucket_identifier}/uploads/list", OperationKind.DATA),
        ("POST /v1/buckets/{bucket_identifier}/batches/{batch_id}/submit", OperationKind.COMPUTE),
        ("POST /v1/inference", OperationKind.COMPUTE),
        ("GET /v1/tasks/{task_id}", OperationKind.DATA),
        ("GET /v1/retrievers/executions/{execution_id}/trace", OperationKind.DATA),
        ("DELETE /v1/collections/{collection_identifier}/documents/{document_id}", OperationKind.DATA),
        ("POST /v1/collections", OperationKind.METADATA),
        ("GET /v1/retrievers/{retriever_id}", OperationKind.METADATA),
        ("PATCH /v1/organizations", OperationKind.METADATA),
    ],
)
def test_kinds(operation: str, kind: OperationKind) -> None:
    assert kind_of(*operation.split()) is kind
