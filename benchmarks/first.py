"""The first figures: extraction against the bare model, an anonymous execution's time split, start and memory.

    python -m benchmarks.first [--documents 400] [--executions 300] [--rounds 3]

Everything is measured in one run on one machine; figures that carry a limit are checked, and the exit status says so.
Rounds go in turn, Tamis and what it is compared with; a ratio is the median of the rounds' ratios.

Times of the split are CPU milliseconds of the server process (all of its threads) at the median over executions that
are sent one after another over loopback from another process. `embed` is the query's dense and lexical vector, `search`
the search stage's other work (asking the index, fusing, reading the documents found); `outside` is all the rest: HTTP,
authentication, plan, the other stages, the answer, the record.

Three ways of asking, each told: `new`, another question each time, so that the server waits 5 ms for the model and has
cold caches; `paused`, questions asked before with a pause of 5 ms in the model's place; `known`, those back to back.
The limit is on `new`. For comparing machines, `known` is also told in units of what the same HTTP server takes
to answer ready bytes in the same run: docs/decisions/0029 has what a pause costs and why.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import psutil
import uvicorn
import uvloop
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.live import LiveServer

from benchmarks.measured import Meter, MeteredIndex, MeteredMetadata, MeteredModels, metered_search
from tamis.app import build_app
from tamis.cli.ingest import ensure_bucket, ensure_collection
from tamis.cli.stdlib_corpus import Docstring, docstrings
from tamis.client import Client
from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.inference import Models
from tamis.engine.ports.metadata import Metadata
from tamis.engine.stages import STAGES
from tamis.engine.stages.feature_search import FeatureSearch
from tamis.settings import Settings
from tamis.wiring.backends import Backends, local_models
from tamis.wiring.memory import settle_memory, use_huge_pages
from tamis.wiring.system import System, open_system

KEY = "sk_benchmark_0123456789abcdef0123456789"
QUESTIONS = ["how do I run a program", "parse a date", "compress a file", "open a socket", "sort a list by a key"]
_PAUSE_S = 0.005
_WARM = 20
LIMITS = {"extraction_ratio": 0.8, "cpu_ms_outside": 2.0}


async def ready_bytes(scope: Scope, receive: Receive, send: Send) -> None:
    """The least that an HTTP answer can cost: the body read, the same bytes sent each time."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"documents":[]}'})


@contextlib.asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """The application on a free port of this process."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="off", log_level="warning", access_log=False, proxy_headers=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


@contextlib.asynccontextmanager
async def served(folder: Path, meter: Meter, models: Models) -> AsyncIterator[tuple[System, str]]:
    """The whole system and its HTTP server in this process, its ports metered."""
    settings = Settings(data_dir=folder, root_key=KEY)

    def metered(backends: Backends) -> Backends:
        metadata, index = MeteredMetadata(backends.metadata, meter), MeteredIndex(backends.index, meter)
        return replace(backends, metadata=cast(Metadata, metadata), index=cast(VectorIndex, index))

    STAGES[FeatureSearch.id] = metered_search(meter)
    system = await open_system(settings, MeteredModels(models, meter), wrap=metered)
    app = meter.around(build_app(system))
    settle_memory()
    use_huge_pages()
    try:
        async with listening(app) as url:
            yield system, url
    finally:
        await system.close()


async def yardstick(executions: int) -> float:
    """CPU milliseconds of this process for a request that is answered with ready bytes."""
    meter = Meter()
    async with listening(meter.around(ready_bytes)) as url:
        await elsewhere(execute, url, "none", _WARM)
        meter.start()
        await elsewhere(execute, url, "none", executions)
        return float(meter.split()["cpu_ms_total"])


def text_of(row: Docstring, name: str) -> str:
    """Another one for each collection: the same content would not be extracted twice."""
    return f"{row.text}\n{name}"


def load(url: str, count: int, name: str = "bench") -> tuple[str, float]:
    """Objects in, one batch submitted; returns the collection's id and when the batch was submitted."""
    rows = list(docstrings())[:count]
    with Client(url, KEY, "default", timeout_s=300) as client:
        bucket = ensure_bucket(client, name, {"text": "text", "name": "string", "kind": "string", "lines": "integer"})
        collection = ensure_collection(client, name, bucket, ["name", "kind", "lines"])
        ids: list[str] = []
        for start in range(0, len(rows), 100):
            objects = [
                {
                    "blobs": [{"property": "text", "type": "text", "data": text_of(row, name)}],
                    **{"name": row.name, "kind": row.kind, "lines": row.lines},
                }
                for row in rows[start : start + 100]
            ]
            made = client.post(f"buckets/{bucket}/objects/batch", {"objects": objects})
            ids += [item["object_id"] for item in made]
        batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
        submitted = time.time()
        client.post(f"buckets/{bucket}/batches/{batch}/submit")
    return collection, submitted


def execute(url: str, collection: str, count: int, way: str = "new") -> list[float]:
    """Wall milliseconds of each execution, as the client sees them. way: of asking, as above."""
    times = []
    with Client(url, KEY, "default") as client:
        for number in range(count):
            question = QUESTIONS[number % len(QUESTIONS)]
            body = typical(f"{question} {number}" if way == "new" else question, collection)
            if way == "paused":
                time.sleep(_PAUSE_S)
            started = time.perf_counter()
            client.post("retrievers/execute", body)
            times.append((time.perf_counter() - started) * 1000)
    return times


def typical(question: str, collection: str) -> dict[str, Any]:
    """Three stages with the contract's defaults: two searches of 100 fused to 25, a filter, ten documents."""
    uri = "mixpeek://text_extractor@v1/embedding"
    search = {"feature_uri": uri, "query": "{{INPUT.query}}"}
    stages: list[tuple[str, dict[str, Any]]] = [
        ("feature_search", {"searches": [search, {**search, "lexical": True}]}),
        ("attribute_filter", {"field": "kind", "operator": "eq", "value": "function"}),
        ("limit", {"limit": 10}),
    ]
    return {
        "collection_identifiers": [collection],
        "input_schema": {"query": {"type": "text", "required": True}},
        "inputs": {"query": question},
        "stages": [
            {"stage_name": stage, "config": {"stage_id": stage, "parameters": parameters}}
            for stage, parameters in stages
        ],
    }


async def elsewhere(function: Callable[..., Any], *arguments: Any) -> Any:
    """Run in another process, so that the client's CPU is not counted as the server's."""
    context = multiprocessing.get_context("spawn")
    pool = context.Pool(1)
    try:
        return await asyncio.to_thread(pool.apply, function, arguments)
    finally:
        pool.terminate()
        pool.join()


def bare_rate(models: Models, count: int) -> float:
    """Documents a second of the model alone over the same texts."""
    texts = [text_of(row, "bench") for row in docstrings()][:count]
    embedder = models.embedder()
    embedder.embed_documents(texts[:16])
    started = time.perf_counter()
    for start in range(0, len(texts), 64):
        embedder.embed_documents(texts[start : start + 64])
    return len(texts) / (time.perf_counter() - started)


async def asked(meter: Meter, url: str, collection: str, count: int, way: str) -> tuple[list[float], dict[str, Any]]:
    """Wall milliseconds of each execution, and the split of their CPU."""
    await elsewhere(execute, url, collection, _WARM, way)
    meter.start()
    walls = await elsewhere(execute, url, collection, count, way)
    return walls, meter.split()


async def measure(documents: int, executions: int, rounds: int, folder: Path) -> dict[str, Any]:
    models = local_models(Settings())
    meter = Meter()
    async with served(folder / "split", meter, models) as (system, url):
        collection, extraction = await extracted(system, url, models, documents, rounds)
        walls, split = await asked(meter, url, collection, executions, "new")
        _, paused = await asked(meter, url, collection, executions, "paused")
        known, ready = [], []
        for _ in range(rounds):
            known.append((await asked(meter, url, collection, executions, "known"))[1]["cpu_ms_outside"])
            ready.append(await yardstick(executions))
    return {
        **extraction,
        "execution_wall_ms_median": round(statistics.median(walls), 2),
        "execution_wall_ms_p99": round(sorted(walls)[int(len(walls) * 0.99)], 2),
        **split,
        "cpu_ms_outside_paused": paused["cpu_ms_outside"],
        "cpu_ms_outside_known": statistics.median(known),
        "cpu_ms_ready_bytes": statistics.median(ready),
        "outside_known_in_ready_bytes": round(ratio(known, ready), 1),
    }


async def extracted(
    system: System, url: str, models: Models, documents: int, rounds: int
) -> tuple[str, dict[str, Any]]:
    """A collection that is filled, and documents a second beside those of the model alone, before and after."""
    bare, rates = [await asyncio.to_thread(bare_rate, models, documents)], []
    collection = ""
    for number in range(rounds):
        collection, submitted = await elsewhere(load, url, documents, f"bench_{number}")
        await system.worker.drain()
        rates.append(documents / (time.time() - submitted))
        bare.append(await asyncio.to_thread(bare_rate, models, documents))
    around = [statistics.mean(pair) for pair in pairwise(bare)]
    return collection, {
        "documents": documents,
        "bare_model_per_s": round(statistics.median(bare), 1),
        "extracted_per_s": round(statistics.median(rates), 1),
        "extraction_ratio": round(ratio(rates, around), 3),
    }


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def start_and_memory(folder: Path) -> dict[str, Any]:
    """Seconds from the command to readiness with an empty data directory, and resident memory then."""
    started = time.perf_counter()
    with LiveServer(folder / "start") as server:
        seconds = time.perf_counter() - started
        process = psutil.Process(server.pid)
        children = sum(child.memory_info().rss for child in server.children())
        return {
            "start_s": round(seconds, 2),
            "memory_mb": round(process.memory_info().rss / 1e6),
            "children_memory_mb": round(children / 1e6),
        }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--documents", type=int, default=400)
    parser.add_argument("--executions", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as name:
        folder = Path(name)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures = runner.run(measure(arguments.documents, arguments.executions, arguments.rounds, folder))
        figures |= start_and_memory(folder)
    print(json.dumps(figures, indent=2))
    extraction_kept = figures["extraction_ratio"] >= LIMITS["extraction_ratio"]
    kept = extraction_kept and figures["cpu_ms_outside"] <= LIMITS["cpu_ms_outside"]
    print("limits kept" if kept else f"LIMITS NOT KEPT: {LIMITS}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
