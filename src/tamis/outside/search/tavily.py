"""Tavily (tavily.com): search made for language models."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.web_search import Page, PageQuery
from tamis.model.json import JSON
from tamis.outside.search.protocol import Ask, PageProtocol, Protocol, category_of, refuse_extras
from tamis.outside.search.reading import address, number, rows, text, title

_NAME = "tavily"
_MOST = 20
_TOPICS = {"news": "news", "financial report": "finance"}


def _ask(query: PageQuery, _request: int) -> Ask:
    refuse_extras(query, _NAME)
    body: dict[str, Any] = {
        "query": query.text,
        "max_results": min(query.count, _MOST),
        "topic": category_of(query, _NAME, _TOPICS) or "general",
        "include_raw_content": "text" if query.with_text else False,
    }
    if query.published_from is not None:
        body["start_date"] = query.published_from
    if query.included:
        body["include_domains"] = [*query.included]
    if query.excluded:
        body["exclude_domains"] = [*query.excluded]
    return Ask("/search", body=body)


def _read(answer: JSON, query: PageQuery) -> Sequence[Page]:
    return [
        Page(
            url,
            title(row.get("title")),
            (text(row.get("raw_content")) or text(row.get("content"))) if query.with_text else None,
            published=text(row.get("published_date"), 40),
            score=number(row.get("score")),
        )
        for row in rows(answer, "results")
        if (url := address(row.get("url")))
    ]


TAVILY: PageProtocol = Protocol(
    _NAME, "https://api.tavily.com", _ask, _read, most=_MOST, key_header=("authorization", "Bearer {}")
)
