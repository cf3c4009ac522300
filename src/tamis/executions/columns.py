"""Hits as columns: ids once for the whole record, scores as packed doubles, and of scores only what a stage changed."""

import math
import struct
import sys
from array import array
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, count
from typing import Any

import msgspec

from tamis.executions.record import RecordedHit
from tamis.model.hits import Hit

_NOTHING: Mapping[str, Any] = {}
_NAN = math.nan


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
        # Who looks an id up places it: a search's hundreds of ids are placed without a line of Python for each.
        self.rows: defaultdict[str, int] = defaultdict(count().__next__)
        self.revisions: list[int] = []
        self._names: set[str] = set()
        self._scores: dict[str, Mapping[str, float]] = {}
        self._extras: dict[str, Mapping[str, Any]] = {}

    def write(self, hits: Sequence[Hit]) -> Ranking:
        """Column by column rather than hit by hit: this is on the path of every execution."""
        ranking = Ranking(rows=self._rows(hits), scores=_pack([hit.score for hit in hits]))
        ranking.made = [position for position, hit in enumerate(hits) if hit.document is None]
        known = self._scores
        if not known:
            ranking.columns = self._all_columns([hit.scores for hit in hits])
            known.update([(hit.id, hit.scores) for hit in hits])
        elif not all([known.get(hit.id) is hit.scores for hit in hits]):
            ranking.columns = {name: _pack(values) for name, values in self._changes(hits, ranking.fresh).items()}
            known.update([(hit.id, hit.scores) for hit in hits])
        if self._extras or any([hit.extra for hit in hits]):
            self._add(hits, ranking.extras)
        return ranking

    def positions(self, ids: Sequence[str]) -> list[int]:
        """Where these stand in the table of ids; those that no hit had are added to it."""
        placed = list(map(self.rows.__getitem__, ids))
        self.revisions.extend([0] * (len(self.rows) - len(self.revisions)))
        return placed

    def versions(self, ids: Sequence[str], revisions: Sequence[int]) -> tuple[list[int], dict[int, int]]:
        """Their positions, and by place in `ids` each revision that is not the one in the table.

        A zero there may still be filled by a later call, so a zero of its own is always told.
        """
        rows, known = self.positions(ids), self.revisions
        if all(revisions) and [known[row] for row in rows] == revisions:
            return rows, {}
        for row, revision in zip(rows, revisions, strict=True):
            known[row] = known[row] or revision
        pairs = enumerate(zip(rows, revisions, strict=True))
        return rows, {at: revision for at, (row, revision) in pairs if not revision or known[row] != revision}

    def ids(self) -> Ids:
        return _pack_ids(list(self.rows))

    def _rows(self, hits: Sequence[Hit]) -> list[int]:
        rows, revisions = self.rows, self.revisions
        placed = [rows[hit.id] for hit in hits]
        if len(rows) > len(revisions):
            for row, hit in zip(placed, hits, strict=True):
                if row == len(revisions):
                    revisions.append(hit.document.revision if hit.document else 0)
        return placed

    def _all_columns(self, scores: Sequence[Mapping[str, float]]) -> dict[str, bytes]:
        """Of hits that are the first: as `_changes`, with nothing to compare with."""
        self._names.update(chain.from_iterable(scores))
        return {name: _pack([each.get(name, _NAN) for each in scores]) for name in sorted(self._names)}

    def _changes(self, hits: Sequence[Hit], fresh: list[int]) -> dict[str, list[float]]:
        """By name, the scores that differ from those last written; everything of a hit that lost a name since."""
        before = [self._scores.get(hit.id, _NOTHING) for hit in hits]
        self._names.update([name for hit in hits for name in hit.scores])
        columns: dict[str, list[float]] = {}
        for name in sorted(self._names):
            now = [hit.scores.get(name, _NAN) for hit in hits]
            then = [scores.get(name, _NAN) for scores in before]
            if now != then:
                columns[name] = [new if new != old else _NAN for new, old in zip(now, then, strict=True)]
                fresh.extend([at for at, new in enumerate(now) if new is _NAN and then[at] is not _NAN])
        for position in set(fresh):
            for name, value in hits[position].scores.items():
                columns.setdefault(name, [_NAN] * len(hits))[position] = value
        return columns

    def _add(self, hits: Sequence[Hit], extras: dict[int, dict[str, Any]]) -> None:
        for position, hit in enumerate(hits):
            if self._extras.get(hit.id, _NOTHING) is not hit.extra and (hit.extra or hit.id in self._extras):
                extras[position] = dict(hit.extra)
        self._extras.update([(hit.id, hit.extra) for hit in hits if hit.extra or hit.id in self._extras])


class Rows:
    """Reads rankings back, in the order written."""

    def __init__(self, ids: Ids) -> None:
        self.ids = unpack_ids(ids)
        self._scores: dict[str, Mapping[str, float]] = {}
        self._extras: dict[str, Mapping[str, Any]] = {}

    def read(self, ranking: Ranking) -> tuple[RecordedHit, ...]:
        columns = {name: _unpack(packed) for name, packed in ranking.columns.items()}
        fresh, made = set(ranking.fresh), set(ranking.made)
        hits = []
        for position, (row, score) in enumerate(zip(ranking.rows, _unpack(ranking.scores), strict=True)):
            key = self.ids[row]
            scores = {} if position in fresh else dict(self._scores.get(key, {}))
            scores.update({name: one[position] for name, one in columns.items() if not math.isnan(one[position])})
            extra = ranking.extras.get(position, self._extras.get(key, {}))
            hits.append(RecordedHit(key, score, scores, extra, position not in made))
        self._scores.update({hit.id: hit.scores for hit in hits})
        self._extras.update({hit.id: hit.extra for hit in hits})
        return tuple(hits)


def _pack(values: list[float]) -> bytes:
    packed = array("d", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _unpack(packed: bytes) -> tuple[float, ...]:
    return struct.unpack(f"<{len(packed) // 8}d", packed)


def _pack_ids(ids: list[str]) -> Ids:
    """Ids of ours are a prefix and hex digits: half the bytes, for hex does not compress further."""
    prefix, mark, digits = ids[0].partition("_") if ids else ("", "", "")
    prefix += mark
    width, step = len(digits), len(ids[0]) if ids else 0
    if not mark or width == 0 or width % 2 or set(map(len, ids)) != {step}:
        return Ids(texts=ids)
    joined = "".join(ids)
    if any([joined[at::step] != letter * len(ids) for at, letter in enumerate(prefix)]):
        return Ids(texts=ids)
    joined = joined.replace(prefix, "")
    try:
        packed = bytes.fromhex(joined)
    except ValueError:
        return Ids(texts=ids)
    # Where a prefix stood among the digits too, some of them are missing.
    if 2 * len(packed) != width * len(ids) or packed.hex() != joined:
        return Ids(texts=ids)
    return Ids(prefix=prefix, width=width, packed=packed)


def unpack_ids(ids: Ids) -> list[str]:
    """The table of ids, in order of first sight."""
    if not ids.packed:
        return ids.texts
    digits = ids.packed.hex()
    return [ids.prefix + digits[at : at + ids.width] for at in range(0, len(digits), ids.width)]
