"""A record opened without reading its hits: of ten stages with thousands of them, only the windows asked for are made.

Scores stand on those recorded before (see `columns`), so one pass over the rankings serves every window at once; it
looks up only the rows that some window shows.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from tamis.executions.codec import Body, StageRow, readable, record_of, stage_of, unpack
from tamis.executions.columns import Ranking, unpack_ids
from tamis.executions.record import Record, RecordedHit
from tamis.model.execution import StoredExecution

_SCORE = struct.Struct("<d")


class _Unread(Ranking, array_like=True):
    extras: msgspec.Raw = msgspec.Raw(b"\x80")  # type: ignore[assignment]  # the same bytes, read later


class _Row(StageRow, array_like=True):
    received: _Unread | None
    returned: _Unread | None
    calls: msgspec.Raw = msgspec.Raw(b"\x90")  # type: ignore[assignment]  # the same bytes, read later


class _Body(Body, array_like=True):
    stages: list[_Row]  # type: ignore[assignment]  # the same bytes, of which less is read


@dataclass(frozen=True, slots=True)
class Side:
    """What went into the stage at this position of `stages`, or what came out of it."""

    position: int
    is_out: bool


@dataclass(frozen=True, slots=True)
class Window:
    side: Side
    offset: int = 0
    limit: int = 10


class OpenedRecord:
    """record: complete but for its stages' hits and calls, which are empty here."""

    def __init__(self, stored: StoredExecution) -> None:
        """Raises: StorageError where the bytes cannot be read."""
        body = unpack(stored, _Body)
        with readable(stored):
            self._ids = unpack_ids(body.ids)
            definition: dict[str, Any] = msgspec.msgpack.decode(body.definition)
            self._rankings, self._places = _chain(body.stages)
            self.call_counts = tuple(
                len(msgspec.msgpack.decode(row.calls, type=list[msgspec.Raw])) for row in body.stages
            )
            stages = tuple(stage_of(row, definition, (), (), ()) for row in body.stages)
            self.record: Record = record_of(stored, body, definition, self._ids, stages)
        self._stored = stored

    def count(self, side: Side) -> int:
        place = self._places[side]
        return 0 if place is None else len(self._rankings[place].rows)

    def rank(self, side: Side, hit_id: str) -> int | None:
        """Where it stands there, from 1."""
        place = self._places[side]
        if place is None or hit_id not in self._ids:
            return None
        row = self._ids.index(hit_id)
        rows = self._rankings[place].rows
        return rows.index(row) + 1 if row in rows else None

    def read(self, windows: Sequence[Window]) -> list[tuple[RecordedHit, ...]]:
        """The hits of each window, in their order. Cost: linear in the record's rows, however many windows."""
        with readable(self._stored):
            return self._read(windows)

    def _read(self, windows: Sequence[Window]) -> list[tuple[RecordedHit, ...]]:
        shown = [self._rows_of(window) for window in windows]
        due: dict[int, list[int]] = {}
        for number, window in enumerate(windows):
            place = self._places[window.side]
            if place is not None:
                due.setdefault(place, []).append(number)
        answers: list[tuple[RecordedHit, ...]] = [()] * len(windows)
        pass_ = _Pass(self._ids, {row for rows in shown for row in rows})
        for place, ranking in enumerate(self._rankings[: max(due, default=-1) + 1]):
            pass_.take(ranking)
            for number in due.get(place, ()):
                start = windows[number].offset
                answers[number] = tuple(
                    pass_.hit(ranking, position) for position in range(start, start + len(shown[number]))
                )
        return answers

    def _rows_of(self, window: Window) -> list[int]:
        place = self._places[window.side]
        return [] if place is None else self._rankings[place].rows[window.offset : window.offset + window.limit]


def _chain(stages: list[_Row]) -> tuple[list[_Unread], dict[Side, int | None]]:
    """The rankings in the order written, and which of them each side of each stage shows (None: nothing)."""
    rankings: list[_Unread] = []
    places: dict[Side, int | None] = {}
    before: int | None = None
    for position, row in enumerate(stages):
        for is_out, ranking in ((False, row.received), (True, row.returned)):
            if ranking is not None:
                before = len(rankings)
                rankings.append(ranking)
            places[Side(position, is_out)] = before
    return rankings, places


class _Pass:
    """What is known of the wanted rows by the ranking that was taken last."""

    def __init__(self, ids: Sequence[str], wanted: set[int]) -> None:
        self._ids = ids
        self._wanted = wanted
        self._scores: dict[int, dict[str, float]] = {}
        self._extras: dict[int, dict[str, Any]] = {}

    def take(self, ranking: _Unread) -> None:
        extras: dict[int, msgspec.Raw] = msgspec.msgpack.decode(ranking.extras, type=dict[int, msgspec.Raw])
        if not (ranking.columns or ranking.fresh or extras):
            return
        wanted, fresh = self._wanted, set(ranking.fresh)
        for position, row in [(position, row) for position, row in enumerate(ranking.rows) if row in wanted]:
            known = {} if position in fresh else self._scores.get(row, {})
            new = {name: _SCORE.unpack_from(packed, 8 * position)[0] for name, packed in ranking.columns.items()}
            self._scores[row] = {**known, **{name: score for name, score in new.items() if not math.isnan(score)}}
            if position in extras:
                self._extras[row] = msgspec.msgpack.decode(extras[position])

    def hit(self, ranking: _Unread, position: int) -> RecordedHit:
        row = ranking.rows[position]
        score: float = _SCORE.unpack_from(ranking.scores, 8 * position)[0]
        is_document = position not in ranking.made
        return RecordedHit(self._ids[row], score, self._scores.get(row, {}), self._extras.get(row, {}), is_document)
