"""Tables by what is drawn (rules that enclose cells) and by what stands in line (aligned columns)."""

from collections.abc import Sequence
from dataclasses import dataclass

from tamis.engine.text.layout.fragments import Fragment, Row, in_reading_order, rows_of, united

_FEWEST_ROWS = 3
_FARTHEST = 1.6
"""Between two rows of a table, in heights of a row."""
_NEAR = 2.5
_MOST_RULES = 2_000
_MOST_CELLS = 10_000
_LONGEST_CELL = 60

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line that is drawn: thin in one direction."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def is_level(self) -> bool:
        return self.right - self.left >= self.bottom - self.top


def ruled(fragments: Sequence[Fragment], rules: Sequence[Rule]) -> list[Fragment]:
    """The pieces, those inside a drawn grid of at least two by two cells gathered into one."""
    left = list(fragments)
    for group in _touching(rules[:_MOST_RULES]):
        xs = _places([(rule.left + rule.right) / 2 for rule in group if not rule.is_level])
        ys = _places([(rule.top + rule.bottom) / 2 for rule in group if rule.is_level])
        if len(xs) < 3 or len(ys) < 3 or len(xs) * len(ys) > _MOST_CELLS:
            continue
        inside = [one for one in left if xs[0] < (one.left + one.right) / 2 < xs[-1] and ys[0] < one.middle < ys[-1]]
        rows = _cells(inside, xs, ys)
        if sum(bool(cell) for row in rows for cell in row) < 4:
            continue
        gathered = set(map(id, inside))
        left = [one for one in left if id(one) not in gathered]
        left.append(Fragment("", xs[0], ys[0], xs[-1], ys[-1], rows))
    return left


def aligned(rows: Sequence[Row]) -> list[Row]:
    """The rows, each run of them whose pieces stand in the same columns gathered into one piece."""
    found: list[Row] = []
    run: list[Row] = []
    for row in rows:
        if run and not (len(row) > 1 and _follows(run[-1], row) and _columns([*run, row])):
            found += _gathered(run)
            run = []
        if len(row) > 1 and not any(piece.rows for piece in row):
            run.append(row)
        else:
            found.append(row)
    return found + _gathered(run)


def _gathered(run: list[Row]) -> list[Row]:
    columns = _columns(run)
    pieces = [piece for row in run for piece in row]
    if len(run) < _FEWEST_ROWS or len(columns) < 2 or _longest_median(columns, pieces) > _LONGEST_CELL:
        return run
    table = tuple(_aligned_cells(row, columns) for row in run)
    if in_reading_order(pieces) != pieces:
        table = tuple(cells[::-1] for cells in table)
    return [[Fragment("", *united(pieces), table)]]


def _aligned_cells(row: Row, columns: Sequence[tuple[float, float]]) -> tuple[str, ...]:
    return tuple(
        next((piece.text for piece in row if piece.left < end and piece.right > start), "") for start, end in columns
    )


def _columns(run: Sequence[Row]) -> list[tuple[float, float]]:
    """Ranges of x that hold the pieces; none where two pieces of a row would fall into one."""
    merged: list[tuple[float, float]] = []
    for start, end in sorted((piece.left, piece.right) for row in run for piece in row):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    for row in run:
        taken = [next(i for i, (start, end) in enumerate(merged) if start <= one.left < end or one.left == start)
                 for one in row]  # fmt: skip
        if len(set(taken)) < len(taken):
            return []
    return merged


def _longest_median(columns: Sequence[tuple[float, float]], pieces: Sequence[Fragment]) -> float:
    """Of the columns' median lengths of text the shortest: a table has a column of short cells."""
    lengths = [
        sorted(len(piece.text) for piece in pieces if piece.left < end and piece.right > start)
        for start, end in columns
    ]
    return min((found[len(found) // 2] for found in lengths if found), default=0)


def _follows(above: Row, row: Row) -> bool:
    height = max(piece.height for piece in above)
    return min(one.top for one in row) - max(one.bottom for one in above) <= _FARTHEST * height


def _touching(rules: Sequence[Rule]) -> list[list[Rule]]:
    groups: list[list[Rule]] = []
    for rule in rules:
        near = [group for group in groups if any(_meet(rule, other) for other in group)]
        groups = [group for group in groups if group not in near]
        groups.append([rule, *(other for group in near for other in group)])
    return groups


def _meet(one: Rule, other: Rule) -> bool:
    return (
        one.left <= other.right + _NEAR and other.left <= one.right + _NEAR
        and one.top <= other.bottom + _NEAR and other.top <= one.bottom + _NEAR
    )  # fmt: skip


def _places(values: Sequence[float]) -> list[float]:
    places: list[float] = []
    for value in sorted(values):
        if not places or value - places[-1] > _NEAR:
            places.append(value)
    return places


def _cells(inside: Sequence[Fragment], xs: Sequence[float], ys: Sequence[float]) -> Rows:
    held: dict[tuple[int, int], list[Fragment]] = {}
    for piece in inside:
        column = sum(x < (piece.left + piece.right) / 2 for x in xs) - 1
        row = sum(y < piece.middle for y in ys) - 1
        held.setdefault((row, column), []).append(piece)
    return tuple(
        tuple(_cell(held.get((row, column), ())) for column in range(len(xs) - 1)) for row in range(len(ys) - 1)
    )


def _cell(pieces: Sequence[Fragment]) -> str:
    return " ".join(piece.text for row in rows_of(pieces) for piece in in_reading_order(row))
