"""Text from elsewhere, made safe to print: a file or a record may hold anything, a terminal's commands too."""

from typing import Any

from rich.text import Text


def plain(value: Any, widest: int | None = None) -> str:
    """One line of printable characters, `-` for nothing."""
    text = "-" if value is None or value == "" else str(value)
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if widest is None or len(line) <= widest else f"{line[: widest - 1]}…"


def cell(value: Any, widest: int | None = None, style: str = "") -> Text:
    return Text(plain(value, widest), style=style)


def duration(ms: float) -> str:
    return f"{ms:.3g} ms" if ms < 1000 else f"{ms / 1000:.3g} s"
