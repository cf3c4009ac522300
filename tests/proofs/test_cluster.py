"""Two servers under a mixed load, while parts of the installation die in turn: nothing acknowledged is lost."""

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cluster import cluster
from tests.live import LiveServer
from tests.proofs.mixed_load import Book, Place, Worker, open_place
from tests.proofs.test_kills import verify_book
from tests.servers import PostgresServer, RedisServer
from tests.wire import Wire, wires

pytestmark = [pytest.mark.slow, pytest.mark.timeout(7200)]
_CLIENTS = 4
"""Of each server."""


def _postgres_crashes(postgres: PostgresServer) -> None:
    postgres.end()
    postgres.start()


def _redis_is_lost(redis: RedisServer) -> None:
    redis.kill()
    redis.start()


async def _loaded(
    servers: list[LiveServer], place: Place, book: Book, fault: Callable[[], None], chance: random.Random
) -> None:
    """Mixed load on both, a fault in the middle of it, and a while more."""
    is_over = False
    one, other = servers
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


def test_parts_that_die_in_turn(
    tmp_path: Path, quick: bool, postgres: PostgresServer, redis_server: RedisServer, qdrant_url: str
) -> None:
    chance, book = random.Random(20261130), Book()
    with cluster(tmp_path, postgres, redis_server, qdrant_url, TAMIS_CACHE_BYTES="1000000") as servers:
        place = asyncio.run(_placed(servers[0]))
        for turn in range(5 if quick else 60):
            faults: list[Callable[[], None]] = [
                servers[0].kill_group,
                lambda: _redis_is_lost(redis_server),
                servers[1].kill,
                lambda: _postgres_crashes(postgres),
                lambda: servers[chance.randrange(2)].hang(chance.uniform(0.5, 3.0)),
            ]
            asyncio.run(_loaded(servers, place, book, faults[turn % len(faults)], chance))
            for server in servers:
                if not server.is_running:
                    server.start()
            for server in servers:
                asyncio.run(verify_book(server, place, book))
            del book.executions[:-50], book.batches[:-20]
        assert [one for one in book.refused if ": 503 " not in one] == []
        assert book.requests > 100
