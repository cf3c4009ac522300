"""What a proxy says of its visitor is believed of the operator's own alone."""

from collections.abc import Sequence
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from tamis.api.proxies import Proxies
from tamis.auth.addresses import Addresses

Header = tuple[bytes, bytes]


async def seen(client: str, headers: Sequence[Header]) -> tuple[Any, str]:
    """The connection and the scheme as what stands behind sees them."""
    found: list[Scope] = []

    async def behind(scope: Scope, receive: Receive, send: Send) -> None:
        found.append(scope)

    async def nothing(*_: Any) -> Any:
        raise AssertionError("nothing is read or sent here")

    scope = {"type": "http", "scheme": "http", "client": (client, 4711), "headers": list(headers)}
    await Proxies(behind, Addresses(["10.0.0.0/8"]))(scope, nothing, nothing)
    assert scope["client"] == (client, 4711), "a layer changes nobody else's scope"
    return found[0]["client"], found[0]["scheme"]


def said(of: str, scheme: str) -> list[Header]:
    return [(b"x-forwarded-for", of.encode()), (b"x-forwarded-proto", scheme.encode())]


async def test_a_trusted_proxy_says_who_came_and_by_which_scheme() -> None:
    assert await seen("10.0.0.1", said("198.51.100.1", "https")) == (("198.51.100.1", 0), "https")


async def test_nobody_else_does_on_the_same_machine_neither() -> None:
    for client in ("127.0.0.1", "192.0.2.1"):
        assert await seen(client, said("198.51.100.1", "https")) == ((client, 4711), "http")


@pytest.mark.parametrize(
    ("written", "scheme"),
    [("https, http", "http"), ("http,https", "https"), ("HTTPS", "https"), ("javascript", "http"), ("", "http")],
)
async def test_the_nearest_proxy_has_the_last_word(written: str, scheme: str) -> None:
    assert (await seen("10.0.0.1", said("198.51.100.1", written)))[1] == scheme
    twice = [*said("198.51.100.1", "https"), (b"x-forwarded-proto", written.encode())]
    assert (await seen("10.0.0.1", twice))[1] == scheme
