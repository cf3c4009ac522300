"""What the gate remembers of who searches changes nothing of who may."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tamis.errors import ForbiddenError, UnauthorizedError
from tamis.model.organization import ApiKey
from tamis.model.principal import NamespaceOperation, Permission, Principal, Scope
from tamis.model.secret import hash_key
from tests.resource_world import Resources, open_resources

SECRET, FORMER = "sk_" + "a" * 40, "sk_" + "b" * 40


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


async def made(world: Resources, **more: Any) -> ApiKey:
    holder = world.principal
    key = ApiKey(
        "key_1", holder.organization_id, holder.user_id, "k", hash_key(SECRET), "sk_a", (Permission.READ,),
        datetime.now(UTC), **more,
    )  # fmt: skip
    await world.metadata.write(lambda session: session.keys.insert(holder, key))
    return key


async def entered(world: Resources, secret: str = SECRET, **more: Any) -> Principal:
    return await world.gate.enter_searching(f"Bearer {secret}", "default", **more)


async def changed(world: Resources, key: ApiKey) -> None:
    await world.metadata.write(lambda session: session.keys.replace(world.principal, key))
    world.gate.forget()


async def test_who_searches_again_is_the_same_until_something_changes(world: Resources) -> None:
    key = await made(world)
    first = await entered(world)
    assert await entered(world) is first
    await changed(world, replace(key, permissions=(Permission.WRITE,)))
    with pytest.raises(ForbiddenError):
        await entered(world)
    await changed(world, key.revoked("me", datetime.now(UTC)))
    with pytest.raises(UnauthorizedError):
        await entered(world)


async def test_keys_whose_time_runs_out_are_looked_at_each_time(world: Resources) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    key = await made(world, expires_at=soon)
    assert await entered(world) is not await entered(world)
    await changed(world, replace(key, expires_at=None, previous_hash=hash_key(FORMER), previous_until=soon))
    assert await entered(world) is await entered(world)
    assert await entered(world, FORMER) is not await entered(world, FORMER)


async def test_what_a_scope_is_not_for_is_refused_before_and_after(world: Resources) -> None:
    namespace_id = world.principal.namespace_id
    scope = {"resource_type": "namespace", "resource_id": namespace_id, "operations": ["read_data"]}
    await made(world, scopes=(scope,))
    for _ in range(2):
        with pytest.raises(ForbiddenError):
            await entered(world)
        assert (await entered(world, operation=NamespaceOperation.READ_DATA)).namespace_id == namespace_id


async def test_one_retriever_is_not_the_namespace(world: Resources) -> None:
    namespace_id = world.principal.namespace_id
    scope = {"resource_type": "retriever", "resource_id": "ret_1", "namespace_id": namespace_id}
    await made(world, scopes=(scope,))
    for _ in range(2):
        assert (await entered(world, partly=True)).may_retriever("ret_1")
        with pytest.raises(ForbiddenError):
            await entered(world)


def test_scopes_for_other_operations_are_other_scopes() -> None:
    """A principal is remembered for a while: one whose scopes were narrowed is not taken for what it was."""
    reading = Scope("ns_1", operations=frozenset({NamespaceOperation.READ_DATA}))
    principal = Principal("org_1", "ns_1", scopes=(Scope("ns_1"),))
    assert principal != replace(principal, scopes=(reading,))
    assert replace(principal, scopes=(reading,)).sees_namespace("ns_1")
    assert not replace(principal, scopes=(Scope("ns_1", "ret_1"),)).sees_namespace("ns_1")
    assert replace(principal, scopes=(replace(reading, retriever_id="ret_1"),)).may_retriever("ret_1")
