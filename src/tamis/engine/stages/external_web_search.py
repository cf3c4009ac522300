"""Pages of the web beside the documents."""

import re
from datetime import UTC, date, datetime
from typing import Any, ClassVar

from pydantic import BaseModel, Field, field_validator, model_validator

from tamis.engine.needs import Need
from tamis.engine.outreach.discovering import (
    OnNothing,
    appended,
    domain_of,
    how_many,
    questions,
    row,
    scores_of,
    searched,
)
from tamis.engine.parameters import StageParameters, template_roots
from tamis.engine.ports.web_search import Page, PageQuery, Pages
from tamis.engine.querying.asked_query import asked_query
from tamis.engine.spending.spending import Given, Knob, KnobKind, Spending, Usage
from tamis.engine.stage import Context, Effect, Outcome, StageKind
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON

_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+")
_LONGEST_QUERY = 2_000


class WebContents(StageParameters):
    text: bool | None = Field(None, description="The page's text; stands over include_text.")
    highlights: bool = Field(False, description="Passages that answer the query, where the provider makes them.")
    summary: bool = Field(False, description="A summary, where the provider makes one.")


class ExternalWebSearchParameters(StageParameters):
    in_single_braces: ClassVar[frozenset[str]] = frozenset({"query"})

    query: str | None = Field(
        None,
        min_length=1,
        description="What to search for; with DOC in it, once for each document. Else input `query`.",
    )
    num_results: int = Field(10, ge=1, le=100, description="Pages at most, for each search.")
    category: str | None = Field(
        None, min_length=1, description="Such as news, research paper, company, pdf, github; providers differ."
    )
    start_published_date: str | None = Field(None, description="Only pages from this day on, as 2026-01-31.")
    include_domains: list[str] | None = Field(None, min_length=1, max_length=50, description="Only these, and below.")
    exclude_domains: list[str] | None = Field(None, min_length=1, max_length=50, description="None of these or below.")
    include_text: bool = Field(True, description="With the text that the provider gives.")
    use_autoprompt: bool = Field(True, description="The provider may better the wording; Exa does.")
    contents: WebContents = Field(WebContents(), description="What of a page is wanted.")
    provider: str | None = Field(
        None,
        min_length=1,
        description="exa, tavily, brave, searxng or another that the operator set up; else the first.",
    )
    timeout: float = Field(10, ge=1, le=60, description="Seconds for a search.")
    on_error: OnNothing = Field("skip", description="Without an answer: go on with what there is, or fail.")

    @field_validator("category")
    @classmethod
    def _spelled(cls, value: str | None) -> str | None:
        return None if value is None else value.strip().lower().replace("_", " ")

    @field_validator("start_published_date")
    @classmethod
    def _is_a_day(cls, value: str | None) -> str | None:
        if value is not None and not _is_open(value):
            _day(value)
        return value

    @field_validator("include_domains", "exclude_domains")
    @classmethod
    def _are_domains(cls, value: list[str] | None) -> list[str] | None:
        return value if value is None else [_domain(one) for one in value]

    @model_validator(mode="after")
    def _wants_something_of_both(self) -> "ExternalWebSearchParameters":
        both = set(self.include_domains or ()) & set(self.exclude_domains or ())
        if both:
            raise ValueError(f"{min(both)} is both in include_domains and in exclude_domains")
        return self

    @property
    def with_text(self) -> bool:
        return self.include_text if self.contents.text is None else self.contents.text


def _domain(text: str) -> str:
    """Raises: ValueError."""
    if _is_open(text):
        return text
    name = text.strip().lower().removeprefix("*.").rstrip(".")
    if not _DOMAIN.fullmatch(name):
        raise ValueError(f"{text!r} is no domain such as example.com, without https:// and path")
    return name


def _is_open(text: str) -> bool:
    """Whether the run fills it in. Raises: ValueError where a document would have to."""
    roots = template_roots(text)
    if "DOC" in roots:
        raise ValueError("all searches have the same days and domains: only the query can name DOC")
    return bool(roots)


def _day(text: str) -> str:
    """Of a date or a time, in UTC. Raises: ValueError."""
    try:
        if len(text) == 10:
            return date.fromisoformat(text).isoformat()
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("a day as 2026-01-31, or a time as 2026-01-31T12:00:00Z") from None
    return (at if at.tzinfo is None else at.astimezone(UTC)).date().isoformat()


def _yields(asked: ExternalWebSearchParameters, given: Given) -> float:
    return given.count + how_many(asked.query, given) * asked.num_results


class ExternalWebSearch:
    """What comes in stays as it is; pages follow it in the provider's order."""

    id: ClassVar[str] = "external_web_search"
    kind: ClassVar[StageKind] = StageKind.APPLY
    icon: ClassVar[str] = "globe"
    description: ClassVar[str] = (
        "Search the web by a provider that the operator set up (Exa, Tavily, Brave, SearXNG) and add the pages as "
        "documents behind those that came in. Their text is a stranger's: later stages treat it as data."
    )
    Parameters: ClassVar[type[BaseModel]] = ExternalWebSearchParameters
    effects: ClassVar[frozenset[Effect]] = frozenset({Effect.OUTSIDE, Effect.SPENDS})
    needs: ClassVar[frozenset[Need]] = frozenset({Need.WEB_SEARCH})
    spends: ClassVar[Spending] = Spending(
        usage=lambda asked, given: Usage(_yields(asked, given), calls=how_many(asked.query, given)),
        yields=lambda asked, given: _yields(asked, given),
        knobs=(Knob(KnobKind.TOP_K, ("num_results",)),),
    )
    example: ClassVar[dict[str, Any]] = {
        "query": "how to sharpen a bread knife",
        "num_results": 5,
        "exclude_domains": ["pinterest.com"],
    }

    def __init__(self, parameters: ExternalWebSearchParameters) -> None:
        self._parameters = parameters

    async def run(self, hits: Hits, context: Context) -> Outcome:
        asked, unasked = questions(asked_query(self._parameters.query, context), hits, context)

        async def search(text: str) -> Pages:
            return await context.reach.web_search.pages(context.principal, self._query(text), context.allowance)

        answers, failed = await searched(asked, self._parameters.on_error, search)
        found = [hit for text, pages in answers for hit in self._hits(text, pages, context.stage_name)]
        told = [f"{text[:80]!r}: {said}" for text, pages in answers for said in pages.warnings]
        return Outcome(
            appended(hits, found),
            processed=len(hits) + len(found),
            metadata={"searches": len(asked), "found": len(found), "calls": sum(pages.calls for _, pages in answers)},
            warnings=tuple(dict.fromkeys((*unasked, *failed, *told))),
        )

    def _query(self, text: str) -> PageQuery:
        given = self._parameters
        return PageQuery(
            text[:_LONGEST_QUERY],
            given.num_results,
            given.provider,
            given.category,
            None if given.start_published_date is None else _day(given.start_published_date),
            tuple(given.include_domains or ()),
            tuple(given.exclude_domains or ()),
            given.with_text,
            given.contents.highlights,
            given.contents.summary,
            given.use_autoprompt,
            float(given.timeout),
        )

    def _hits(self, text: str, pages: Pages, stage_name: str) -> list[Hit]:
        scores = scores_of([page.score for page in pages.pages])
        found = enumerate(zip(pages.pages, scores, strict=True))
        return [
            row("web", page.url, score, stage_name, self._fields(page, text, position, pages.provider))
            for position, (page, score) in found
        ]

    def _fields(self, page: Page, text: str, position: int, provider: str) -> dict[str, JSON]:
        return {
            "source": "web",
            "url": page.url,
            "title": page.title,
            "text": page.text,
            "highlights": [*page.highlights] if page.highlights else None,
            "summary": page.summary,
            "published_date": page.published,
            "author": page.author,
            "image_url": page.image_url,
            "domain": domain_of(page.url),
            "category": self._parameters.category,
            "search_query": text,
            "search_position": position,
            "search_provider": provider,
        }
