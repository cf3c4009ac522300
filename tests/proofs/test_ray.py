"""Extraction by a real Ray cluster: the contract of threads, actors that die, a cluster that goes away, a server."""

import asyncio
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tamis.engine.ports.extraction import ExtractionFailure, SourceItem
from tamis.errors import ExtractionUnavailableError
from tamis.jobs.calling import Caller, Source
from tamis.model.batch import TaskStatus
from tests.e2e.test_kill import OBJECTS, add_objects, count_documents, make_collection, query, wait_for_batch
from tests.extraction_world import NoModels, NoParameters, open_world
from tests.faults.waiting import wait_for
from tests.jobs.benches import open_bookcase
from tests.jobs.caller_contract import CallerContract, extractor, segments, source
from tests.live import LiveServer
from tests.servers import RayServer, free_port, missing

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    *(pytest.mark.filterwarnings(f"ignore::{kind}") for kind in ("DeprecationWarning", "FutureWarning", "UserWarning")),
]


@pytest.fixture(scope="module")
def caller(ray_server: RayServer) -> Iterator[Caller]:
    """A process has one connection to Ray, and it is up.

    Ray forks a server for each client among its own running threads, and now and then that fork never gets to its
    program: the client is told so after half a minute. A batch waits and asks again, and so does this.
    """
    made = on_ray(ray_server.address)
    wait_for(lambda: _answers(made), 240)
    yield made
    made.leave(5)


def _answers(caller: Caller) -> bool:
    try:
        return bool(asyncio.run(caller.call(extractor("letter_extractor"), [source("a")], NoModels())))
    except ExtractionUnavailableError:
        return False


def on_ray(address: str) -> Caller:
    if find_spec("ray") is None:
        missing("Ray is not installed (pip install 'tamis[ray]')")
    from tamis.jobs.ray_actors import RayActors

    return RayActors(address, open_bookcase, 2)


class TestRayActors(CallerContract):
    pass


async def test_a_source_that_kills_its_actor_fails_alone(caller: Caller) -> None:
    sources = [Source(SourceItem(f"obj_{n}", {"dies": n == 3}), NoParameters()) for n in range(5)]
    found = await caller.call(extractor("deadly"), sources, NoModels())
    assert [key for key, one in found.items() if isinstance(one, ExtractionFailure)] == ["obj_3"]
    assert found["obj_3"] == ExtractionFailure("the process that extracted this source died each time", "resource")
    pids = {segments(one)[0]["pid"] for key, one in found.items() if key != "obj_3"}
    assert os.getpid() not in pids


async def test_an_address_at_which_nobody_is() -> None:
    lost = on_ray(f"ray://127.0.0.1:{free_port()}")
    with pytest.raises(ExtractionUnavailableError, match="Ray does not answer"):
        await lost.call(extractor("letter_extractor"), [source("a")], NoModels())
    assert "Ray is away" in str(lost.trouble)
    lost.leave(5)


@pytest.mark.whole
async def test_a_batch_waits_for_a_cluster_that_is_away(caller: Caller, ray_server: RayServer, tmp_path: Path) -> None:
    async with open_world(tmp_path, caller=caller) as world:
        bucket = await world.bucket()
        collection = await world.collection("docs", bucket)
        first = await world.objects(bucket, [{"text": "a"}])
        assert (await world.process(bucket, first)).status is TaskStatus.COMPLETED
        await asyncio.to_thread(ray_server.kill)
        ids = await world.objects(bucket, [{"text": text} for text in "bcd"])
        batch = (await world.batches.create(world.principal, bucket.name, ids)).batch
        await world.batches.submit(world.principal, bucket.name, batch.batch_id)
        await asyncio.to_thread(wait_for, lambda: world.worker.trouble() is not None)
        assert "Ray is away, batches wait" in str(world.worker.trouble())
        await asyncio.to_thread(ray_server.start)
        await world.worker.drain()
        assert world.worker.trouble() is None
        texts = sorted(str(one.fields["text"]) for one in await world.all_documents(collection))
        assert texts == ["a", "b", "c", "d"]


def test_a_server_whose_batches_a_cluster_extracts_is_killed_among_them(ray_server: RayServer, tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data", TAMIS_RAY_ADDRESS=ray_server.address) as server:
        with server.client() as client:
            bucket, collection = make_collection(client)
            ids = add_objects(client, bucket, OBJECTS)
            batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
            client.post(f"buckets/{bucket}/batches/{batch}/submit", {})
            wait_for(lambda: count_documents(client, collection) > 0, 240)
        server.kill_group()
        server.start()
        with server.client() as client:
            assert wait_for_batch(client, bucket, batch, 240) == "COMPLETED"
            documents = client.pages(f"collections/{collection}/documents/list")
            assert sorted(one["number"] for one in documents) == list(range(OBJECTS)), "each once"
            assert len(client.post("retrievers/execute", query(collection))["documents"]) == 10
            assert client.get("health")["status"] == "OK"
        assert f"actors of {ray_server.address}" in server.log
