"""Word documents: paragraphs and tables in the order of the text, pages where the file says that they end."""

from itertools import takewhile
from pathlib import Path
from typing import Any

import docx
from docx.oxml.ns import qn
from docx.table import Table

from tamis.decoding.paper_text import Measure, properties, table_blocks
from tamis.model.media_document import Block, ObjectType, Paper, PaperPage

_RENDERED = ".//w:lastRenderedPageBreak"
_ASKED_FOR = './/w:br[@w:type="page"]'


def read_words(path: Path, measure: Measure) -> Paper:
    """Page ends are those of the last print, else those that the author set. Headers, footers, notes are left out."""
    document = docx.Document(str(path))
    breaks = _RENDERED if document.element.body.xpath(_RENDERED) else _ASKED_FOR
    pages: list[list[Block]] = [[]]
    for part in document.iter_inner_content():
        if isinstance(part, Table):
            pages[-1].extend(table_blocks(_rows(part, measure)))
            continue
        ends = len(part._p.xpath(breaks))
        begins = ends and _is_first(part, breaks)
        pages += [[] for _ in range(ends)] if begins else []
        text = measure.of(part.text)
        if text:
            pages[-1].append(Block(text, _kind(part)))
        pages += [] if begins else [[] for _ in range(ends)]
    return Paper(
        page_count=len(pages),
        pages=tuple(PaperPage(number, tuple(blocks)) for number, blocks in enumerate(pages, 1)),
        metadata=properties(document.core_properties),
    )


def _rows(table: Any, measure: Measure) -> list[tuple[str, ...]]:
    rows = []
    for row in table.rows:
        # A merged cell comes once for each place that it takes.
        cells = {id(cell._tc): cell for cell in row.cells}
        rows.append(tuple(measure.of(cell.text) for cell in cells.values()))
    return rows


def _is_first(paragraph: Any, breaks: str) -> bool:
    """Whether the page ends before the paragraph's first letter."""
    place = paragraph._p.xpath(breaks)[0]
    before = takewhile(lambda element: element is not place, paragraph._p.iter())
    return not any(element.text for element in before if element.tag == qn("w:t"))


def _kind(paragraph: Any) -> ObjectType:
    style = str(getattr(paragraph.style, "name", "") or "")
    if style.startswith(("Heading", "Title")):
        return "header"
    return "list" if style.startswith("List") or paragraph._p.xpath("./w:pPr/w:numPr") else "paragraph"
