"""Brave Search (search.brave.com): an index of its own, 20 results a request."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tamis.engine.ports.web_search import Page, PageQuery
from tamis.model.json import JSON
from tamis.outside.search.protocol import Ask, PageProtocol, Protocol, category_of, refuse_extras, within_domains
from tamis.outside.search.reading import address, rows, text, texts, title

_NAME = "brave"
_MOST = 20


def _ask(query: PageQuery, request: int) -> Ask:
    refuse_extras(query, _NAME)
    category_of(query, _NAME, {})
    asked = {
        "q": within_domains(query),
        "count": str(min(query.count, _MOST)),
        "offset": str(request),
        "result_filter": "web",
        "text_decorations": "false",
    }
    if query.published_from is not None:
        asked["freshness"] = f"{query.published_from}to{datetime.now(UTC):%Y-%m-%d}"
    return Ask("/res/v1/web/search", asked)


def _read(answer: JSON, query: PageQuery) -> Sequence[Page]:
    return [
        Page(
            url,
            title(row.get("title")),
            text(row.get("description")) if query.with_text else None,
            texts(row.get("extra_snippets")) if query.with_text else (),
            published=text(row.get("page_age"), 40),
        )
        for row in rows(answer, "web", "results")
        if (url := address(row.get("url")))
    ]


BRAVE: PageProtocol = Protocol(
    _NAME, "https://api.search.brave.com", _ask, _read, most=_MOST, requests=5,
    key_header=("x-subscription-token", "{}"),
)  # fmt: skip
