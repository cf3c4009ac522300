"""robots.txt: whose pages are read, as whom, and what is done where it cannot be had."""

import asyncio
from dataclasses import replace

import pytest

from tamis.engine.ports.outside import Fetch
from tamis.errors import OutsideError
from tamis.model.principal import Permission, Principal
from tamis.outside.http import HttpOutside
from tamis.outside.robots import Read, Robots
from tamis.outside.secrets import SecretStore
from tamis.outside.targets import any_target
from tests.outside.server import Answer, Asked, Respond, Server, served

ONE = Principal("org_1", "ns_1", frozenset(Permission))
RULES = b"""User-agent: *
Disallow: /private
Allow: /private/open
Disallow: /*.pdf$

User-agent: tamis
Disallow: /notamis
"""


def site(robots: Answer) -> Respond:
    return lambda asked: robots if asked.path == "/robots.txt" else Answer(b"page")


def outside(server: Server, agent: str = "tamis", **more: object) -> HttpOutside:
    return HttpOutside(replace(server.rules(), user_agent=agent, **more), SecretStore())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("agent", "path", "is_read"),
    [
        ("tamis", "/notamis/x", False),
        ("tamis", "/private", True),
        ("tamis/2.0 (+https://example.com)", "/notamis", False),
        ("other", "/private/x", False),
        ("other", "/private/open/x", True),
        ("other", "/a.pdf", False),
        ("other", "/a.pdf?x=1", True),
        ("other", "/notamis", True),
    ],
)
async def test_whose_rules_hold(agent: str, path: str, is_read: bool) -> None:
    async with served(site(Answer(RULES))) as server:
        asked = outside(server, agent).read_page(ONE, Fetch(f"{server.url}{path}"))
        if is_read:
            assert (await asked).body == b"page"
        else:
            with pytest.raises(OutsideError, match=r"robots\.txt"):
                await asked
    assert [one.headers["user-agent"] for one in server.asked] == [agent] * (1 + is_read)


async def test_it_is_asked_for_once() -> None:
    async with served(site(Answer(RULES))) as server:
        one = outside(server)
        await asyncio.gather(*(one.read_page(ONE, Fetch(f"{server.url}/{n}")) for n in range(5)))
    assert [asked.path for asked in server.asked].count("/robots.txt") == 1
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    ("robots", "is_read"),
    [
        (Answer(status=404), True),
        (Answer(status=403), True),
        (Answer(b"\xff\xfe rubbish \x00" * 100), True),
        (Answer(status=500), False),
        (Answer(status=429), False),
        (Answer(b"#" * (600 * 1024)), False),
        (Answer(status=302, headers={"location": "http://169.254.169.254/"}), False),
    ],
)
async def test_where_it_cannot_be_had(robots: Answer, is_read: bool) -> None:
    """RFC 9309, 2.3.1: without rules all may be read, without an answer nothing."""
    async with served(site(robots)) as server:
        asked = outside(server).read_page(ONE, Fetch(f"{server.url}/x"))
        if is_read:
            assert (await asked).body == b"page"
        else:
            with pytest.raises(OutsideError, match="cannot be had"):
                await asked


async def test_a_redirect_is_asked_about_too() -> None:
    def respond(asked: Asked) -> Answer:
        if asked.path == "/x":
            return Answer(status=302, headers={"location": "/notamis"})
        return site(Answer(RULES))(asked)  # type: ignore[return-value]

    async with served(respond) as server:
        with pytest.raises(OutsideError, match="does not let 'tamis'"):
            await outside(server).read_page(ONE, Fetch(f"{server.url}/x"))
    assert [asked.path for asked in server.asked] == ["/robots.txt", "/x"]


async def test_the_operator_may_turn_it_off_and_interfaces_are_not_asked() -> None:
    async with served(site(Answer(RULES))) as server:
        await outside(server, robots=False).read_page(ONE, Fetch(f"{server.url}/notamis"))
        await outside(server).fetch(ONE, Fetch(f"{server.url}/notamis"))
    assert [asked.path for asked in server.asked] == ["/notamis", "/notamis"]


async def test_rules_are_read_again_after_an_hour_and_a_failure_after_a_minute() -> None:
    now = [0.0]
    answers = iter([Read(500, b""), Read(200, b"User-agent: *\nDisallow: /"), Read(200, b"")])
    robots = Robots("tamis", lambda: now[0])
    target = any_target("https://example.com/x")

    async def read(url: str) -> Read:
        assert url == "https://example.com:443/robots.txt"
        return next(answers)

    for at_s, message in (
        (0, "it answered 500"),
        (59, "it answered 500"),
        (61, "does not let"),
        (3660, "does not let"),
    ):
        now[0] = at_s
        with pytest.raises(OutsideError, match=message):
            await robots.check(target, read)
    now[0] = 3662
    await robots.check(target, read)


async def test_no_pattern_takes_long() -> None:
    """Matched by backtracking, these would take years."""
    rules = "User-agent: *\n" + "".join(f"Disallow: /{'*a' * count}*b$\n" for count in range(10, 40))
    target = any_target("https://example.com/" + "ab" * 400 + "c")

    async def read(_url: str) -> Read:
        return Read(200, rules.encode())

    async with asyncio.timeout(20):
        await Robots("tamis").check(target, read)
