"""Presentations: the text of each slide with its places, tables, notes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pptx

from tamis.decoding.paper_text import Measure, properties, table_blocks
from tamis.model.media_document import Block, Box, Paper, PaperPage

_EMU_A_POINT = 12_700
_DEEPEST = 10


def read_slides(path: Path, measure: Measure) -> Paper:
    """One page a slide: its title, then its shapes in their order, then what the speaker notes."""
    found = pptx.Presentation(str(path))
    width, height = (float(side or 0) / _EMU_A_POINT for side in (found.slide_width, found.slide_height))
    pages = [
        PaperPage(number, tuple(_blocks(slide, height, measure)), width, height)
        for number, slide in enumerate(found.slides, 1)
    ]
    return Paper(len(pages), tuple(pages), properties(found.core_properties))


def _blocks(slide: Any, height: float, measure: Measure) -> Iterator[Block]:
    title = slide.shapes.title
    first = [title] if title is not None else []
    for shape in [*first, *(one for one in slide.shapes if title is None or one.shape_id != title.shape_id)]:
        yield from _of_shape(shape, shape is title, height, measure, 0)
    if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
        notes = measure.of(slide.notes_slide.notes_text_frame.text)
        if notes:
            yield Block(notes)


def _of_shape(shape: Any, is_title: bool, height: float, measure: Measure, depth: int) -> Iterator[Block]:
    if hasattr(shape, "shapes") and depth < _DEEPEST:
        for part in shape.shapes:
            yield from _of_shape(part, False, height, measure, depth + 1)
    elif getattr(shape, "has_table", False):
        rows = [tuple(measure.of(cell.text) for cell in row.cells) for row in shape.table.rows]
        yield from table_blocks(rows, _box(shape, height))
    elif shape.has_text_frame:
        text = measure.of(shape.text_frame.text.replace("\v", "\n"))
        if text:
            yield Block(text, "header" if is_title else "paragraph", _box(shape, height))


def _box(shape: Any, height: float) -> Box | None:
    edges = (shape.left, shape.top, shape.width, shape.height)
    if any(edge is None for edge in edges):
        return None
    left, top, wide, high = (round(edge / _EMU_A_POINT, 2) for edge in edges)
    return Box(left, round(height - top - high, 2), wide, high)
