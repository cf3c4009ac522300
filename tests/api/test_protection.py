"""What every answer tells browsers, and which host names are answered to."""

import hashlib
import re
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse, Response

from tamis.api import documentation
from tamis.api.correlation import Correlation
from tamis.api.hosts import Hosts
from tamis.api.media_types import presented
from tamis.api.protection import Protection
from tamis.errors import BadRequestError, HostRefusedError
from tamis.settings import Settings
from tamis.telemetry.watching import Telemetry
from tamis.wiring.hosts import host_names


def answers() -> FastAPI:
    app = FastAPI(docs_url=None)
    app.include_router(documentation.router)

    @app.get("/plain")
    async def plain() -> Response:
        return PlainTextResponse("words")

    @app.get("/page")
    async def page() -> Response:
        return PlainTextResponse("page", headers={"Content-Security-Policy": "default-src 'self'"})

    return app


def client(base_url: str = "http://localhost", **settings: Any) -> httpx.AsyncClient:
    app = Protection(Correlation(Hosts(answers(), host_names(Settings(**settings))), Telemetry()))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=base_url)


CAREFUL = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.mark.parametrize("path", ["/plain", "/nowhere"])
async def test_every_answer_tells_browsers_to_be_careful(path: str) -> None:
    async with client() as http:
        answer = await http.get(path)
    assert {name: answer.headers[name] for name in CAREFUL} == CAREFUL
    assert "access-control-allow-origin" not in answer.headers
    assert "strict-transport-security" not in answer.headers


async def test_a_refusal_is_protected_too_and_says_what_to_do() -> None:
    async with client("http://evil.example") as http:
        answer = await http.get("/plain")
    assert answer.status_code == 421
    assert answer.json()["error"]["type"] == "HostRefusedError"
    assert "TAMIS_ALLOWED_HOSTS" in answer.json()["error"]["message"]
    assert {name: answer.headers[name] for name in CAREFUL} == CAREFUL
    assert answer.headers["x-request-id"]


async def test_what_an_answer_says_itself_stands() -> None:
    async with client() as http:
        answer = await http.get("/page")
    assert answer.headers.get_list("content-security-policy") == ["default-src 'self'"]


@pytest.mark.parametrize(("host", "pinned"), [("search.example.com", True), ("localhost", False), ("[::1]", False)])
async def test_under_tls_a_public_name_is_pinned_to_it(host: str, pinned: bool) -> None:
    async with client(f"https://{host}", allowed_hosts="search.example.com") as http:
        answer = await http.get("/plain")
    assert ("strict-transport-security" in answer.headers) is pinned


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost:8700", "localhost.", "app.localhost", "127.0.0.1", "127.0.0.1:80", "[::1]:8700", "[::1]",
     "192.168.3.4:1", "search.example.com", "a.team.example.com:443", "public.example.org", "here"],
)  # fmt: skip
def test_names_of_ours_are_answered_to(host: str) -> None:
    checked(host)


@pytest.mark.parametrize(
    "host",
    ["example.com", "team.example.com", "xteam.example.com", "localhost.example.com", "127.0.0.1.example.com", "",
     "search.example.com.evil.org", "notlocalhost", "*", "localhost@evil.org", "[::1].evil.org",
     "ü.example", "[localhost]", "::1", "1.2.3"],
)  # fmt: skip
def test_others_are_not(host: str) -> None:
    with pytest.raises(HostRefusedError):
        checked(host)


def checked(host: str) -> None:
    names = host_names(
        Settings(
            host="here",
            public_url="https://public.example.org/tamis",
            allowed_hosts="search.example.com, *.team.example.com",
        )
    )
    Hosts(answers(), names).check([(b"accept", b"*/*"), (b"host", host.encode())])


@given(st.text(st.sampled_from("[]:.@/ a1-*\u00fc"), max_size=20))
def test_what_surrounds_a_name_makes_it_another(around: str) -> None:
    for header in (f"localhost{around}", f"{around}localhost"):
        try:
            Hosts(answers(), ["localhost"]).check([(b"host", header.encode("latin-1"))])
        except HostRefusedError:
            continue
        assert re.fullmatch(r"localhost\.*(:\d*)?", header)


async def test_a_link_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "tamis.request"):
        async with client() as http:
            for path in ("/v1/blobs/abcdef", "/v1/uploads/abcdef?token=abcdef", "/plain?key=abcdef"):
                await http.get(path)
    facts = [record.__dict__["fields"] for record in caplog.records]
    assert [fact["path"] for fact in facts] == ["/v1/blobs/...", "/v1/uploads/...", "/plain"]
    assert facts[0]["client"] == "127.0.0.1"
    assert "abcdef" not in caplog.text


@pytest.mark.parametrize("headers", [[], [(b"host", b"localhost"), (b"host", b"localhost")]])
def test_there_is_one_host(headers: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises(BadRequestError, match="one Host header"):
        Hosts(answers(), ["*"]).check(headers)


def test_a_star_answers_to_every_name() -> None:
    Hosts(answers(), host_names(Settings(allowed_hosts="*"))).check([(b"host", b"anything.example")])


async def test_the_page_of_the_api_runs_what_it_names_and_nothing_else() -> None:
    async with client() as http:
        answer = await http.get("/docs")
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert "unsafe" not in policy["script-src"]
    assert "'sha256-" in policy["script-src"]
    assert answer.text.count("<script") == 2
    assert "//" not in " ".join(policy.values()), "nobody else is asked"


async def test_what_that_page_loads_is_named_by_its_content() -> None:
    async with client() as http:
        page = await http.get("/docs")
        addresses = re.findall(r'(?:src|href)="(/docs/[^"]+)"', page.text)
        assert len(addresses) == 2
        for address in addresses:
            for encoding, packed in (("gzip", "gzip"), ("identity", None)):
                asset = await http.get(address, headers={"accept-encoding": encoding})
                assert asset.headers.get("content-encoding") == packed
                assert hashlib.sha256(asset.content).hexdigest().startswith(address.partition("?v=")[2])


@pytest.mark.parametrize(
    ("declared", "served", "disposition"),
    [
        ("image/png", "image/png", "inline"),
        ("IMAGE/JPEG; q=1", "image/jpeg", "inline"),
        ("video/mp4", "video/mp4", "inline"),
        ("audio/x-wav", "audio/x-wav", "inline"),
        ("text/plain", "text/plain; charset=utf-8", "inline"),
        ("application/pdf", "application/pdf", "attachment"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document",) * 2 + ("attachment",),
        *[(active, "application/octet-stream", "attachment") for active in (
            "text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml", "video/x+xml",
            "application/vnd.mozilla.xul+xml", "text/javascript", "application/wasm", "multipart/x-mixed-replace",
            "", "nothing", "image/", "image/png\r\nx: y", "video/mp4\nset-cookie: a=b",
        )],
    ],
)  # fmt: skip
def test_nothing_is_served_as_what_a_browser_runs(declared: str, served: str, disposition: str) -> None:
    shown = presented(declared)
    assert (shown.content_type, shown.disposition) == (served, disposition)
