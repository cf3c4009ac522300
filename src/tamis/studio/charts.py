"""Small charts over time as shapes; a part of each leads to the executions that it stands for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tamis.studio.templating import credits_text, duration, percent

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
    kind: str
    path: str
    dots: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """total: the figure that stands for the whole.  top: what the height is."""

    title: str
    total: str
    note: str
    top: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    first: str
    last: str
    is_empty: bool


def bars_chart(
    title: str, series: Mapping[str, Sequence[float]], unit: str, note: str, when: Sequence[str],
    links: Sequence[str | None],
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
        says = f"{at}: {_shown(sums[place], unit)}"
        columns.append(Column(place * step, step, says, links[place], tuple(boxes)))
    top, total = _shown(max(sums, default=0), unit), _shown(sum(sums), unit)
    return Chart(title, total, note if any(sums) else "", top, tuple(columns), (), when[0], when[-1], not any(sums))


def lines_chart(
    title: str, series: Mapping[str, Sequence[float | None]], unit: str, when: Sequence[str],
    links: Sequence[str | None],
) -> Chart:  # fmt: skip
    """Where a value is missing, the line is broken."""
    known = [value for values in series.values() for value in values if value is not None]
    most, step = (1.0 if unit == "share" else max(known, default=0) or 1), WIDTH / len(when)
    columns = []
    for place, at in enumerate(when):
        told = [f"{kind} {_shown(values[place], unit)}" for kind, values in series.items() if values[place] is not None]
        columns.append(Column(place * step, step, f"{at}: {', '.join(told) or '–'}", links[place]))
    lines = tuple(_line(kind, values, most, step) for kind, values in series.items())
    newest = [next((value for value in reversed(values) if value is not None), None) for values in series.values()]
    total = " · ".join(_shown(value, unit) for value in newest) if known else "–"
    note = " · ".join(series) if len(series) > 1 else ""
    return Chart(title, total, note, _shown(most, unit), tuple(columns), lines, when[0], when[-1], not known)


def _line(kind: str, values: Sequence[float | None], most: float, step: float) -> Line:
    path, dots, is_broken = [], [], True
    for place, value in enumerate(values):
        if value is None:
            is_broken = True
            continue
        x, y = place * step + step / 2, HEIGHT - (HEIGHT - 4) * value / most - 2
        alone = is_broken and (place + 1 == len(values) or values[place + 1] is None)
        path.append(f"{'M' if is_broken else 'L'}{x:.1f} {y:.1f}{'h.01' if alone else ''}")
        dots.append((x, y))
        is_broken = False
    return Line(kind, "".join(path), tuple(dots))


def _shown(value: float | None, unit: str) -> str:
    if unit == "ms":
        return duration(value)
    if unit == "share":
        return percent(value)
    return credits_text(value) if unit == "credits" else f"{value or 0:,.0f}"
