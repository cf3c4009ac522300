"""Lines over the number of documents, both axes logarithmic, as an SVG."""

import math
from collections.abc import Sequence
from typing import Protocol

_COLOURS = ("#c0392b", "#2471a3", "#1e8449")
_WIDTH, _HEIGHT, _LEFT = 320, 200, 60


class Measured(Protocol):
    @property
    def documents(self) -> int: ...


_PANELS: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    ("CPU of a search, ms", (("plain", "search_cpu_ms"), ("2 % by a filter", "filter_cpu_ms"))),
    ("CPU of a document, us", (("server", "server_us"), ("index", "index_us"))),
    ("memory of its own, MB", (("all processes", "own_mb"),)),
    ("from a start, s", (("ready", "ready_s"), ("first answer", "found_s"))),
)


def plot(rows: Sequence[Measured]) -> str:
    parts = []
    for place, (title, lines) in enumerate(_PANELS):
        left, top = _LEFT + (_WIDTH + 110) * (place % 2), 40 + (_HEIGHT + 80) * (place // 2)
        parts += _panel(rows, title, lines, left, top)
    style = "<style>text{font:12px sans-serif;fill:#444}</style>"
    box = 'viewBox="0 0 880 600" width="880" height="600"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{style}{"".join(parts)}</svg>\n'


def _panel(rows: Sequence[Measured], title: str, lines: Sequence[tuple[str, str]], left: int, top: int) -> list[str]:
    values = [float(getattr(row, name)) for row in rows for _, name in lines]
    low, high = _decades(values)
    first, last = _decades([float(row.documents) for row in rows])

    def x(documents: float) -> float:
        return left + _WIDTH * (math.log10(documents) - first) / (last - first)

    def y(value: float) -> float:
        return top + _HEIGHT * (high - math.log10(max(value, 10.0**low))) / (high - low)

    parts = [f'<text x="{left}" y="{top - 12}" style="font-weight:bold">{title}</text>']
    for power in range(low, high + 1):
        parts.append(f'<path d="M{left},{y(10**power):.0f}h{_WIDTH}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y(10**power) + 4:.0f}" text-anchor="end">{10.0**power:g}</text>')
    parts += [
        f'<text x="{x(10**power):.0f}" y="{top + _HEIGHT + 18}" text-anchor="middle">{10**power:,}</text>'
        for power in range(first, last + 1)
    ]
    for place, (label, name) in enumerate(lines):
        colour = _COLOURS[place]
        points = " ".join(f"{x(row.documents):.1f},{y(float(getattr(row, name))):.1f}" for row in rows)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{left + 8}" y="{top + 16 + 16 * place}" style="fill:{colour}">{label}</text>')
    return parts


def _decades(values: Sequence[float]) -> tuple[int, int]:
    """The powers of ten around them."""
    positive = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
    return low, max(high, low + 1)
