"""How documents and records look in a terminal."""

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli.terminal import out


def documents(found: Sequence[dict[str, Any]], fields: Sequence[str], text_field: str = "text") -> None:
    """A table: rank, score, the chosen fields, then the text's beginning."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("score", justify="right", no_wrap=True)
    for field in fields:
        table.add_column(field, no_wrap=True, overflow="ellipsis", max_width=34)
    table.add_column(text_field, ratio=1, no_wrap=True, overflow="ellipsis", min_width=24)
    for rank, document in enumerate(found, start=1):
        text = " ".join(str(document.get(text_field) or "").split())
        row = [str(document.get(field, "")) for field in fields]
        cells = [Text(cell) for cell in [*row, text[:240]]]
        table.add_row(str(rank), f"{document.get('score', 0.0):.4f}", *cells)
    out.print(table)


def record(detail: dict[str, Any]) -> None:
    """An execution's record, one field a line."""
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for field, value in detail.items():
        shown = ", ".join(map(str, value)) if isinstance(value, list) else value
        table.add_row(field, Text("-" if shown is None else str(shown)))
    out.print(table)
