"""The organisation and its keys over HTTP."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tamis.errors import ValidationError
from tamis.services.upkeep.first_start import bootstrap
from tests.resource_world import Resources, open_resources

KEYS = "/organizations/users/admin@localhost/api-keys"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


async def test_the_organisation_is_the_keys_own(world: Resources) -> None:
    mine, theirs = await world.me.get("/organizations"), await world.other.get("/organizations")
    assert (mine["organization_name"], theirs["organization_name"]) == ("Tamis", "Others")
    assert [user["email"] for user in mine["users"]] == ["admin@localhost"]


async def test_the_organisation_changes_in_what_is_sent(world: Resources) -> None:
    changed = await world.me.patch("/organizations", {"organization_name": "Sieve", "metadata": {"plan": 1}})
    assert (changed["organization_name"], changed["metadata"]) == ("Sieve", {"plan": 1})
    assert (await world.me.patch("/organizations", {"billing_email": "a@b.example"}))["metadata"] == {"plan": 1}
    assert await world.me.places("/organizations", {"organization_name": None}, "PATCH") == [
        ["body", "organization_name"]
    ]
    await world.reader.patch("/organizations", {"organization_name": "Mine"}, 403)


async def test_a_key_is_shown_once_and_works(world: Resources) -> None:
    made = await world.me.post(KEYS, {"name": "ci", "permissions": ["read"]})
    assert made["key"].startswith("sk_")
    assert made["key_prefix"] == made["key"][:10]
    listed = await world.me.get(KEYS)
    assert {row["name"] for row in listed["api_keys"]} == {"root", "reader", "ci"}
    assert "key" not in listed["api_keys"][0]
    await world.as_key(made["key"]).get("/buckets/none", 404)
    await world.as_key(made["key"]).post("/buckets", {"bucket_name": "b", "bucket_schema": {"properties": {}}}, 403)


async def test_a_revoked_key_stops_at_once(world: Resources) -> None:
    made = await world.me.post(KEYS, {"name": "ci"})
    caller = world.as_key(made["key"])
    await caller.get("/organizations")
    await world.me.delete(f"{KEYS}/ci")
    answer = await caller.get("/organizations", 401)
    assert answer["error"]["type"] == "UnauthorizedError"
    assert "ci" not in {row["name"] for row in (await world.me.get(KEYS))["api_keys"]}
    with_revoked = await world.me.get(KEYS, include_revoked=True)
    assert {row["status"] for row in with_revoked["api_keys"] if row["name"] == "ci"} == {"revoked"}
    await world.me.patch(f"{KEYS}/ci", {"status": "active"}, 409)
    await world.me.post(f"{KEYS}/ci/rotate", status=409)
    assert (await world.me.post(KEYS, {"name": "ci"}))["key_id"] != made["key_id"]


async def test_rotation_gives_another_secret_to_the_same_key(world: Resources) -> None:
    made = await world.me.post(KEYS, {"name": "ci"})
    await world.as_key(made["key"]).get("/organizations")
    rotated = await world.me.post(f"{KEYS}/ci/rotate")
    assert rotated["key_id"] == made["key_id"]
    await world.as_key(made["key"]).get("/organizations", 401)
    await world.as_key(rotated["key"]).get("/organizations")


async def test_permissions_taken_away_are_gone_at_once(world: Resources) -> None:
    made = await world.me.post(KEYS, {"name": "ci", "permissions": ["read", "admin"]})
    caller = world.as_key(made["key"])
    await caller.get(KEYS)
    changed = await world.me.patch(f"{KEYS}/ci", {"permissions": ["read"], "description": "less"})
    assert (changed["permissions"], changed["description"]) == (["read"], "less")
    await caller.get(KEYS, 403)


async def test_an_expired_key_opens_nothing(world: Resources) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    made = await world.me.post(KEYS, {"name": "short", "expires_at": later})
    keys = await world.metadata.read(lambda session: session.keys.list(world.principal))
    expired = replace(next(key for key in keys if key.name == "short"), expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    await world.metadata.write(lambda session: session.keys.replace(world.principal, expired))
    answer = await world.as_key(made["key"]).get("/organizations", 401)
    assert "expired" in answer["error"]["message"]


async def test_only_administrators_see_keys_and_only_their_own(world: Resources) -> None:
    await world.reader.get(KEYS, 403)
    await world.reader.post(KEYS, {"name": "x"}, 403)
    await world.other.get(KEYS, 404)
    await world.other.delete(f"{KEYS}/root", 404)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, ["body", "name"]),
        ({"name": ""}, ["body", "name"]),
        ({"name": "a/b"}, ["body", "name"]),
        ({"name": "key_" + "0" * 28}, ["body", "name"]),
        ({"name": "x", "permissions": ["fly"]}, ["body", "permissions", 0]),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, ["body", "expires_at"]),
        ({"name": "x", "expires_at": "2999-01-01T00:00:00"}, ["body", "expires_at"]),
        ({"name": "x", "description": "d" * 501}, ["body", "description"]),
        ({"name": "x", "rate_limit_override": 0}, ["body", "rate_limit_override"]),
    ],
)
async def test_a_bad_key_names_its_field(world: Resources, body: dict[str, object], place: list[str]) -> None:
    assert await world.me.places(KEYS, body) == [place]


async def test_two_active_keys_have_two_names(world: Resources) -> None:
    await world.me.post(KEYS, {"name": "ci"})
    await world.me.post(KEYS, {"name": "ci"}, 409)
    await world.me.patch(f"{KEYS}/ci", {"name": "reader"}, 409)


async def test_a_second_start_makes_nothing(world: Resources) -> None:
    assert await bootstrap(world.metadata) is None


async def test_a_root_key_is_used_and_a_changed_one_replaces_it(world: Resources) -> None:
    first, second = "sk_" + "1" * 40, "sk_" + "2" * 40
    assert await bootstrap(world.metadata, first) is not None
    await world.as_key(first).get(KEYS)
    assert await bootstrap(world.metadata, first) is None
    assert await bootstrap(world.metadata, second) is not None
    await world.as_key(second).get(KEYS)
    active = [row["name"] for row in (await world.as_key(second).get(KEYS))["api_keys"]]
    assert active.count("root") == 1


async def test_a_short_root_key_is_refused(world: Resources) -> None:
    with pytest.raises(ValidationError, match="24"):
        await bootstrap(world.metadata, "sk_short")
