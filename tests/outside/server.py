"""A small real HTTP server on a loopback address, whose answers a test writes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TypeAlias
from urllib.parse import parse_qs, urlsplit

from tamis.outside.targets import Rules


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}


@dataclass(frozen=True)
class Answer:
    """drip_s: pause after each byte of the body."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    drip_s: float = 0.0


Respond: TypeAlias = Callable[[Asked], Answer | Awaitable[Answer]]


@dataclass
class Server:
    port: int
    asked: list[Asked]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rules(self, *domains: str, **more: object) -> Rules:
        """Those of an operator who lets stages reach this server."""
        networks = (ip_network("127.0.0.0/8"),)
        return Rules(domains or ("127.0.0.1",), networks, (self.port, 80, 443), **more)  # type: ignore[arg-type]


@asynccontextmanager
async def served(respond: Respond) -> AsyncIterator[Server]:
    asked: list[Asked] = []
    busy: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked.append(await _read(reader))
            found = respond(asked[-1])
            answer = found if isinstance(found, Answer) else await found
            await _write(writer, answer)
        except (ConnectionError, asyncio.IncompleteReadError, IndexError):
            pass  # the client went away, which is what some tests want
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(handle(reader, writer))
        busy.add(task)
        task.add_done_callback(busy.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield Server(server.sockets[0].getsockname()[1], asked)
    finally:
        server.close()
        for task in busy:
            task.cancel()
        await asyncio.gather(*busy, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked:
    method, target, _ = (await reader.readline()).decode().split(" ", 2)
    headers: dict[str, str] = {}
    while line := (await reader.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, body)


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    headers = {"content-length": str(len(answer.body)), **answer.headers, "connection": "close"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {answer.status} X\r\n{head}\r\n".encode("latin-1"))
    step = 1 if answer.drip_s else max(len(answer.body), 1)
    for start in range(0, len(answer.body), step):
        writer.write(answer.body[start : start + step])
        await writer.drain()
        await asyncio.sleep(answer.drip_s)
    await writer.drain()
