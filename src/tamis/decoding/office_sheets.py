"""Workbooks: the values of each sheet, row by row."""

from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl

from tamis.decoding.paper_text import Measure, properties, table_blocks
from tamis.model.media_document import Paper, PaperPage


def read_sheets(path: Path, measure: Measure) -> Paper:
    """One page a sheet; formulas by the value that they had last. Charts and comments are left out."""
    # By an open file: of a path the library looks at the name.
    with path.open("rb") as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        pages = [
            PaperPage(number, tuple(table_blocks(_rows(sheet, measure))), name=sheet.title)
            for number, sheet in enumerate(book.worksheets, 1)
        ]
        return Paper(len(pages), tuple(pages), properties(book.properties))


def _rows(sheet: Any, measure: Measure) -> Iterator[tuple[str, ...]]:
    # What the sheet says about its size may be a lie.
    sheet.reset_dimensions()
    for row in sheet.iter_rows(values_only=True):
        cells = [_shown(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield tuple(measure.of(cell) for cell in cells)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return " ".join(str(value).split())
