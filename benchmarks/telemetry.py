"""What telemetry costs: CPU microseconds an execution of three stages, with metrics, with spans too, and without both.

    python -m benchmarks.telemetry [--runs 3000]

The events of a run that took place are told again to each of the sinks; spans go to a collector in this process's
memory. The line of the log is measured apart, written to nowhere.
"""

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.retrieval_world import REGISTRY, opened, search, stage

from tamis.engine.events import Event, Sink
from tamis.engine.planning.plan import Plan
from tamis.engine.run import RunRequest
from tamis.model.execution import ExecutionHeader
from tamis.telemetry.logs import JsonLines
from tamis.telemetry.metrics import Metrics
from tamis.telemetry.tracing import Tracing
from tamis.telemetry.watching import Telemetry


class Tape:
    """A watch that keeps what it is told."""

    def __init__(self) -> None:
        self.run: tuple[Plan, RunRequest] | None = None
        self.events: list[Event] = []
        self.header: ExecutionHeader | None = None

    def begin(self, plan: Plan, request: RunRequest) -> Sink:
        self.run = (plan, request)
        return self.events.append

    def recorded(self, header: ExecutionHeader, lag_ms: float, events: Sequence[Event] = ()) -> None:
        self.header = header


async def taped() -> Tape:
    tape = Tape()
    with tempfile.TemporaryDirectory() as folder:
        async with opened(Path(folder), tape) as world, world.client() as client:
            stages = [
                search(),
                stage("attribute_filter", field="price", operator="gte", value=0),
                stage("limit", limit=5),
            ]
            answer = await client.post("/v1/retrievers/execute", json={"stages": stages})
            assert answer.is_success, answer.text
    return tape


def cpu_us(runs: int, once: Callable[[], None]) -> float:
    for _ in range(100):
        once()
    started = time.thread_time()
    for _ in range(runs):
        once()
    return (time.thread_time() - started) / runs * 1e6


def told(tape: Tape, telemetry: Telemetry) -> Callable[[], None]:
    assert tape.run is not None
    assert tape.header is not None
    (plan, request), header = tape.run, tape.header

    def once() -> None:
        sink = telemetry.begin(plan, request)
        for event in tape.events:
            sink(event)
        telemetry.recorded(header, 0.5, tape.events)

    return once


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3000)
    runs = parser.parse_args().runs
    logging.getLogger("tamis").setLevel(logging.WARNING)
    tape = asyncio.run(taped())
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(InMemorySpanExporter()))
    metrics = Metrics([*REGISTRY])
    figures = {
        "off_us": cpu_us(runs, told(tape, Telemetry())),
        "metrics_us": cpu_us(runs, told(tape, Telemetry(metrics))),
        "metrics_and_spans_us": cpu_us(runs, told(tape, Telemetry(metrics, Tracing(provider)))),
        "log_line_us": _log_line_us(runs, tape),
    }
    provider.shutdown()
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}, indent=2))
    return 0


def _log_line_us(runs: int, tape: Tape) -> float:
    with open(os.devnull, "w") as nowhere:
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(JsonLines())
        logger = logging.getLogger("tamis.execution")
        logger.addHandler(handler)
        logger.propagate = False
        logger.setLevel(logging.INFO)
        try:
            return cpu_us(runs, told(tape, Telemetry()))
        finally:
            logger.removeHandler(handler)
            logger.propagate = True
            logger.setLevel(logging.NOTSET)


if __name__ == "__main__":
    sys.exit(main())
