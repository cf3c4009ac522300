"""What each quantisation costs and finds: `python -m benchmarks.quantization [--size 100000] [--quick]`.

SciFact's texts repeated with noise (`benchmarks/peers/corpus.py`), 384 dimensions. Each setting is built as the builder
builds it and asked in this process: recall@10 against exact search, CPU of a search, the bytes of what is compared
first, and how much more memory this process has after the searches, its own and of files that lie mapped. `--quick`
builds too little for a figure.
"""

import argparse
import os
import sys
import tempfile
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.peers.corpus import TOP, Corpus, load
from tamis.model.vector import Quantization
from tamis.settings import Settings
from tamis.storage.index import native
from tamis.storage.index.files import ShardFiles, write_built
from tamis.storage.index.shard import Generation, Shard
from tamis.wiring.backends import local_models

_BATCH = 1000


@dataclass(frozen=True)
class Measured:
    """own_mb, mapped_mb: of resident memory, more than before the shard was opened."""

    quantization: Quantization
    recall: float
    cpu_us: float
    first_mb: float
    own_mb: float
    mapped_mb: float


def measured(corpus: Corpus, quantization: Quantization, folder: Path) -> Measured:
    files = ShardFiles(folder / quantization)
    feature = {"name": "e", "kind": "dense", "dimensions": corpus.vectors.shape[1], "quantization": str(quantization)}
    Shard.create(files, [feature]).close()
    path = files.new("gen")
    _build(Generation.create(path, native.shard_config([feature], len(corpus))), corpus)
    write_built(path, len(corpus))
    files.set_current(path)
    before = psutil.Process().memory_info()
    shard = Shard.open(files)
    found = [{name for name, _ in shard.search(_search(row.tobytes()))} for row in corpus.queries]
    began = time.process_time()
    for row in corpus.queries:
        shard.search(_search(row.tobytes()))
    cpu_us = 1e6 * (time.process_time() - began) / len(corpus.queries)
    after = psutil.Process().memory_info()
    shard.close()
    shared = sum(len(true & set(map(int, names))) for true, names in zip(corpus.nearest, found, strict=True))
    return Measured(
        quantization,
        shared / (TOP * len(corpus.queries)),
        cpu_us,
        sum(file.stat().st_size for file in path.rglob("quantized*.data")) / 1e6,
        (after.rss - after.shared - before.rss + before.shared) / 1e6,
        (after.shared - before.shared) / 1e6,
    )


def _build(generation: Generation, corpus: Corpus) -> None:
    for start in range(0, len(corpus), _BATCH):
        numbers = range(start, min(start + _BATCH, len(corpus)))
        vectors = {number: {"e": ["d", corpus.vectors[number].tobytes()]} for number in numbers}
        generation.upsert({uuid.UUID(int=number + 1): (vectors[number], {"d": str(number)}) for number in numbers})
    generation.engine.optimize()
    generation.engine.flush()
    generation.engine.close()


def _search(vector: bytes) -> dict[str, object]:
    return {"feature": "e", "vector": ["d", vector], "limit": TOP, "filter": None, "min_score": None, "exact": False}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        corpus = load("scifact", 2000 if given.quick else given.size, local_models(Settings(data_dir=folder)))
        print(f"{len(corpus)} x {corpus.vectors.shape[1]}, load average {os.getloadavg()[0]:.1f}")
        for quantization in Quantization:
            one = measured(corpus, quantization, folder)
            print(
                f"{one.quantization:7} recall@10 {one.recall:.3f}  {one.cpu_us:5.0f} us of CPU a search  compared "
                f"first {one.first_mb:.1f} MB  memory: {one.own_mb:.0f} MB own, {one.mapped_mb:.0f} MB mapped",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
