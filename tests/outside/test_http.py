"""What may be reached, how much of it, and that secrets stay where they belong."""

import asyncio
import gzip
import json
import logging
import zlib
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network

import pytest
from pydantic import SecretStr

from tamis.engine.ports.outside import Fetch
from tamis.errors import OutsideError, OutsideRefusedError, SecretRefusedError
from tamis.model.principal import Principal
from tamis.outside.addresses import is_reachable
from tamis.outside.http import HttpOutside
from tamis.outside.secrets import SecretStore, secret_store
from tamis.outside.targets import Rules
from tests.outside.server import Answer, Asked, Server, served

ONE = Principal("org_1", "ns_1")
VALUE = "sk-live-0123456789"
EVERYWHERE = Rules(("*", "127.0.0.1", "[::1]", "::1", "10.0.0.1", "169.254.169.254"))
NOTHING = SecretStore()


def secrets(*hosts: str) -> SecretStore:
    return secret_store(SecretStr(json.dumps({"api": {"value": VALUE, "hosts": hosts}})), None)


def resolving(*addresses: str) -> "Resolver":
    return Resolver(list(addresses))


class Resolver:
    """Answers with one address after the other, as a name server that rebinds does."""

    def __init__(self, addresses: list[str]) -> None:
        self.addresses = addresses
        self.asked = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return [self.addresses[min(self.asked, len(self.addresses)) - 1]]


PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "192.0.0.192", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1",
    "::", "::1", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "ff02::1", "fec0::1", "::ffff:127.0.0.1",
    "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2001::1", "2001:db8::1",
    "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
async def test_a_name_that_leads_inside_is_refused(address: str) -> None:
    assert not is_reachable(address, ())
    outside = HttpOutside(EVERYWHERE, NOTHING, resolving(address))
    with pytest.raises(OutsideRefusedError, match="TAMIS_OUTSIDE_NETWORKS"):
        await outside.fetch(ONE, Fetch("https://inside.example.com/"))


def test_public_addresses_and_those_the_operator_allows_are_reached() -> None:
    assert all(is_reachable(address, ()) for address in ("8.8.8.8", "2606:4700::1111", "1.1.1.1"))
    assert is_reachable("10.1.2.3", (ip_network("10.0.0.0/8"),))
    assert not is_reachable("10.1.2.3", (ip_network("::/0"), ip_network("10.2.0.0/16")))


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "ftp://example.com/", "gopher://example.com/", "javascript:alert(1)", "//example.com/",
        "example.com", "", "http://", "http:///x", "https://user:pw@example.com/", "https://user@example.com/",
        "http://example.com:22/", "http://example.com:8080/", "http://example.com:99999/", "http://2130706433/",
        "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://0x7f.1/", "http://127.0.0.1.:22/",
        "http://017700000001/", "http://10.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/",
        "http://[fe80::1%25eth0]/", "http://example.com\\@127.0.0.1/", "http://example.com /", "http://exa\nmple.com/",
        "http://127.0.0.1\t/", "http://１２７.0.0.1/", "http://127。0。0。1/", "http://%31%32%37.0.0.1/",
        "http://localhost/", "http://169.254.169.254/latest/meta-data/",
        "https://example.com/" + "a" * 9000,
    ],
)  # fmt: skip
async def test_no_spelling_gets_inside(url: str) -> None:
    outside = HttpOutside(EVERYWHERE, NOTHING)
    with pytest.raises(OutsideRefusedError):
        await outside.fetch(ONE, Fetch(url))


@pytest.mark.parametrize("host", ["example.com", "www.example.org", "notexample.net", "example.net", "8.8.8.8"])
async def test_what_is_not_listed_is_refused_before_any_lookup(host: str) -> None:
    resolver = resolving("8.8.8.8")
    outside = HttpOutside(Rules(("*.example.net", "example.org")), NOTHING, resolver)
    with pytest.raises(OutsideRefusedError, match="TAMIS_OUTSIDE_DOMAINS"):
        await outside.fetch(ONE, Fetch(f"https://{host}/"))
    assert resolver.asked == 0


async def test_nothing_is_allowed_unless_it_is_set() -> None:
    with pytest.raises(OutsideRefusedError, match="TAMIS_OUTSIDE_DOMAINS"):
        await HttpOutside(Rules(), NOTHING).fetch(ONE, Fetch("https://example.com/"))


async def test_a_stages_own_domains_are_within_the_operators() -> None:
    outside = HttpOutside(Rules(("a.com",)), NOTHING)
    with pytest.raises(OutsideRefusedError, match="allowed_domains"):
        await outside.fetch(ONE, Fetch("https://a.com/", allowed_domains=("b.com",)))
    with pytest.raises(OutsideRefusedError, match="TAMIS_OUTSIDE_DOMAINS"):
        await outside.fetch(ONE, Fetch("https://b.com/", allowed_domains=("b.com",)))


def hello(asked: Asked) -> Answer:
    body = json.dumps({"path": asked.target, "headers": asked.headers, "body": asked.body.decode()})
    return Answer(body.encode(), headers={"Content-Type": "application/json", "Set-Cookie": "a=b"})


async def test_a_request_arrives_as_it_was_meant() -> None:
    async with served(hello) as server:
        outside = HttpOutside(server.rules(), NOTHING)
        fetch = Fetch(f"{server.url}/a?b=1", "POST", {"X-One": "eins"}, {"c": "ä&"}, b"{}")
        found = await outside.fetch(ONE, fetch)
    asked = server.asked[0]
    assert (asked.method, asked.path, asked.query, asked.body) == ("POST", "/a", {"b": "1", "c": "ä&"}, b"{}")
    assert asked.headers["x-one"] == "eins"
    assert asked.headers["host"] == f"127.0.0.1:{server.port}"
    assert found.status == 200
    assert found.headers["content-type"] == "application/json"
    assert "set-cookie" not in found.headers


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    """A name that would lead elsewhere when asked again is not asked again."""
    async with served(hello) as server:
        resolver = resolving("127.0.0.1", "169.254.169.254")
        outside = HttpOutside(server.rules("rebinding.example.com"), NOTHING, resolver)
        url = f"http://rebinding.example.com:{server.port}/"
        assert (await outside.fetch(ONE, Fetch(url))).status == 200
        assert resolver.asked == 1
        with pytest.raises(OutsideRefusedError, match="not public"):
            await outside.fetch(ONE, Fetch(url))


@pytest.mark.parametrize(
    "location",
    ["http://169.254.169.254/", "http://[::1]/", "file:///etc/passwd", "//10.0.0.1/", "http://0x7f.1/", "http://u:p@a.com/"],
)  # fmt: skip
async def test_a_redirect_inside_is_refused(location: str) -> None:
    async with served(lambda asked: Answer(status=302, headers={"Location": location})) as server:
        outside = HttpOutside(server.rules("*", "127.0.0.1", "169.254.169.254", "::1", "10.0.0.1"), NOTHING)
        with pytest.raises(OutsideRefusedError):
            await outside.fetch(ONE, Fetch(server.url))
    assert len(server.asked) == 1


async def test_redirects_are_followed_so_many_times() -> None:
    def respond(asked: Asked) -> Answer:
        return Answer(b"there") if asked.path == "/3" else Answer(status=303, headers={"Location": next_of(asked)})

    def next_of(asked: Asked) -> str:
        return f"/{int(asked.path.strip('/') or 0) + 1}"

    async with served(respond) as server:
        outside = HttpOutside(server.rules(), NOTHING)
        found = await outside.fetch(ONE, Fetch(server.url, "POST", body=b"x"))
        assert (found.url, found.body) == (f"{server.url}/3", b"there")
        assert [asked.method for asked in server.asked] == ["POST", "GET", "GET", "GET"]
        with pytest.raises(OutsideError, match="redirected more than 2"):
            await outside.fetch(ONE, Fetch(server.url, max_redirects=2))


BOMB = zlib.compress(bytes(50_000_000), 9)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(bytes(3000)), "larger than 2000"),
        (Answer(gzip.compress(bytes(10_000_000)), headers={"Content-Encoding": "gzip"}), "larger than 2000"),
        (Answer(BOMB, headers={"Content-Encoding": "deflate"}), "larger than 2000"),
        (Answer(b"no gzip", headers={"Content-Encoding": "gzip"}), "not compressed as it says"),
        (Answer(gzip.compress(b"abc")[:-6], headers={"Content-Encoding": "gzip"}), "broke off"),
        (Answer(b"x", headers={"Content-Encoding": "br"}), "not asked for"),
        (Answer(b"short", headers={"Content-Length": "100"}), "failed"),
        (Answer(b"x" * 100, drip_s=0.05), "no whole answer within 0.5 s"),
    ],
)
async def test_bad_bodies(answer: Answer, message: str) -> None:
    async with served(lambda asked: answer) as server:
        outside = HttpOutside(server.rules(), NOTHING)
        with pytest.raises(OutsideError, match=message):
            await outside.fetch(ONE, Fetch(server.url, max_bytes=2000, timeout_s=0.5))


async def test_compressed_bodies_are_read_up_to_the_last_byte_allowed() -> None:
    for encoding, body in (("gzip", gzip.compress(bytes(2000))), ("deflate", zlib.compress(bytes(2000)))):
        answer = Answer(body, headers={"Content-Encoding": encoding})
        async with served(lambda asked, answer=answer: answer) as server:  # type: ignore[misc]
            found = await HttpOutside(server.rules(), NOTHING).fetch(ONE, Fetch(server.url, max_bytes=2000))
            assert found.body == bytes(2000)


async def test_a_host_that_is_not_there() -> None:
    async with served(hello) as server:
        rules = server.rules()
    with pytest.raises(OutsideError, match="no connection"):
        await HttpOutside(rules, NOTHING).fetch(ONE, Fetch(server.url))


async def echoing(server: Server, fetch: Fetch, store: SecretStore) -> tuple[str, Asked]:
    found = await HttpOutside(server.rules(), store).fetch(ONE, fetch)
    return f"{found.url} {dict(found.headers)} {found.body.decode()}", server.asked[-1]


async def test_a_secret_arrives_and_does_not_come_back(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fetch = Fetch("", secret_headers={"X-Key": "Token {{SECRET.api}}"}, secret_query={"key": "{{SECRET.api}}"})
    store = secrets("http://127.0.0.1")

    def respond(asked: Asked) -> Answer:
        return replace(hello(asked), headers={"X-Echo": asked.headers.get("x-key", "none")})

    async with served(respond) as server:
        told, asked = await echoing(server, replace(fetch, url=server.url), store)
        assert asked.headers["x-key"] == f"Token {VALUE}"
        assert asked.query == {"key": VALUE}
        assert "[secret]" in told
        assert VALUE not in told + caplog.text
        told, asked = await echoing(server, Fetch(server.url, basic="api"), store)
        assert asked.headers["authorization"] == "Basic c2stbGl2ZS0wMTIzNDU2Nzg5"
        assert "c2stbGl2ZS0wMTIzNDU2Nzg5" not in told


@pytest.mark.parametrize("hosts", [("127.0.0.2",), ("example.com",), ("127.0.0.1",)])
async def test_a_secret_of_another_host_or_only_for_tls_is_not_sent(hosts: tuple[str, ...]) -> None:
    async with served(hello) as server:
        fetch = Fetch(server.url, secret_headers={"X-Key": "{{SECRET.api}}"})
        with pytest.raises(SecretRefusedError, match="not bound"):
            await HttpOutside(server.rules(), secrets(*hosts)).fetch(ONE, fetch)
    assert server.asked == []


async def test_a_redirect_takes_no_secret_along() -> None:
    async with served(hello) as other:
        moved = Answer(status=302, headers={"Location": f"{other.url}/"})
        async with served(lambda asked: moved) as server:
            rules = replace(server.rules(), ports=(server.port, other.port))
            store = secrets("http://127.0.0.1")
            fetch = Fetch(server.url, secret_headers={"X-Key": "{{SECRET.api}}"}, headers={"X-Other": "mine"})
            await HttpOutside(rules, store).fetch(ONE, fetch)
            moved = Answer(status=307, headers={"Location": f"{other.url}/"})
            with pytest.raises(OutsideRefusedError, match="redirect of a POST"):
                await HttpOutside(rules, store).fetch(ONE, replace(fetch, method="POST", body=b"x"))
    assert len(other.asked) == 1
    assert not {"x-key", "x-other"} & other.asked[0].headers.keys()


@pytest.mark.parametrize(
    ("name", "value"),
    [("Host", "a"), ("content-length", "1"), ("Transfer-Encoding", "chunked"), ("Proxy-X", "a"), ("X-A\r\nB", "a"),
     ("X-A", "a\r\nX-B: b"), ("X-A", "日"), ("", "a"), ("X A", "a")],
)  # fmt: skip
async def test_headers_that_would_change_the_request(name: str, value: str) -> None:
    async with served(hello) as server:
        with pytest.raises(OutsideRefusedError, match="header"):
            await HttpOutside(server.rules(), NOTHING).fetch(ONE, Fetch(server.url, headers={name: value}))
    assert server.asked == []


async def test_rates_are_each_tenants_own() -> None:
    async with served(hello) as server:
        outside = HttpOutside(server.rules(requests_per_minute=2), NOTHING)
        fetch = Fetch(server.url, timeout_s=1)
        await asyncio.gather(outside.fetch(ONE, fetch), outside.fetch(ONE, fetch))
        with pytest.raises(OutsideError, match="more than 2 requests in 60 s"):
            await outside.fetch(ONE, fetch)
        await outside.fetch(Principal("org_2", "ns_2"), fetch)
        hourly, three = replace(fetch, requests_per_hour=1), Principal("org_3", "ns_3")
        await outside.fetch(three, hourly)
        with pytest.raises(OutsideError, match="more than 1 requests in 3600 s"):
            await outside.fetch(three, hourly)


async def test_so_many_at_once() -> None:
    now, most = 0, 0

    async def respond(asked: Asked) -> Answer:
        nonlocal now, most
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.02)
        now -= 1
        return Answer(b"ok")

    async with served(respond) as server:
        outside = HttpOutside(server.rules(concurrency=2), NOTHING)
        await asyncio.gather(*(outside.fetch(ONE, Fetch(server.url)) for _ in range(6)))
    assert most == 2
