"""kill -9 in the midst of triggers that fire: once for every moment, none lost, each told under an id of its own."""

import asyncio
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.metadata import Metadata, Session
from tamis.model.webhook import DeliveryStatus
from tamis.outside.http import HttpOutside
from tamis.outside.secrets import SecretStore
from tamis.services.access.webhooks import WebhookSecrets
from tamis.services.upkeep.webhook_deliveries import WebhookDeliveries
from tamis.storage.metadata import open_postgres, open_sqlite
from tamis.testing.metadata_contract.samples import ME
from tamis.wiring.clock import SystemClock
from tests.cluster import fresh_database
from tests.jobs.triggering_world import HOOK, check_course, furnish, go_on, undisturbed
from tests.outside.server import Answer, Asked, Server, served
from tests.servers import PostgresServer

ROOT = Path(__file__).parents[2]


class Child:
    def __init__(self, where: str, until_s: float) -> None:
        command = [sys.executable, "-m", "tests.jobs.triggering_child", where, str(until_s)]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)

    def wait_for(self, moments: int) -> None:
        assert self._process.stdout is not None
        for _ in range(moments):
            self._process.stdout.readline()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def end(self) -> None:
        _, _ = self._process.communicate(timeout=120)
        assert self._process.returncode == 0


async def _killed(where: str, until_s: float, kills: int, chance: random.Random) -> None:
    for _ in range(kills):
        child = await asyncio.to_thread(Child, where, until_s)
        await asyncio.to_thread(child.wait_for, chance.randrange(1, 6))
        await asyncio.sleep(chance.uniform(0, 0.02))  # somewhere within the next moment
        await asyncio.to_thread(child.kill)


def _unwilling() -> Iterator[Answer | None]:
    """Fails, breaks off, is silent, and then hears."""
    yield Answer(status=500)
    yield None
    yield Answer(status=503)
    while True:
        yield Answer()


def _waiting(session: Session) -> int:
    return session.deliveries.page(ME, HOOK, DeliveryStatus.WAITING, 1, 0).total


async def _told(metadata: Metadata, server: Server) -> None:
    outside = HttpOutside(server.rules(retries=0), SecretStore())
    secrets = WebhookSecrets(b"s" * 32)
    worker = WebhookDeliveries(
        metadata, outside, SystemClock(), LocalLocks(), secrets, waits_s=(0.01,) * 20, poll_s=0.01
    )
    worker.start()
    try:
        async with asyncio.timeout(60):
            while await metadata.read(_waiting):  # noqa: ASYNC110 - of another process's making
                await asyncio.sleep(0.01)
    finally:
        await worker.close()


async def _furnished(folder: Path, url: str = "http://127.0.0.1/hook") -> Path:
    metadata = await open_sqlite(folder / "tamis.db")
    await furnish(metadata, url)
    await metadata.close()
    return folder / "tamis.db"


async def test_triggers_that_are_killed_fire_once_for_each_moment_and_say_so(tmp_path: Path) -> None:
    until_s, answers = 61.0, _unwilling()

    def respond(_: Asked) -> Answer:
        answer = next(answers)
        if answer is None:
            raise ConnectionError
        return answer

    async with served(respond) as server:
        path = await _furnished(tmp_path, f"{server.url}/hook")
        expected = await undisturbed(path, until_s)
        assert all(expected.values())
        await _killed(str(path), until_s, 1, random.Random(3))
        metadata = await open_sqlite(path)
        try:
            await go_on(metadata, until_s)
            deliveries = await check_course(metadata, expected)
            await _told(metadata, server)
        finally:
            await metadata.close()
        heard = Counter(json.loads(one.body)["id"] for one in server.asked)
        assert heard.keys() == {one.event.event_id for one in deliveries}
        assert heard.total() == len(deliveries) + 3, "what was not heard is told again under its id, and nothing else"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
async def test_triggers_survive_being_killed_wherever_they_are(tmp_path: Path, seed: int) -> None:
    until_s = 400.0
    path = await _furnished(tmp_path)
    expected = await undisturbed(path, until_s)
    await _killed(str(path), until_s, 8, random.Random(seed))
    metadata = await open_sqlite(path)
    try:
        await go_on(metadata, until_s)
        await check_course(metadata, expected)
    finally:
        await metadata.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
async def test_of_two_that_look_at_once_either_may_be_killed(
    tmp_path: Path, postgres: PostgresServer, seed: int
) -> None:
    """Each without knowing of the other: their locks are two, as when one's hold is lost."""
    until_s, where = 300.0, fresh_database(postgres)
    expected = await undisturbed(await _furnished(tmp_path), until_s)
    metadata = await open_postgres(where)
    try:
        await furnish(metadata)
        other = Child(where, until_s)
        await _killed(where, until_s, 5, random.Random(seed))
        await asyncio.to_thread(other.end)
        await check_course(metadata, expected)
    finally:
        await metadata.close()
