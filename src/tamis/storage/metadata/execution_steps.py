"""How long executions took, counted by step, mode and span of time, beside `execution_counts`.

All steps of a span stand in one row, which is read and written again: with a row for each, a hundred executions that go
to their table together would write a hundred rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeAlias

import msgspec
from sqlalchemy import Select, and_, bindparam, delete, func, or_, select
from sqlalchemy.dialects.postgresql import Insert, insert

from tamis.errors import StorageError
from tamis.model.principal import Principal
from tamis.storage.metadata.counted_execution import CountedExecution
from tamis.storage.metadata.link import Link, one_of, scope
from tamis.storage.metadata.schema import execution_steps
from tamis.storage.metadata.spans import MINUTE_S, SPANS, start_of

Steps: TypeAlias = dict[int, int]
"""How many there are, by step. Of a slot they may be less than none."""


class Whose(NamedTuple):
    """Whose executions, of which mode."""

    organization_id: str
    namespace_id: str
    retriever_id: str
    mode: str


STEP_SPANS = SPANS[1:]
"""Of all of time nobody asks for percentiles."""
_NUMBERS = range(len(STEP_SPANS))
_c = execution_steps.c
_KEY = [column.name for column in execution_steps.primary_key]
_WITHOUT_SLOT = _KEY[:-1]
_mine = and_(_c.organization_id == bindparam("organization_id"), _c.namespace_id == bindparam("namespace_id"))
_whose = and_(*(_c[name] == bindparam(name) for name in Whose._fields))
_span = and_(_whose, _c.span_s == bindparam("span_s"), _c.start_at == bindparam("start_at"))


def _upsert(values: Any) -> Insert:
    new = insert(execution_steps).values(values)
    return new.on_conflict_do_update(index_elements=_KEY, set_={"steps": new.excluded.steps})


def _varying(number: int) -> dict[str, Any]:
    return {name: bindparam(f"{name}_{number}", type_=_c[name].type) for name in ("span_s", "start_at", "steps")}


_READ = select(_c.span_s, _c.steps).where(
    _whose,
    _c.slot == bindparam("slot"),
    or_(
        *(
            and_(_c.span_s == one["span_s"], _c.start_at == one["start_at"])
            for one in (_varying(number) for number in _NUMBERS)
        )
    ),
)
_PUT = _upsert([{**{column.name: bindparam(column.name) for column in _c}, **_varying(number)} for number in _NUMBERS])
_PUT_ONE = _upsert({column.name: bindparam(column.name) for column in _c})
_READ_ONE = select(_c.steps).where(_span, _c.slot == bindparam("slot"))
_DROP = delete(execution_steps).where(_span, _c.slot == bindparam("slot"))
_SLOTS = select(_c.steps).where(_span)
_DROP_ALL = delete(execution_steps).where(_span)
_UNFOLDED = (
    select(*(_c[name] for name in _WITHOUT_SLOT))
    .where(_mine, _c.span_s == bindparam("span_s"), _c.start_at < bindparam("before"))
    .group_by(*(_c[name] for name in _WITHOUT_SLOT))
    .having(func.count() > 1)
    .limit(bindparam("limit"))
)

_decoder = msgspec.msgpack.Decoder(Steps)
_encoder = msgspec.msgpack.Encoder()


class ExecutionSteps:
    def __init__(self, link: Link, slot: int) -> None:
        self._link = link
        self._slot = slot

    def add(self, executions: Sequence[CountedExecution]) -> None:
        for (whose, start_at), steps in sorted(steps_of(executions, MINUTE_S).items()):
            named: dict[str, Any] = {**whose._asdict(), "slot": self._slot}
            for number, span_s in enumerate(STEP_SPANS):
                named[f"span_s_{number}"], named[f"start_at_{number}"] = span_s, start_of(start_at, span_s)
            there = {span_s: bytes(packed) for span_s, packed in self._link.rows(_READ, named)}
            for number, span_s in enumerate(STEP_SPANS):
                named[f"steps_{number}"] = packed_steps([read_steps(there.get(span_s)), steps])
            self._link.run(_PUT, named)

    def remove(self, executions: Sequence[CountedExecution]) -> None:
        for span_s in STEP_SPANS:
            for (whose, start_at), steps in sorted(steps_of(executions, span_s).items()):
                named = {**whose._asdict(), "span_s": span_s, "start_at": start_at, "slot": self._slot}
                there = self._link.value(_READ_ONE, named)
                self._put(named, packed_steps([read_steps(there), {step: -count for step, count in steps.items()}]))

    def fold(self, principal: Principal, span_s: int, before: int, limit: int) -> int:
        """As ExecutionCounts.fold."""
        rows = self._link.rows(_UNFOLDED, {**scope(principal), "span_s": span_s, "before": before, "limit": limit})
        for key in rows:
            named = dict(zip(_WITHOUT_SLOT, key, strict=True))
            steps = packed_steps(read_steps(packed) for (packed,) in self._link.rows(_SLOTS, named))
            self._link.run(_DROP_ALL, named)
            self._put({**named, "slot": self._slot}, steps)
        return len(rows)

    def _put(self, named: Mapping[str, Any], steps: bytes) -> None:
        if steps == _NOTHING:
            self._link.run(_DROP, named)
        else:
            self._link.run(_PUT_ONE, {**named, "steps": steps})


def steps_of(executions: Sequence[CountedExecution], span_s: int) -> Mapping[tuple[Whose, int], Steps]:
    """By whose they are and when their span begins."""
    found: defaultdict[tuple[Whose, int], Steps] = defaultdict(dict)
    for one in executions:
        if one.step is not None:
            whose = Whose(one.principal.organization_id, one.principal.namespace_id, one.retriever_id, one.mode)
            steps = found[whose, start_of(one.started_at, span_s)]
            steps[one.step] = steps.get(one.step, 0) + 1
    return found


def read_steps(packed: bytes | None) -> Steps:
    """Raises: StorageError."""
    try:
        return {} if packed is None else _decoder.decode(packed)
    except msgspec.MsgspecError as error:
        raise StorageError(
            f"a counter of durations cannot be read, 'tamis verify --repair' counts again: {error}"
        ) from error


def packed_steps(parts: Iterable[Steps]) -> bytes:
    return _encoder.encode(added(parts))


def added(parts: Iterable[Steps]) -> Steps:
    """All of them together, one at least, in which nothing is 0."""
    first, *others = parts
    sums = dict(first)
    for step, count in (each for other in others for each in other.items()):
        if total := sums.get(step, 0) + count:
            sums[step] = total
        else:
            sums.pop(step)
    return sums


_NOTHING = packed_steps([{}])


@cache
def between(mode: bool) -> Select[Any]:
    statement = select(_c.start_at, _c.steps).where(
        _mine,
        _c.span_s == bindparam("span_s"),
        one_of(_c.retriever_id, "owners"),
        _c.start_at >= bindparam("start"),
        _c.start_at < bindparam("end"),
    )
    return statement.where(_c.mode == bindparam("mode")) if mode else statement
