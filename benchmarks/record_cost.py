"""How much of the throughput recording takes: the same executions with the recorder, and with nothing in its place.

Asked as clients ask, over HTTP from a process of their own, and of the service in the server's process: the one is what
recording costs whoever asks, the other what it costs where nothing else is done.
"""

import asyncio
import base64
import json
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import uvicorn

from benchmarks.first import KEY, QUESTIONS, elsewhere, load
from benchmarks.peers.client import WARM_UP_S
from tamis.app import build_app
from tamis.auth.gate import Gate
from tamis.engine.planning.definition import parse_stages
from tamis.engine.ports.executions import ExecutionQuery
from tamis.executions.recorder import Recorded
from tamis.model.json import JSON
from tamis.model.principal import Permission, Principal
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.recording import Recording
from tamis.settings import Settings
from tamis.wiring.memory import settle_memory, use_huge_pages
from tamis.wiring.system import System, open_system

CLIENTS = 16
DOCUMENTS = 300
EXECUTIONS = 240
SECONDS = 3.0
_MOST_A_ROUND = 3000
_INPUTS: dict[str, JSON] = {"query": {"type": "text", "required": True}}


async def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Both ways; rounds in turn, every question another, so that no cache answers."""
    async with served(folder) as (system, url):
        collection, _ = await elsewhere(load, url, DOCUMENTS)
        await system.worker.drain()
        service: ExecutionService = system.services[ExecutionService]
        principal = await system.services[Gate].enter(f"Bearer {KEY}", "default", Permission.READ)
        over_http = await compared(_Clients(url, collection, folder / "requests.json"), rounds)
        inside = await compared(_Callers(service, principal, collection), rounds)
        kept = await system.backends.metadata.read(
            lambda session: session.executions.count(principal, ExecutionQuery())
        )
    recorded = over_http.pop("recorded") + inside.pop("recorded")
    if kept < recorded:
        raise ValueError(f"{kept} records are there, {recorded} executions were recorded")
    return {
        "what": "two stages: a dense search with the defaults (100 found, 25 returned), a limit of 10",
        "clients": CLIENTS,
        "over_http": over_http,
        "service_alone": inside,
    }


class Asking(Protocol):
    async def round(self) -> "Round": ...


@dataclass(frozen=True, slots=True)
class Round:
    """executions: that were counted.  cpu_ms: of the server's process, for each."""

    executions: int
    per_s: float
    cpu_ms: float


async def compared(asking: Asking, rounds: int) -> dict[str, Any]:
    """Medians of both kinds of rounds, and of their ratios, pair by pair."""
    recorded, bare = [await asking.round()], []
    for _ in range(rounds):
        recorded.append(await asking.round())
        with no_recorder():
            bare.append(await asking.round())
    pairs = list(zip(recorded[1:], bare, strict=True))
    return {
        "recorded": sum(one.executions for one in recorded),
        "recorded_per_s": round(statistics.median(one.per_s for one, _ in pairs), 1),
        "bare_per_s": round(statistics.median(other.per_s for _, other in pairs), 1),
        "recorded_cpu_ms": round(statistics.median(one.cpu_ms for one, _ in pairs), 3),
        "bare_cpu_ms": round(statistics.median(other.cpu_ms for _, other in pairs), 3),
        "throughput_loss": round(1 - statistics.median(one.per_s / other.per_s for one, other in pairs), 4),
    }


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[System, str]]:
    """The whole system in this process, and its HTTP server, which only the loading needs."""
    system = await open_system(Settings(data_dir=folder, root_key=KEY))
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    app = build_app(system)
    config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False, proxy_headers=False)
    server = uvicorn.Server(config)
    settle_memory()
    use_huge_pages()
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield system, f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        await system.close()


class _Callers:
    """Of the service itself, each its next when the last is answered: `EXECUTIONS` a round."""

    def __init__(self, service: ExecutionService, principal: Principal, collection: str) -> None:
        self._service = service
        self._principal = principal
        self._collection = collection
        self._asked = 0
        self._stages = parse_stages(_stages())

    async def round(self) -> Round:
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(self._client(EXECUTIONS // CLIENTS) for _ in range(CLIENTS)))
        cpu_ms = (time.process_time() - cpu) * 1000 / EXECUTIONS
        return Round(EXECUTIONS, EXECUTIONS / (time.perf_counter() - began), cpu_ms)

    async def _client(self, count: int) -> None:
        for _ in range(count):
            self._asked += 1
            options = RunOptions(
                inputs={"query": _question(self._asked)}, collections=(self._collection,), skip_cache=True
            )
            await self._service.execute_anonymous(self._principal, self._stages, _INPUTS, options)


class _Clients:
    """Over HTTP, from another process: `SECONDS` a round. file: where that process reads what to ask."""

    def __init__(self, url: str, collection: str, file: Path) -> None:
        self._url = url
        self._collection = collection
        self._file = file
        self._asked = 1_000_000

    async def round(self) -> Round:
        self._write()
        command = ("-m", "benchmarks.peers.client", str(self._file), str(CLIENTS), str(SECONDS))
        client = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
        cpu = time.process_time()
        output, _ = await client.communicate()
        cpu_s = time.process_time() - cpu
        told = json.loads(output)
        if told["errors"]:
            raise ValueError(f"{told['errors']} executions failed")
        # Warming up counts into both, so that their quotient is of one execution.
        share = SECONDS / (SECONDS + WARM_UP_S)
        return Round(round(told["rate"] * SECONDS), told["rate"], cpu_s * 1000 * share / (told["rate"] * SECONDS))

    def _write(self) -> None:
        address = urlsplit(self._url)
        requests = [base64.b64encode(self._request(address.netloc)).decode() for _ in range(_MOST_A_ROUND)]
        self._file.write_text(json.dumps({"host": address.hostname, "port": address.port, "requests": requests}))

    def _request(self, host: str) -> bytes:
        self._asked += 1
        body = json.dumps(
            {
                "collection_identifiers": [self._collection],
                "input_schema": _INPUTS,
                "inputs": {"query": _question(self._asked)},
                "stages": _stages(),
                "skip_cache": True,
            }
        )
        head = (
            f"POST /v1/retrievers/execute HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\n"
            f"X-Namespace: default\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return (head + body).encode()


def _question(number: int) -> str:
    return f"{QUESTIONS[number % len(QUESTIONS)]} {number}"


def _stages() -> list[dict[str, Any]]:
    uri = "mixpeek://text_extractor@v1/embedding"
    search = {"searches": [{"feature_uri": uri, "query": "{{INPUT.query}}"}]}
    written = {"feature_search": search, "limit": {"limit": 10}}
    return [{"stage_name": name, "config": {"stage_id": name, "parameters": each}} for name, each in written.items()]


@contextmanager
def no_recorder() -> Iterator[None]:
    """Events are dropped, nothing is encoded, nothing is written."""

    async def store_nothing(self: ExecutionService, *_: object) -> None:
        return None

    def nothing(self: Recording, *_: object, **__: object) -> Recorded | None:
        return None

    def drop(self: Recording, event: object) -> None:
        return None

    replaced = [
        (ExecutionService, "_store", store_nothing),
        (Recording, "record", nothing),
        (Recording, "__call__", drop),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in replaced]
    for owner, name, value in replaced:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)
