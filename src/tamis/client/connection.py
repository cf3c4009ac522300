"""Requests to one server, sent again where that is safe: for one that waits and for one that awaits."""

import json
import time
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
import httpx

from tamis.client.calls import Call, Retries
from tamis.client.errors import ApiError, BrokenStreamError
from tamis.client.events import EventData, event_data

LAST_EVENTS = ("execution_complete", "execution_error", "batch_end", "done", "stream.closed")
_UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_BROKEN = (httpx.RemoteProtocolError, httpx.ReadError)


@dataclass(frozen=True, slots=True)
class Server:
    """Where, as whom, and how patiently. url: without `/v1`.  timeout_s: of one attempt, where nothing comes."""

    url: str
    key: str
    namespace: str | None = None
    timeout_s: float = 60.0
    retries: Retries = field(default_factory=Retries)

    @property
    def options(self) -> dict[str, Any]:
        """Of httpx's clients."""
        return {"base_url": f"{self.url.rstrip('/')}/v1", "timeout": self.timeout_s}

    @property
    def headers(self) -> dict[str, str]:
        """Who asks, and where."""
        found = {"Authorization": f"Bearer {self.key}", "X-Namespace": self.namespace}
        return {name: value for name, value in found.items() if value and value != "Bearer "}

    def keyed(self, call: Call) -> Call:
        """With a key of its own where one is wanted and a second attempt would need it."""
        if call.key != "":
            return call
        return replace(call, key=uuid.uuid4().hex if self.retries.most else None)


class Connection:
    """For one that waits. Raises: ApiError; httpx.HTTPError where no server answers, after all attempts."""

    def __init__(self, server: Server, http: httpx.Client | None = None) -> None:
        self.server = server
        self.http = http or httpx.Client(**server.options)

    def ask(self, call: Call) -> Any:
        """The answer's JSON, or its text where it is none; None where it is empty."""
        return _said(self.answer(call))

    def answer(self, call: Call) -> httpx.Response:
        return self._sent(call, is_stream=False)

    def pieces(self, call: Call) -> Generator[bytes, None, None]:
        """What a file holds, as it comes. Raises: as `ask`; httpx.TransportError where it breaks off."""
        answer = self._sent(call, is_stream=True)
        try:
            yield from answer.iter_bytes()
        finally:
            answer.close()

    def events(self, call: Call) -> Generator[dict[str, Any], None, None]:
        """Events as they come, the last one included; `close()` cancels what makes them, where it is an execution.

        Raises: ApiError where the server refused before it began; BrokenStreamError where no last event came.
        """
        answer = self._sent(call, is_stream=True)
        try:
            for data in event_data(answer.iter_bytes()):
                event = json.loads(data)
                yield event
                if event["event_type"] in LAST_EVENTS:
                    return
        except _BROKEN as error:
            raise BrokenStreamError from error
        finally:
            answer.close()
        raise BrokenStreamError

    def _sent(self, call: Call, is_stream: bool) -> httpx.Response:
        call = self.server.keyed(call)
        done = 0
        while True:
            done += 1
            try:
                answer = self.http.send(_request(self.http, self.server, call), stream=is_stream)
                if not answer.is_error:
                    return answer
                answer.read()
                answer.close()
                failure: Exception = _refusal(answer)
            except httpx.TransportError as error:
                failure = error
            wait_s = _wait_s(self.server.retries, call, done, failure)
            if wait_s is None:
                raise _located(failure, self.http, call, done)
            time.sleep(wait_s)


class AsyncConnection:
    """For one that awaits. Raises: as `Connection`."""

    def __init__(self, server: Server, http: httpx.AsyncClient | None = None) -> None:
        self.server = server
        self.http = http or httpx.AsyncClient(**server.options)

    async def ask(self, call: Call) -> Any:
        """As `Connection.ask`."""
        return _said(await self._sent(call, is_stream=False))

    async def pieces(self, call: Call) -> AsyncGenerator[bytes, None]:
        """As `Connection.pieces`."""
        answer = await self._sent(call, is_stream=True)
        try:
            async for piece in answer.aiter_bytes():
                yield piece
        finally:
            await answer.aclose()

    async def events(self, call: Call) -> AsyncGenerator[dict[str, Any], None]:
        """As `Connection.events`; `aclose()` cancels."""
        answer = await self._sent(call, is_stream=True)
        try:
            async for event in _events(answer.aiter_bytes()):
                yield event
                if event["event_type"] in LAST_EVENTS:
                    return
        except _BROKEN as error:
            raise BrokenStreamError from error
        finally:
            await answer.aclose()
        raise BrokenStreamError

    async def _sent(self, call: Call, is_stream: bool) -> httpx.Response:
        call = self.server.keyed(call)
        done = 0
        while True:
            done += 1
            try:
                answer = await self.http.send(_request(self.http, self.server, call), stream=is_stream)
                if not answer.is_error:
                    return answer
                await answer.aread()
                await answer.aclose()
                failure: Exception = _refusal(answer)
            except httpx.TransportError as error:
                failure = error
            wait_s = _wait_s(self.server.retries, call, done, failure)
            if wait_s is None:
                raise _located(failure, self.http, call, done)
            await anyio.sleep(wait_s)


async def _events(chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    reader = EventData()
    async for chunk in chunks:
        for data in reader.read(chunk):
            yield json.loads(data)
    for data in reader.end():
        yield json.loads(data)


def _located(failure: Exception, http: httpx.Client | httpx.AsyncClient, call: Call, done: int) -> Exception:
    """Where no answer came, with a note of where none came from: httpx says only what the network said."""
    if isinstance(failure, httpx.TransportError):
        url = f"{str(http.base_url).rstrip('/')}/{call.path.lstrip('/')}"
        failure.add_note(f"{call.method} {url} was not answered, attempts: {done}")
    return failure


def _request(http: httpx.Client | httpx.AsyncClient, server: Server, call: Call) -> httpx.Request:
    query = {name: value for name, value in call.query.items() if value is not None}
    headers = server.headers | {name: value for name, value in call.headers.items() if value is not None}
    if call.key:
        headers["Idempotency-Key"] = call.key
    if call.content is None:
        sent: dict[str, Any] = {} if call.body is None else {"json": dict(call.body)}
    else:
        headers["Content-Type"] = call.content_type
        sent = {"content": _content(http, call.content)}
    return http.build_request(call.method, call.path, params=query, headers=headers, **sent)


def _content(http: httpx.Client | httpx.AsyncClient, content: bytes | Iterable[bytes]) -> Any:
    if isinstance(content, bytes) or isinstance(http, httpx.Client):
        return content
    return _async_pieces(content)


async def _async_pieces(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _refusal(answer: httpx.Response) -> ApiError:
    headers: Mapping[str, str] = answer.headers
    return ApiError.of(answer.status_code, headers, answer.content)


def _wait_s(retries: Retries, call: Call, done: int, failure: Exception) -> float | None:
    refusal = failure if isinstance(failure, ApiError) else None
    return retries.wait_s(call, done, refusal, was_sent=not isinstance(failure, _UNSENT))


def _said(answer: httpx.Response) -> Any:
    if "yaml" in answer.headers.get("content-type", ""):
        return answer.text
    return answer.json() if answer.content else None
