"""Executions of saved retrievers added up by hour, stage, outcome and duration, as they come and as they go."""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from sqlalchemy import and_, bindparam, case, delete, literal
from sqlalchemy.dialects.postgresql import insert

from tamis.errors import StorageError
from tamis.executions.figures import stage_figures
from tamis.model.durations import step_of
from tamis.model.execution import ExecutionHeader, StageFigures, StoredExecution
from tamis.model.figures import WHOLE
from tamis.model.principal import Principal
from tamis.storage.metadata.codec import to_micros
from tamis.storage.metadata.execution_rows import ANONYMOUS, readable
from tamis.storage.metadata.left_to_count import LeftStatements, LeftToCount, older
from tamis.storage.metadata.link import Link
from tamis.storage.metadata.schema import BYTES, execution_figures, executions, figures_left
from tamis.storage.metadata.slow_executions import SlowExecutions

Kept: TypeAlias = tuple[Principal, ExecutionHeader, bytes]
"""An execution and the bytes of its record, which may be left out where it is anonymous."""

HOUR = 3_600_000_000
_SLOTS = 64
_MICRO = 1_000_000

_c = execution_figures.c
_e = executions.c
KEY = [column.name for column in execution_figures.primary_key]
SUMS = ("executions", "duration_us", "received", "returned", "micro_credits")
_new = insert(execution_figures)
_ADD = _new.on_conflict_do_update(index_elements=KEY, set_={name: _c[name] + _new.excluded[name] for name in SUMS})
# Of a slot that counted one and took another of its kind out, the executions are none and the sums are still something.
_DROP_EMPTY = delete(execution_figures).where(
    and_(*(_c[name] == bindparam(name) for name in KEY)), *(_c[name] == 0 for name in SUMS)
)

RECORD = case((_e.retriever_id != ANONYMOUS, _e.record), else_=literal(b"", BYTES))
"""Of an anonymous execution nothing is counted, so its record is not read."""
FIGURES_LEFT = LeftStatements(figures_left)
_OLDER = older(_e.started_at, _e.header, RECORD)


class ExecutionFigures:
    def __init__(self, link: Link) -> None:
        self._link = link
        # As in ExecutionCounts: two transactions that count at once never meet in a row.
        self._slot = 0 if link.backend == "sqlite" else link.driver.info.backend_pid % _SLOTS
        self._left = LeftToCount(link, FIGURES_LEFT)
        self._slow = SlowExecutions(link)

    def add(self, kept: Sequence[Kept]) -> None:
        """Count executions that have come to their table; what the counting of older ones will meet is left to it."""
        self._count(self._left.counted([one for one in kept if _is_saved(one)]))

    def remove(self, gone: Sequence[Kept]) -> None:
        """Take those that have been deleted out."""
        counted = self._left.counted([one for one in gone if _is_saved(one)])
        rows = self._rows(counted, -1)
        self._link.run_many(_ADD, rows)
        self._link.run_many(_DROP_EMPTY, rows)
        self._slow.remove(counted)

    def count_older(self, limit: int) -> bool:
        """The next of those from before there were figures. False once there are none left."""
        before_at, after = self._left.claim()
        if before_at is None:
            return False
        rows = self._link.rows(_OLDER, {**after, "limit": limit})
        found = [
            (Principal(organization, namespace), header, bytes(record))
            for organization, namespace, _, started_at, body, record in rows
            if started_at < before_at and (header := readable(body)) is not None
        ]
        self._count([one for one in found if _is_saved(one)])
        self._left.move(before_at, rows[-1][:3] if len(rows) == limit else None)
        return len(rows) == limit

    def _count(self, kept: Sequence[Kept]) -> None:
        if kept:
            self._link.run_many(_ADD, self._rows(kept, 1))
            self._slow.add(kept)

    def _rows(self, kept: Iterable[Kept], sign: int) -> list[dict[str, Any]]:
        """One for each kind that occurs, in the order of their keys, so that no two writers wait for each other."""
        sums: dict[tuple[Any, ...], list[int]] = {}
        for one in kept:
            for key, values in parts(one):
                total = sums.setdefault(key, [0] * len(SUMS))
                for place, value in enumerate(values):
                    total[place] += sign * value
        return [dict(zip((*KEY, *SUMS), (*key, self._slot, *sums[key]), strict=True)) for key in sorted(sums)]


def _is_saved(one: Kept) -> bool:
    return one[1].retriever_id is not None


def parts(one: Kept) -> Iterable[tuple[tuple[Any, ...], tuple[int, ...]]]:
    """(key without its slot, sums) of the whole and of each stage."""
    principal, header, _ = one
    stages = _stages(one)
    owner = (principal.organization_id, principal.namespace_id, header.retriever_id)
    hour = to_micros(header.started_at) // HOUR
    duration_us = micros_of(header.duration_ms)
    cached = [stage.was_cached for stage in stages if stage.was_cached is not None]
    credits_used = round(header.credits_used * _MICRO)
    yield (
        (
            *owner,
            WHOLE,
            hour,
            "",
            "",
            header.status.value,
            _code(all(cached) if cached else None),
            step_of(duration_us),
        ),
        (1, duration_us, header.total_processed, header.total_returned, credits_used),
    )
    for place, stage in enumerate(stages, WHOLE + 1):
        took_us = micros_of(stage.duration_ms)
        yield (
            (*owner, place, hour, stage.stage_name, stage.stage_id, stage.outcome, _code(stage.was_cached),
             step_of(took_us)),
            (1, took_us, stage.received, stage.returned, 0),
        )  # fmt: skip


def _stages(one: Kept) -> Sequence[StageFigures]:
    """A record that is damaged is counted by its header alone, when it comes as when it goes."""
    _, header, record = one
    try:
        return stage_figures(StoredExecution(header, "", record))
    except StorageError:
        return ()


def _code(was_cached: bool | None) -> int:
    return -1 if was_cached is None else int(was_cached)


def micros_of(duration_ms: float) -> int:
    return max(0, round(duration_ms * 1000))
