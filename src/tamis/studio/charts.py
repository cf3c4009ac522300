"""Small charts over time as shapes; a part of each leads to the executions that it stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tamis.studio.figures import Figures

WIDTH, HEIGHT = 480.0, 88.0


@dataclass(frozen=True, slots=True)
class Box:
    """A bar's part. kind: which of the series."""

    kind: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Column:
    """One span of time: where a click on it leads, and what it says."""

    x: float
    width: float
    says: str
    link: str | None
    boxes: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """dots: the points that have no neighbour to be joined with."""

    kind: str
    path: str
    dots: str


@dataclass(frozen=True, slots=True)
class Chart:
    """total: the figure that stands for the whole.  newest: of each line, the last.  top: what the height is."""

    title: str
    total: str
    newest: tuple[tuple[str, str], ...]
    note: str
    top: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    first: str
    last: str
    is_empty: bool


def bars_chart(
    title: str, series: Mapping[str, Sequence[float]], unit: str, note: str, when: Sequence[str],
    links: Sequence[str | None], figures: Figures,
) -> Chart:  # fmt: skip
    """Series stand on each other, the first at the bottom."""
    sums = [sum(values) for values in zip(*series.values(), strict=True)]
    most, step = max(sums, default=0) or 1, WIDTH / len(when)
    columns = []
    for place, at in enumerate(when):
        boxes, floor = [], HEIGHT
        for kind, values in series.items():
            height = HEIGHT * values[place] / most
            if height:
                floor -= height
                boxes.append(Box(kind, place * step + step * 0.12, floor, step * 0.76, height))
        says = f"{at}: {_shown(sums[place], unit, figures)}"
        columns.append(Column(place * step, step, says, links[place], tuple(boxes)))
    top, total = _shown(max(sums, default=0), unit, figures), _shown(sum(sums), unit, figures)
    return Chart(title, total, (), note if any(sums) else "", top, tuple(columns), (), when[0], when[-1], not any(sums))


def lines_chart(
    title: str, series: Mapping[str, Sequence[float | None]], unit: str, when: Sequence[str],
    links: Sequence[str | None], figures: Figures,
) -> Chart:  # fmt: skip
    """Where a value is missing, the line is broken."""
    known = [value for values in series.values() for value in values if value is not None]
    most, step = (1.0 if unit == "share" else max(known, default=0) or 1), WIDTH / len(when)
    columns = []
    for place, at in enumerate(when):
        told = [
            f"{kind} {_shown(values[place], unit, figures)}"
            for kind, values in series.items()
            if values[place] is not None
        ]
        columns.append(Column(place * step, step, f"{at}: {', '.join(told) or '–'}", links[place]))
    lines = tuple(_line(kind, values, most, step) for kind, values in series.items())
    newest = {
        kind: next((value for value in reversed(values) if value is not None), None) for kind, values in series.items()
    }
    told_of = tuple((kind, _shown(value, unit, figures)) for kind, value in newest.items()) if known else ()
    total = told_of[0][1] if len(told_of) == 1 else "" if told_of else "–"
    top = _shown(most, unit, figures)
    return Chart(
        title, total, told_of if len(told_of) > 1 else (), "", top, tuple(columns), lines, when[0], when[-1], not known
    )


def _line(kind: str, values: Sequence[float | None], most: float, step: float) -> Line:
    path, dots, is_broken = [], [], True
    for place, value in enumerate(values):
        if value is None:
            is_broken = True
            continue
        x, y = place * step + step / 2, HEIGHT - (HEIGHT - 4) * value / most - 2
        if is_broken and (place + 1 == len(values) or values[place + 1] is None):
            dots.append(f"M{x:.1f} {y:.1f}h.01")
        else:
            path.append(f"{'M' if is_broken else 'L'}{x:.1f} {y:.1f}")
        is_broken = False
    return Line(kind, "".join(path), "".join(dots))


def _shown(value: float | None, unit: str, figures: Figures) -> str:
    if unit == "ms":
        return figures.duration(value)
    if unit == "share":
        return figures.percent(value)
    return figures.credits(value) if unit == "credits" else figures.number(round(value or 0))
