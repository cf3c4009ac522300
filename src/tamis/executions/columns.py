"""Hits as columns: ids once for the whole record, scores as packed doubles, and of scores only what a stage changed."""

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from tamis.executions.record import RecordedHit
from tamis.model.hits import Hit

_NOTHING: Mapping[str, Any] = {}


class Ranking(msgspec.Struct, array_like=True):
    """One ordered run of hits. Fields are only ever added at the end.

    rows: positions in the table of ids.  scores: float64, little-endian, one a row.
    columns: by score name, float64 one a row, NaN where that row has nothing new under the name.
    extras: by position in `rows`, what stages added, where it is new.
    fresh: positions whose scores begin anew instead of standing on those recorded before.
    made: positions of rows that are no documents.
    """

    rows: list[int]
    scores: bytes
    columns: dict[str, bytes] = {}
    extras: dict[int, dict[str, Any]] = {}
    fresh: list[int] = []
    made: list[int] = []


class Ids(msgspec.Struct, array_like=True):
    """The record's ids in order of first sight: as texts, or where all are alike, `prefix` and `width` hex digits."""

    texts: list[str] = []
    prefix: str = ""
    width: int = 0
    packed: bytes = b""


class Columns:
    """Writes rankings. Each builds on those before it, so they are read in the order written."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.revisions: list[int] = []
        self._scores: dict[str, Mapping[str, float]] = {}
        self._extras: dict[str, Mapping[str, Any]] = {}

    def write(self, hits: Sequence[Hit]) -> Ranking:
        ranking = Ranking(rows=self._rows(hits), scores=_pack([hit.score for hit in hits]))
        columns: dict[str, list[float]] = {}
        known, extras = self._scores, self._extras
        for position, hit in enumerate(hits):
            if hit.document is None:
                ranking.made.append(position)
            if known.get(hit.id, _NOTHING) is not hit.scores:
                self._score(position, hit, columns, ranking, len(hits))
            if extras.get(hit.id, _NOTHING) is not hit.extra and (hit.extra or hit.id in extras):
                ranking.extras[position] = dict(hit.extra)
                extras[hit.id] = hit.extra
        ranking.columns = {name: _pack(values) for name, values in columns.items()}
        return ranking

    def ids(self) -> Ids:
        return _pack_ids(list(self.rows))

    def _rows(self, hits: Sequence[Hit]) -> list[int]:
        rows = self.rows
        found: list[int] = []
        for hit in hits:
            row = rows.get(hit.id)
            if row is None:
                row = rows[hit.id] = len(rows)
                self.revisions.append(hit.document.revision if hit.document else 0)
            found.append(row)
        return found

    def _score(self, position: int, hit: Hit, columns: dict[str, list[float]], ranking: Ranking, count: int) -> None:
        before = self._scores.get(hit.id, _NOTHING)
        if any(name not in hit.scores for name in before):
            ranking.fresh.append(position)
            before = _NOTHING
        for name, value in hit.scores.items():
            if before.get(name) != value:
                column = columns.get(name)
                if column is None:
                    column = columns[name] = [math.nan] * count
                column[position] = value
        self._scores[hit.id] = hit.scores


class Rows:
    """Reads rankings back, in the order written."""

    def __init__(self, ids: Ids) -> None:
        self.ids = _unpack_ids(ids)
        self._scores: dict[str, dict[str, float]] = {}
        self._extras: dict[str, dict[str, Any]] = {}

    def read(self, ranking: Ranking) -> tuple[RecordedHit, ...]:
        columns = {name: _unpack(packed) for name, packed in ranking.columns.items()}
        fresh, made = set(ranking.fresh), set(ranking.made)
        hits = []
        for position, (row, score) in enumerate(zip(ranking.rows, _unpack(ranking.scores), strict=True)):
            key = self.ids[row]
            scores = {} if position in fresh else dict(self._scores.get(key, {}))
            scores.update({name: one[position] for name, one in columns.items() if not math.isnan(one[position])})
            self._scores[key] = scores
            if position in ranking.extras:
                self._extras[key] = ranking.extras[position]
            hits.append(RecordedHit(key, score, scores, self._extras.get(key, {}), position not in made))
        return tuple(hits)


def _pack(values: Iterable[float]) -> bytes:
    numbers = list(values)
    return struct.pack(f"<{len(numbers)}d", *numbers)


def _unpack(packed: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(packed) // 8}d", packed)


def _pack_ids(ids: list[str]) -> Ids:
    """Ids of ours are a prefix and hex digits: half the bytes, for hex does not compress further."""
    prefix, _, digits = ids[0].partition("_") if ids else ("", "", "")
    start, width = len(prefix) + 1, len(digits)
    if width and width % 2 == 0 and all(len(one) == start + width and one.startswith(prefix) for one in ids):
        joined = "".join([one[start:] for one in ids])
        try:
            packed = bytes.fromhex(joined)
        except ValueError:
            return Ids(texts=ids)
        candidate = Ids(prefix=ids[0][:start], width=width, packed=packed)
        if packed.hex() == joined and all(one[:start] == candidate.prefix for one in ids):
            return candidate
    return Ids(texts=ids)


def _unpack_ids(ids: Ids) -> list[str]:
    if not ids.packed:
        return ids.texts
    digits = ids.packed.hex()
    return [ids.prefix + digits[at : at + ids.width] for at in range(0, len(digits), ids.width)]
