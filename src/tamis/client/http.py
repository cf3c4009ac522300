"""The clients: the API's nouns as attributes, and any request besides."""

import os
from collections.abc import AsyncGenerator, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tamis.client.calls import Call, Retries
from tamis.client.changes import changes, changes_async
from tamis.client.connection import AsyncConnection, Connection, Server
from tamis.client.errors import ApiError
from tamis.client.served import AsyncNouns, Nouns

_PIECE_BYTES = 1 << 20
_NAMESPACE = "default"
_URL = "http://127.0.0.1:8700"


class Client(Nouns):
    """A server's API for one that waits.

    url: without `/v1`; else of TAMIS_URL, else this machine's.  key, namespace: else of TAMIS_API_KEY, TAMIS_NAMESPACE.
    timeout_s: of one attempt.  retries: attempts after the first, of what may safely be sent again; 0 sends once.
    Raises: ApiError; httpx.HTTPError where no server answers.
    """

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        namespace: str | None = None,
        timeout_s: float = 60.0,
        retries: int = 3,
    ) -> None:
        self._connection = Connection(_server(url, key, namespace, timeout_s, retries))
        super().__init__(self._connection)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._connection.http.close()

    def with_key(self, key: str) -> "Client":
        """The same server as somebody else, over the same connections, which are this one's to close."""
        client = Client.__new__(Client)
        client._connection = Connection(replace(self._connection.server, key=key), self._connection.http)
        Nouns.__init__(client, client._connection)
        return client

    def get(self, path: str, **query: Any) -> Any:
        return self._connection.ask(Call("GET", path, query=query))

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        return self._connection.ask(Call("POST", path, query=query, body=body or {}))

    def put(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        return self._connection.ask(Call("PUT", path, body=body or {}))

    def delete(self, path: str) -> Any:
        return self._connection.ask(Call("DELETE", path))

    def stream(self, path: str, body: Mapping[str, Any]) -> Generator[dict[str, Any], None, None]:
        """An execution's events as they come, the last one included; `close()` on the iterator cancels the execution.

        Raises: ApiError where the server refused before it began; BrokenStreamError where no last event came.
        """
        return self._connection.events(Call("POST", path, body={**body, "stream": True}))

    def follow(self, path: str) -> Generator[dict[str, Any], None, None]:
        """Events of something that goes on by itself, as a batch, up to the last one. Raises: as `stream`."""
        return self._connection.events(Call("GET", path))

    def get_bytes(self, path: str, **query: Any) -> bytes:
        """A file, as the server sends it."""
        return self._connection.answer(Call("GET", path, query=query)).content

    def pieces(self, path: str, **query: Any) -> Generator[bytes, None, None]:
        """A file that may be too large to be held, as it comes."""
        return self._connection.pieces(Call("GET", path, query=query))

    def post_bytes(self, path: str, data: bytes | Iterable[bytes], content_type: str) -> Any:
        """A file, as it stands."""
        return self._connection.ask(Call("POST", path, content=data, content_type=content_type))

    def put_file(self, url: str, file: Path, content_type: str) -> None:
        """Send a file to the presigned URL of an upload, piece by piece."""
        with file.open("rb") as opened:
            self.put_bytes(url, iter(lambda: opened.read(_PIECE_BYTES), b""), content_type)

    def put_bytes(self, url: str, data: bytes | Iterable[bytes], content_type: str) -> None:
        """Send what a file holds to the presigned URL of an upload."""
        answer = self._connection.http.put(url, content=data, headers={"Content-Type": content_type})
        if answer.is_error:
            raise ApiError.of(answer.status_code, answer.headers, answer.content)

    def pages(self, path: str, body: Mapping[str, Any] | None = None, limit: int = 100) -> Iterator[Any]:
        """Every item of a list, page after page."""
        offset = 0
        while True:
            items = self._connection.ask(
                Call("POST", path, query={"limit": limit, "offset": offset}, body=body or {}, is_reading=True)
            )["results"]
            yield from items
            offset += len(items)
            if len(items) < limit:
                return

    def changes(
        self,
        namespace: str | None = None,
        since: str | None = None,
        types: Sequence[str] | None = None,
        patience_s: float = 60.0,
        follow: bool = True,
    ) -> Generator[dict[str, Any], None, None]:
        """What happens in a namespace, from now on or after the event whose `id` is `since`; `0-0`: all that is kept.

        namespace: else the client's.  types: as `object.created`, or `task` for all that begin so; None takes all.
        A stream that breaks, as when its server ends, is taken up after the last event: an event may come twice, with
        the same `event_id`. patience_s: for how long no server may answer.  follow: False ends with what there is.
        Raises: ApiError where the server refuses; BrokenStreamError, httpx.TransportError after that.
        """
        where = namespace or self._connection.server.namespace or _NAMESPACE
        return changes(self._connection, where, since, types, patience_s, follow)


class AsyncClient(AsyncNouns):
    """As `Client`, for one that awaits: `async with AsyncClient() as client: await client.retrievers.list()`."""

    def __init__(
        self,
        url: str | None = None,
        key: str | None = None,
        namespace: str | None = None,
        timeout_s: float = 60.0,
        retries: int = 3,
    ) -> None:
        self._connection = AsyncConnection(_server(url, key, namespace, timeout_s, retries))
        super().__init__(self._connection)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._connection.http.aclose()

    def changes(
        self,
        namespace: str | None = None,
        since: str | None = None,
        types: Sequence[str] | None = None,
        patience_s: float = 60.0,
        follow: bool = True,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """As `Client.changes`."""
        where = namespace or self._connection.server.namespace or _NAMESPACE
        return changes_async(self._connection, where, since, types, patience_s, follow)

    def with_key(self, key: str) -> "AsyncClient":
        """As `Client.with_key`."""
        client = AsyncClient.__new__(AsyncClient)
        client._connection = AsyncConnection(replace(self._connection.server, key=key), self._connection.http)
        AsyncNouns.__init__(client, client._connection)
        return client


def _server(url: str | None, key: str | None, namespace: str | None, timeout_s: float, retries: int) -> Server:
    if retries < 0:
        raise ValueError(f"retries is 0 or more, not {retries}")
    return Server(
        url or os.environ.get("TAMIS_URL") or _URL,
        key or os.environ.get("TAMIS_API_KEY") or "",
        namespace or os.environ.get("TAMIS_NAMESPACE"),
        timeout_s,
        Retries(retries),
    )
