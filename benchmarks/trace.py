"""Opening a large record's trace: `python -m benchmarks.trace [candidates] [stages]`.

A record of 5,000 candidates in ten stages, every stage rescoring, reordering and adding a field to each, is stored
through the real codec and table; then its first page (ten documents in and out of each stage), one stage's window and
a comparison with itself are made whole, from the row in SQLite to the JSON that is answered. CPU of the process, so
threads are in it; beside it what reading the whole record takes.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tamis.api.schemas.diff_wire import show_diff
from tamis.api.schemas.trace_wire import show_trace
from tamis.engine.ports.metadata import Metadata
from tamis.executions.codec import decode
from tamis.executions.record import CollectionState, Record, RecordedHit, RecordedStage, StageOutcome
from tamis.executions.writing import stored_of
from tamis.model.canonical import sha256_of
from tamis.model.execution import ExecutionHeader, ExecutionStatus, StoredExecution
from tamis.model.ids import derived_id, new_id
from tamis.model.principal import Principal
from tamis.services.records.diffs import DiffService, DiffView
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.traces import TraceRequest, TraceService
from tamis.services.runs.inflight import InFlight
from tamis.storage.metadata import open_sqlite
from tamis.wiring.clock import SystemClock

HERE = Principal("org_bench", "ns_bench")
ROUNDS = 15


def rankings(candidates: int, stages: int) -> list[tuple[RecordedHit, ...]]:
    """What each stage returned."""
    chance = random.Random(7)
    ids = [derived_id("doc", n) for n in range(candidates)]
    hits = [RecordedHit(key, chance.random(), {"embedding": chance.random()}) for key in ids]
    made = []
    for stage in range(stages):
        scored = [
            replace(hit, score=score, scores={**hit.scores, f"stage_{stage}": score}, extra={"group": f"g{n % 97}"})
            for n, hit in enumerate(hits)
            for score in (chance.random(),)
        ]
        hits = sorted(scored, key=lambda hit: (-hit.score, hit.id))
        made.append(tuple(hits))
    return made


def record(candidates: int, stages: int) -> Record:
    names = [f"stage_{n}" for n in range(stages)]
    definition: dict[str, Any] = {
        "stages": [{"stage_name": name, "stage_id": "sort_relevance", "parameters": {}} for name in names],
        "input_schema": {},
    }
    header = ExecutionHeader(
        new_id("exec"), "anonymous", ExecutionStatus.COMPLETED, datetime.now(UTC), 900.0, 0.1, candidates * stages, 10,
        stages, stages, ("col_bench",),
    )  # fmt: skip
    ran: list[RecordedStage] = []
    for n, returned in enumerate(rankings(candidates, stages)):
        received = ran[-1].returned if ran else ()
        ran.append(
            RecordedStage(
                n, names[n], "sort_relevance", StageOutcome.COMPLETED, {}, received, returned, candidates, 90.0
            )
        )  # fmt: skip
    return Record(
        1, header, {}, definition, sha256_of(definition), None, 7, "0", {},
        (CollectionState("col_bench", "text_extractor_v1", 3),), dict.fromkeys((hit.id for hit in ran[0].returned), 3),
        tuple(ran),
    )  # fmt: skip


async def cpu_ms(name: str, once: Callable[[], Awaitable[bytes]]) -> None:
    taken = []
    for _ in range(ROUNDS):
        started = time.process_time()
        answer = await once()
        taken.append((time.process_time() - started) * 1e3)
    print(f"{name:34} {statistics.median(taken):8.1f} ms CPU   {len(answer) / 1024:8.1f} kB answered")


async def measure(metadata: Metadata, stored: StoredExecution) -> None:
    records = ExecutionRecords(metadata, InFlight(SystemClock()))
    traces, diffs = TraceService(metadata, records), DiffService(metadata, records)
    execution_id = stored.header.execution_id

    async def trace(asked: TraceRequest) -> bytes:
        return show_trace(await traces.trace(HERE, execution_id, asked)).model_dump_json().encode()

    async def diff() -> bytes:
        found = await diffs.diff(HERE, execution_id, execution_id)
        return show_diff(found, DiffView()).model_dump_json().encode()

    async def whole() -> bytes:
        decode(stored)
        return b""

    await cpu_ms("trace, first page", lambda: trace(TraceRequest()))
    await cpu_ms("trace, 100 of one stage", lambda: trace(TraceRequest("stage_5", "out", 2_000, 100)))
    await cpu_ms("diff with itself", diff)
    await cpu_ms("the whole record read", whole)


async def main(candidates: int, stages: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        metadata = await open_sqlite(Path(folder) / "metadata.db")
        recorded = stored_of(record(candidates, stages))
        stored = recorded.execution
        await metadata.write(lambda session: session.executions.insert(HERE, stored, recorded.blobs))
        print(f"{candidates} candidates in {stages} stages: a record of {len(stored.record) / 1024:.0f} kB")
        await measure(metadata, stored)
        await metadata.close()


if __name__ == "__main__":
    asyncio.run(main(*map(int, [*sys.argv[1:3], *["5000", "10"][len(sys.argv) - 1 :]])))
