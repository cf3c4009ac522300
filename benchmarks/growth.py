"""One collection from ten thousand documents to a million: what a document, a search, a start and their memory cost.

    python -m benchmarks.growth [--documents 1000000] [--quick]

Documents with vectors of the caller's own (384-d, around a few thousand places), a text and metadata are imported over
HTTP into a server with its default settings, each answer saying that they are searchable. At each size, once the graph
is made: searches by a vector, plain and with a filter that leaves 2 %, and facets over everything, one after the other
by one client; memory of the server and the index processes; and how soon a server that is started again answers.

CPU is told beside wall time: that of the server and the index, whatever else the machine does. Memory: `own` is what
the kernel cannot take back, `mapped` are pages of the index's files, which it can. With --quick a few hundred documents
and nothing is written.
"""

import argparse
import base64
import datetime
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import orjson
import psutil
import uvloop
from tests.live import LiveServer
from tests.wire import Wire

from benchmarks.growth_plot import plot

_RESULTS = Path(__file__).parent / "results"
_SIZES = (10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
_QUICK = (600, 1_000)
_BUILT_FROM = 20_000
_CHUNK = 5_000
_DIMENSIONS = 384
_TEXT = "A document of some length about one of many subjects, as an abstract or the text of a product would be. " * 6
_URI = "mixpeek://text_extractor@v1/embedding"


@dataclass(frozen=True)
class Row:
    """What one size costs.

    rate: documents a second into record and index, since the size before.  server_us, index_us: CPU of one of them.
    *_ms: median wall time of a request.  *_cpu_ms: of server and index together.  *_mb: of all processes, and on disk.
    built_s: from the last document until its graph serves.  ready_s, found_s: from a start until ready, until the
    first answer.
    """

    documents: int
    rate: float
    server_us: float
    index_us: float
    built_s: float
    search_ms: float
    search_cpu_ms: float
    filter_ms: float
    filter_cpu_ms: float
    facet_ms: float
    own_mb: float
    mapped_mb: float
    disk_mb: float
    ready_s: float
    found_s: float


def vectors(number: int, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Around places that are the same for every seed."""
    places = np.random.default_rng(8).standard_normal((2_000, _DIMENSIONS), dtype=np.float32)
    chance = np.random.default_rng(seed)
    rows = places[chance.integers(0, len(places), number)]
    rows += np.float32(0.7) * chance.standard_normal((number, _DIMENSIONS), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def lines(begin: int, end: int) -> Iterator[bytes]:
    """As an import takes them, some thousands at a time."""
    for first in range(begin, end, _CHUNK):
        rows = vectors(min(_CHUNK, end - first), first)
        yield b"".join(_line(number, row) for number, row in enumerate(rows, first))


def _line(number: int, vector: Any) -> bytes:
    fields = {
        "text": f"{_TEXT}{number}",
        "shelf": f"shelf{number % 50}",
        "price": number * 7 % 1000,
        "brand": f"brand{number % 700}",
    }
    packed = base64.b64encode(vector.astype("<f4").tobytes()).decode()
    line = {"document_id": f"doc_{number:024}", "metadata": fields, "vectors": {"embedding": packed}}
    return orjson.dumps(line) + b"\n"


class Usage:
    """CPU seconds of a server, and of its index processes with their builders, those that have ended too."""

    def __init__(self, pid: int) -> None:
        self._server = psutil.Process(pid)
        self._seen: dict[int, float] = {}

    def now(self) -> tuple[float, float]:
        for child in self._server.children(recursive=True):
            try:
                if "tamis.storage.index.builder" not in child.cmdline():
                    self._seen[child.pid] = sum(child.cpu_times()[:2])
            except psutil.NoSuchProcess:
                continue
        return sum(self._server.cpu_times()[:2]), sum(self._seen.values())


class Growth:
    """A server whose one collection grows."""

    def __init__(self, server: LiveServer, queries: int = 500) -> None:
        self._server = server
        self._documents = 0
        self._queries = vectors(queries, 1)

    def create(self) -> None:
        with self._server.client() as client:
            client.post("buckets", {"bucket_name": "growth", "bucket_schema": {"properties": {}}})
            source = {"type": "bucket", "bucket_ids": ["growth"]}
            extractor = {"feature_extractor_name": "text_extractor", "version": "v1"}
            client.post("collections", {"collection_name": "growth", "source": source, "feature_extractor": extractor})

    def grow(self, documents: int) -> Row:
        usage = Usage(self._server.pid)
        before, added = usage.now(), documents - self._documents
        took_s = self._fill(documents)
        server_us, index_us = (1e6 * (now - then) / added for now, then in zip(usage.now(), before, strict=True))
        built_s = self._wait_for_the_graph()
        plain, only, facet = (uvloop.run(self._timed(one)) for one in (self._plain, self._filtered, self._facets))
        own_mb, mapped_mb = self._memory_mb()
        ready_s, found_s = self._restart()
        disk = sum(one.stat().st_blocks * 512 for one in self._server.data_dir.rglob("*") if one.is_file())
        return Row(
            documents, added / took_s, server_us, index_us, built_s, *plain, *only, facet[0],
            own_mb, mapped_mb, disk / 1e6, ready_s, found_s,
        )  # fmt: skip

    def _fill(self, documents: int) -> float:
        """Seconds until all are searchable, without those that it takes to make them up."""
        took_s = 0.0
        headers = {"Authorization": f"Bearer {self._server.key}", "X-Namespace": "default"}
        with httpx.Client(base_url=self._server.url, headers=headers, timeout=1800) as http:
            for body in lines(self._documents, documents):
                began = time.perf_counter()
                answer = http.post("/v1/collections/growth/documents/import", content=body)
                took_s += time.perf_counter() - began
                answer.raise_for_status()
                assert answer.json()["failed"] == 0, answer.text
        self._documents = documents
        return took_s

    def _wait_for_the_graph(self) -> float:
        began = time.perf_counter()
        with self._server.client() as client:
            while self._documents >= _BUILT_FROM:
                store = (client.get("health", metrics="true")["meta"] or {}).get("vector_store", {})
                if store.get("processes", 1) > 1 and not store["building"]:
                    break
                time.sleep(0.2)
        return time.perf_counter() - began

    async def _timed(self, body: Callable[[int], dict[str, Any]]) -> tuple[float, float]:
        """(median wall, CPU of one request), in milliseconds."""
        usage = Usage(self._server.pid)
        async with Wire(self._server.url, self._server.key) as http:
            warm = len(self._queries) // 20
            await _asked(http, [body(number) for number in range(warm)])
            before = sum(usage.now())
            times_s = await _asked(http, [body(number) for number in range(warm, len(self._queries))])
        return 1e3 * statistics.median(times_s), 1e3 * (sum(usage.now()) - before) / len(times_s)

    def _plain(self, number: int) -> dict[str, Any]:
        return self._search(number)

    def _filtered(self, number: int) -> dict[str, Any]:
        return self._search(
            number, filters={"AND": [{"field": "shelf", "operator": "eq", "value": f"shelf{number % 50}"}]}
        )

    def _facets(self, number: int) -> dict[str, Any]:
        return self._search(number, facets=[{"key": "shelf", "limit": 10}])

    def _search(self, number: int, **more: Any) -> dict[str, Any]:
        query = {"input_mode": "vector", "value": self._queries[number].tolist()}
        parameters = {"searches": [{"feature_uri": _URI, "query": query, "top_k": 10}], "final_top_k": 10, **more}
        stage = {"stage_name": "find", "config": {"stage_id": "feature_search", "parameters": parameters}}
        return {"collection_identifiers": ["growth"], "stages": [stage]}

    def _memory_mb(self) -> tuple[float, float]:
        root = psutil.Process(self._server.pid)
        every = [one.memory_info() for one in [root, *root.children(recursive=True)]]
        own, mapped = (
            sum(sizes) / 1e6 for sizes in ([one.rss - one.shared for one in every], [one.shared for one in every])
        )
        return own, mapped

    def _restart(self) -> tuple[float, float]:
        self._server.stop()
        began = time.perf_counter()
        self._server.start()
        ready_s = time.perf_counter() - began
        with self._server.client() as client:
            assert len(client.post("retrievers/execute", self._plain(0))["documents"]) == 10
        return ready_s, time.perf_counter() - began


async def _asked(http: Wire, bodies: Sequence[dict[str, Any]]) -> list[float]:
    """Seconds of each."""
    times_s = []
    for body in bodies:
        began = time.perf_counter()
        answer = await http.post("/v1/retrievers/execute", body)
        times_s.append(time.perf_counter() - began)
        assert answer.is_success, answer.text
        assert len(answer.json()["documents"]) == 10
    return times_s


def report(rows: Sequence[Row]) -> str:
    """Markdown."""
    told = [
        f"# One collection from {rows[0].documents:,} to {rows[-1].documents:,} documents, {datetime.date.today()}",
        "",
        f"`{' '.join(['python -m benchmarks.growth', *sys.argv[1:]])}`, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load average {os.getloadavg()[0]:.1f} at the end.",
        "",
        "| documents | documents/s | CPU a document, server + index, us | graph after, s | search ms (CPU) "
        "| of 2 % ms (CPU) | with facets ms | own MB | mapped MB | disk MB | ready s | first answer s |",
        "| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    told += [
        f"| {row.documents:,} | {row.rate:,.0f} | {row.server_us:.0f} + {row.index_us:.0f} | {row.built_s:.0f} | "
        f"{row.search_ms:.2f} ({row.search_cpu_ms:.2f}) | {row.filter_ms:.2f} ({row.filter_cpu_ms:.2f}) | "
        f"{row.facet_ms:.2f} | {row.own_mb:.0f} | {row.mapped_mb:.0f} | {row.disk_mb:.0f} | {row.ready_s:.1f} | "
        f"{row.found_s:.1f} |"
        for row in rows
    ]
    return "\n".join([*told, ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int, default=_SIZES[-1])
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    sizes = _QUICK if given.quick else [size for size in _SIZES if size <= given.documents]
    stem = _RESULTS / f"growth-{datetime.date.today()}"
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="tamis-growth-") as folder, LiveServer(Path(folder) / "data") as server:
        growth = Growth(server)
        growth.create()
        for size in sizes:
            rows.append(growth.grow(size))
            print(rows[-1], file=sys.stderr, flush=True)
            if not given.quick:
                stem.with_suffix(".md").write_text(f"{report(rows)}\n![growth]({stem.name}.svg)\n")
                stem.with_suffix(".svg").write_text(plot(rows))
    print(report(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
