"""What happens in a namespace, followed for as long as one likes: a stream that breaks is taken up where it broke."""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, closing
from typing import Any

import httpx

from tamis.client.calls import Call, part
from tamis.client.connection import AsyncConnection, Connection
from tamis.client.errors import BrokenStreamError

_PAUSE_S = 0.5


def changes(
    connection: Connection, namespace: str, since: str | None, types: Sequence[str] | None, patience_s: float
) -> Generator[dict[str, Any], None, None]:
    """As `Client.changes`."""
    given_up_at = None
    while True:
        try:
            with closing(connection.events(_call(namespace, since, types))) as events:
                for event in events:
                    given_up_at, since = None, event["id"] or since
                    yield event
                return
        except (BrokenStreamError, httpx.TransportError):
            given_up_at = given_up_at or time.monotonic() + patience_s
            if time.monotonic() > given_up_at:
                raise
        time.sleep(_PAUSE_S)


async def changes_async(
    connection: AsyncConnection, namespace: str, since: str | None, types: Sequence[str] | None, patience_s: float
) -> AsyncGenerator[dict[str, Any], None]:
    """As `AsyncClient.changes`."""
    given_up_at = None
    while True:
        try:
            async with aclosing(connection.events(_call(namespace, since, types))) as events:
                async for event in events:
                    given_up_at, since = None, event["id"] or since
                    yield event
                return
        except (BrokenStreamError, httpx.TransportError):
            given_up_at = given_up_at or time.monotonic() + patience_s
            if time.monotonic() > given_up_at:
                raise
        await asyncio.sleep(_PAUSE_S)


def _call(namespace: str, since: str | None, types: Sequence[str] | None) -> Call:
    query = {"since": since, "types": ",".join(types) if types else None}
    return Call("GET", f"/namespaces/{part(namespace)}/events", query=query)
