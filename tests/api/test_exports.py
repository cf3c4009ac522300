import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.executions.codec import decode
from tamis.executions.writing import stored_of
from tamis.model.namespace import Namespace
from tamis.model.organization import ApiKey
from tamis.model.principal import Permission, Principal
from tamis.model.secret import hash_key
from tests.engine.stages.shop import NOW, PRINCIPAL
from tests.executions.records import a_hit, a_record, a_stage
from tests.executions.test_export import change
from tests.retrieval_world import HEADERS, Wait, World, opened, search, stage

READ_KEY = "sk_" + "9" * 40


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with opened(tmp_path / "here") as world:
        yield world


@pytest.fixture
async def elsewhere(tmp_path: Path) -> AsyncIterator[World]:
    """Another machine."""
    async with opened(tmp_path / "there") as world:
        yield world


@pytest.fixture(autouse=True)
def folders(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()


async def executed(world: World, *stages: dict[str, Any], **more: Any) -> str:
    body = {"stages": list(stages) or [search()], "inputs": {}, **more}
    async with world.client() as client:
        found: str = (await client.post("/v1/retrievers/execute", json=body)).json()["execution_id"]
        return found


async def exported(world: World, execution_id: str, path: str = "executions", **asked: Any) -> httpx.Response:
    async with world.client() as client:
        return await client.get(f"/v1/retrievers/{path}/{execution_id}/export", params=asked)


async def send(world: World, file: Any) -> httpx.Response:
    async with world.client() as client:
        content = file if isinstance(file, bytes) else json.dumps(file).encode()
        return await client.post("/v1/retrievers/executions/import", content=content)


async def test_an_execution_is_read_on_another_machine(world: World, elsewhere: World) -> None:
    text = "running shoes " * 10_000
    execution_id = await executed(
        world, search("{{INPUT.q}}"), stage("limit", limit=3), inputs={"q": text}, input_schema={"q": {"type": "text"}}
    )
    answer = await exported(world, execution_id)
    assert answer.headers["content-disposition"] == f'attachment; filename="{execution_id}.tamis.json"'
    file = answer.json()
    assert (file["format"], file["inputs"]) == ("tamis.execution/1", {"q": text})
    assert file["documents"]["p1"]["content"]["fields"]["brand"] == "Sole"

    assert (await send(elsewhere, answer.content)).status_code == 201
    async with elsewhere.client() as there, world.client() as here:
        path = f"/v1/retrievers/executions/{execution_id}"
        record = (await there.get(path)).json()
        assert (record["execution_mode"], record["status"]) == ("imported", "completed")
        listed = (await there.post("/v1/retrievers/executions/list", json={})).json()
        assert [one["execution_id"] for one in listed["executions"]] == [execution_id]
        trace, original = (await there.get(f"{path}/trace")).json(), (await here.get(f"{path}/trace")).json()
        assert trace["imported"] == {"retriever_id": None, "execution_mode": "anonymous"}
        for one, other in zip(trace["stages"], original["stages"], strict=True):
            for side in ("received", "returned"):
                hits = [{**hit, "now": None} for hit in other["documents"][side]["items"]]
                assert one["documents"][side]["items"] == hits
        again = await executed(elsewhere)
        assert (await there.get(f"{path}/diff/{again}")).json()["cause"] == "definition"
        assert (await there.get(f"{path}/diff/{execution_id}")).json()["identical"]
    assert (await exported(elsewhere, execution_id)).json() == file


async def test_it_is_the_record_that_was_exported(world: World, elsewhere: World) -> None:
    execution_id = await executed(
        world, search(), stage("aggregate", aggregations=[{"function": "count", "alias": "n"}])
    )
    await send(elsewhere, (await exported(world, execution_id)).content)
    here = decode(await world.records.get_anonymous(PRINCIPAL, execution_id))
    there = decode(await elsewhere.records.get_anonymous(PRINCIPAL, execution_id))
    same = replace(there, header=here.header, imported=None)
    assert same == here


async def test_a_saved_retrievers_execution_stands_among_the_anonymous_ones_elsewhere(
    world: World, elsewhere: World
) -> None:
    async with world.client() as client:
        body = {"retriever_name": "shoes", "stages": [search()], "input_schema": {}}
        await client.post("/v1/retrievers", json={**body, "collection_identifiers": ["products"]})
        ran = (await client.post("/v1/retrievers/shoes/execute", json={"inputs": {}})).json()
    answer = await exported(world, ran["execution_id"], "shoes/executions")
    assert (await send(elsewhere, answer.content)).status_code == 201
    async with elsewhere.client() as there:
        trace = (await there.get(f"/v1/retrievers/executions/{ran['execution_id']}/trace")).json()
    assert trace["imported"] == {"retriever_id": ran["retriever_id"], "execution_mode": "saved"}
    assert (await exported(elsewhere, ran["execution_id"])).json() == answer.json()


async def test_documents_stand_as_they_were_seen(world: World) -> None:
    execution_id = await executed(world)
    before = (await exported(world, execution_id)).json()["documents"]

    def write(session: Any) -> None:
        document = session.documents.get(PRINCIPAL, "col_a", "p1")
        session.documents.put_fields(PRINCIPAL, "col_a", [replace(document, fields={"text": "new"})])
        session.documents.delete(PRINCIPAL, "col_b", ["p2"])

    await world.shop.metadata.write(write)
    assert (await exported(world, execution_id)).json()["documents"] == before
    assert (await exported(world, execution_id, documents=False)).json()["documents"] == {}


async def test_what_is_no_longer_kept_is_said_to_be_so(world: World) -> None:
    """As of a record that is older than the history of documents."""
    record = a_record(a_stage(0, "search", (), [a_hit("p1"), a_hit("p0")]), revisions={"p1": 77, "p0": 1})
    stored = stored_of(record).execution
    await world.shop.metadata.write(lambda session: session.executions.insert(PRINCIPAL, stored))
    documents = (await exported(world, record.header.execution_id)).json()["documents"]
    assert documents == {"p0": {"revision": 1, "absent": "deleted"}, "p1": {"revision": 77, "absent": "changed"}}


async def test_what_the_namespaces_policy_kept_out_stays_out(world: World, elsewhere: World) -> None:
    record = a_record(a_stage(0, "search", (), [a_hit("p1")]), inputs={}, left_out=("documents", "inputs"))
    record = replace(record, header=replace(record.header, inputs_hash=None))
    stored = stored_of(record).execution
    await world.shop.metadata.write(lambda session: session.executions.insert(PRINCIPAL, stored))
    answer = await exported(world, record.header.execution_id)
    assert answer.json()["documents"] == {"p1": {"revision": 2, "absent": "policy"}}
    assert (await send(elsewhere, answer.content)).status_code == 201
    there = await elsewhere.records.get_anonymous(PRINCIPAL, record.header.execution_id)
    assert (there.inputs, decode(there).left_out) == ("", ("documents", "inputs"))


async def test_an_id_that_is_taken_is_never_written_over(world: World, elsewhere: World) -> None:
    execution_id = await executed(world)
    file = (await exported(world, execution_id)).content
    before = await world.records.get_anonymous(PRINCIPAL, execution_id)
    assert (await send(world, file)).status_code == 409
    assert await world.records.get_anonymous(PRINCIPAL, execution_id) == before
    assert (await send(elsewhere, file)).status_code == 201
    assert (await send(elsewhere, file)).status_code == 409


async def test_one_that_runs_is_neither_exported_nor_imported_over(world: World) -> None:
    stages = [search(), stage("wait", limit=3)]
    async with world.client() as client:
        file = (await exported(world, await executed(world))).json()
        running = asyncio.create_task(client.post("/v1/retrievers/execute", json={"stages": stages, "inputs": {}}))
        await Wait.reached.wait()
        listed = (await client.post("/v1/retrievers/executions/list", json={"status": "processing"})).json()
        execution_id = listed["executions"][0]["execution_id"]
        refused = await exported(world, execution_id)
        assert (refused.status_code, refused.json()["error"]["type"]) == (409, "ConflictError")
        file["execution"]["execution_id"] = execution_id
        assert (await send(world, file)).status_code == 409
        Wait.go.set()
        assert (await running).status_code == 200


async def test_it_takes_the_right_to_write_and_stays_in_its_namespace(world: World, elsewhere: World) -> None:
    file = (await exported(world, await executed(world))).content
    reader = ApiKey("key_2", "org_1", "usr_1", "reader", hash_key(READ_KEY), "sk_9999", (Permission.READ,), NOW)
    await elsewhere.shop.metadata.write(lambda session: session.keys.insert(PRINCIPAL, reader))
    other = Principal("org_1", "ns_2", PRINCIPAL.permissions)
    await elsewhere.shop.metadata.write(
        lambda session: session.namespaces.insert(other, Namespace("ns_2", "other", NOW, NOW))
    )
    path = "/v1/retrievers/executions/import"
    async with elsewhere.client() as client:
        refused = await client.post(path, content=file, headers={**HEADERS, "Authorization": f"Bearer {READ_KEY}"})
        assert refused.status_code == 403
        stored = await client.post(path, content=file, headers={**HEADERS, "X-Namespace": "ns_2"})
        execution_id = stored.json()["execution_id"]
        assert (await client.get(f"/v1/retrievers/executions/{execution_id}")).status_code == 404
        there = await client.get(
            f"/v1/retrievers/executions/{execution_id}/trace", headers={**HEADERS, "X-Namespace": "ns_2"}
        )
        assert there.status_code == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"{", 400),
        (b'{"a": NaN}', 400),
        (b"[" * 1000 + b"]" * 1000, 400),
        (b'{"a": ' + b"9" * 5000 + b"}", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"format": "tamis.execution/1"}', 422),
    ],
)
async def test_what_is_no_such_file_is_refused(world: World, content: bytes, status: int) -> None:
    answer = await send(world, content)
    assert (answer.status_code, answer.json()["success"]) == (status, False)


@pytest.fixture
async def sample(world: World) -> bytes:
    stages = [search("{{INPUT.q}}"), stage("group_by", field="brand"), stage("limit", limit=2)]
    schema = {"q": {"type": "text"}}
    return (
        await exported(world, await executed(world, *stages, inputs={"q": "shoes"}, input_schema=schema))
    ).content  # fmt: skip


def unused(number: int) -> str:
    return f"exec_{number:028x}"


async def test_a_changed_file_is_stored_whole_or_not_at_all(elsewhere: World, sample: bytes) -> None:
    """Whatever was changed in it: 201 and it can be read in every way, or a plain 4xx and nothing is there."""
    loop, sent = asyncio.get_running_loop(), 0

    async def attempt(file: Any) -> None:
        async with elsewhere.client() as client:
            total = (await client.post("/v1/retrievers/executions/list", json={})).json()["total"]
            answer = await client.post("/v1/retrievers/executions/import", content=json.dumps(file).encode())
            after = (await client.post("/v1/retrievers/executions/list", json={})).json()["total"]
            if answer.status_code != 201:
                assert 400 <= answer.status_code < 500, answer.text
                assert answer.json()["error"]["message"]
                assert after == total
                return
            path = f"/v1/retrievers/executions/{answer.json()['execution_id']}"
            assert after == total + 1
            for view in ("", "/trace", "/export", f"/diff/{answer.json()['execution_id']}"):
                assert (await client.get(path + view)).status_code == 200, view

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.data())
    def fuzz(data: st.DataObject) -> None:
        nonlocal sent
        file = json.loads(sample)
        file["execution"]["execution_id"] = unused(sent)
        sent += 1
        for _ in range(data.draw(st.integers(0, 2))):
            change(file, data)
        asyncio.run_coroutine_threadsafe(attempt(file), loop).result(60)

    await asyncio.to_thread(fuzz)
