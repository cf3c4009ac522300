"""One provider as the operator set it up: a search becomes as many requests as it takes."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import orjson

from tamis.engine.ports.outside import Fetch, Fetched, Outside
from tamis.engine.ports.web_search import ImageQuery, Page, PageQuery, Sighting
from tamis.engine.spending.allowance import Allowance
from tamis.errors import OutsideError
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.outside.search.protocol import Ask, Picture, Protocol

QueryT = TypeVar("QueryT", PageQuery, ImageQuery)
FoundT = TypeVar("FoundT", Page, Sighting)
_LARGEST = 8 << 20
_SPENT = "the budget leaves nothing for another search"
_REFUSED = {
    401: "it refuses the key",
    402: "its credit is used up",
    403: "it refuses the request: the key, or a format that it is not set up to answer in",
    429: "it is asked too often",
}


@dataclass(frozen=True, slots=True)
class Answered(Generic[FoundT]):
    """is_whole: neither a budget nor a failure cut it short."""

    found: tuple[FoundT, ...]
    calls: int = 0
    warnings: tuple[str, ...] = ()
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Service(Generic[QueryT, FoundT]):
    """outside: lets requests through to this provider alone.  key: the name of a secret of the operator's."""

    name: str
    protocol: Protocol[QueryT, FoundT]
    base_url: str
    outside: Outside
    key: str | None = None

    async def search(self, principal: Principal, query: QueryT, allowance: Allowance) -> Answered[FoundT]:
        """Request after request, until there are enough or a request brings nothing new.

        Raises: OutsideError where the first request has no answer; one that fails later leaves what there is.
        """
        found: dict[str, FoundT] = {}
        until_s = asyncio.get_running_loop().time() + query.timeout_s
        calls, fault = 0, None
        for request in range(self.protocol.requests):
            ask = self.protocol.ask(query, request)
            if not allowance.spend():
                fault = _SPENT
                break
            calls += 1
            try:
                new = await self._asked(principal, ask, query, until_s)
            except OutsideError as error:
                if not found:
                    raise
                fault = f"no more than the first {len(found)} results: {error.message}"
                break
            before = len(found)
            for one in new:
                found.setdefault(one.url, one)
            if len(found) >= query.count or len(found) == before:
                break
        warnings = (fault,) if fault is not None else self._short(query, len(found))
        return Answered(tuple(found.values())[: query.count], calls, warnings, fault is None)

    def _short(self, query: QueryT, count: int) -> tuple[str, ...]:
        most = self.protocol.most * self.protocol.requests
        is_short = query.count > most and count >= most
        return (f"{self.name} gives {most} results at most, not {query.count}",) if is_short else ()

    async def _asked(self, principal: Principal, ask: Ask, query: QueryT, until_s: float) -> Sequence[FoundT]:
        left_s = max(until_s - asyncio.get_running_loop().time(), 0.01)
        try:
            answer = await self.outside.fetch(principal, self._fetch(ask, left_s))
            return self.protocol.read(_json(answer), query)
        except OutsideError as error:
            raise OutsideError(f"{self.name}: {error.message}") from error

    def _fetch(self, ask: Ask, timeout_s: float) -> Fetch:
        headers, body = {"Accept": "application/json"}, None
        if ask.body is not None:
            headers["Content-Type"], body = "application/json", orjson.dumps(ask.body)
        elif ask.upload is not None:
            headers["Content-Type"], body = _form(*ask.upload)
        reference = f"{{{{SECRET.{self.key}}}}}" if self.key is not None else None
        header, field = self.protocol.key_header, self.protocol.key_query
        return Fetch(
            self.base_url.rstrip("/") + ask.path,
            "GET" if body is None else "POST",
            headers,
            ask.query,
            body,
            secret_headers={header[0]: header[1].format(reference)} if header and reference else {},
            secret_query={field: reference} if field and reference else {},
            timeout_s=timeout_s,
            max_bytes=_LARGEST,
            max_redirects=0,
        )


def _json(answer: Fetched) -> JSON:
    if not 200 <= answer.status < 300:
        raise OutsideError(_REFUSED.get(answer.status, f"it answered {answer.status}"))
    try:
        value: JSON = orjson.loads(answer.body)
    except ValueError:
        raise OutsideError("the answer is no JSON") from None
    return value


def _form(name: str, picture: Picture) -> tuple[str, bytes]:
    """A file as a browser's form sends it: content type and body. The same picture makes the same body."""
    boundary = f"tamis-{hashlib.sha256(picture.data).hexdigest()[:32]}"
    filename = f"image.{picture.type.partition('/')[2]}"
    head = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\nContent-Type: {picture.type}'
    body = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (boundary.encode(), head.encode(), picture.data, boundary.encode())
    return f"multipart/form-data; boundary={boundary}", body
