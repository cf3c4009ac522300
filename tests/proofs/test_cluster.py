"""Two servers that answer and two that work, under a mixed load, while parts of the installation die in turn.

Nothing acknowledged is lost, nothing is there twice, no answer is older than its client knows, and what is degraded
says so.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.cluster import cluster
from tests.faults.waiting import wait_for
from tests.live import LiveServer
from tests.proofs.mixed_load import Book, Place, Worker, open_place
from tests.proofs.test_kills import verify_book
from tests.servers import ObjectStore, PostgresServer, RedisServer
from tests.wire import Wire, wires

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
_CLIENTS = 4
"""Of each server that answers."""


@dataclass(frozen=True)
class Installation:
    """answering: take requests and no batches.  working: the other way round."""

    answering: list[LiveServer]
    working: list[LiveServer]
    postgres: PostgresServer
    redis: RedisServer
    chance: random.Random

    @property
    def servers(self) -> list[LiveServer]:
        return [*self.answering, *self.working]

    def faults(self) -> list[Callable[[], None]]:
        return [
            self.answering[0].kill_group,
            self.working[0].kill_group,
            self._lose_redis,
            self.answering[1].kill,
            self._crash_postgres,
            self.working[1].kill,
            lambda: self.chance.choice(self.servers).hang(self.chance.uniform(0.5, 3.0)),
        ]

    def _lose_redis(self) -> None:
        """Until every server says so; then until none does."""
        self.redis.kill()
        try:
            wait_for(lambda: all("cache" in _errors(server) for server in self.servers))
        finally:
            self.redis.start()
        wait_for(lambda: not any(map(_errors, self.servers)))

    def _crash_postgres(self) -> None:
        self.postgres.end()
        try:
            wait_for(lambda: all("metadata" in _waiting_for(server) for server in self.servers))
        finally:
            self.postgres.start()
        wait_for(lambda: not any(map(_waiting_for, self.servers)))


def _errors(server: LiveServer) -> dict[str, str]:
    """By part, why it is not well."""
    answer = httpx.get(f"{server.url}/v1/health", timeout=30).json()
    assert (answer["status"] == "DEGRADED") == bool(answer["errors"])
    return {part: why for part, why in (answer["errors"] or {}).items() if why}


def _waiting_for(server: LiveServer) -> list[str]:
    answer = httpx.get(f"{server.url}/readyz", timeout=30)
    waiting = list(answer.json()["waiting_for"])
    assert (answer.status_code == 503) == bool(waiting)
    return waiting


async def _loaded(installation: Installation, place: Place, book: Book, fault: Callable[[], None]) -> None:
    """Mixed load on those that answer, a fault in the middle of it, and a while more."""
    is_over = False
    chance = installation.chance
    one, other = installation.answering
    async with wires(one.url, one.key, _CLIENTS) as first, wires(other.url, other.key, _CLIENTS) as second:
        workers = [
            Worker(f"w{number}", wire, place, book, chance.randrange(10**9))
            for number, wire in enumerate(chance.sample([*first, *second], 2 * _CLIENTS))
        ]
        working = [asyncio.create_task(worker.work(lambda: is_over)) for worker in workers]
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        await asyncio.to_thread(fault)
        await asyncio.sleep(chance.uniform(0.2, 1.5))
        is_over = True
        await asyncio.gather(*working)


async def _placed(server: LiveServer) -> Place:
    async with Wire(server.url, server.key) as http:
        return await open_place(http, "loaded")


def _verify_extracted(server: LiveServer, place: Place, book: Book) -> None:
    """Each object whose batch was acknowledged is one document, and none is two."""
    with server.client() as client:
        documents = client.pages(f"collections/{place.collection}/documents/list")
        made = Counter(one["root_object_id"] for one in documents if one["root_object_id"] in set(book.objects))
    assert [object_id for object_id, count in made.items() if count != 1] == []
    assert [object_id for object_id in book.sources.values() if object_id not in made] == []


def test_parts_that_die_in_turn(
    tmp_path: Path, quick: bool, postgres: PostgresServer, redis_server: RedisServer, qdrant_url: str, s3: ObjectStore
) -> None:
    chance, book = random.Random(20261130), Book()
    settings = {**s3.environment, "TAMIS_BLOB_URL": f"s3://{s3.bucket}/cluster", "TAMIS_CACHE_BYTES": "1000000"}
    with cluster(tmp_path, postgres, redis_server, qdrant_url, 2, 2, **settings) as servers:
        installation = Installation(servers[:2], servers[2:], postgres, redis_server, chance)
        place = asyncio.run(_placed(servers[0]))
        faults = installation.faults()
        for turn in range(len(faults) if quick else 60):
            asyncio.run(_loaded(installation, place, book, faults[turn % len(faults)]))
            for server in servers:
                if not server.is_running:
                    server.start()
            for server in installation.answering:
                asyncio.run(verify_book(server, place, book))
                _verify_extracted(server, place, book)
            del book.executions[:-50], book.batches[:-20]
        assert [one for one in book.refused if ": 503 " not in one] == []
        assert book.requests > 100
        assert len(book.sources) > len(faults)
