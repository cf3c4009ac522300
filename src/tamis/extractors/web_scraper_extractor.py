"""Web sites: the text of pages, from one page along its links, in the text space."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

import re2
from pydantic import BaseModel, Field, field_validator, model_validator

from tamis.engine.contents.text_features import storable, text_features, whole_vectors
from tamis.engine.outreach.crawl import Crawl, CrawledPage, Crawler
from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.extraction import Cost, ExtractionFailure, ExtractorParameters, Segment, SourceItem
from tamis.engine.ports.inference import Embedder, Models
from tamis.engine.ports.web_pages import WebPages
from tamis.engine.text.chunks import Chunking, chunk
from tamis.errors import DecodeError, OutsideError, TamisError
from tamis.model.json import JSON
from tamis.model.vector import FeatureSpec

_MOST_PAGES = 500
_MOST_DEPTH = 10
_SHOWN = 200
# What the contract has and this server does not do, with the values that ask for nothing.
_NOT_DONE: Mapping[str, tuple[Any, ...]] = {
    "crawl_mode": ("deterministic",), "crawl_goal": (), "render_strategy": ("auto", "static"),
    "generate_text_embeddings": (True,), "generate_code_embeddings": (True, False),
    "generate_image_embeddings": (True, False), "generate_structure_embeddings": (True, False),
    "response_shape": (), "llm_provider": (), "llm_model": (), "llm_api_key": (), "proxies": ([],),
    "rotate_proxy_on_error": (True, False), "rotate_proxy_every_n_requests": (0,), "captcha_service_provider": (),
    "captcha_service_api_key": (), "detect_captcha": (True, False), "persist_cookies": (True, False),
    "custom_headers": ({},), "document_id_strategy": ("position", "url"), "max_retries": tuple(range(11)),
    "retry_base_delay": (1.0,), "retry_max_delay": (30.0,), "respect_retry_after": (True,),
    "extractor_type": ("web_scraper",),
}  # fmt: skip

ChunkStrategy = Literal["none", "sentences", "paragraphs", "words", "characters"]


class WebScraperParameters(ExtractorParameters):
    """How far the crawl goes, and what becomes a document. Pages are read as they are sent: no script is run."""

    max_depth: int = Field(2, ge=0, le=_MOST_DEPTH, description="Links away from the first page; 0 is that page alone.")
    max_pages: int = Field(50, ge=1, le=_MOST_PAGES, description="Pages read, at most.")
    crawl_timeout: float = Field(300, ge=10, le=3600, description="Seconds for all of it; what is read then is kept.")
    include_patterns: list[str] = Field([], max_length=50, description="Only addresses that one of these (RE2) finds.")
    exclude_patterns: list[str] = Field([], max_length=50, description="No address that one of these (RE2) finds.")
    delay_between_requests: float = Field(0, ge=0, le=60, description="Seconds between two pages.")
    chunk_strategy: ChunkStrategy = Field("none", description="What a page falls into; 'none' keeps it whole.")
    chunk_size: int = Field(500, ge=1, le=10_000, description="Units of chunk_strategy in a chunk.")
    chunk_overlap: int = Field(50, ge=0, le=5_000, description="Units that consecutive chunks share.")
    language: str | None = Field(None, description="Of the texts (such as 'de'); that of each page where not given.")
    model: str | None = Field(None, description="Embedding model by name; the server's default where not given.")

    @model_validator(mode="before")
    @classmethod
    def _says_what_it_cannot(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        given = {name: value for name, value in raw.items() if value is not None}
        for name, harmless in _NOT_DONE.items():
            if name in given and given.pop(name) not in harmless:
                raise ValueError(f"{name!r} asks for what this server does not do with web sites; leave it out")
        return given

    @model_validator(mode="after")
    def _fits(self) -> "WebScraperParameters":
        if self.chunk_strategy != "none" and self.chunk_overlap >= self.chunk_size:
            raise ValueError(f"chunk_overlap ({self.chunk_overlap}) must be less than chunk_size ({self.chunk_size})")
        return self

    @field_validator("include_patterns", "exclude_patterns")
    @classmethod
    def _are_patterns(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            try:
                re2.compile(pattern)
            except re2.error as error:
                raise ValueError(f"{pattern!r} is no pattern of RE2: {error}") from None
        return patterns

    @property
    def crawl(self) -> Crawl:
        return Crawl(
            max_depth=self.max_depth,
            max_pages=self.max_pages,
            timeout_s=self.crawl_timeout,
            delay_s=self.delay_between_requests,
            include=tuple(self.include_patterns),
            exclude=tuple(self.exclude_patterns),
        )


class WebScraperExtractor:
    """web_scraper_extractor@v1.

    Vectors: `embedding` and `lexical` as text_extractor has them, of all of a page or chunk. Only hosts that the
    operator allows are reached, as by stages, and only pages that their site lets programs read.
    """

    name: ClassVar[str] = "web_scraper_extractor"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Text of a web page and, within bounds, of those it links to on the same host."
    icon: ClassVar[str] = "globe"
    supported_input_types: ClassVar[tuple[str, ...]] = ("string", "text")
    max_inputs: ClassVar[Mapping[str, int]] = {"url": 1}
    limits: ClassVar[Mapping[str, float]] = {"pages": _MOST_PAGES, "depth": _MOST_DEPTH}
    cost: ClassVar[Cost] = Cost(3, "a request for each page, and one pass of the text model for each window of text")
    input_schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"url": {"type": "string", "format": "uri", "description": "The page to begin with."}},
        "required": ["url"],
    }
    Parameters: ClassVar[type[BaseModel]] = WebScraperParameters

    def __init__(
        self, models: Models | None = None, decoding: Decoding | None = None, pages: WebPages | None = None
    ) -> None:
        self._models = models
        self._decoding = decoding
        self._pages = pages

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        """Raises: ValidationError where the parameters name an unknown model, ModelMissingError where it is away."""
        return text_features(self._models, cast(WebScraperParameters, parameters).model)

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        chunked = cast(WebScraperParameters, parameters).chunk_strategy != "none"
        return {"properties": {**_FIELDS, **(_CHUNK_FIELDS if chunked else {})}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        """Each site by itself."""
        chosen = cast(WebScraperParameters, parameters)
        return [self._extracted(item, chosen, models) for item in items]

    def _extracted(
        self, item: SourceItem, chosen: WebScraperParameters, models: Models
    ) -> Sequence[Segment] | ExtractionFailure:
        url = item.inputs.get("url")
        if not isinstance(url, str):
            return ExtractionFailure("the input 'url' is no text: there is no address where input_mappings points")
        if self._pages is None or self._decoding is None or item.principal is None:
            return ExtractionFailure("this server reads no web pages", "dependency")
        crawler = Crawler(self._pages, self._decoding, item.principal, chosen.crawl)
        embedder = models.embedder(chosen.model)
        segments: list[Segment] = []
        try:
            for page in crawler.read(url.strip()):
                segments += _segments(page, chosen, embedder, models)
        except DecodeError as error:
            return ExtractionFailure(error.message, error.error_type)
        except TamisError as error:
            return ExtractionFailure(error.message, "network" if isinstance(error, OutsideError) else "validation")
        return _told(segments, crawler.failures)


def _segments(page: CrawledPage, chosen: WebScraperParameters, embedder: Embedder, models: Models) -> list[Segment]:
    text = storable(page.page.text)
    spans = chunk(text, Chunking(chosen.chunk_strategy, chosen.chunk_size, chosen.chunk_overlap), embedder.spans)
    texts = [text[start:end] for start, end in spans]
    vectors = whole_vectors(texts, models, chosen.model, chosen.language or page.page.language)
    shared = _page_fields(page)
    segments = []
    for index, (piece, made) in enumerate(zip(texts, vectors, strict=True)):
        place: dict[str, JSON] = {"chunk_index": index, "total_chunks": len(texts)}
        fields = {"text": piece, **shared, **(place if chosen.chunk_strategy != "none" else {})}
        segments.append(Segment(fields, made))
    return segments or [Segment({"text": "", **shared})]


def _page_fields(crawled: CrawledPage) -> dict[str, JSON]:
    page = crawled.page
    fields: dict[str, JSON] = {
        "title": page.title,
        "description": page.description,
        "page_language": page.language,
        "page_url": crawled.url,
        "crawl_depth": crawled.depth,
        "parent_url": crawled.parent,
        "links": [{"url": link.href, "text": link.text} for link in page.links[:_SHOWN]],
        "images": [{"src": link.href, "alt": link.text} for link in page.images[:_SHOWN]],
    }
    return {name: value for name, value in fields.items() if value is not None}


def _told(segments: list[Segment], failures: Sequence[tuple[str, str]]) -> list[Segment]:
    """With what could not be read, on the first document."""
    if segments and failures:
        shown: list[JSON] = [{"url": url, "error": reason} for url, reason in failures[:_SHOWN]]
        first = segments[0]
        segments[0] = Segment({**first.fields, "unread": shown}, first.vectors)
    return segments


_FIELDS: dict[str, JSON] = {
    "text": {"type": "text", "description": "What the page is about, as Markdown; menus and the like are left out."},
    "title": {"type": "string", "description": "Title of the page."},
    "description": {"type": "string", "description": "As the page describes itself."},
    "page_language": {"type": "string", "description": "As the page says."},
    "page_url": {"type": "string", "description": "Address of the page, after redirects."},
    "crawl_depth": {"type": "integer", "description": "Links away from the first page."},
    "parent_url": {"type": "string", "description": "The page with the first link to it."},
    "links": {"type": "array", "description": "url and text of its first 200 links."},
    "images": {"type": "array", "description": "src and alt of its first 200 pictures."},
    "unread": {"type": "array", "description": "On the first document: addresses that could not be read, and why."},
}
_CHUNK_FIELDS: dict[str, JSON] = {
    "chunk_index": {"type": "integer", "description": "Place of this chunk among those of its page, from 0."},
    "total_chunks": {"type": "integer", "description": "How many chunks its page has."},
}
