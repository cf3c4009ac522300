"""Answers as HTML that stands alone: no script, nothing fetched, all text escaped, in the page's own light or dark."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_WIDTH, _HEIGHT = 220.0, 26.0
_LEAST = 3.0
# Colours come from the page that shows it: `currentColor`, and one accent that both light and dark bear.
_STYLE = (
    "<style>.tamis{font:13px/1.5 system-ui,sans-serif;color:inherit;--tamis:#0f9b8e;overflow-x:auto}"
    ".tamis b{font-weight:600}.tamis table{border-collapse:collapse;margin:.4em 0;background:none;color:inherit}"
    ".tamis th,.tamis td{padding:0 .8em 0 0;text-align:left;border:0;background:none;color:inherit;"
    "font-variant-numeric:tabular-nums;white-space:nowrap;vertical-align:middle}"
    ".tamis th{opacity:.65;font-weight:400}.tamis td.n{text-align:right}.tamis svg{display:block}"
    ".tamis .held{fill:currentColor;opacity:.16}.tamis .through{fill:var(--tamis)}"
    ".tamis ul{margin:.3em 0;padding-left:1.2em}</style>"
)


@dataclass(frozen=True, slots=True)
class Flow:
    """How many documents a stage saw and let through. returned: None where it was not reached."""

    name: str
    seen: int
    returned: int | None
    duration_ms: float | None
    credits: float | None
    cache_hit: bool | None
    trouble: str | None

    @property
    def most(self) -> int:
        """A search sees what it finds."""
        return max(self.seen, self.returned or 0)


def page(title: str, *parts: str) -> str:
    """All of an answer. parts: of this module, escaped already."""
    return f'{_STYLE}<div class="tamis"><b>{escape(title)}</b>{"".join(parts)}</div>'


def sieve(flows: Sequence[Flow]) -> str:
    """Stages one below the other, each as wide as the logarithm of its documents; what it held back is pale."""
    most = max((flow.most for flow in flows), default=0)
    heads = ["stage", "", "seen", "kept", "ms", "credits", ""]
    return _table(heads, [[_cell(flow.name), f"<td>{_drawn(flow, most)}</td>", *_figures(flow)] for flow in flows])


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """None is shown as nothing; numbers stand at the right."""
    return _table(heads, [[_cell(one) for one in row] for row in rows])


def notes(lines: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(str(line))}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    kind = ' class="n"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return f"<td{kind}>{escape('' if value is None else str(value))}</td>"


def _figures(flow: Flow) -> list[str]:
    note = flow.trouble or ("cached" if flow.cache_hit else "")
    ms = None if flow.duration_ms is None else f"{flow.duration_ms:.2f}"
    spent = None if flow.credits is None else f"{flow.credits:g}"
    kept = "not reached" if flow.returned is None else flow.returned
    return [_cell(one) for one in (flow.most, kept, ms, spent, note)]


def _drawn(flow: Flow, most: int) -> str:
    top, bottom = (_width(count, most) for count in (flow.most, flow.returned or 0))
    words = f"{flow.name}: {flow.most} seen, {flow.returned if flow.returned is not None else 'not reached'} kept"
    return (
        f'<svg width="{_WIDTH:.0f}" height="{_HEIGHT:.0f}" role="img" aria-label="{escape(words)}">'
        f"{_shape('held', top, top)}{_shape('through', min(top, bottom), bottom)}</svg>"
    )


def _shape(kind: str, top: float, bottom: float) -> str:
    left, low = (_WIDTH - top) / 2, (_WIDTH - bottom) / 2
    points = f"{left:.1f},0 {left + top:.1f},0 {low + bottom:.1f},{_HEIGHT:.0f} {low:.1f},{_HEIGHT:.0f}"
    return f'<polygon class="{kind}" points="{points}"/>'


def _width(count: int, most: int) -> float:
    return max(_LEAST, _WIDTH * math.log1p(count) / math.log1p(most)) if count > 0 and most > 0 else 0.0
