"""Mixed requests from many clients: does memory stay flat, does anything fail, how long do answers take.

    python -m benchmarks.load [--requests 300000] [--clients 64]

Clients in this process ask a server of its own process over loopback: documents created, changed, read and deleted,
pipelines executed, records read and listed, objects extracted by batches (tests/proofs/mixed_load.py). What is stored
stays bounded but for executions and objects, so that memory has no reason to grow.

Clients share the machine with the server: what they take of its CPU is told, a tenth of what the server takes.

Limits, by the exit status: the server's resident memory, its children's too, is over the last third of the requests at
most 5% more than over the middle third; every request is answered, and as the client's own book says.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop
from tests.live import LiveServer
from tests.proofs.mixed_load import Book, Worker, open_place
from tests.wire import wires

MOST_GROWTH = 1.05
_SAMPLE_S = 0.5


@dataclass
class Memory:
    """Resident bytes of the server and its children, with the requests that had been answered by then."""

    samples: list[tuple[int, int]] = field(default_factory=list)

    def take(self, pid: int, requests: int) -> None:
        process = psutil.Process(pid)
        resident = 0
        for one in [process, *process.children(recursive=True)]:
            try:
                resident += one.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.samples.append((requests, resident))

    def tell(self) -> None:
        """Progress, for a run that takes an hour."""
        requests, resident = self.samples[-1]
        print(f"{requests:>9} requests, {resident / 1e6:.0f} MB", file=sys.stderr, flush=True)

    def mean_mb(self, begin: float, end: float) -> float:
        """Between two shares of all requests."""
        last = self.samples[-1][0]
        chosen = [resident for requests, resident in self.samples if begin * last <= requests <= end * last]
        return statistics.fmean(chosen) / 1e6


@dataclass(frozen=True, slots=True)
class Load:
    """cpu_s: of the server with its children.  client_cpu_s: of this process."""

    book: Book
    memory: Memory
    wall_s: float
    cpu_s: float
    client_cpu_s: float


async def load(server: LiveServer, clients: int, requests: int, telling_every: int = 0) -> Load:
    """Until so many requests are answered, or the server is gone. telling_every: so many requests; 0 tells nothing."""
    book, memory = Book(), Memory()
    began_s, cpu_s, client_cpu_s = time.monotonic(), _cpu_s(server.pid), time.process_time()
    async with wires(server.url, server.key, clients) as connections:
        place = await open_place(connections[0], "loaded")
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
    every = [time_s for times_s in book.times_s.values() for time_s in times_s]
    print(f"{'all':<10}{len(every):>9}{1000 * _quantile(every, 0.5):>9.1f}{1000 * _quantile(every, 0.99):>9.1f}")
    cpu_ms, client_ms = (1000 * cpu_s / book.requests for cpu_s in (load.cpu_s, load.client_cpu_s))
    print(
        f"{book.requests / load.wall_s:.0f} requests/s; CPU of one: server {cpu_ms:.2f} ms, client {client_ms:.2f} ms"
    )
    thirds = [memory.mean_mb(third / 3, (third + 1) / 3) for third in range(3)]
    growth = thirds[2] / thirds[1]
    print(f"memory of the thirds: {', '.join(f'{mean:.0f} MB' for mean in thirds)}; growth {growth:.3f}")
    print(f"refused or wrong: {len(book.refused)}", *book.refused[:5], sep="\n  ")
    return growth <= MOST_GROWTH and not book.refused


def _quantile(times_s: list[float], share: float) -> float:
    return sorted(times_s)[min(len(times_s) - 1, int(share * len(times_s)))]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--requests", type=int, default=300_000)
    parser.add_argument("--clients", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, LiveServer(Path(folder) / "data") as server:
        done = uvloop.run(load(server, given.clients, given.requests, given.requests // 60))
        kept = report(done)
        assert "Traceback" not in server.log, server.log
    return 0 if kept and done.book.requests >= given.requests else 1


if __name__ == "__main__":
    sys.exit(main())
