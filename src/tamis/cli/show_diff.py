"""How two executions compared look in a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table

from tamis.cli.plain import cell, plain
from tamis.cli.terminal import out, show_table

_LISTS = ("entered", "left", "moved", "rescored")


def diff(found: Mapping[str, Any]) -> None:
    """The verdict and its reasons, a line a stage, then what changed in each."""
    if found["identical"]:
        out.print("identical", style="green")
    else:
        first = found["first_divergence"]
        place = f"they part at stage {first['stage_index']}, {plain(first['stage_name'])}: " if first else ""
        out.print(cell(f"{place}{found['cause']}", style="yellow"))
    for ground in found["explanation"]:
        out.print(cell(f"- {ground['cause']}: {plain(ground['says'])}"))
    _stages(found["stages"])
    for stage in found["stages"]:
        _changes(stage)


def _stages(stages: Sequence[Mapping[str, Any]]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("stage", no_wrap=True)
    for name in ("out", *_LISTS, "ms", "credits", "cache"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in stages:
        only = "" if stage["in_a"] and stage["in_b"] else " (only in a)" if stage["in_a"] else " (only in b)"
        totals = [str(stage["totals"][name] or "-") for name in _LISTS]
        table.add_row(
            cell(f"{stage['stage_name']}{only}", 40), _both(stage["returned"]), *totals,
            _both(stage["duration_ms"], ".2f"), _both(stage["credits"], "g"), _both(stage["cache"]),
        )  # fmt: skip
    show_table(table)


def _both(pair: Mapping[str, Any], form: str = "") -> str:
    one, other = (_value(pair[side], form) for side in "ab")
    return one if one == other else f"{one} > {other}"


def _value(value: Any, form: str) -> str:
    if value is None or isinstance(value, bool):
        return {None: "-", True: "hit", False: "miss"}[value]
    return format(value, form)


def _changes(stage: Mapping[str, Any]) -> None:
    rows = [
        *(("+", one["document_id"], f"at {one['rank']}, score {one['score']:.4f}") for one in stage["entered"]),
        *(("-", one["document_id"], f"was at {one['rank']}, score {one['score']:.4f}") for one in stage["left"]),
        *(("~", one["document_id"], f"rank {one['rank_a']} > {one['rank_b']}") for one in stage["moved"]),
        *(("=", one["document_id"], f"score {one['score_a']:.4f} > {one['score_b']:.4f}") for one in stage["rescored"]),
        *(("*", key, "other fields added") for key in stage["altered"]),
    ]
    if not rows:
        return
    styles = {"+": "green", "-": "red", "~": "cyan", "=": "", "*": ""}
    table = Table(show_header=False, box=None, pad_edge=False)
    for mark, document_id, says in rows:
        table.add_row(cell(mark, style=styles[mark]), cell(document_id, 48), says)
    out.print(f"{plain(stage['stage_name'])}:", markup=False, highlight=False)
    out.print(table)
    left = sum(stage["totals"].values()) - len(rows)
    if left > 0:
        out.print(f"and {left} more (--limit, --offset)", highlight=False)
