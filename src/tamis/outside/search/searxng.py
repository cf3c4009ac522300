"""SearXNG: open metasearch that one runs oneself. Its settings must list `json` under `search.formats`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from tamis.engine.ports.web_search import Page, PageQuery
from tamis.model.json import JSON
from tamis.outside.search.protocol import Ask, PageProtocol, Protocol, category_of, refuse_extras, within_domains
from tamis.outside.search.reading import address, rows, text, title

_NAME = "searxng"
_CATEGORIES = {"news": "news", "research paper": "science", "github": "it", "tweet": "social media"}
_RANGES = ((1, "day"), (7, "week"), (31, "month"), (366, "year"))


def _ask(query: PageQuery, request: int) -> Ask:
    refuse_extras(query, _NAME)
    asked = {"q": within_domains(query), "format": "json", "pageno": str(request + 1)}
    category = category_of(query, _NAME, _CATEGORIES)
    if category is not None:
        asked["categories"] = category
    if query.published_from is not None:
        span = _range_since(date.fromisoformat(query.published_from))
        asked |= {} if span is None else {"time_range": span}
    return Ask("/search", asked)


def _range_since(day: date) -> str | None:
    """The narrowest of its ranges that reaches back to the day; what is older than it is left out when read."""
    days = (datetime.now(UTC).date() - day) / timedelta(days=1)
    return next((name for most, name in _RANGES if days <= most), None)


def _read(answer: JSON, query: PageQuery) -> Sequence[Page]:
    # Its score counts engines and places: it says nothing between two searches.
    return [
        Page(
            url,
            title(row.get("title")),
            text(row.get("content")) if query.with_text else None,
            published=text(row.get("publishedDate"), 40),
            author=text(row.get("author"), 200),
            image_url=address(row.get("img_src")) or address(row.get("thumbnail")),
        )
        for row in rows(answer, "results")
        if (url := address(row.get("url")))
    ]


SEARXNG: PageProtocol = Protocol(
    _NAME, None, _ask, _read, most=10, requests=10, key_header=("authorization", "Bearer {}"), needs_key=False
)
