"""What is sent again, how long is waited, and that no limit of time is passed by it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tamis.engine.ports.outside import Fetch
from tamis.errors import OutsideError
from tamis.model.principal import Permission, Principal
from tamis.outside.http import HttpOutside
from tamis.outside.retrying import pause_s
from tamis.outside.secrets import SecretStore
from tests.outside.server import Answer, Asked, Respond, Server, served

ONE = Principal("org_1", "ns_1", frozenset(Permission))


def failing(times: int, status: int, **headers: str) -> Respond:
    left = iter(range(times))

    def respond(_asked: Asked) -> Answer:
        return Answer(b"no", status, headers) if next(left, None) is not None else Answer(b"yes")

    return respond


class Waits(list[float]):
    """Noted, and not waited for."""

    async def __call__(self, delay_s: float) -> None:
        self.append(delay_s)


def outside(server: Server, waits: Waits) -> HttpOutside:
    return HttpOutside(replace(server.rules(), retries=2), SecretStore(), sleep=waits)


@pytest.mark.parametrize(
    ("method", "status", "asked"),
    [("GET", 429, 3), ("GET", 500, 3), ("GET", 503, 3), ("GET", 404, 1), ("GET", 501, 1),
     ("POST", 429, 3), ("POST", 503, 3), ("POST", 500, 1), ("PATCH", 502, 1), ("PUT", 502, 3)],
)  # fmt: skip
async def test_what_is_sent_again(method: str, status: int, asked: int) -> None:
    slept = Waits()
    async with served(failing(9, status)) as server:
        found = await outside(server, slept).fetch(
            ONE, Fetch(server.url, method, body=b"{}" if method != "GET" else None)
        )
    assert (found.status, len(server.asked)) == (status, asked)
    assert slept == [0.25, 0.5][: asked - 1]


async def test_a_later_answer_is_the_answer() -> None:
    slept = Waits()
    async with served(failing(2, 429, **{"Retry-After": "1"})) as server:
        found = await outside(server, slept).fetch(ONE, Fetch(server.url))
    assert (found.status, found.body) == (200, b"yes")
    assert slept == [1, 1]


async def test_who_is_asked_to_wait_too_long_does_not_wait() -> None:
    slept = Waits()
    async with served(failing(9, 429, **{"Retry-After": "120"})) as server:
        found = await outside(server, slept).fetch(ONE, Fetch(server.url, timeout_s=5))
    assert (found.status, len(server.asked), slept) == (429, 1, [])


async def test_a_broken_connection_is_tried_again() -> None:
    slept = Waits()
    broken = iter([True])

    def respond(_asked: Asked) -> Answer:
        return Answer(b"y", headers={"content-length": "9"}) if next(broken, False) else Answer(b"yes")

    async with served(respond) as server:
        assert (await outside(server, slept).fetch(ONE, Fetch(server.url))).body == b"yes"
        gone = server.url
    with pytest.raises(OutsideError, match="no connection"):
        await outside(server, slept).fetch(ONE, Fetch(gone))
    with pytest.raises(OutsideError, match="no connection"):
        await outside(server, slept).fetch(ONE, Fetch(gone, "POST", body=b"{}"))
    assert slept == [0.25, 0.25, 0.5]


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7),
        ("0", 0.25, 0.25),
        ("-3", 0.25, 0.25),
        ("soon", 0.25, 0.25),
        ("٣", 0.25, 0.25),
        ("9" * 400, 999_999_999, 999_999_999),
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True), 55, 61),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.25, 0.25),
    ],
)
def test_what_a_service_asks_for(value: str | Callable[[], str], least: float, most: float) -> None:
    text = value if isinstance(value, str) else value()
    waited = pause_s("GET", 429, {"retry-after": text}, 0)
    assert waited is not None
    assert least <= waited <= most
