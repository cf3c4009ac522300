"""A forward proxy for libraries that connect by themselves: each connection checked, and to what was checked."""

import asyncio
import base64
import contextlib
import hmac
import logging
import secrets
from typing import cast

import httpcore

from tamis.errors import OutsideRefusedError
from tamis.outside.pinning import Resolve, checked_addresses, system_resolve
from tamis.outside.targets import Rules, Target, target_of

_LOG = logging.getLogger(__name__)
_HEAD_BYTES = 64 * 1024
_HEAD_S = 10.0
_CONNECT_S = 10.0
_CHUNK_BYTES = 256 * 1024
_HOP_HEADERS = (b"proxy-", b"connection:", b"keep-alive:")


class Gateway:
    """Implements Guard. Listens on the loopback address, for whoever knows its password: this process alone.

    TLS goes through it sealed, so that the library checks the certificate of the host that it means.
    """

    def __init__(self, rules: Rules, resolve: Resolve = system_resolve) -> None:
        self._rules = rules
        self._resolve = resolve
        self._password = secrets.token_urlsafe(24)
        self._server: asyncio.Server | None = None
        self._visits: set[asyncio.Task[None]] = set()

    def check(self, url: str) -> None:
        target_of(url, self._rules)

    @property
    def proxy_url(self) -> str:
        if self._server is None:
            raise RuntimeError("the gateway is started before anything is reached through it")
        port = self._server.sockets[0].getsockname()[1]
        return f"http://tamis:{self._password}@127.0.0.1:{port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._visit, "127.0.0.1", 0, limit=_HEAD_BYTES)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        for visit in list(self._visits):
            visit.cancel()
        await asyncio.gather(*self._visits, return_exceptions=True)

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = cast("asyncio.Task[None]", asyncio.current_task())
        self._visits.add(visit)
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, TimeoutError, ValueError, asyncio.LimitOverrunError) as error:
            _LOG.debug("a connection through the gateway ended: %s", type(error).__name__)
        except asyncio.CancelledError:
            pass  # the server is being closed, and nobody waits for this task
        finally:
            self._visits.discard(visit)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(_HEAD_S):
            head = await reader.readuntil(b"\r\n\r\n")
        line, *fields = head[:-4].split(b"\r\n")
        method, wanted, _version = line.decode("ascii").split(" ")
        if not self._is_ours(fields):
            return await _refuse(writer, "407 Proxy Authentication Required", "")
        try:
            target = target_of(f"https://{wanted}/" if method == "CONNECT" else wanted, self._rules)
            far_reader, far_writer = await self._connected(target)
        except OutsideRefusedError as error:
            return await _refuse(writer, "403 Forbidden", error.message)
        except (httpcore.ConnectError, OSError, TimeoutError):
            return await _refuse(writer, "502 Bad Gateway", "no connection to the host")
        try:
            if method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                far_writer.write(_rewritten(method, target, fields))
            await _joined((reader, far_writer), (far_reader, writer))
        finally:
            far_writer.close()

    def _is_ours(self, fields: list[bytes]) -> bool:
        known = base64.b64encode(f"tamis:{self._password}".encode())
        given = b"".join(one.partition(b":")[2] for one in fields if one.lower().startswith(b"proxy-authorization:"))
        return hmac.compare_digest(given.strip(), b"Basic " + known)

    async def _connected(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Raises: OutsideRefusedError, ConnectError, OSError, TimeoutError."""
        addresses = await checked_addresses(target.host, target.port, self._rules.networks, self._resolve)
        async with asyncio.timeout(_CONNECT_S):
            for address in addresses[:-1]:
                with contextlib.suppress(OSError):
                    return await asyncio.open_connection(address, target.port)
            return await asyncio.open_connection(addresses[-1], target.port)


def _rewritten(method: str, target: Target, fields: list[bytes]) -> bytes:
    """The head as its host is asked directly: one request on the connection, since the next may be to another."""
    kept = [one for one in fields if not one.lower().startswith(_HOP_HEADERS)]
    line = b" ".join((method.encode(), target.url.raw_path, b"HTTP/1.1"))
    return b"\r\n".join((line, *kept, b"connection: close", b"", b""))


async def _refuse(writer: asyncio.StreamWriter, status: str, why: str) -> None:
    body = why.encode()
    writer.write(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
    await writer.drain()


async def _joined(
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter], far: tuple[asyncio.StreamReader, asyncio.StreamWriter]
) -> None:
    """Until either side ends."""
    ways = [asyncio.create_task(_copied(*near)), asyncio.create_task(_copied(*far))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK_BYTES):
        writer.write(chunk)
        await writer.drain()
