"""kill -9 at random points of a mixed load, again and again: nothing acknowledged is lost, nothing is half done."""

import asyncio
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.live import LiveServer
from tests.proofs.mixed_load import Book, Place, Worker, everything, open_place
from tests.wire import Wire, wires

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
_CLIENTS = 8
_BATCH_TIMEOUT_S = 60


async def loaded_and_killed(server: LiveServer, place: Place, book: Book, chance: random.Random) -> None:
    """Mixed load for a while, then the end of the server alone or of all of its processes."""
    async with wires(server.url, server.key, _CLIENTS) as connections:
        seed = chance.randrange(10**9)
        workers = [Worker(f"w{number}", wire, place, book, seed) for number, wire in enumerate(connections)]
        working = [asyncio.create_task(worker.work(lambda: False)) for worker in workers]
        await asyncio.sleep(chance.uniform(0.05, 1.5))
        await asyncio.to_thread(chance.choice([server.kill, server.kill_group]))
        await asyncio.gather(*working)


async def verify_book(server: LiveServer, place: Place, book: Book) -> None:
    """Compare what the server has now with what it said, and settle what was open."""
    async with Wire(server.url, server.key) as http:
        await _batches_end(http, place, book)
        for key, may_be in book.documents.items():
            answer = await http.get(f"/v1/collections/{place.collection}/documents/{key}")
            number = answer.json()["number"] if answer.is_success else None
            assert answer.is_success or answer.status == 404, answer.text
            assert number in may_be, f"{key} is {number}, not of {may_be}"
            book.documents[key] = {number}
        for execution_id in book.executions:
            answer = await http.get(f"/v1/retrievers/executions/{execution_id}")
            assert answer.is_success, answer.text
            assert answer.json()["status"] == "completed"
        await _index_agrees(http, place, book)


async def _batches_end(http: Wire, place: Place, book: Book) -> None:
    deadline = time.monotonic() + _BATCH_TIMEOUT_S
    for batch_id in book.batches:
        while True:
            answer = await http.get(f"/v1/buckets/{place.bucket}/batches/{batch_id}")
            assert answer.is_success, answer.text
            if answer.json()["status"] == "COMPLETED":
                break
            assert time.monotonic() < deadline, answer.text
            await asyncio.sleep(0.05)


async def _index_agrees(http: Wire, place: Place, book: Book) -> None:
    """By way of the index, the clients find what is there, each with its number."""
    listed: dict[str, int] = {}
    page = 1
    while True:
        paged = everything(place.collection, pagination={"method": "offset", "page_size": 500, "page_number": page})
        answer = await http.post("/v1/retrievers/execute", paged)
        assert answer.is_success, answer.text
        found = answer.json()["documents"]
        listed.update((hit["document_id"], hit["number"]) for hit in found)
        if len(found) < 500:
            break
        page += 1
    there = {key: next(iter(may_be)) for key, may_be in book.documents.items() if may_be != {None}}
    assert {key: number for key, number in listed.items() if key.startswith("doc_w")} == there


def verify_data(server: LiveServer) -> None:
    command = [sys.executable, "-m", "tamis", "verify", "--data-dir", str(server.data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_killed_again_and_again(tmp_path: Path, quick: bool) -> None:
    chance, book = random.Random(20261130), Book()
    server = LiveServer(tmp_path / "data")
    server.start()
    try:
        place = asyncio.run(_placed(server))
        for _ in range(10 if quick else 200):
            asyncio.run(loaded_and_killed(server, place, book, chance))
            verify_data(server)
            server.start()
            asyncio.run(verify_book(server, place, book))
            del book.executions[:-50], book.batches[:-20]
        assert book.refused == []
        assert book.requests > 100
    finally:
        server.stop()


async def _placed(server: LiveServer) -> Place:
    async with Wire(server.url, server.key) as http:
        return await open_place(http, "loaded")
