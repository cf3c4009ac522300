"""The text of the web page that a document names."""

import asyncio
from typing import Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, Field, field_validator, model_validator

from tamis.engine.needs import Need
from tamis.engine.outputs import put, steps_of, value_at
from tamis.engine.outreach.reaching import OnFailure, each, removal
from tamis.engine.parameters import StageParameters, checked_filter
from tamis.engine.ports.outside import Fetch
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.engine.text.pages import Page, read_page
from tamis.engine.verdicts.verdict import Case, Verdict
from tamis.errors import OutsideError, ValidationError
from tamis.model.filters import canonical_path
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_LARGEST = 5 << 20


def _near(url: str) -> tuple[str, ...] | None:
    try:
        host = (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return None  # it is no URL, which the request's own check says better
    return (host, f"*.{host}")


class WebScrapeParameters(StageParameters):
    url: str | None = Field(None, description="The page; a template, instead of url_field.")
    url_field: str = Field("metadata.url", min_length=1, description="Path of the field with the page's URL.")
    output_field: str = Field(
        "web_content",
        min_length=1,
        validation_alias=AliasChoices("output_field", "result_field"),
        description="Path that the page is written to.",
    )
    strategy: Literal["auto", "static"] = Field("auto", description="Both read the page as it is sent.")
    include_markdown: bool = Field(True, description="The main text, as markdown.")
    include_html: bool = Field(False, description="The page as it came.")
    include_links: bool = Field(False, description="Its links, absolute.")
    include_images: bool = Field(False, description="Its pictures' addresses, absolute.")
    timeout: float = Field(10, gt=0, le=60, description="Seconds for a whole page.")
    batch_size: int = Field(5, ge=1, le=20, description="Pages at once.")
    min_content_length: int = Field(500, ge=100, description="A page with less text is marked `is_thin`.")
    when: dict[str, Any] | list[Any] | None = Field(None, description="Only documents that match.")
    on_error: OnFailure = Field("skip", description="Without a page: keep the document, remove it, or fail.")
    delay_between_requests: float = Field(0, ge=0, le=5, description="Seconds that a place rests after a page.")
    same_domain_only: bool = Field(True, description="A redirect leads to the page's own host or one below it only.")
    max_depth: int = Field(0, description="0: links are not followed.")
    max_pages: int = Field(1, description="1: a document has one page.")
    url_patterns: dict[str, Any] | None = Field(None, description="Null: links are not followed.")
    wait_for: int = Field(0, description="0: scripts are never run.")

    _when = field_validator("when")(checked_filter)

    @model_validator(mode="before")
    @classmethod
    def _in_seconds(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or raw.get("timeout_ms") is None:
            return raw
        return {"timeout": raw["timeout_ms"] / 1000, **{k: v for k, v in raw.items() if k != "timeout_ms"}}

    @field_validator("url_patterns", "max_depth", "max_pages")
    @classmethod
    def _follows_nothing(cls, value: Any) -> Any:
        if value not in (0, 1) or isinstance(value, dict):
            raise ValueError("links are not followed: one page for each document; leave it out")
        return value

    @field_validator("wait_for")
    @classmethod
    def _runs_nothing(cls, value: int) -> int:
        if value:
            raise ValueError("scripts of a page are never run, so there is nothing to wait for; leave it 0")
        return value


class WebScrape:
    """Pages in parallel, few at once; the order stays."""

    id: ClassVar[str] = "web_scrape"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "file-search"
    description: ClassVar[str] = (
        "Fetch the web page that a document names and write its main text into a field. Only what the operator allows "
        "is reached, and no script of a page is run."
    )
    Parameters: ClassVar[type[BaseModel]] = WebScrapeParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.OUTSIDE, Need.WEB_PAGES})
    example: ClassVar[dict[str, Any]] = {"url_field": "metadata.url", "include_links": True}

    def __init__(self, parameters: WebScrapeParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        given = self._parameters

        async def scrape(hit: Hit) -> Hit:
            url = self._url(hit, context)
            near = _near(url) if given.same_domain_only else None
            fetch = Fetch(url, timeout_s=given.timeout, max_bytes=_LARGEST, allowed_domains=near)
            found = await context.reach.outside.read_page(context.principal, fetch)
            if not 200 <= found.status < 300:
                raise OutsideError(f"the page answered {found.status}")
            await asyncio.sleep(given.delay_between_requests)
            page = await asyncio.to_thread(read_page, found.body, found.url)
            return put(hit, given.output_field, self._shown(page, found.body))

        return await each(hits, given.when, given.batch_size, given.on_error, scrape, self._failed)

    async def explain(self, case: Case, _context: Context) -> Verdict:
        return removal(case)

    def _failed(self, hit: Hit, reason: str) -> Hit:
        shown: dict[str, JSON] = {"status": "error", "error": reason}
        return put(
            hit,
            self._parameters.output_field,
            shown | ({"markdown": None} if self._parameters.include_markdown else {}),
        )

    def _url(self, hit: Hit, context: Context) -> str:
        given = self._parameters
        try:
            if given.url is not None:
                return str(context.render(given.url, hit))
            return str(value_at(hit.view(), steps_of(canonical_path(given.url_field))))
        except (LookupError, ValidationError):
            raise OutsideError("the document names no page") from None

    def _shown(self, page: Page, html: bytes) -> dict[str, JSON]:
        given = self._parameters
        shown: dict[str, JSON] = {"status": "success", "title": page.title, "description": page.description}
        shown |= {"language": page.language, "is_thin": len(page.markdown) < given.min_content_length}
        parts: dict[str, tuple[bool, JSON]] = {
            "markdown": (given.include_markdown, page.markdown),
            "html": (given.include_html, html.decode(errors="replace")),
            "links": (given.include_links, page.links),
            "images": (given.include_images, page.images),
        }
        return shown | {name: value for name, (is_wanted, value) in parts.items() if is_wanted}
