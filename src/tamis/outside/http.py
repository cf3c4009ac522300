"""Requests to the outside: every hop checked, connected to what was checked, bounded in size and time."""

import asyncio
import base64
import logging
import ssl
from collections.abc import AsyncIterable, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeAlias

import httpcore
import httpx

from tamis.engine.ports.outside import Fetch, Fetched
from tamis.engine.ports.secrets import Secrets, filled
from tamis.errors import NotSetUpError, OutsideError, OutsideRefusedError
from tamis.model.principal import Principal
from tamis.outside.bodies import ACCEPTED, read_body, write_body
from tamis.outside.headers import checked_headers
from tamis.outside.pace import Pace, Places
from tamis.outside.pinning import PinnedBackend, Resolve, system_resolve
from tamis.outside.retrying import backoff_s, is_repeatable, pause_s
from tamis.outside.targets import Rules, Target, target_of

if TYPE_CHECKING:
    from tamis.outside.robots import Read, Robots

Check: TypeAlias = Callable[[Target], Awaitable[None]]
"""Of a page before it is asked for: raises where it is not to be."""
Sleep: TypeAlias = Callable[[float], Awaitable[None]]
_REDIRECTS = (301, 302, 303, 307, 308)
# At DEBUG it writes down the headers of answers, in which a remote may repeat what it was sent.
logging.getLogger("httpcore").setLevel(logging.INFO)


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpOutside:
    """One `Outside`. Each request has a connection of its own: none is ever another tenant's, or checked long ago."""

    def __init__(
        self, rules: Rules, secrets: Secrets, resolve: Resolve = system_resolve, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._rules = rules
        self._secrets = secrets
        self._sleep = sleep
        self._backend = PinnedBackend(rules.networks, resolve)
        self._pace = Pace()
        self._places = Places(rules.concurrency)

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return httpx.create_ssl_context(trust_env=False)

    @cached_property
    def _robots(self) -> "Robots":
        try:
            from tamis.outside.robots import Robots
        except ImportError:
            raise NotSetUpError(
                "reading robots.txt (pip install 'tamis[web]', or TAMIS_OUTSIDE_ROBOTS=false)"
            ) from None
        return Robots(self._rules.user_agent)

    async def fetch(self, principal: Principal, fetch: Fetch) -> Fetched:
        return await self._within(principal, fetch, _any_page)

    async def read_page(self, principal: Principal, fetch: Fetch) -> Fetched:
        if not self._rules.robots:
            return await self.fetch(principal, fetch)

        async def read(url: str) -> "Read":
            from tamis.outside.robots import LARGEST, Read

            found = await self._followed(principal, Fetch(url, timeout_s=fetch.timeout_s, max_bytes=LARGEST), _any_page)
            return Read(found.status, found.body)

        return await self._within(principal, fetch, lambda target: self._robots.check(target, read))

    async def _within(self, principal: Principal, fetch: Fetch, check: Check) -> Fetched:
        """In time, with as many attempts as that leaves. check: of each page before it is asked for."""
        timeout_s = min(fetch.timeout_s, self._rules.timeout_s) if fetch.into is None else fetch.timeout_s
        try:
            async with asyncio.timeout(timeout_s) as limit:
                return await self._attempted(principal, replace(fetch, timeout_s=timeout_s), check, limit.when() or 0.0)
        except TimeoutError:
            raise OutsideError(f"there was no whole answer within {timeout_s:g} s") from None
        except _FAILURES as error:
            # Its text may repeat a header: what it was is all that is told.
            raise OutsideError(f"the request failed: {_told(error)}") from None

    async def _attempted(self, principal: Principal, fetch: Fetch, check: Check, until_s: float) -> Fetched:
        """Waits hold no place. An answer that there is no time to better is the answer."""
        place = self._places.of((principal.organization_id, principal.namespace_id))
        now_s = asyncio.get_running_loop().time
        for attempt in range(self._rules.retries):
            try:
                async with place:
                    found = await self._followed(principal, fetch, check)
                wait_s = pause_s(fetch.method, found.status, found.headers, attempt)
                if wait_s is None or now_s() + wait_s >= until_s:
                    return found
            except _FAILURES:
                wait_s = backoff_s(attempt)
                if not is_repeatable(fetch.method) or now_s() + wait_s >= until_s:
                    raise
            await self._sleep(wait_s)
        async with place:
            return await self._followed(principal, fetch, check)

    async def _followed(self, principal: Principal, fetch: Fetch, check: Check) -> Fetched:
        target = target_of(fetch.url, self._rules, fetch.allowed_domains)
        if fetch.query:
            target = replace(target, url=target.url.copy_merge_params(dict(fetch.query)))
        for _ in range(fetch.max_redirects + 1):
            await check(target)
            await self._take_turn(principal, target, fetch)
            answer = await self._answer(principal, target, fetch)
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                return self._redacted(principal, target, answer)
            target, fetch = self._next(target, fetch, answer.status, location)
        raise OutsideError(f"it was redirected more than {fetch.max_redirects} times")

    def _next(self, target: Target, fetch: Fetch, status: int, location: str) -> tuple[Target, Fetch]:
        """The next hop, checked like the first. Nothing that was meant for one host goes to another."""
        try:
            url = str(target.url.join(location))
        except (httpx.InvalidURL, UnicodeError):
            raise OutsideError("it was redirected to what is no URL") from None
        found = target_of(url, self._rules, fetch.allowed_domains)
        if target.url.scheme == "https" and found.in_clear:
            raise OutsideRefusedError("a redirect from https to http is not followed")
        if fetch.method not in ("GET", "HEAD"):
            if status in (307, 308) and found.origin != target.origin:
                raise OutsideRefusedError(f"a redirect of a {fetch.method} to another host is not followed")
            if status not in (307, 308):
                fetch = replace(fetch, method="GET", body=None)
        if found.origin != target.origin:
            fetch = replace(fetch, headers={}, secret_headers={}, secret_query={}, basic=None)
        return found, fetch

    async def _take_turn(self, principal: Principal, target: Target, fetch: Fetch) -> None:
        key = (principal.organization_id, principal.namespace_id, target.host)
        await self._pace.wait(key, self._rules.requests_per_minute, 60.0, fetch.timeout_s)
        for times, period_s in ((fetch.requests_per_minute, 60.0), (fetch.requests_per_hour, 3600.0)):
            if times is not None:
                await self._pace.wait((*key, times, period_s), times, period_s, fetch.timeout_s)

    async def _answer(self, principal: Principal, target: Target, fetch: Fetch) -> _Answer:
        url = target.url
        if fetch.secret_query:
            url = url.copy_merge_params(self._filled(principal, target, fetch.secret_query))
        request = httpcore.Request(
            fetch.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=self._headers(principal, target, fetch),
            content=fetch.body or b"",
            extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), fetch.timeout_s)},
        )
        pool = httpcore.AsyncConnectionPool(ssl_context=self._tls, network_backend=self._backend)
        async with pool:
            response = await pool.handle_async_request(request)
            try:
                headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                body = await self._body(response.aiter_stream(), headers, fetch)
            finally:
                await response.aclose()
        return _Answer(response.status, headers, body)

    async def _body(self, chunks: AsyncIterable[bytes], headers: Mapping[str, str], fetch: Fetch) -> bytes:
        if fetch.into is None:
            return await read_body(chunks, headers, min(fetch.max_bytes, self._rules.max_bytes))
        await write_body(chunks, headers, fetch.max_bytes, fetch.into)
        return b""

    def _headers(self, principal: Principal, target: Target, fetch: Fetch) -> list[tuple[bytes, bytes]]:
        defaults = {"user-agent": self._rules.user_agent, "accept": "*/*"}
        sent = {
            **defaults,
            **checked_headers({**fetch.headers, **self._filled(principal, target, fetch.secret_headers)}),
        }
        if fetch.basic is not None:
            value = self._secrets.resolve(principal, fetch.basic, target.host, target.in_clear)
            sent["authorization"] = f"Basic {base64.b64encode(value.encode()).decode()}"
        if fetch.body is not None:
            sent["content-length"] = str(len(fetch.body))
        sent |= {"host": target.url.netloc.decode("ascii"), "accept-encoding": ACCEPTED, "connection": "close"}
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in sent.items()]

    def _filled(self, principal: Principal, target: Target, templates: Mapping[str, str]) -> dict[str, str]:
        secrets, host, in_clear = self._secrets, target.host, target.in_clear
        return {name: filled(text, secrets, principal, host, in_clear) for name, text in templates.items()}

    def _redacted(self, principal: Principal, target: Target, answer: _Answer) -> Fetched:
        redact = partial(self._secrets.redact, principal)
        headers = {name: redact(value) for name, value in answer.headers.items() if name != "set-cookie"}
        return Fetched(
            redact(str(target.url)), answer.status, headers, self._secrets.redact_bytes(principal, answer.body)
        )


_FAILURES = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


async def _any_page(_target: Target) -> None:
    """Whoever calls a service's interface is no crawler."""


def _told(error: Exception) -> str:
    kinds = {
        httpcore.ConnectError: "no connection to the host",
        httpcore.TimeoutException: "no answer in time",
        httpcore.ProtocolError: "the answer is not HTTP as it should be",
    }
    return next((text for kind, text in kinds.items() if isinstance(error, kind)), "the connection broke off")
