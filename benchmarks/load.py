"""Mixed requests from many clients: does memory stay flat, does anything fail, how long do answers take.

    python -m benchmarks.load [--requests 300000] [--clients 64]
    python -m benchmarks.load --scaling [--requests 2000]

Clients in this process ask a server of its own process over loopback: documents created, changed, read and deleted,
pipelines executed, records read and listed, objects extracted by batches (tests/proofs/mixed_load.py). What is stored
stays bounded but for executions and objects, so that memory has no reason to grow.

Clients share the machine with the server: what they take of its CPU is told, a tenth of what the server takes.

With --scaling 1, 4, 16 and 64 clients take turns on one server, three rounds of so many requests each; the medians of
throughput and CPU are told for each number of clients, and 64 must have 0.9 of the best throughput.

Limits, by the exit status: the server's own memory, its children's too, is over the last third of the requests at most
5% more than over the middle third (what of the index's files lies mapped is not its own); every request is answered,
and as the client's own book says. Where batches are submitted faster than they are extracted, the queue fills up and
429 says so: that is counted apart.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop
from tests.live import LiveServer
from tests.proofs.mixed_load import Book, Worker, open_place
from tests.wire import wires

MOST_GROWTH = 1.05
LEAST_SHARE = 0.9
_NUMBERS = (1, 4, 16, 64)
_ROUNDS = 3
_SAMPLE_S = 0.5


@dataclass
class Memory:
    """Bytes of the server, and of its children, with the requests that had been answered by then.

    Of their own: pages of the index's files that lie mapped grow with what is stored, and the kernel takes them back.
    """

    samples: list[tuple[int, int, int]] = field(default_factory=list)

    def take(self, pid: int, requests: int) -> None:
        process = psutil.Process(pid)
        children = sum(_own_bytes(child) for child in process.children(recursive=True))
        self.samples.append((requests, _own_bytes(process), children))

    def tell(self) -> None:
        """Progress, for a run that takes an hour."""
        requests, server, children = self.samples[-1]
        told = f"{requests:>9} requests, {(server + children) / 1e6:.0f} MB, of the index {children / 1e6:.0f} MB"
        print(told, file=sys.stderr, flush=True)

    def thirds_mb(self) -> list[tuple[float, float]]:
        """The mean in each third of the requests: (all processes, those of the index)."""
        last = self.samples[-1][0]
        parts: list[list[tuple[int, int]]] = [[], [], []]
        for requests, server, children in self.samples:
            parts[min(2, 3 * requests // last)].append((server + children, children))
        return [(_mean_mb(whole for whole, _ in part), _mean_mb(own for _, own in part)) for part in parts]


def _own_bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    return int(memory.rss - memory.shared)


def _mean_mb(sizes: Iterable[int]) -> float:
    return statistics.fmean(sizes) / 1e6


@dataclass(frozen=True, slots=True)
class Load:
    """cpu_s: of the server with its children.  client_cpu_s: of this process."""

    book: Book
    memory: Memory
    wall_s: float
    cpu_s: float
    client_cpu_s: float


async def load(
    server: LiveServer, clients: int, requests: int, telling_every: int = 0, place_name: str = "loaded"
) -> Load:
    """Until so many requests are answered, or the server is gone. telling_every: so many requests; 0 tells nothing."""
    book, memory = Book(), Memory()
    began_s, cpu_s, client_cpu_s = time.monotonic(), _cpu_s(server.pid), time.process_time()
    async with wires(server.url, server.key, clients) as connections:
        place = await open_place(connections[0], place_name)
        workers = [Worker(f"w{number}", wire, place, book, seed=1) for number, wire in enumerate(connections)]
        ended = asyncio.Event()
        watching = asyncio.create_task(_watch(server.pid, book, memory, ended, telling_every))
        await asyncio.gather(*(worker.work(lambda: book.requests >= requests) for worker in workers))
        ended.set()
        await watching
    return Load(
        book,
        memory,
        time.monotonic() - began_s,
        _cpu_s(server.pid) - cpu_s,
        time.process_time() - client_cpu_s,
    )


def _cpu_s(pid: int) -> float:
    process = psutil.Process(pid)
    return sum(sum(one.cpu_times()[:2]) for one in [process, *process.children(recursive=True)])


async def _watch(pid: int, book: Book, memory: Memory, ended: asyncio.Event, telling_every: int) -> None:
    told = 0
    while not ended.is_set():
        memory.take(pid, book.requests)
        if telling_every and book.requests >= told + telling_every:
            told = book.requests
            memory.tell()
        try:
            await asyncio.wait_for(ended.wait(), _SAMPLE_S)
        except TimeoutError:
            continue
    memory.take(pid, book.requests)


def report(load: Load) -> bool:
    """Print what was measured; whether the limits are kept."""
    book, memory = load.book, load.memory
    print(f"{'request':<10}{'number':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for kind, times_s in sorted(book.times_s.items()):
        p50, p99 = (1000 * _quantile(times_s, share) for share in (0.5, 0.99))
        print(f"{kind:<10}{len(times_s):>9}{p50:>9.1f}{p99:>9.1f}")
    every = _times_s(book)
    print(f"{'all':<10}{len(every):>9}{1000 * _quantile(every, 0.5):>9.1f}{1000 * _quantile(every, 0.99):>9.1f}")
    cpu_ms, client_ms = (1000 * cpu_s / book.requests for cpu_s in (load.cpu_s, load.client_cpu_s))
    print(
        f"{book.requests / load.wall_s:.0f} requests/s; CPU of one: server {cpu_ms:.2f} ms, client {client_ms:.2f} ms"
    )
    thirds = memory.thirds_mb()
    growth = thirds[2][0] / thirds[1][0]
    print(f"memory of the thirds: {', '.join(f'{whole:.0f} MB' for whole, _ in thirds)}; growth {growth:.3f}")
    print(f"of these the index: {', '.join(f'{own:.1f} MB' for _, own in thirds)}")
    print(f"batches that found the queue full: {book.queue_full} of {len(book.times_s['submit'])}")
    print(f"refused or wrong: {len(book.refused)}", *book.refused[:5], sep="\n  ")
    return growth <= MOST_GROWTH and not book.refused


def _quantile(times_s: list[float], share: float) -> float:
    return sorted(times_s)[min(len(times_s) - 1, int(share * len(times_s)))]


async def scale(server: LiveServer, requests: int) -> bool:
    """Print what each number of clients got; whether the limit is kept."""
    done: dict[int, list[Load]] = {number: [] for number in _NUMBERS}
    for number in _NUMBERS:
        await load(server, number, requests // 4, place_name=f"warm-{number}")
    for round_number in range(_ROUNDS):
        for number in _NUMBERS:
            done[number].append(await load(server, number, requests, place_name=f"of-{number}-{round_number}"))
    rates = {}
    print(f"{'clients':>8}{'requests/s':>12}{'server CPU ms':>15}{'p99 ms':>9}")
    for number, loads in done.items():
        rates[number] = statistics.median(one.book.requests / one.wall_s for one in loads)
        cpu_ms = statistics.median(1000 * one.cpu_s / one.book.requests for one in loads)
        p99_ms = statistics.median(1000 * _quantile(_times_s(one.book), 0.99) for one in loads)
        print(f"{number:>8}{rates[number]:>12.0f}{cpu_ms:>15.2f}{p99_ms:>9.0f}")
    share = rates[_NUMBERS[-1]] / max(rates.values())
    print(f"{_NUMBERS[-1]} clients have {share:.2f} of the best")
    return share >= LEAST_SHARE and not any(one.book.refused for loads in done.values() for one in loads)


def _times_s(book: Book) -> list[float]:
    return [time_s for times_s in book.times_s.values() for time_s in times_s]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--scaling", action="store_true")
    given = parser.parse_args()
    requests: int = given.requests or (2_000 if given.scaling else 300_000)
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder) / "data") as server:
        if given.scaling:
            return 0 if uvloop.run(scale(server, requests)) else 1
        done = uvloop.run(load(server, given.clients, requests, requests // 60))
        kept = report(done)
        assert "Traceback" not in server.log, server.log
    return 0 if kept and done.book.requests >= requests else 1


if __name__ == "__main__":
    sys.exit(main())
