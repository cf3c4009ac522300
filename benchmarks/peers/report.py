"""The table and the plot of a run."""

import datetime
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.corpus import Corpus

_RESULTS = Path(__file__).parents[1] / "results"
_OURS = "Tamis"
_COLOURS = ("#c2410c", "#0f766e", "#1d4ed8", "#7e22ce", "#4d7c0f", "#57534e")


@dataclass(frozen=True)
class Row:
    """One server asked one kind of search by so many clients. recall: at 10; None where there is no one truth."""

    name: str
    kind: str
    clients: int
    recall: float | None
    rate: float
    p50_ms: float
    p99_ms: float
    errors: float
    cpu_share: float


@dataclass(frozen=True)
class Measured:
    name: str
    filled_s: float
    rows: Sequence[Row]


def write(corpus: Corpus, done: Sequence[Measured], keep: bool) -> None:
    text = _table(corpus, done)
    print(text)
    if keep:
        _RESULTS.mkdir(exist_ok=True)
        stem = f"peers-{corpus.name}-{len(corpus)}-{datetime.date.today()}"
        (_RESULTS / f"{stem}.md").write_text(f"{text}\n![searches a second]({stem}.svg)\n")
        (_RESULTS / f"{stem}.svg").write_text(_plot([row for each in done for row in each.rows]))


def _table(corpus: Corpus, done: Sequence[Measured]) -> str:
    load = os.getloadavg()[0]
    lines = [
        f"# Tamis and its peers: {corpus.name}, {len(corpus)} documents",
        "",
        f"`python {' '.join(['-m benchmarks.peers', *sys.argv[1:]])}`, {datetime.date.today()}, {platform.machine()}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, load average {load:.1f} at the end.",
        "`against` is the rate of Tamis over this server's, the same search by as many clients.",
        "",
        "| search | clients | server | recall@10 | searches/s | p50 ms | p99 ms | errors | against |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    rows = sorted((row for each in done for row in each.rows), key=lambda row: (row.kind, row.clients))
    ours = {(row.kind, row.clients): row.rate for row in rows if row.name == _OURS}
    for row in rows:
        found = "" if row.recall is None else f"{row.recall:.3f}"
        mine = ours.get((row.kind, row.clients))
        against = "" if mine is None or row.name == _OURS or not row.rate else f"{mine / row.rate:.2f}"
        lines.append(
            f"| {row.kind} | {row.clients} | {row.name} | {found} | {row.rate:.0f} | {row.p50_ms:.2f} | "
            f"{row.p99_ms:.2f} | {row.errors:.0f} | {against} |"
        )
    lines += ["", "| server | documents a second, filled and indexed |", "| --- | ---: |"]
    lines += [f"| {each.name} | {len(corpus) / each.filled_s:.0f} |" for each in done if each.filled_s > 0.01]
    return "\n".join([*lines, ""])


def _plot(rows: Sequence[Row]) -> str:
    """Bars of searches a second at each number of clients, a panel for each kind of search."""
    kinds = list(dict.fromkeys(row.kind for row in rows))
    names = list(dict.fromkeys(row.name for row in rows))
    parts = []
    for place, kind in enumerate(kinds):
        parts += _panel([row for row in rows if row.kind == kind], names, 20 + 230 * place, kind)
    for place, name in enumerate(names):
        y = 24 + 18 * place
        parts.append(f'<rect x="640" y="{y - 9}" width="10" height="10" fill="{_COLOURS[place % len(_COLOURS)]}"/>')
        parts.append(f'<text x="656" y="{y}">{name}</text>')
    height = 30 + 230 * len(kinds)
    style = "<style>text{font:12px sans-serif;fill:#444}</style>"
    box = f'viewBox="0 0 820 {height}" width="820" height="{height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{style}{"".join(parts)}</svg>\n'


def _panel(rows: Sequence[Row], names: Sequence[str], top: int, kind: str) -> list[str]:
    most = max(row.rate for row in rows) or 1.0
    parts = [f'<text x="10" y="{top}">{kind}, searches a second</text>']
    clients = sorted({row.clients for row in rows})
    for place, count in enumerate(clients):
        parts.append(f'<text x="{60 + 190 * place}" y="{top + 195}">{count} clients</text>')
        for row in (row for row in rows if row.clients == count):
            number = names.index(row.name)
            height = 150 * row.rate / most
            x, y = 30 + 190 * place + 26 * number, top + 180 - height
            colour = _COLOURS[number % len(_COLOURS)]
            parts.append(f'<rect x="{x}" y="{y:.1f}" width="22" height="{height:.1f}" fill="{colour}"/>')
            parts.append(f'<text x="{x}" y="{y - 3:.1f}" style="font-size:9px">{row.rate:.0f}</text>')
    return parts
