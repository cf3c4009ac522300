"""Many clients in a process of their own: `python -m benchmarks.peers.client FILE CLIENTS SECONDS`.

FILE: `{"host", "port", "requests": [base64 of a whole HTTP/1.1 request]}`. Each client has one connection and sends its
next request when the last one is answered. Prints `{"rate", "p50_ms", "p99_ms", "errors", "cpu_share"}` as JSON.
"""

import asyncio
import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import httptools
import uvloop

WARM_UP_S = 1.0


class Load:
    """What all connections send and have seen."""

    def __init__(self, requests: list[bytes]) -> None:
        self._requests = requests
        self._next = 0
        self.times_s: list[float] = []
        self.errors = 0
        self.is_measured = False
        self.is_over = False

    def take(self) -> bytes:
        self._next += 1
        return self._requests[self._next % len(self._requests)]

    def note(self, took_s: float, status: int) -> None:
        if self.is_measured:
            self.times_s.append(took_s)
            self.errors += status != 200


class Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self._load = load
        self._transport: Any = None
        self._parser = httptools.HttpResponseParser(self)
        self._sent_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._load.take())

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._load.note(time.perf_counter() - self._sent_at, self._parser.get_status_code())
        self._parser = httptools.HttpResponseParser(self)
        if self._load.is_over:
            self._transport.close()
        else:
            self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


async def measure(host: str, port: int, requests: list[bytes], clients: int, seconds: float) -> dict[str, float]:
    load, loop = Load(requests), asyncio.get_running_loop()
    made = [await loop.create_connection(lambda: Connection(load), host, port) for _ in range(clients)]
    await asyncio.sleep(WARM_UP_S)
    load.is_measured = True
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
    load.is_measured, load.is_over = False, True
    await asyncio.wait_for(asyncio.gather(*(connection.ended for _, connection in made)), 60)
    times_s = sorted(load.times_s) or [float("nan")]
    return {
        "rate": len(load.times_s) / took_s,
        "p50_ms": 1000 * times_s[len(times_s) // 2],
        "p99_ms": 1000 * times_s[int(len(times_s) * 0.99)],
        "errors": load.errors,
        "cpu_share": cpu_s / took_s,
    }


def main() -> None:
    file, clients, seconds = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    given = json.loads(file.read_text())
    requests = [base64.b64decode(one) for one in given["requests"]]
    print(json.dumps(uvloop.run(measure(given["host"], given["port"], requests, clients, seconds))))


if __name__ == "__main__":
    main()
