"""A document as a decoder hands it over: pages of blocks with their places."""

from dataclasses import dataclass
from typing import Literal

ObjectType = Literal["paragraph", "header", "list", "table", "form"]
OfficeKind = Literal["docx", "pptx", "xlsx"]
TextKind = Literal["plain", "markdown", "html", "csv"]


@dataclass(frozen=True, slots=True)
class Box:
    """In points (1/72 inch) of the page as it is shown; x and y are the lower left corner, as in PDF."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Block:
    """What belongs together on a page. text: a table's rows are lines, its cells stand apart by tabs.

    rows: of a table.  box: None where the format has no places.
    """

    text: str
    object_type: ObjectType = "paragraph"
    box: Box | None = None
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class FormField:
    """page: from 1."""

    name: str
    value: str
    kind: str
    page: int


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that lies in the document; it is told, and not opened."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class PaperPage:
    """blocks: in reading order.  width, height: points, 0 where the format has none.

    thumbnail: path of a JPEG.  image: path of the page for reading the text in it, uint8 [h, w, 3] as `.npy`, where
    the page itself has no text; image_dpi: its resolution.  damage: what of the page could not be read.
    """

    number: int
    blocks: tuple[Block, ...] = ()
    width: float = 0.0
    height: float = 0.0
    name: str | None = None
    thumbnail: str | None = None
    image: str | None = None
    image_dpi: float = 0.0
    damage: str | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """page_count: of the whole document; pages: those that were asked for."""

    page_count: int
    pages: tuple[PaperPage, ...]
    metadata: dict[str, str]
    fields: tuple[FormField, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class PdfOptions:
    """first_page, pages: which are read; the rest is for another call, so that none holds much.

    thumbnail_dpi: 0 makes none.  image_dpi: of pages without text, 0 makes none.  shortest_text: a page with fewer
    characters counts as one without.  most_pages: a longer document is refused.
    """

    first_page: int = 1
    pages: int = 8
    thumbnail_dpi: int = 72
    image_dpi: int = 150
    shortest_text: int = 20
    most_pages: int = 5_000


@dataclass(frozen=True, slots=True)
class OfficeOptions:
    """most_bytes: of all that is packed in the file, unpacked.  most_characters: of text; what is more is refused."""

    kind: OfficeKind
    most_bytes: int = 256 << 20
    most_characters: int = 20_000_000


@dataclass(frozen=True, slots=True)
class TextOptions:
    """declared_type: the content type as whoever sent the file has it, which may name a charset."""

    kind: TextKind = "plain"
    declared_type: str | None = None
    most_characters: int = 20_000_000
