"""Do two index processes search twice as much as one? `python -m benchmarks.index_processes [--size 50000] [--quick]`.

A shard is built once and copied, each copy is owned by an index process of its own, and this process asks one of them
or both at their sockets, ready-made calls by the sixteen, rounds of one and of two by turns. Printed are searches a
second, the CPU of a search in the index processes and in this one, and the ratio of two to one, which needs two idle
cores: the best rounds are those that had them.
`--quick` asks too little for a figure.
"""

import argparse
import os
import select
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import psutil

from tamis.storage.index.files import ShardFiles
from tamis.storage.index.shard import Shard
from tamis.storage.index.wire import FrameBuffer, pack, unpack

DIMENSIONS, CLUSTERS, QUERIES, TOP = 384, 500, 500, 10
IN_FLIGHT = 16
_SHARD = "org/ns/col"
_BATCH = 1000


class Process:
    """An index process over a directory of its own, with calls of ours on their way."""

    def __init__(self, root: Path, calls: Sequence[bytes]) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            command = [
                sys.executable,
                "-m",
                "tamis.storage.index.process",
                str(root),
                str(theirs.fileno()),
                "1000000000",
            ]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        self._frames, self._calls, self._next = FrameBuffer(), calls, 0
        self.answered = 0
        self.receive()  # that it is ready

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.wait(30)

    def fileno(self) -> int:
        return self._socket.fileno()

    @property
    def cpu_s(self) -> float:
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def send(self, count: int) -> None:
        chosen = [self._calls[(self._next + number) % len(self._calls)] for number in range(count)]
        self._next += count
        self._socket.sendall(b"".join(chosen))

    def receive(self) -> int:
        """How many answers came."""
        answers = [unpack(frame) for frame in self._frames.feed(self._socket.recv(1 << 20))]
        if any(error for _, error, _ in answers):
            raise SystemExit(f"a search failed: {answers}")
        self.answered += len(answers)
        return len(answers)


def built(root: Path, size: int) -> list[bytes]:
    """Make the shard; returns calls that search it."""
    chance = np.random.default_rng(0)
    centres = chance.standard_normal((CLUSTERS, DIMENSIONS)).astype(np.float32)
    rows = centres[chance.integers(0, CLUSTERS, size + QUERIES)]
    rows += np.float32(0.9) * chance.standard_normal(rows.shape).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    feature = {"name": "e", "kind": "dense", "dimensions": DIMENSIONS, "idf": False}
    shard = Shard.create(ShardFiles(root / _SHARD), [feature])
    for start in range(0, size, _BATCH):
        numbers = range(start, min(start + _BATCH, size))
        shard.generation.apply("upsert", [[f"doc_{n:032x}", {"e": ["d", rows[n].tobytes()]}, {}] for n in numbers])
    shard.generation.engine.optimize()
    shard.generation.engine.flush()
    shard.close()
    asked = {"feature": "e", "limit": TOP, "filter": None, "min_score": None, "exact": False}
    return [pack([1, "search", _SHARD, [{**asked, "vector": ["d", row.tobytes()]}]]) for row in rows[size:]]


def asked(processes: Sequence[Process], seconds: float) -> tuple[float, float, float]:
    """(searches a second, their CPU in us in the index processes, in this one)"""
    before, cpu_s, own_s = [one.answered for one in processes], sum(one.cpu_s for one in processes), time.process_time()
    began = time.perf_counter()
    for one in processes:
        one.send(IN_FLIGHT)
    while time.perf_counter() < began + seconds:
        for one in select.select(processes, [], [])[0]:
            one.send(one.receive())
    took_s = time.perf_counter() - began
    count = sum(one.answered for one in processes) - sum(before)
    figures = count / took_s, sum(one.cpu_s for one in processes) - cpu_s, time.process_time() - own_s
    for one in processes:
        left = IN_FLIGHT
        while left:
            left -= one.receive()
    return figures[0], 1e6 * figures[1] / count, 1e6 * figures[2] / count


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args()
    size, rounds, seconds = (2000, 1, 0.3) if given.quick else (given.size, given.rounds, 0.5)
    print(f"{size} x {DIMENSIONS}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        roots = [Path(name) / "0", Path(name) / "1"]
        calls = built(roots[0], size)
        shutil.copytree(roots[0], roots[1])
        both = [stack.enter_context(Process(root, calls)) for root in roots]
        asked(both, 0.2)
        turns = [(asked(both[:1], seconds), asked(both, seconds)) for _ in range(rounds)]
    for count, figures in enumerate(zip(*turns, strict=True), 1):
        rates, index_us, own_us = zip(*figures, strict=True)
        print(
            f"{count}: best {max(rates):.0f}, median {statistics.median(rates):.0f} searches/s; CPU of one: index "
            f"{min(index_us):.0f} us at best, {statistics.median(index_us):.0f} us; asking {min(own_us):.0f} us"
        )
    best = [max(rate for rate, _, _ in figures) for figures in zip(*turns, strict=True)]
    median = statistics.median(two[0] / one[0] for one, two in turns)
    print(f"two to one: {best[1] / best[0]:.2f} by the best rounds, {median:.2f} by the median")
    return 0


if __name__ == "__main__":
    sys.exit(main())
