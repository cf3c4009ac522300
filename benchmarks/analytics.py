"""How quick analytics are, and how large their tables, where a retriever has ten million executions.

    python -m benchmarks.analytics [HOURS]

The figures of one hour are made from 3,600 records by the real code, and put under each of the hours: what is read is
as large as if all had run. 2,778 hours of an execution a second are ten million. Prints milliseconds for each question,
the median of five.
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, cast

from sqlalchemy import Table, func, insert, select

from benchmarks.record_store import EPOCH, ME, Maker
from tamis.engine.ports.metadata import Metadata, Session
from tamis.services.records.analytics import Sum, summed
from tamis.storage.metadata import open_sqlite
from tamis.storage.metadata.execution_figures import ExecutionFigures, Kept
from tamis.storage.metadata.link import Row
from tamis.storage.metadata.schema import execution_figures, slow_executions
from tamis.storage.metadata.session import SqlSession

_OWNER = "ret_" + "1" * 28
_A_HOUR = 3_600
_TIMES = 5
_TABLES = (execution_figures, slow_executions)


def _hour() -> list[Kept]:
    chance = random.Random(1)
    maker = Maker()
    kept = []
    for number in range(_A_HOUR):
        made = maker.execution(number)
        took_ms = round(chance.lognormvariate(2, 0.6), 3)
        header = replace(made.header, retriever_id=_OWNER, duration_ms=took_ms, mode="saved", started_at=EPOCH)
        kept.append((ME, replace(header, execution_id=f"exec_{number:028x}"), made.record))
    return kept


def _fill(session: Session, hours: int) -> float:
    """CPU microseconds for each record that the real code counted."""
    link = cast(SqlSession, session).link
    kept, figures = _hour(), ExecutionFigures(link)
    began = time.thread_time()
    for start in range(0, _A_HOUR, 100):
        figures.add(kept[start : start + 100])
    took = (time.thread_time() - began) / _A_HOUR * 1e6
    for table in _TABLES:
        rows = link.rows(select(table), {})
        place = [column.name for column in table.columns].index("hour")
        for hour in range(1, hours):
            link.run_many(insert(table), [_later(table, row, place, hour) for row in rows])
    return took


def _later(table: Table, row: Row, place: int, hours: int) -> dict[str, Any]:
    moved = (*row[:place], row[place] + hours, *row[place + 1 :])
    return dict(zip([column.name for column in table.columns], moved, strict=True))


async def _run(hours: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        metadata = await open_sqlite(Path(folder) / "tamis.db")
        took = await metadata.write(lambda session: _fill(session, hours))
        print(f"{hours * _A_HOUR:,} executions; counting one {took:.1f} us of CPU")
        for table in _TABLES:
            print(f"{table.name}: {await metadata.read(partial(_count, table=table)):,} rows")
        end = EPOCH + timedelta(hours=hours)
        for name, span in (("24 hours", 24), ("30 days", 720), ("all", hours)):
            start = end - timedelta(hours=min(span, hours))
            for question in (_performance, _stages, _slowest):
                took_ms = await _timed(metadata, partial(question, start=start, end=end))
                print(f"{name:>9} {question.__name__[1:]:<12} {took_ms:8.1f} ms")
        await metadata.close()


async def _timed(metadata: Metadata, ask: Callable[[Session], Any]) -> float:
    times = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        await metadata.read(ask)
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _performance(session: Session, start: datetime, end: datetime) -> Sum:
    return summed(session.analytics.executions(ME, _OWNER, start, end).values())


def _stages(session: Session, start: datetime, end: datetime) -> Sum:
    return summed(session.analytics.stages(ME, _OWNER, start, end).values())


def _slowest(session: Session, start: datetime, end: datetime) -> Any:
    return session.analytics.slowest(ME, _OWNER, start, end, 10)


def _count(session: Session, table: Table) -> int:
    return int(cast(SqlSession, session).link.value(select(func.count()).select_from(table), {}))


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]) if len(sys.argv) > 1 else 2_778))
