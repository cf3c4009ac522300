"""PDFs, office documents and files of text: pages, blocks or passages with their places, in the text space."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

from pydantic import BaseModel, Field, model_validator

from tamis.engine.ahead import ahead
from tamis.engine.contents.paper_parts import block_parts, page_parts
from tamis.engine.contents.papers import Reading, ReadPage, read_paper, reading_model
from tamis.engine.contents.text_features import SPECIAL_TOKENS, text_features, whole_vectors
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import (
    Cost,
    ExtractionFailure,
    ExtractorParameters,
    MadeFile,
    Segment,
    SourceItem,
)
from tamis.engine.ports.inference import Embedder, ModelInfo, Models
from tamis.engine.text.chunks import DEFAULT_SIZES, Chunking
from tamis.errors import DecodeError
from tamis.model.json import JSON
from tamis.model.media_document import PdfOptions
from tamis.model.vector import FeatureSpec

_MOST_PAGES = 2_000
_MOST_READ_PAGES = 200
_MOST_DOCUMENTS = 20_000
_PAGES_AHEAD = 8
_NEEDS_A_MODEL_THAT_SEES = ("use_vlm_correction", "vlm_provider", "vlm_model", "min_confidence_for_vlm", "llm_api_key")

SplitBy = Literal["pages", "blocks", "tokens", "sentences", "paragraphs", "words", "characters"]
Ocr = Literal["auto", "never"]


class DocumentParameters(ExtractorParameters):
    """What becomes a document, and what is made of it."""

    split_by: SplitBy = Field(
        "pages",
        description="One document a page, a block (paragraph, heading, table), or a passage of so many tokens, "
        "sentences, ... of a page.",
    )
    chunk_size: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="Units of split_by in a passage. Default: 128 tokens, 1 sentence, 1 paragraph, 100 words, 1000 "
        "characters.",
    )
    chunk_overlap: int = Field(0, ge=0, description="Units that consecutive passages of a page share.")
    ocr: Ocr = Field("auto", description="'auto' reads the picture of a page that has no text of its own.")
    min_text_length: int = Field(
        20, ge=0, le=500, description="A page with fewer characters and pictures on it counts as one without text."
    )
    render_dpi: int = Field(150, ge=72, le=300, description="Of the picture of a page in which text is read.")
    generate_thumbnails: bool = Field(True, description="A small picture of each page of a PDF.")
    thumbnail_dpi: int = Field(72, ge=36, le=150, description="Of that picture.")
    language: str | None = Field(
        None, description="Language of the texts (such as 'de') for the lexical feature; detected where not given."
    )
    model: str | None = Field(None, description="Embedding model by name; the server's default where not given.")

    @model_validator(mode="before")
    @classmethod
    def _says_what_it_cannot(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        for name in _NEEDS_A_MODEL_THAT_SEES:
            if raw.get(name):
                raise ValueError(f"{name!r} asks for a model that corrects text by looking at the page; there is none")
        return {name: value for name, value in raw.items() if name not in _NEEDS_A_MODEL_THAT_SEES}

    @model_validator(mode="after")
    def _fits(self) -> "DocumentParameters":
        if self.is_chunked and self.chunk_overlap >= self.size:
            raise ValueError(f"chunk_overlap ({self.chunk_overlap}) must be less than chunk_size ({self.size})")
        if not self.is_chunked and (self.chunk_size is not None or self.chunk_overlap):
            raise ValueError(f"chunk_size and chunk_overlap are for passages; split_by {self.split_by!r} has none")
        return self

    @property
    def is_chunked(self) -> bool:
        return self.split_by not in ("pages", "blocks")

    @property
    def size(self) -> int:
        return self.chunk_size or DEFAULT_SIZES.get(self.split_by, 1)

    @property
    def reading(self) -> Reading:
        pdf = PdfOptions(
            thumbnail_dpi=self.thumbnail_dpi if self.generate_thumbnails else 0,
            image_dpi=self.render_dpi if self.ocr == "auto" else 0,
            shortest_text=max(1, self.min_text_length),
            most_pages=_MOST_PAGES,
        )
        return Reading(pdf, _MOST_READ_PAGES)


class DocumentExtractor:
    """document_extractor@v1.

    Vectors: `embedding` and `lexical` as text_extractor has them, of all of the text: where it is longer than the
    model's window, the mean of its windows. A page without text is a document without vectors.
    """

    name: ClassVar[str] = "document_extractor"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = (
        "Text of PDFs, office documents and files of text by page, block or passage, with places, tables and "
        "thumbnails; pages without text are read in their picture."
    )
    icon: ClassVar[str] = "file"
    supported_input_types: ClassVar[tuple[str, ...]] = ("pdf", "document", "spreadsheet", "presentation", "file")
    max_inputs: ClassVar[Mapping[str, int]] = {"document": 1}
    limits: ClassVar[Mapping[str, float]] = {
        "pages": _MOST_PAGES,
        "pages_read_in_pictures": _MOST_READ_PAGES,
        "documents": _MOST_DOCUMENTS,
    }
    cost: ClassVar[Cost] = Cost(3, "decoding, and one pass of the text model for each window of text; OCR where needed")
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "document": {
                "type": "string",
                "format": "binary",
                "description": "PDF, docx, pptx, xlsx, HTML, Markdown, CSV or plain text, by its content.",
            }
        },
        "required": ["document"],
    }
    is_repeatable: ClassVar[bool] = True
    Parameters: ClassVar[type[BaseModel]] = DocumentParameters

    def __init__(self, models: Models | None = None, decoding: Decoding | None = None) -> None:
        self._models = models
        self._decoding = decoding

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        """Raises: ValidationError where the parameters name an unknown model, ModelMissingError where it is away."""
        return text_features(self._models, cast(DocumentParameters, parameters).model)

    def made_with(self, parameters: BaseModel, models: Models) -> Sequence[ModelInfo]:
        """Raises: ModelMissingError."""
        chosen = cast(DocumentParameters, parameters)
        return (models.embedder(chosen.model).info, *(reading_model(models) if chosen.ocr == "auto" else ()))

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        chosen = cast(DocumentParameters, parameters)
        fields = _FIELDS | (_BLOCK_FIELDS if chosen.split_by == "blocks" else _PAGE_FIELDS)
        small = _SMALL if chosen.generate_thumbnails else {}
        return {"properties": {**fields, **small, **(_CHUNK_FIELDS if chosen.is_chunked else {})}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        """Each item by itself: one that cannot be read does not touch the others.

        The next pages are decoded, and read in their pictures, while the text model has the last.
        """
        chosen = cast(DocumentParameters, parameters)
        embedder = models.embedder(chosen.model)
        found: list[list[Segment] | ExtractionFailure] = [[] for _ in items]
        for place, page in ahead(self._pages(items, chosen, models, found), _PAGES_AHEAD):
            made = found[place]
            if isinstance(page, ExtractionFailure):
                found[place] = page
            elif not isinstance(made, ExtractionFailure):
                made += _segments(page, chosen, embedder, models)
                if len(made) > _MOST_DOCUMENTS:
                    found[place] = ExtractionFailure(f"the file falls into more than {_MOST_DOCUMENTS} documents")
        return found

    def _pages(
        self,
        items: Sequence[SourceItem],
        chosen: DocumentParameters,
        models: Models,
        found: Sequence[list[Segment] | ExtractionFailure],
    ) -> Generator[tuple[int, ReadPage | ExtractionFailure], None, None]:
        """With the place of their item, until it has failed; what cannot be read comes as such."""
        for place, item in enumerate(items):
            try:
                for page in self._read(item, chosen, models):
                    yield place, page
                    if isinstance(found[place], ExtractionFailure):
                        break
            except DecodeError as error:
                yield place, ExtractionFailure(error.message, error.error_type)

    def _read(self, item: SourceItem, chosen: DocumentParameters, models: Models) -> Iterator[ReadPage]:
        """Raises: DecodeError."""
        file = item.files.get("document")
        if file is None:
            raise DecodeError("the input 'document' is no file of the store: upload it, or give its text as a blob")
        if self._decoding is None:
            raise DecodeError("this server decodes no files", "dependency")
        return read_paper(file, self._decoding, models.ocr, chosen.reading)


def _segments(page: ReadPage, chosen: DocumentParameters, embedder: Embedder, models: Models) -> list[Segment]:
    blocks = page.page.blocks
    if chosen.split_by == "blocks":
        parts = block_parts(blocks)
    else:
        parts = page_parts(blocks, _chunking(chosen, embedder), embedder)
    if not parts and page.thumbnail is None and page.page.number > 1:
        return []
    shared = _page_fields(page)
    files = (MadeFile("thumbnail", "thumbnail", "image/jpeg", page.thumbnail),) if page.thumbnail else ()
    vectors = whole_vectors([part.text for part in parts], models, chosen.model, chosen.language)
    if not parts:
        return [Segment({"text": "", **shared}, files=files)]
    return [
        Segment({"text": part.text, **shared, **part.fields}, made, files=files)
        for part, made in zip(parts, vectors, strict=True)
    ]


def _page_fields(page: ReadPage) -> dict[str, JSON]:
    paper, number = page.paper, page.page.number
    form: list[JSON] = [
        {"name": field.name, "value": field.value, "type": field.kind} for field in paper.fields if field.page == number
    ]
    attached: list[JSON] = [{"name": one.name, "size_bytes": one.size_bytes} for one in paper.attachments]
    found: dict[str, JSON] = {
        "page_number": number,
        "page_count": paper.page_count,
        "page_name": page.page.name,
        "page_size": {"width": page.page.width, "height": page.page.height} if page.page.width else None,
        "source": page.found,
        "confidence_score": page.confidence,
        "document_title": paper.metadata.get("title"),
        "document_author": paper.metadata.get("author"),
        "form_fields": form or None,
        "attachments": attached if attached and number == 1 else None,
        "damage": page.page.damage,
    }
    return {name: value for name, value in found.items() if value is not None}


def _chunking(chosen: DocumentParameters, embedder: Embedder) -> Chunking | None:
    if not chosen.is_chunked:
        return None
    size, overlap = chosen.size, chosen.chunk_overlap
    window = embedder.info.max_tokens - SPECIAL_TOKENS
    if chosen.split_by == "tokens" and size > window:
        size, overlap = window, overlap * window // size
    return Chunking(chosen.split_by, size, overlap)


_FIELDS: dict[str, JSON] = {
    "text": {"type": "text", "description": "The text; cells of a table stand apart by tabs."},
    "page_number": {"type": "integer", "description": "From 1; of a presentation the slide, of a workbook the sheet."},
    "page_count": {"type": "integer", "description": "Of the whole file."},
    "page_name": {"type": "string", "description": "Name of the sheet."},
    "page_size": {"type": "object", "description": "Width and height in points."},
    "source": {"type": "string", "description": "native: the file's own text; ocr: read in a picture; none: no text."},
    "confidence_score": {"type": "float", "description": "Of what was read in a picture, 0 to 1."},
    "document_title": {"type": "string", "description": "As the file names itself."},
    "document_author": {"type": "string", "description": "As the file names them."},
    "form_fields": {"type": "array", "description": "Name, value and type of each field of a form on the page."},
    "attachments": {"type": "array", "description": "Name and size of each file attached; on the first page."},
    "damage": {"type": "string", "description": "What of the page could not be read."},
    "bbox": {
        "type": "object",
        "description": "x, y (lower left corner), width and height in points of the page as it is shown.",
    },
}
_SMALL: dict[str, JSON] = {
    "thumbnail": {"type": "image", "description": "The document's file that shows the page small; of a PDF."}
}
_BLOCK_FIELDS: dict[str, JSON] = {
    "object_type": {"type": "string", "description": "paragraph, header, list, table or form."},
    "rows": {"type": "array", "description": "Of a table: its rows, each a list of cells."},
}
_PAGE_FIELDS: dict[str, JSON] = {
    "blocks": {
        "type": "array",
        "description": "What the text consists of: object_type, bbox, rows, and where in the text it begins.",
    },
}
_CHUNK_FIELDS: dict[str, JSON] = {
    "chunk_index": {"type": "integer", "description": "Place of this passage among those of its page, from 0."},
    "chunk_count": {"type": "integer", "description": "How many passages its page has."},
    "start_char": {"type": "integer", "description": "Where the passage begins in the page's text."},
    "end_char": {"type": "integer", "description": "Where it ends."},
}
