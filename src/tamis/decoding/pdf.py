"""PDF: text by page and block with places, tables, form fields, attachments, pictures of pages."""

import contextlib
import ctypes
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tamis.decoding.pdf_forms import form_fields
from tamis.decoding.pdf_pictures import page_pixels, write_jpeg, write_pixels
from tamis.decoding.pdf_text import PageText, page_text
from tamis.decoding.unreadable import UnreadableError
from tamis.engine.text.layout import Fragment, LaidBlock, Rule, lay_out
from tamis.model.media_document import Attachment, Block, Box, FormField, Paper, PaperPage, PdfOptions

_PASSWORD = 4
_MOST_FRAGMENTS = 20_000
_MOST_OBJECTS = 20_000
_MOST_ATTACHMENTS = 200
_LONGEST_VALUE = 2_000
_THINNEST = 3.0
"""What is drawn and thinner, in points, is a rule."""
_GARBLED = 0.3


def decode_pdf(path: Path, options: PdfOptions, work: Path) -> Paper:
    """The pages asked for.  Cost: some 50 ms a page with its thumbnail.

    Raises: UnreadableError where it needs a password, is no PDF, has no page or too many, or none can be read.
    """
    with _opened(path) as pdf:
        count = len(pdf)
        if count == 0:
            raise UnreadableError("the PDF has no pages")
        if count > options.most_pages:
            raise UnreadableError(f"the PDF has {count} pages; at most {options.most_pages} are read")
        if not 1 <= options.first_page <= count:
            raise UnreadableError(f"there is no page {options.first_page}: the PDF has {count}")
        numbers = range(options.first_page, min(options.first_page + options.pages, count + 1))
        forms = form_fields(pdf, numbers)
        pages = tuple(_with_form(_page(pdf, number, options, work), forms) for number in numbers)
        if count == len(pages) and all(page.damage and not page.blocks for page in pages):
            raise UnreadableError(f"no page of the PDF can be read: {pages[0].damage}")
        return Paper(count, pages, _metadata(pdf), forms, _attachments(pdf))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    import pypdfium2

    if path.stat().st_size == 0:
        raise UnreadableError("the file is empty")
    try:
        pdf = pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if getattr(error, "err_code", None) == _PASSWORD:
            raise UnreadableError("the PDF is protected by a password") from None
        raise UnreadableError(f"the file cannot be read as a PDF: {error}") from None
    try:
        yield pdf
    finally:
        pdf.close()


def _page(pdf: Any, number: int, options: PdfOptions, work: Path) -> PaperPage:
    import pypdfium2

    try:
        page = pdf[number - 1]
    except pypdfium2.PdfiumError as error:
        return PaperPage(number, damage=f"the page cannot be opened: {error}")
    try:
        return _read(page, number, options, work)
    except pypdfium2.PdfiumError as error:
        return PaperPage(number, damage=f"the page cannot be read: {error}")
    finally:
        page.close()


def _read(page: Any, number: int, options: PdfOptions, work: Path) -> PaperPage:
    width, height = page.get_size()
    text_page = page.get_textpage()
    try:
        found = page_text(page, text_page, height)
    finally:
        text_page.close()
    blocks = () if _is_garbled(found) else tuple(_blocks(page, found.fragments, height))
    length = sum(len(block.text) for block in blocks)
    image, dpi = None, 0.0
    if length < options.shortest_text and options.image_dpi and _has_pictures(page, length):
        pixels, dpi = page_pixels(page, options.image_dpi)
        image = write_pixels(pixels, work / f"page-{number}.npy")
    thumbnail = None
    if options.thumbnail_dpi:
        pixels, _ = page_pixels(page, options.thumbnail_dpi)
        thumbnail = write_jpeg(pixels, work / f"page-{number}.jpg")
    return PaperPage(
        number=number,
        blocks=blocks,
        width=round(width, 2),
        height=round(height, 2),
        thumbnail=thumbnail,
        image=image,
        image_dpi=dpi,
        damage="the page has more text than is read; the rest is left out" if found.is_cut else None,
    )


def _with_form(page: PaperPage, fields: Sequence[FormField]) -> PaperPage:
    """What is filled in is no text of the page: it comes as a block of its own."""
    filled = [field for field in fields if field.page == page.number and field.value not in ("", "no")]
    if not filled:
        return page
    text = "\n".join(f"{field.name}: {field.value}" for field in filled)
    return replace(page, blocks=(*page.blocks, Block(text, "form")))


def _is_garbled(found: PageText) -> bool:
    """Fonts without a meaning for their glyphs: better read from the picture of the page."""
    read = sum(len(one.text) for one in found.fragments)
    return found.garbled > _GARBLED * (read + found.garbled) and found.garbled > read


def _has_pictures(page: Any, length: int) -> bool:
    """Whether there may be text in a picture, or, on a page without text, in anything that is drawn."""
    import pypdfium2.raw as pdfium

    kinds = {
        pdfium.FPDFPageObj_GetType(pdfium.FPDFPage_GetObject(page, index))
        for index in range(min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS))
    }
    looked_for = {pdfium.FPDF_PAGEOBJ_IMAGE, pdfium.FPDF_PAGEOBJ_FORM}
    return bool(kinds if length == 0 else kinds & looked_for)


def _blocks(page: Any, fragments: Sequence[Fragment], height: float) -> Iterator[Block]:
    laid = lay_out(fragments[:_MOST_FRAGMENTS], _rules(page, height))
    return (placed(block, height) for block in laid)


def placed(block: LaidBlock, page_height: float) -> Block:
    """With y from the lower edge, as PDF has it."""
    box = Box(
        x=round(block.left, 2),
        y=round(page_height - block.bottom, 2),
        width=round(block.right - block.left, 2),
        height=round(block.bottom - block.top, 2),
    )
    return Block(block.text, block.object_type, box, block.rows)


def _rules(page: Any, height: float) -> list[Rule]:
    """Thin things that are drawn, and the edges of rectangles."""
    import pypdfium2.raw as pdfium

    rules: list[Rule] = []
    if page.get_rotation():
        return rules
    edges = [ctypes.c_float() for _ in range(4)]
    for index in range(min(pdfium.FPDFPage_CountObjects(page), _MOST_OBJECTS)):
        drawn = pdfium.FPDFPage_GetObject(page, index)
        if pdfium.FPDFPageObj_GetType(drawn) != pdfium.FPDF_PAGEOBJ_PATH:
            continue
        if pdfium.FPDFPageObj_GetBounds(drawn, *map(ctypes.byref, edges)):
            left, bottom, right, top = (edge.value for edge in edges)
            rules += _edges(left, height - top, right, height - bottom)
    return rules


def _edges(left: float, top: float, right: float, bottom: float) -> list[Rule]:
    if min(right - left, bottom - top) <= _THINNEST:
        return [Rule(left, top, right, bottom)]
    return [
        Rule(left, top, right, top),
        Rule(left, bottom, right, bottom),
        Rule(left, top, left, bottom),
        Rule(right, top, right, bottom),
    ]


def _metadata(pdf: Any) -> dict[str, str]:
    found = pdf.get_metadata_dict(skip_empty=True)
    return {key.lower(): _plain(value) for key, value in found.items()}


def _attachments(pdf: Any) -> tuple[Attachment, ...]:
    import pypdfium2.raw as pdfium

    found = []
    for index in range(min(pdf.count_attachments(), _MOST_ATTACHMENTS)):
        attached = pdf.get_attachment(index)
        size = ctypes.c_ulong()
        pdfium.FPDFAttachment_GetFile(attached, None, 0, ctypes.byref(size))
        found.append(Attachment(_plain(attached.get_name()), size.value))
    return tuple(found)


def _plain(value: str) -> str:
    return value.encode(errors="replace").decode()[:_LONGEST_VALUE]
