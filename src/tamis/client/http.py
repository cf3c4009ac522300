"""One connection to a Tamis server."""

import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from tamis.client.events import event_data

_PIECE_BYTES = 1 << 20
LAST_EVENTS = ("execution_complete", "execution_error", "batch_end")


class ApiError(Exception):
    """The server refused: its status and the message of its error envelope."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        self.message = message


class BrokenStreamError(Exception):
    """The server's events ended before the execution did; its record may say more."""

    def __init__(self) -> None:
        super().__init__("the connection ended before the execution did")


class Client:
    """Requests as Python values. url: without `/v1`. Raises: ApiError; httpx.HTTPError where no server answers."""

    def __init__(self, url: str, key: str, namespace: str | None = None, timeout_s: float = 60.0) -> None:
        headers = {"Authorization": f"Bearer {key}"}
        if namespace:
            headers["X-Namespace"] = namespace
        self._http = httpx.Client(base_url=f"{url.rstrip('/')}/v1", headers=headers, timeout=timeout_s)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        return self._send("GET", path, params={key: value for key, value in query.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any] | None = None, **query: Any) -> Any:
        return self._send("POST", path, json=dict(body or {}), params=query)

    def delete(self, path: str) -> Any:
        return self._send("DELETE", path)

    def stream(self, path: str, body: Mapping[str, Any]) -> Generator[dict[str, Any], None, None]:
        """An execution's events as they come, the last one included; `close()` on the iterator cancels the execution.

        Raises: ApiError where the server refused before it began; BrokenStreamError where no last event came.
        """
        yield from self._events("POST", path, json={**body, "stream": True})

    def follow(self, path: str) -> Generator[dict[str, Any], None, None]:
        """Events of something that goes on by itself, as a batch, up to the last one. Raises: as `stream`."""
        yield from self._events("GET", path)

    def _events(self, method: str, path: str, **kwargs: Any) -> Generator[dict[str, Any], None, None]:
        with self._http.stream(method, path, **kwargs) as answer:
            if answer.is_error:
                answer.read()
                raise ApiError(answer.status_code, _message(answer))
            try:
                for data in event_data(answer.iter_bytes()):
                    event = json.loads(data)
                    yield event
                    if event["event_type"] in LAST_EVENTS:
                        return
            except (httpx.RemoteProtocolError, httpx.ReadError) as error:
                raise BrokenStreamError from error
            raise BrokenStreamError

    def get_bytes(self, path: str, **query: Any) -> bytes:
        """A file, as the server sends it."""
        return self._answer("GET", path, params=query).content

    def post_bytes(self, path: str, data: bytes | Iterable[bytes], content_type: str) -> Any:
        """A file, as it stands."""
        return self._send("POST", path, content=data, headers={"Content-Type": content_type})

    def put_file(self, url: str, file: Path, content_type: str) -> None:
        """Send a file to the presigned URL of an upload, piece by piece."""
        with file.open("rb") as opened:
            self.put_bytes(url, iter(lambda: opened.read(_PIECE_BYTES), b""), content_type)

    def put_bytes(self, url: str, data: bytes | Iterable[bytes], content_type: str) -> None:
        """Send what a file holds to the presigned URL of an upload."""
        answer = self._http.put(url, content=data, headers={"Content-Type": content_type})
        if answer.is_error:
            raise ApiError(answer.status_code, _message(answer))

    def pages(self, path: str, body: Mapping[str, Any] | None = None, limit: int = 100) -> Iterator[Any]:
        """Every item of a list, page after page."""
        offset = 0
        while True:
            items = self._send("POST", path, json=dict(body or {}), params={"limit": limit, "offset": offset})[
                "results"
            ]
            yield from items
            offset += len(items)
            if len(items) < limit:
                return

    def _send(self, method: str, path: str, **kwargs: Any) -> Any:
        answer = self._answer(method, path, **kwargs)
        return answer.json() if answer.content else None

    def _answer(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        answer = self._http.request(method, path, **kwargs)
        if answer.is_error:
            raise ApiError(answer.status_code, _message(answer))
        return answer


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]
