"""The search for resources over HTTP."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tamis.model.dataset import Dataset
from tamis.model.principal import Permission, Principal
from tamis.model.published import PublishedRetriever
from tamis.model.retriever import Definition, Retriever
from tamis.services.access.keys import KeyDraft, KeyService
from tests.resource_world import Resources, open_resources

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Resources]:
    async with open_resources(tmp_path) as resources:
        yield resources


async def bucket(world: Resources, name: str, **more: Any) -> str:
    schema = {"properties": {"title": {"type": "string"}}}
    made = await world.me.post("/buckets", {"bucket_name": name, "bucket_schema": schema, **more})
    return str(made["bucket_id"])


async def retriever(world: Resources, name: str, principal: Principal | None = None) -> Retriever:
    made = Retriever(f"ret_{name:0<28}", name, Definition(()), NOW, NOW, tags=("shelf",))
    await world.metadata.write(lambda session: session.retrievers.insert(principal or world.principal, made))
    return made


async def names(world: Resources, query: str, **more: Any) -> list[str]:
    found = await world.me.post("/resources/search", {"query": query, **more})
    assert found["total"] >= len(found["results"])
    return [one["resource_name"] for one in found["results"]]


async def test_names_come_before_what_is_only_said_of_something(world: Resources) -> None:
    await bucket(world, "old red books", description="from the attic")
    await bucket(world, "other", description="of Red Books too")
    await bucket(world, "red books and maps")
    made = await bucket(world, "Red Books", metadata={"room": ["attic"]})
    every = ["Red Books", "red books and maps", "old red books", "other"]
    assert await names(world, "red books") == every
    assert await names(world, "books   RED") == every
    assert await names(world, "attic") == ["Red Books", "old red books"]
    assert await names(world, made) == ["Red Books"]
    assert await names(world, "red books", limit=2, offset=1) == ["red books and maps", "old red books"]
    assert await names(world, "blue") == []


async def test_every_kind_is_found_and_may_be_asked_for_alone(world: Resources) -> None:
    await bucket(world, "shelf")
    one = await retriever(world, "shelves")
    published = PublishedRetriever("pub_1", one.retriever_id, "shelf-page", "pk", {}, NOW, NOW)
    await world.metadata.write(lambda session: session.published.insert(world.principal, published))
    data = Dataset("dset_1", "shelf questions", NOW, NOW)
    await world.metadata.write(lambda session: session.datasets.insert(world.principal, data))
    await world.me.post("/namespaces", {"namespace_name": "shelf space"})
    found = (await world.me.post("/resources/search", {"query": "shelf"}))["results"]
    assert {one["resource_type"] for one in found} == {
        "bucket", "retriever", "published_retriever", "dataset", "namespace",
    }  # fmt: skip
    assert await names(world, "shelf", resource_types=["retriever", "dataset"]) == ["shelf questions", "shelves"]


async def test_others_and_what_a_key_is_not_for_are_not_found(world: Resources) -> None:
    await bucket(world, "atlas")
    mine, _ = await retriever(world, "atlas"), await retriever(world, "atlas2")
    assert (await world.other.post("/resources/search", {"query": "atlas"}))["total"] == 0
    scope = {"resource_type": "retriever", "resource_id": mine.retriever_id}
    created = await KeyService(world.metadata, world.gate.forget).create(
        world.principal, KeyDraft("one", (Permission.READ,), scopes=(scope,))
    )
    narrow = world.as_key(created.secret, "default")
    assert [one["resource_id"] for one in (await narrow.post("/resources/search", {"query": "atlas"}))["results"]] == [
        mine.retriever_id
    ]


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": " \t"}, "query"),
        ({"query": "a", "limit": 101}, "limit"),
        ({"query": "a", "offset": -1}, "offset"),
        ({"query": "a", "resource_types": ["shop"]}, "resource_types"),
    ],
)
async def test_what_cannot_be_asked_says_where(world: Resources, body: dict[str, Any], place: str) -> None:
    assert [loc[:2] for loc in await world.me.places("/resources/search", body)] == [["body", place]]
