"""Tamis beside the servers that people would pick instead, on the same vectors and texts, in one run.

    python -m benchmarks.peers [--quick] [--data scifact] [--size 100000] [--seconds 10] [--only Tamis,Chroma]

Installs the peers into `.cache/peers` the first time. Every server is filled, waited for until its index is
built, asked alone by the same clients from a process of their own over loopback, and stopped before the next begins:

    dense       by vector, ten documents with their payload
    filtered    the same among 2 % of the documents
    hybrid      by text, meaning and words fused by rank, half of the documents filtered away, sorted by price

Recall is against exact search. What is printed and kept in `benchmarks/results/` are rates and their ratios; the rate
of FastAPI answering a fixed body is what these clients can ask at all. `--quick` asks too little for a figure.
"""

import argparse
import base64
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from benchmarks.peers import environment
from benchmarks.peers.corpus import TOP, Corpus, load
from benchmarks.peers.peer import DENSE, FILTERED, HYBRID, Peer, raw_request
from benchmarks.peers.report import Measured, Row, write
from benchmarks.peers.servers import Chroma, Fixed, Haystack, Lance, Pgvector, Tamis
from tamis.engine.ports.inference import Models
from tamis.inference.artifacts import Artifacts, default_cache_dir
from tamis.inference.manifest import default_manifest
from tamis.settings import Settings
from tamis.wiring.backends import local_models

_CLIENTS = (1, 8, 64)
_KINDS = (DENSE, FILTERED, HYBRID)


def recall(peer: Peer, kind: str, corpus: Corpus, http: httpx.Client, most: int) -> float | None:
    """Of the true ten, the share that was found; None where there is no one truth."""
    if kind == HYBRID or isinstance(peer, Fixed):
        return None
    true = corpus.nearest if kind == DENSE else corpus.nearest_on_shelf
    shared = 0
    queries = range(min(most, len(corpus.queries)))
    for query in queries:
        method, path, body = peer.request(kind, corpus, query)
        answer = http.request(method, path, json=body)
        answer.raise_for_status()
        shared += len(true[query] & set(peer.found(answer.json())))
    return shared / (TOP * len(queries))


def asked(peer: Peer, kind: str, corpus: Corpus, folder: Path, clients: int, seconds: float) -> dict[str, float]:
    requests = [raw_request(peer, *peer.request(kind, corpus, query)) for query in range(len(corpus.queries))]
    file = folder / f"{kind}.json"
    given = {"host": "127.0.0.1", "port": peer.port, "requests": [base64.b64encode(one).decode() for one in requests]}
    file.write_text(json.dumps(given))
    command: list[str | Path] = [sys.executable, "-m", "benchmarks.peers.client", file, str(clients), str(seconds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def measured(peer: Peer, corpus: Corpus, kinds: Sequence[str], seconds: float, most: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="tamis-peers-") as name:
        folder = Path(name)
        peer.start(folder)
        try:
            began = time.perf_counter()
            peer.fill(corpus)
            rows, filled_s = [], time.perf_counter() - began
            with httpx.Client(base_url=f"http://127.0.0.1:{peer.port}", headers=peer.headers, timeout=60) as http:
                for kind in [kind for kind in kinds if kind in peer.kinds]:
                    found = recall(peer, kind, corpus, http, most)
                    for clients in _CLIENTS:
                        figures = asked(peer, kind, corpus, folder, clients, seconds)
                        rows.append(Row(peer.name, kind, clients, found, **figures))
                        print(rows[-1], flush=True)
        finally:
            peer.stop()
    return Measured(peer.name, filled_s, rows)


def _peers(models: Models, only: Sequence[str]) -> list[Peer]:
    default = default_manifest()[0]
    store = Artifacts(None, default_cache_dir(), downloads=True)
    model, tokenizer = (store.get(default, file) for file in default.files)
    files = model, tokenizer
    every: list[Peer] = [Fixed(), Tamis(models), Pgvector(files), Lance(files), Chroma(), Haystack(files)]
    return [peer for peer in every if not only or any(peer.name.startswith(name) for name in only)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", default="scifact", choices=["scifact", "chorus_icecat"])
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--only", default="", help="names of servers, by commas")
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    size, seconds, most = (1000, 0.5, 20) if given.quick else (given.size, given.seconds, 300)
    environment.ensure()
    with tempfile.TemporaryDirectory() as folder:
        models = local_models(Settings(data_dir=Path(folder)))
        corpus = load(given.data, size, models)
        only = [name for name in given.only.split(",") if name]
        peers = _peers(models, only)
        done = [measured(peer, corpus, _KINDS, seconds, most) for peer in peers]
    write(corpus, done, keep=not given.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
