"""How documents and records look in a terminal."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli.terminal import out, show_table

_WIDEST = 40


def documents(found: Sequence[dict[str, Any]], fields: Sequence[str], text_field: str = "text") -> None:
    """A table: rank, score, the chosen fields, then as much of the text's beginning as the line holds."""
    widest = max(10, min(_WIDEST, (out.width - 36) // 2))
    rows = [
        [str(rank), f"{document.get('score', 0.0):.4f}", *(_short(document.get(field), widest) for field in fields)]
        for rank, document in enumerate(found, start=1)
    ]
    head = ["#", "score", *fields]
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    room = max(12, out.width - sum(widths) - 2 * len(head) - 3)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name, width in zip(head, widths, strict=True):
        table.add_column(name, min_width=width, no_wrap=True)
    table.add_column(text_field, no_wrap=True)
    for row, document in zip(rows, found, strict=True):
        text = " ".join(str(document.get(text_field) or "").split())
        table.add_row(*(Text(cell) for cell in [*row, text if len(text) <= room else text[: room - 1] + "…"]))
    out.print(table)


def _short(value: Any, widest: int) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= widest else f"{text[: widest - 1]}…"


def record(detail: dict[str, Any]) -> None:
    """An execution's record, one field a line."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for field, value in detail.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        table.add_row(field, Text("-" if shown is None else str(shown)))
    out.print(table)


def plan(explained: dict[str, Any]) -> None:
    """A line for each stage of a plan, then what is suggested."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("stage", "in", "out", "ms", "credits", "rests on"):
        table.add_column(name, no_wrap=True)
    for stage in explained["execution_plan"]:
        runs = f", {stage['measured_runs']} run{'s'[: stage['measured_runs'] != 1]}" if stage["measured_runs"] else ""
        table.add_row(
            Text(stage["stage_name"]),
            str(stage["estimated_input"]),
            str(stage["estimated_output"]),
            f"{stage['estimated_duration_ms']:.1f}",
            f"{stage['estimated_cost_credits']:g}",
            stage["basis"] + runs,
        )
    show_table(table)
    cost = explained["estimated_cost"]
    out.print(f"likely: {cost['credits']:g} credits, {cost['duration_ms']:.1f} ms", highlight=False)
    for suggestion in explained["optimization_suggestions"]:
        out.print(Text(f"* {suggestion['suggestion']}"))


def step(event: dict[str, Any]) -> None:
    """A line for a stage that has ended; nothing for what else a stream tells."""
    if event["event_type"] not in ("stage_complete", "stage_error"):
        return
    statistics, spent = event["statistics"], event["budget_used"]
    place = f"{event['stage_index'] + 1}/{event['total_stages']}"
    counts = f"{statistics['input_count']} > {statistics['output_count']} documents"
    told = event["error"] or counts
    line = (
        f"{place} {event['stage_name']}: {told}, {statistics['duration_ms']:.1f} ms, {spent['credits_used']:g} credits"
    )
    out.print(Text(line))
