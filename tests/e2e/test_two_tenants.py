"""What belongs to another namespace or organisation does not exist, for every operation that the server describes."""

import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr
from starlette.types import ASGIApp

from tamis.app import build_app, openapi
from tamis.services.access.keys import KeyService
from tamis.services.upkeep.first_start import ADMIN_EMAIL
from tamis.settings import Settings
from tamis.wiring.system import System, open_system
from tests.e2e.two_tenants import (
    FOLDER,
    LISTING,
    ORGANIZATION_WIDE,
    OWNER_KEY,
    SHARED,
    Caller,
    Operation,
    Tenant,
    furnish,
    holdings,
    operations,
)
from tests.resource_world import OTHER_EMAIL, second_organization

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass
class World:
    """Two organisations with three namespaces each: mine, theirs.

    owner, neighbour: two namespaces of one organisation.  stranger: one of the other.
    """

    app: ASGIApp
    data_dir: Path
    mine: list[Tenant]
    theirs: list[Tenant]

    @property
    def owner(self) -> Tenant:
        return self.mine[0]

    @property
    def neighbour(self) -> Tenant:
        return self.mine[1]

    @property
    def stranger(self) -> Tenant:
        return self.theirs[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One for all tests: that nothing in it changes is what they are about."""
    data_dir = tmp_path_factory.mktemp("tenants") / "data"
    settings = Settings(
        data_dir=data_dir, root_key=OWNER_KEY, secret_key=SecretStr("0" * 40), connection_folders=str(FOLDER)
    )
    system = await open_system(settings)
    app = build_app(system)
    try:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://localhost") as http:
            secret = await second_organization(system.backends.metadata, system.services[KeyService])
            yield World(
                app=app,
                data_dir=system.data_dir,
                mine=[
                    await tenant(http, system, OWNER_KEY, label, ADMIN_EMAIL) for label in ("first", "second", "third")
                ],
                theirs=[
                    await tenant(http, system, secret, label, OTHER_EMAIL) for label in ("fourth", "fifth", "sixth")
                ],
            )
    finally:
        await system.close()


async def tenant(http: httpx.AsyncClient, system: System, key: str, label: str, email: str) -> Tenant:
    return await furnish(Caller(http, {"Authorization": f"Bearer {key}"}), system.worker.drain, label, email)


def absent(ids: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """Identifiers of the same shape that nothing has, in the place of all that is not one's own."""
    return {
        name: value if value == own[name] else f"{value[:-6]}000000" if "_" in value else f"no-{value}"
        for name, value in ids.items()
    }


def requests(operation: Operation, owner: Tenant, own: Tenant) -> list[dict[str, str]]:
    """Ways to name what is the owner's: by id, by name, and each single part under parents of one's own."""
    asked = [owner.ids, owner.names]
    if len(operation.parameters) > 1:
        asked += [{**own.ids, **_part(owner, name)} for name in operation.parameters if name not in ORGANIZATION_WIDE]
    return asked


def _part(owner: Tenant, name: str) -> dict[str, str]:
    """An execution is an anonymous one where the path says so."""
    names = (name, f"anonymous_{name}")
    return {each: owner.ids[each] for each in names if each in owner.ids}


async def told(caller: Caller, operation: Operation, names: Mapping[str, str]) -> tuple[int, str]:
    """The status, and the message without the identifiers that were asked for."""
    answer = await caller.send(operation.method.upper(), operation.at(names), operation.body)
    message = answer.json()["error"]["message"] if answer.is_error else answer.text
    for name in sorted(names.values(), key=len, reverse=True):
        message = message.replace(name, "...")
    return answer.status_code, message


async def problems(world: World, intruder: Tenant, wide: bool) -> list[str]:
    """What answers otherwise than as if the owner's things were not there. wide: organisation-wide things too."""
    found = []
    every = operations(openapi(world.app))
    assert len(every) > 50
    for operation in every:
        if not wide and set(operation.parameters) & set(ORGANIZATION_WIDE):
            continue
        for names in requests(operation, world.owner, intruder):
            told_of_it = await told(intruder.caller, operation, names)
            told_of_nothing = await told(intruder.caller, operation, absent(names, intruder.ids))
            if told_of_it[0] != 404 or told_of_it != told_of_nothing:
                found.append(f"{operation.method.upper()} {operation.at(names)}: {told_of_it} {told_of_nothing}")
    return found


async def test_every_read_finds_what_is_ones_own(world: World) -> None:
    """So that the tests below cannot pass with identifiers that are of nothing."""
    reads = [operation for operation in operations(openapi(world.app)) if operation.method == "get"]
    for one in (*world.mine, *world.theirs):
        statuses = {
            operation.at(names): (await one.caller.send("GET", operation.at(names))).status_code
            for operation in reads
            for names in (one.ids, one.names)
        }
        assert {path: status for path, status in statuses.items() if status != 200} == {}


async def test_another_namespace_is_not_there(world: World) -> None:
    before = holdings(world.data_dir, "namespace_id", world.owner.namespace_id)
    assert sum(map(len, before.values())) > 10
    assert "\n".join(await problems(world, world.neighbour, wide=False)) == ""
    assert holdings(world.data_dir, "namespace_id", world.owner.namespace_id) == before


async def test_another_organisation_is_not_there(world: World) -> None:
    organization = (await world.owner.caller.ask("GET", "organizations"))["organization_id"]
    before = holdings(world.data_dir, "organization_id", organization)
    assert "\n".join(await problems(world, world.stranger, wide=True)) == ""
    assert holdings(world.data_dir, "organization_id", organization) == before


async def test_anyone_before_anyone_elses(world: World) -> None:
    """Drawn at random: who asks, whose things, by which operation, which identifiers of its path are the other's."""
    chance = random.Random(20261130)
    tenants = {id(one): "mine" for one in world.mine} | {id(one): "theirs" for one in world.theirs}
    every = operations(openapi(world.app))
    for _ in range(400):
        intruder, owner = chance.sample([*world.mine, *world.theirs], 2)
        wide = tenants[id(intruder)] != tenants[id(owner)]
        operation = chance.choice([one for one in every if wide or not set(one.parameters) & set(ORGANIZATION_WIDE)])
        theirs = chance.choice([owner.ids, owner.names])
        foreign = chance.sample(operation.parameters, chance.randint(1, len(operation.parameters)))
        if not set(foreign) - set(SHARED):
            continue
        names = {**intruder.ids, **{name: theirs[name] for name in foreign}}
        if "execution_id" in foreign:
            names["anonymous_execution_id"] = theirs["anonymous_execution_id"]
        if "task_id" in foreign:
            names["tuning_task_id"] = theirs["tuning_task_id"]
        if "template_id" in foreign:
            names |= {name: value for name, value in theirs.items() if name.startswith("of_")}
        told_of_it = await told(intruder.caller, operation, names)
        told_of_nothing = await told(intruder.caller, operation, absent(names, intruder.ids))
        assert told_of_it == told_of_nothing, f"{operation.method.upper()} {operation.at(names)}"
        assert told_of_it[0] == 404, f"{operation.method.upper()} {operation.at(names)}: {told_of_it}"


async def test_another_organisations_namespace_cannot_be_entered(world: World) -> None:
    """With a key of one's own and the owner's namespace in the header, by id and by name, nothing answers."""
    for namespace in (world.owner.namespace_id, "first"):
        intruder = Caller(world.stranger.caller.http, {**world.stranger.caller.headers, "X-Namespace": namespace})
        for operation in operations(openapi(world.app)):
            if set(operation.parameters) & set(ORGANIZATION_WIDE):
                continue
            status, _ = await told(intruder, operation, world.owner.ids)
            assert status == 404, operation


def bodies(owner: Tenant, own: Tenant) -> list[tuple[str, str, Any]]:
    """Requests whose bodies, not paths, name what is the owner's."""
    theirs, mine = owner.ids, own.ids
    stage = LISTING
    source = {"type": "bucket", "bucket_ids": [theirs["bucket_identifier"]]}
    extractor = {"feature_extractor_name": "passthrough_extractor", "version": "v1"}
    collection = {"collection_name": "stolen", "source": source, "feature_extractor": extractor}
    downstream = {"type": "collection", "collection_id": theirs["collection_id"]}
    retriever = {"retriever_name": "stolen", "collection_identifiers": [theirs["collection_id"]], "stages": [stage]}
    cursor = {"collection_identifiers": [mine["collection_id"]], "stages": [stage]}
    after = {"method": "keyset", "after": {"execution_id": theirs["execution_id"], "document_id": "d", "score": 1.0}}
    return [
        ("POST", f"buckets/{mine['bucket_identifier']}/batches", {"object_ids": [theirs["object_id"]]}),
        ("POST", "collections", collection),
        ("POST", "collections", {**collection, "source": downstream}),
        ("POST", "retrievers", retriever),
        ("PATCH", f"retrievers/{mine['retriever_id']}", {"collection_identifiers": [theirs["collection_id"]]}),
        ("POST", f"retrievers/{mine['retriever_id']}/execute", {"collection_identifiers": [theirs["collection_id"]]}),
        ("POST", "retrievers/execute", {"collection_identifiers": [theirs["collection_id"]], "stages": [stage]}),
        ("POST", "retrievers/execute", {**cursor, "pagination": after}),
    ]


@pytest.mark.parametrize("who", ["neighbour", "stranger"])
async def test_what_a_body_names_is_not_there_either(world: World, who: str) -> None:
    intruder: Tenant = getattr(world, who)
    before = holdings(world.data_dir, "namespace_id", world.owner.namespace_id)
    for method, path, body in bodies(world.owner, intruder):
        answer = await intruder.caller.send(method, f"/v1/{path}", body)
        assert answer.status_code in (400, 404, 422), f"{method} {path}: {answer.status_code} {answer.text}"
    mine = intruder.ids["collection_id"]
    await intruder.caller.send(
        "DELETE", f"/v1/collections/{mine}/documents/batch", {"document_ids": [world.owner.ids["document_id"]]}
    )
    update = {"document_id": world.owner.ids["document_id"], "update_data": {"number": 99}}
    await intruder.caller.send("POST", f"/v1/collections/{mine}/documents/batch", {"updates": [update]})
    assert holdings(world.data_dir, "namespace_id", world.owner.namespace_id) == before


@pytest.mark.parametrize("who", ["neighbour", "stranger"])
async def test_lists_and_runs_show_only_ones_own(world: World, who: str) -> None:
    intruder: Tenant = getattr(world, who)
    shown = {}
    lists = [
        path for path, methods in openapi(world.app)["paths"].items() if "{" not in path and path.endswith("/list")
    ]
    assert len(lists) > 5
    for path in lists:
        answer = await intruder.caller.send("POST", path, {})
        assert answer.status_code == 200, answer.text
        shown[path] = answer.text
    # Without collections a pipeline runs over the namespace's own.
    answer = await intruder.caller.send("POST", "/v1/retrievers/execute", {"stages": [LISTING]})
    assert [found["document_id"] for found in answer.json()["documents"]] == [intruder.ids["document_id"]]
    of_the_namespace = [value for name, value in world.owner.ids.items() if name not in ORGANIZATION_WIDE]
    assert [value for value in of_the_namespace if value in answer.text] == []
    if who == "neighbour":
        # Tasks are the organisation's: the contract's task paths know no namespace.
        del shown["/v1/tasks/list"]
    assert [path for path, text in shown.items() if any(value in text for value in of_the_namespace)] == []
    assert intruder.ids["bucket_identifier"] in shown["/v1/buckets/list"]


async def test_counts_groups_and_cached_answers_are_of_ones_own(world: World) -> None:
    """The same requests by six tenants with different numbers of documents, warm caches included."""
    tenants = [*world.mine, *world.theirs]
    for number, one in enumerate(tenants):
        for _ in range(number):
            body = {"number": 1000 + number, "collection_id": one.ids["collection_id"]}
            await one.caller.ask("POST", f"collections/{one.ids['collection_id']}/documents", body)
    counting = {"group_by": [{"field": "number"}], "aggregations": [{"function": "count", "alias": "n"}]}
    for number, one in [*enumerate(tenants), *enumerate(tenants)]:
        documents = f"collections/{one.ids['collection_id']}/documents"
        assert (await one.caller.ask("POST", f"{documents}/list", {"count_only": True}))["pagination"][
            "total"
        ] == number + 1
        groups = (await one.caller.ask("POST", f"{documents}/aggregate", counting))["results"]
        counts = {group["group"]["number"]: group["metrics"]["n"] for group in groups}
        assert counts == {1: 1} | ({1000 + number: number} if number else {})
        ran = await one.caller.ask("POST", "retrievers/execute", {"stages": [LISTING]})
        assert [found["number"] for found in ran["documents"]].count(1000 + number) == number
        assert len(ran["documents"]) == number + 1
        listed = await one.caller.ask("POST", "retrievers/executions/list", {"limit": 100})
        assert {entry["execution_id"] for entry in listed["results"]} >= {ran["execution_id"]}
        others = {other.ids["anonymous_execution_id"] for other in tenants if other is not one}
        assert not others & {entry["execution_id"] for entry in listed["results"]}


async def test_metrics_name_nobody(world: World) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=world.app), base_url="http://127.0.0.1") as http:
        answer = await http.get("/metrics")
    assert answer.status_code == 200, answer.text
    owned = [value for one in (*world.mine, *world.theirs) for value in {*one.ids.values(), *one.names.values()}]
    assert [value for value in owned if f'"{value}"' in answer.text] == []
