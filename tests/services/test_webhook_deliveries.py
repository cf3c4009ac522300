"""Webhooks against a receiver that fails, stalls, repeats and redirects; the record and the way out are real."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tamis.engine.local_locks import LocalLocks
from tamis.engine.ports.metadata import Metadata
from tamis.model.webhook import Delivery, DeliveryStatus, Target, Webhook
from tamis.outside.http import HttpOutside
from tamis.outside.secrets import SecretStore
from tamis.outside.targets import Rules
from tamis.services.access.webhooks import WebhookSecrets, WebhookService
from tamis.services.upkeep.webhook_deliveries import WebhookDeliveries
from tamis.storage.metadata import open_sqlite
from tamis.testing.metadata_contract.samples import ME, object_, webhook
from tamis.wiring.clock import SystemClock
from tests.outside.server import Answer, Asked, Server, served

SECRETS = WebhookSecrets(b"s" * 32)
PAGE = Path(__file__).parents[2] / "docs" / "webhooks.md"
EVENTS = ("object.created", "object.updated")


@pytest.fixture
async def metadata(tmp_path: Path) -> AsyncIterator[Metadata]:
    metadata = await open_sqlite(tmp_path / "tamis.db")
    yield metadata
    await metadata.close()


@asynccontextmanager
async def telling(metadata: Metadata, rules: Rules, attempts: int = 5) -> AsyncIterator[WebhookDeliveries]:
    outside = HttpOutside(replace(rules, retries=0), SecretStore())
    worker = WebhookDeliveries(
        metadata, outside, SystemClock(), LocalLocks(), SECRETS, waits_s=(0.01,) * (attempts - 1), poll_s=0.01
    )
    worker.start()
    try:
        yield worker
    finally:
        await worker.close()


async def listen(metadata: Metadata, *urls: str, name: str = "first", timeout_s: float = 5.0) -> Webhook:
    targets = tuple(Target(url, {"x-mine": "yes"}, timeout_s) for url in urls)
    made = replace(webhook(name, *EVENTS), targets=targets)
    await metadata.write(lambda session: session.webhooks.insert(ME, made))
    return made


async def happen(metadata: Metadata, *numbers: int, anew: bool = True) -> None:
    for number in numbers:
        if anew:
            await metadata.write(lambda session, it=number: session.objects.insert(ME, [object_(it)]))  # type: ignore[misc]
        else:
            await metadata.write(lambda session, it=number: session.objects.replace(ME, [object_(it)]))  # type: ignore[misc]


async def log(metadata: Metadata, name: str = "first") -> list[Delivery]:
    """Oldest first."""
    page = await metadata.read(lambda session: session.deliveries.page(ME, f"wh_{name:0<10}", None, 100, 0))
    return list(reversed(page.items))


async def until(metadata: Metadata, holds: Callable[[list[Delivery]], bool], name: str = "first") -> list[Delivery]:
    for _ in range(3000):
        if holds(found := await log(metadata, name)):
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(found)


def all_are(status: DeliveryStatus) -> Callable[[list[Delivery]], bool]:
    return lambda found: bool(found) and {one.status for one in found} == {status}


def told(server: Server) -> list[tuple[str, str]]:
    bodies = [json.loads(one.body) for one in server.asked]
    return [(body["resource_id"], body["type"]) for body in bodies]


async def test_what_fails_is_told_again_as_it_was_signed_anew(metadata: Metadata) -> None:
    answers = iter([Answer(status=500), Answer(status=429), Answer(b"thanks", 202)])
    async with served(lambda _: next(answers)) as server:
        made = await listen(metadata, f"{server.url}/hook")
        await happen(metadata, 1)
        async with telling(metadata, server.rules()):
            (one,) = await until(metadata, all_are(DeliveryStatus.DELIVERED))
    assert (one.attempts, one.answered, one.error) == (3, 202, None)
    assert one.ended_at is not None
    assert len({asked.body for asked in server.asked}) == 1
    assert {asked.headers["webhook-id"] for asked in server.asked} == {one.event.event_id}
    body = json.loads(server.asked[0].body)
    assert (body["id"], body["type"], body["data"]) == (
        one.event.event_id,
        "object.created",
        {"object_id": "obj_0001", "bucket_id": "bkt_1"},
    )
    for asked in server.asked:
        assert is_ours(asked, SECRETS.shown(made.webhook_id))
        assert not is_ours(asked, SECRETS.shown("wh_another000"))
        assert not is_ours(replace(asked, body=asked.body + b" "), SECRETS.shown(made.webhook_id))
        assert asked.headers["x-mine"] == "yes"


def is_ours(asked: Asked, secret: str) -> bool:
    """As the page tells receivers to check it."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    page: dict[str, Any] = {}
    exec(code, page)
    return bool(page["is_ours"](asked.headers, asked.body, secret))


async def test_events_of_a_resource_keep_their_order_and_hold_up_no_other(metadata: Metadata) -> None:
    failures = iter([500, 500])

    def respond(asked: Asked) -> Answer:
        is_first = b"obj_0001" in asked.body and b"created" in asked.body
        return Answer(status=next(failures, 200) if is_first else 200)

    async with served(respond) as server:
        await listen(metadata, server.url)
        await happen(metadata, 1)
        await happen(metadata, 1, anew=False)
        await happen(metadata, 2)
        async with telling(metadata, server.rules()):
            await until(metadata, all_are(DeliveryStatus.DELIVERED))
    of_first = [kind for resource, kind in told(server) if resource == "obj_0001"]
    assert of_first == ["object.created"] * 3 + ["object.updated"]
    assert told(server).index(("obj_0002", "object.created")) < told(server).index(("obj_0001", "object.updated"))


async def test_a_receiver_that_stalls_keeps_no_other_waiting(metadata: Metadata) -> None:
    ends = asyncio.Event()

    async def respond(asked: Asked) -> Answer:
        if asked.path == "/stalls":
            await ends.wait()
        return Answer()

    async with served(respond) as server:
        await listen(metadata, f"{server.url}/stalls", name="slow", timeout_s=30)
        await listen(metadata, f"{server.url}/answers")
        await happen(metadata, *range(1, 9))
        async with telling(metadata, server.rules()):
            await until(metadata, all_are(DeliveryStatus.DELIVERED))
            assert {one.status for one in await log(metadata, "slow")} == {DeliveryStatus.WAITING}
            assert len([one for one in server.asked if one.path == "/stalls"]) == 4
            ends.set()
            await until(metadata, all_are(DeliveryStatus.DELIVERED), "slow")


async def test_what_is_never_heard_fails_and_is_replayed(metadata: Metadata) -> None:
    status = 503
    service = WebhookService(metadata, SystemClock())
    async with served(lambda _: Answer(status=status)) as server:
        await listen(metadata, server.url)
        await happen(metadata, 1)
        async with telling(metadata, server.rules(), attempts=3):
            (failed,) = await until(metadata, all_are(DeliveryStatus.FAILED))
            assert (failed.attempts, failed.answered, failed.error) == (3, 503, "the receiver answered 503")
            status = 200
            assert await service.replay(ME, "first", None) == 1
            (heard,) = await until(metadata, all_are(DeliveryStatus.DELIVERED))
            assert heard.event == failed.event
            assert await service.replay(ME, "first", [heard.delivery_id]) == 1
            await until(metadata, lambda _: len(server.asked) == 5)
    assert len({asked.headers["webhook-id"] for asked in server.asked}) == 1


async def test_who_is_stopped_while_telling_tells_it_again(metadata: Metadata) -> None:
    heard = asyncio.Event()

    async def respond(_: Asked) -> Answer:
        if not heard.is_set():
            heard.set()
            await asyncio.sleep(30)
        return Answer()

    async with served(respond) as server:
        await listen(metadata, server.url, timeout_s=60)
        await happen(metadata, 1)
        async with telling(metadata, server.rules()):
            await heard.wait()
        assert [one.status for one in await log(metadata)] == [DeliveryStatus.WAITING]
        async with telling(metadata, server.rules()):
            await until(metadata, all_are(DeliveryStatus.DELIVERED))
    assert len({asked.headers["webhook-id"] for asked in server.asked}) == 1
    assert len(server.asked) == 2


async def test_nothing_is_sent_where_the_operator_lets_nobody_reach(metadata: Metadata) -> None:
    async with served(lambda _: Answer()) as server:
        await listen(metadata, server.url)
        await happen(metadata, 1)
        async with telling(metadata, Rules(("example.com",), ports=(server.port,)), attempts=2):
            (failed,) = await until(metadata, all_are(DeliveryStatus.FAILED))
        async with telling(metadata, Rules(("127.0.0.1",), ports=(server.port,)), attempts=2):
            await WebhookService(metadata, SystemClock()).replay(ME, "first", None)
            await until(
                metadata, lambda found: found[0].error != failed.error and all_are(DeliveryStatus.FAILED)(found)
            )
    assert "TAMIS_OUTSIDE_DOMAINS" in str(failed.error)
    assert server.asked == []


async def test_a_redirect_is_not_followed(metadata: Metadata) -> None:
    moved = Answer(status=302, headers={"location": "/else"})
    async with served(lambda _: moved) as server:
        await listen(metadata, server.url)
        await happen(metadata, 1)
        async with telling(metadata, server.rules(), attempts=1):
            (failed,) = await until(metadata, all_are(DeliveryStatus.FAILED))
    assert "redirected" in str(failed.error)
    assert len(server.asked) == 1


async def test_every_channel_is_told_and_one_that_is_gone_fails(metadata: Metadata) -> None:
    async with served(lambda _: Answer()) as server:
        made = await listen(metadata, f"{server.url}/a", f"{server.url}/b")
        await happen(metadata, 1)
        await metadata.write(lambda session: session.webhooks.replace(ME, replace(made, targets=made.targets[:1])))
        async with telling(metadata, server.rules()):
            first, second = await until(
                metadata, lambda found: not any(one.status is DeliveryStatus.WAITING for one in found)
            )
    assert (first.status, second.status) == (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED)
    assert [one.path for one in server.asked] == ["/a"]
