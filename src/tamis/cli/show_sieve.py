"""An execution's stages as a sieve, in characters: as wide as the logarithm of their documents."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli.plain import cell
from tamis.cli.terminal import show_table

_WIDTH = 32
_THROUGH, _HELD = "█", "░"


def sieve(stages: Sequence[Mapping[str, Any]]) -> None:
    """stages: as a trace has them."""
    most = max((_seen(stage) for stage in stages), default=0)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("stage", "kind"):
        table.add_column(name, no_wrap=True)
    table.add_column("documents", justify="center", no_wrap=True)
    for name in ("seen", "kept", "ms", "credits"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in stages:
        ran = stage["returned"] is not None
        drawn = _bar(stage, most) if ran else cell("not reached")
        table.add_row(
            cell(stage["stage_name"], 30), cell(stage["stage_id"], 24), drawn,
            str(_seen(stage)) if ran else "-", cell(stage["returned"]), _number(stage["duration_ms"], ".2f"),
            _number(stage["credits_used"], "g"),
        )  # fmt: skip
    show_table(table)


def _bar(stage: Mapping[str, Any], most: int) -> Text:
    """What came out in the middle, what was held back on both sides of it."""
    out = 0 if stage["outcome"] == "failed" else int(stage["returned"])
    whole, through = _cells(max(_seen(stage), out), most), _cells(out, most)
    left = (whole - through) // 2
    right = whole - through - left
    return Text.assemble((_HELD * left, "dim"), (_THROUGH * through, "cyan"), (_HELD * right, "dim"))


def _cells(count: int, most: int) -> int:
    return max(1, round(_WIDTH * math.log1p(count) / math.log1p(most))) if count > 0 and most > 0 else 0


def _seen(stage: Mapping[str, Any]) -> int:
    return max(int(stage["processed"] or 0), int(stage["received"] or 0), int(stage["returned"] or 0))


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
