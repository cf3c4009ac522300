"""How soon a server answers, what it holds while it does nothing, what an installation is.

    python -m benchmarks.start [--documents 100000] [--starts 7] [--install] [--quick]

A data directory is filled with so many documents of 384 dimensions, the index built; then the server is started again
and again. Told are the medians: until `/v1/health` says OK and `/readyz` 200, and from there until a search by text is
answered, for which the model has to be loaded and the shard opened; and the CPU that the server had used by then. An
empty data directory beside it. On a machine with other work, wall time is theirs as well: look at the load.

Memory is the proportional set (PSS) of the server and its children when it no longer changes, the model loaded and
asked. Beside it, in the same run, a bare process that loads and asks the same model and does nothing else.

With --install a new environment is made from the hashed lists, as `make demo` does: seconds (with what the package
index and pip's cache give) and bytes. Limits, by the exit status: MOST_START_S for the full data directory,
MOST_MEMORY times the bare process plus MORE_MEMORY_MB for the empty one. With --quick nothing is judged.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from tests.live import LiveServer

from tamis.client import Client
from tamis.settings import Settings
from tamis.wiring.backends import local_models

_RESULTS = Path(__file__).parent / "results"
MOST_START_S = 1.5
MOST_MEMORY = 1.3
MORE_MEMORY_MB = 120
_BUILT_FROM = 20_000
"""Documents from which on the index makes a graph, in a process of its own."""
_CHUNK = 5_000
_SETTLED_MB = 0.5
_PATIENCE_S = 600
_BARE = """
import sys
import onnxruntime, numpy
from tokenizers import Tokenizer
options = onnxruntime.SessionOptions()
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
ids = Tokenizer.from_file(sys.argv[2]).encode("what does a bare process hold?").ids
rows = {"input_ids": [ids], "attention_mask": [[1] * len(ids)], "token_type_ids": [[0] * len(ids)]}
wanted = {node.name for node in session.get_inputs()}
session.run(None, {name: numpy.array(row, numpy.int64) for name, row in rows.items() if name in wanted})
print("ready", flush=True)
sys.stdin.read()
"""


@dataclass(frozen=True)
class Start:
    """Seconds from the command; cpu_s: of the server's process when it was ready."""

    ready_s: float
    first_search_s: float
    cpu_s: float


def documents(number: int) -> Iterator[bytes]:
    """JSON lines in chunks: texts, fields, vectors around a few thousand places."""
    chance = np.random.default_rng(8)
    places = chance.standard_normal((2_000, 384), dtype=np.float32)
    for begin in range(0, number, _CHUNK):
        rows = range(begin, min(begin + _CHUNK, number))
        vectors = places[[row % len(places) for row in rows]] + 0.5 * chance.standard_normal(
            (len(rows), 384), dtype=np.float32
        )
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield b"".join(_line(row, vector) for row, vector in zip(rows, vectors, strict=True))


def _line(row: int, vector: Any) -> bytes:
    fields = {"text": f"Document {row} of shelf {row % 50}", "price": row * 7 % 1000, "shelf": f"shelf{row % 50}"}
    return json.dumps({"metadata": fields, "vectors": {"embedding": vector.round(4).tolist()}}).encode() + b"\n"


def fill(server: LiveServer, number: int) -> None:
    """One collection of `text_extractor@v1`, so that texts search it; returns when its graph is made."""
    with Client(server.url, server.key, "default", timeout_s=_PATIENCE_S) as client:
        bucket = client.post("buckets", {"bucket_name": "start", "bucket_schema": {"properties": {}}})["bucket_id"]
        extractor = {"feature_extractor_name": "text_extractor", "version": "v1"}
        source = {"type": "bucket", "bucket_ids": [bucket]}
        made = {"collection_name": "start", "source": source, "feature_extractor": extractor}
        client.post("collections", made)
        for lines in documents(number):
            done = client.post_bytes("collections/start/documents/import", iter([lines]), "application/x-ndjson")
            assert done["failed"] == 0, done["errors"][:3]
        until(lambda: number < _BUILT_FROM or _is_built(client))


def _is_built(client: Client) -> bool:
    store = client.get("health", metrics="true")["meta"]["vector_store"]
    return int(store["processes"]) > 1 and not store["building"]


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.2)


def started(server: LiveServer, with_documents: bool) -> Start:
    """The server, started and left running, its model loaded and asked."""
    began = time.perf_counter()
    server.start()
    with server.client() as client:
        assert client.get("health")["status"] == "OK"
        ready_s = time.perf_counter() - began
        cpu_s = sum(psutil.Process(server.pid).cpu_times()[:2])
        assert client.get("health", deep="true")["status"] == "OK"
        if with_documents:
            search(client)
    return Start(ready_s, time.perf_counter() - began - ready_s, cpu_s)


def search(client: Client) -> None:
    uri = "mixpeek://text_extractor@v1/embedding"
    parameters = {"searches": [{"feature_uri": uri, "query": "{{INPUT.query}}", "top_k": 10}], "final_top_k": 10}
    stage = {"stage_name": "search", "config": {"stage_id": "feature_search", "parameters": parameters}}
    body = {
        "collection_identifiers": ["start"],
        "input_schema": {"query": {"type": "text", "required": True}},
        "inputs": {"query": "a document on a shelf"},
        "stages": [stage],
    }
    assert len(client.post("retrievers/execute", body)["documents"]) == 10


def held_mb(pid: int) -> float:
    """Of a process and its children; each page that several map is shared out among them."""
    root = psutil.Process(pid)
    return float(sum(one.memory_full_info().pss for one in [root, *root.children(recursive=True)])) / 1e6


def settled_mb(pid: int) -> float:
    """As soon as two readings, a second apart, are the same."""
    readings = [held_mb(pid)]

    def is_settled() -> bool:
        time.sleep(1.0)
        readings.append(held_mb(pid))
        return abs(readings[-1] - readings[-2]) < _SETTLED_MB

    until(is_settled)
    return readings[-1]


def bare_mb() -> float:
    """Of a process that has the default model loaded and asked, and nothing else."""
    models = local_models(Settings())
    models.embedder()  # fetched, where it is not at hand
    files = {one.artifact.name: str(one.path) for one in models.inspect()[0].files}
    command = [sys.executable, "-c", _BARE, files["model.onnx"], files["tokenizer.json"]]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        held = settled_mb(process.pid)
        process.kill()
    return held


def installed(folder: Path) -> tuple[float, int]:
    """Seconds to make an environment from the hashed lists, and its bytes."""
    root = Path(__file__).parents[1]
    began = time.perf_counter()
    venv.EnvBuilder(with_pip=True).create(folder)
    install = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    lists = ["--require-hashes", "-r", str(root / "requirements.lock"), "-r", str(root / "requirements-build.lock")]
    subprocess.run([*install, *lists], check=True)
    subprocess.run([*install, "--no-deps", "--no-build-isolation", str(root)], check=True)
    seconds = time.perf_counter() - began
    return seconds, sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def measured(folder: Path, number: int, starts: int) -> dict[str, Any]:
    """number: of documents; 0 leaves the data directory empty."""
    server = LiveServer(folder)
    with server:
        if number:
            fill(server, number)
    every: list[Start] = []
    for _ in range(starts):
        every.append(started(server, number > 0))
        memory_mb = settled_mb(server.pid) if len(every) == starts else 0.0
        server.stop()
    return {
        "documents": number,
        "ready_s": [round(one.ready_s, 2) for one in every],
        "ready_s_median": round(statistics.median(one.ready_s for one in every), 2),
        "first_search_s_median": round(statistics.median(one.first_search_s for one in every), 2),
        "cpu_s_median": round(statistics.median(one.cpu_s for one in every), 2),
        "idle_mb": round(memory_mb),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--documents", type=int)
    parser.add_argument("--starts", type=int)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--quick", action="store_true", help="few documents, one start, no judgement, nothing written")
    given = parser.parse_args()
    number, starts = given.documents or (300 if given.quick else 100_000), given.starts or (1 if given.quick else 7)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="tamis-start-") as name:
        folder = Path(name)
        bare = bare_mb()
        empty, full = measured(folder / "empty", 0, starts), measured(folder / "full", number, starts)
        install = installed(folder / "environment") if given.install else None
    allowed = MOST_MEMORY * bare + MORE_MEMORY_MB
    text = report(load, bare, [empty, full], install)
    print(text)
    if given.quick:
        return 0
    (_RESULTS / f"start-{number}-{datetime.date.today()}.md").write_text(text)
    return 0 if full["ready_s_median"] <= MOST_START_S and empty["idle_mb"] <= allowed else 1


def report(load: float, bare: float, rows: list[dict[str, Any]], install: tuple[float, int] | None) -> str:
    lines = [
        f"# Start, idle memory, installation, {datetime.date.today()}",
        "",
        f"`{' '.join(['python -m benchmarks.start', *sys.argv[1:]])}`, {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, load average {load:.1f} before, {os.getloadavg()[0]:.1f} after.",
        "",
        "| documents | ready, s (each start) | median | then the first search, s | CPU until ready, s | idle, MB |",
        "| ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['documents']:,} | {', '.join(f'{one:.2f}' for one in row['ready_s'])} | {row['ready_s_median']:.2f} | "
        f"{row['first_search_s_median']:.2f} | {row['cpu_s_median']:.2f} | {row['idle_mb']} |"
        for row in rows
    ]
    allowed = MOST_MEMORY * bare + MORE_MEMORY_MB
    lines += [
        "",
        f"A bare process with the same model loaded and asked holds {bare:.0f} MB. Wanted: ready within "
        f"{MOST_START_S} s, and with an empty data directory at most {MOST_MEMORY} times that and {MORE_MEMORY_MB} MB, "
        f"{allowed:.0f} MB.",
    ]
    if install:
        lines += ["", f"An installation takes {install[0]:.0f} s and {install[1] / 1e6:.0f} MB."]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
