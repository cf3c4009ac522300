"""A document read to its end: part by part through the decoder, its pictures of text through a model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import SourceFile
from tamis.engine.ports.inference import ModelInfo, Models, TextReader
from tamis.engine.text.layout import Fragment, lay_out
from tamis.errors import DecodeError, ModelMissingError
from tamis.model.media_document import (
    Block,
    Box,
    OfficeKind,
    OfficeOptions,
    Paper,
    PaperPage,
    PdfOptions,
    TextKind,
    TextOptions,
)

Found = Literal["native", "ocr", "none"]
_PDF = "application/pdf"
_POINTS_AN_INCH = 72
_OPENXML = "application/vnd.openxmlformats-officedocument."
_OFFICE: dict[str, OfficeKind] = {
    f"{_OPENXML}wordprocessingml.document": "docx",
    f"{_OPENXML}presentationml.presentation": "pptx",
    f"{_OPENXML}spreadsheetml.sheet": "xlsx",
}
_TEXTS: dict[str, TextKind] = {"text/html": "html", "text/markdown": "markdown", "text/csv": "csv"}
_PLAIN = ("text/", "application/json", "application/xml", "application/x-ndjson", "application/yaml")


@dataclass(frozen=True, slots=True)
class ReadPage:
    """found: whether its text is the file's own, was read in a picture of the page, or is not there.

    confidence: of what was read in a picture, 0..1.  thumbnail: a JPEG.
    """

    page: PaperPage
    paper: Paper
    found: Found
    confidence: float | None = None
    thumbnail: bytes | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """How a document is read. most_pictures: pages read by the model, at most; those beyond stay without text."""

    pdf: PdfOptions
    most_pictures: int


def read_paper(
    file: SourceFile, decoding: Decoding, reader: Callable[[], TextReader], reading: Reading
) -> Iterator[ReadPage]:
    """Its pages in order, a few in memory at a time.  reader: asked for once a page has to be read in its picture.

    Raises: DecodeError where the file cannot be read, or is of a kind that is not.
    """
    if file.content_type != _PDF:
        with decoding.folder() as work:
            paper = _unpaged(file, decoding, work)
        yield from (ReadPage(page, paper, "native" if page.blocks else "none") for page in paper.pages)
        return
    options, pictures = reading.pdf, reading.most_pictures
    while True:
        with decoding.folder() as work:
            paper = decoding.decode("pdf", file.path, options, Paper, work)
            for page in paper.pages:
                pictures -= page.image is not None
                yield _read(page, paper, reader if pictures >= 0 else None)
        options = replace(options, first_page=options.first_page + len(paper.pages))
        if not paper.pages or options.first_page > paper.page_count:
            return


def reading_model(models: Models) -> tuple[ModelInfo, ...]:
    """What pages without text are read by; none where it is not installed, and such pages fail."""
    try:
        return (models.ocr().info,)
    except ModelMissingError:
        return ()


def _unpaged(file: SourceFile, decoding: Decoding, work: Path) -> Paper:
    office = _OFFICE.get(file.content_type)
    if office is not None:
        return decoding.decode("office", file.path, OfficeOptions(office), Paper, work)
    if file.content_type.startswith(_PLAIN):
        # What kind of text it is, whoever sent it may know better than its content shows.
        declared = (file.declared_type or "").partition(";")[0].strip()
        kind = _TEXTS.get(file.content_type) or _TEXTS.get(declared, "plain")
        return decoding.decode("text", file.path, TextOptions(kind, file.declared_type), Paper, work)
    raise DecodeError(
        f"the file is {file.content_type} by its content; PDF, docx, pptx, xlsx, HTML, Markdown, CSV and text are read"
    )


def _read(page: PaperPage, paper: Paper, reader: Callable[[], TextReader] | None) -> ReadPage:
    thumbnail = Path(page.thumbnail).read_bytes() if page.thumbnail else None
    own: Found = "native" if page.blocks else "none"
    if page.image is None or reader is None:
        return ReadPage(page, paper, own, None, thumbnail)
    blocks, confidence = _read_picture(Path(page.image), page, reader())
    if sum(len(block.text) for block in blocks) <= sum(len(block.text) for block in page.blocks):
        return ReadPage(page, paper, own, None, thumbnail)
    return ReadPage(replace(page, blocks=blocks), paper, "ocr", confidence, thumbnail)


def _read_picture(image: Path, page: PaperPage, reader: TextReader) -> tuple[tuple[Block, ...], float]:
    lines = reader.read(np.load(image, allow_pickle=False))
    scale = _POINTS_AN_INCH / page.image_dpi
    laid = lay_out(
        [Fragment(one.text, one.left * scale, one.top * scale, one.right * scale, one.bottom * scale) for one in lines]
    )
    blocks = tuple(
        Block(
            text=block.text,
            object_type=block.object_type,
            box=_box(block.left, page.height - block.bottom, block.right - block.left, block.bottom - block.top),
            rows=block.rows,
        )
        for block in laid
    )
    return blocks, _mean([one.confidence for one in lines])


def _box(x: float, y: float, width: float, height: float) -> Box:
    return Box(round(x, 2), round(y, 2), round(width, 2), round(height, 2))


def _mean(values: Sequence[float]) -> float:
    return round(sum(values) / len(values), 4) if values else 0.0
