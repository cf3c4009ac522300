"""How much of the throughput recording takes: the same executions with the recorder, and with nothing in its place."""

import asyncio
import socket
import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from benchmarks.first import KEY, QUESTIONS, elsewhere, load
from tamis.app import build_app
from tamis.auth.gate import Gate
from tamis.engine.planning.definition import parse_stages
from tamis.engine.ports.executions import ExecutionQuery
from tamis.executions.recorder import Recorded
from tamis.model.json import JSON
from tamis.model.principal import Permission, Principal
from tamis.model.retriever import StageSpec
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.recording import Recording
from tamis.settings import Settings
from tamis.wiring.memory import settle_memory, use_huge_pages
from tamis.wiring.system import System, open_system

CLIENTS = 16
DOCUMENTS = 300
EXECUTIONS = 240
_INPUTS: dict[str, JSON] = {"query": {"type": "text", "required": True}}


async def measure(folder: Path, rounds: int) -> dict[str, Any]:
    """Rounds in turn, each of `EXECUTIONS`; every question is another, so that no cache answers."""
    async with served(folder) as (system, url):
        collection, _ = await elsewhere(load, url, DOCUMENTS)
        await system.worker.drain()
        service: ExecutionService = system.services[ExecutionService]
        principal = await system.services[Gate].enter(f"Bearer {KEY}", "default", Permission.READ)
        run = _Rounds(service, principal, collection)
        await run.round()
        recorded, bare = [], []
        for _ in range(rounds):
            recorded.append(await run.round())
            with no_recorder():
                bare.append(await run.round())
        kept = await system.backends.metadata.read(
            lambda session: session.executions.count(principal, ExecutionQuery())
        )
    if kept != (rounds + 1) * EXECUTIONS:
        raise ValueError(f"{kept} records are there, {(rounds + 1) * EXECUTIONS} executions were recorded")
    ratio = statistics.median(one / other for (one, _), (other, _) in zip(recorded, bare, strict=True))
    return {
        "what": "two stages: a dense search with the defaults (100 found, 25 returned), a limit of 10; asked of "
        "the service, without HTTP",
        "clients": CLIENTS,
        "executions": rounds * EXECUTIONS,
        "recorded_per_s": round(statistics.median(rate for rate, _ in recorded), 1),
        "bare_per_s": round(statistics.median(rate for rate, _ in bare), 1),
        "recorded_cpu_ms": round(statistics.median(cpu_ms for _, cpu_ms in recorded), 3),
        "bare_cpu_ms": round(statistics.median(cpu_ms for _, cpu_ms in bare), 3),
        "throughput_loss": round(1 - ratio, 4),
    }


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[System, str]]:
    """The whole system in this process, and its HTTP server, which only the loading needs."""
    system = await open_system(Settings(data_dir=folder, root_key=KEY))
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(system), lifespan="off", log_level="warning", access_log=False))
    settle_memory()
    use_huge_pages()
    task = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield system, f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        await system.close()


class _Rounds:
    def __init__(self, service: ExecutionService, principal: Principal, collection: str) -> None:
        self._service = service
        self._principal = principal
        self._collection = collection
        self._asked = 0
        self._stages = _stages()

    async def round(self) -> tuple[float, float]:
        """Executions a second, and CPU milliseconds of this process for each."""
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*(self._client(EXECUTIONS // CLIENTS) for _ in range(CLIENTS)))
        cpu_ms = (time.process_time() - cpu) * 1000 / EXECUTIONS
        return EXECUTIONS / (time.perf_counter() - began), cpu_ms

    async def _client(self, count: int) -> None:
        for _ in range(count):
            self._asked += 1
            question = f"{QUESTIONS[self._asked % len(QUESTIONS)]} {self._asked}"
            options = RunOptions(inputs={"query": question}, collections=(self._collection,), skip_cache=True)
            await self._service.execute_anonymous(self._principal, self._stages, _INPUTS, options)


def _stages() -> tuple[StageSpec, ...]:
    uri = "mixpeek://text_extractor@v1/embedding"
    search = {"searches": [{"feature_uri": uri, "query": "{{INPUT.query}}"}]}
    written = {"feature_search": search, "limit": {"limit": 10}}
    return parse_stages(
        [{"stage_name": name, "config": {"stage_id": name, "parameters": each}} for name, each in written.items()]
    )


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
