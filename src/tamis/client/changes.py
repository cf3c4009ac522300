"""What happens in a namespace, followed for as long as one likes: a stream that breaks is taken up where it broke."""

import asyncio
import time
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import aclosing, closing
from typing import Any

import httpx

from tamis.client.calls import PASSING, Call, part
from tamis.client.connection import AsyncConnection, Connection
from tamis.client.errors import ApiError, BrokenStreamError

_PAUSE_S = 0.5


def changes(
    connection: Connection,
    namespace: str,
    since: str | None,
    types: Sequence[str] | None,
    patience_s: float,
    follow: bool,
) -> Generator[dict[str, Any], None, None]:
    """As `Client.changes`."""
    given_up_at = None
    while True:
        try:
            with closing(connection.events(_call(namespace, since, types, follow))) as events:
                for event in events:
                    given_up_at, since = None, event["id"] or since
                    yield event
                return
        except (ApiError, BrokenStreamError, httpx.TransportError) as error:
            given_up_at = given_up_at or time.monotonic() + patience_s
            if not _may_pass(error) or time.monotonic() > given_up_at:
                raise
        time.sleep(_PAUSE_S)


async def changes_async(
    connection: AsyncConnection,
    namespace: str,
    since: str | None,
    types: Sequence[str] | None,
    patience_s: float,
    follow: bool,
) -> AsyncGenerator[dict[str, Any], None]:
    """As `AsyncClient.changes`."""
    given_up_at = None
    while True:
        try:
            async with aclosing(connection.events(_call(namespace, since, types, follow))) as events:
                async for event in events:
                    given_up_at, since = None, event["id"] or since
                    yield event
                return
        except (ApiError, BrokenStreamError, httpx.TransportError) as error:
            given_up_at = given_up_at or time.monotonic() + patience_s
            if not _may_pass(error) or time.monotonic() > given_up_at:
                raise
        await asyncio.sleep(_PAUSE_S)


def _may_pass(error: Exception) -> bool:
    """As a proxy says while the server behind it starts anew."""
    return not isinstance(error, ApiError) or error.status in PASSING


def _call(namespace: str, since: str | None, types: Sequence[str] | None, follow: bool) -> Call:
    query = {"since": since, "types": ",".join(types) if types else None, "follow": None if follow else "false"}
    return Call("GET", f"/namespaces/{part(namespace)}/events", query=query)
