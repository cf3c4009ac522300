"""Exa (exa.ai): search by meaning, with the pages' text."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.web_search import Page, PageQuery
from tamis.model.json import JSON
from tamis.outside.search.protocol import Ask, PageProtocol, Protocol, cannot
from tamis.outside.search.reading import MOST_TEXT, address, number, rows, text, texts, title

_NAME = "exa"
_CATEGORIES = frozenset(
    ("company", "research paper", "news", "pdf", "github", "tweet", "personal site", "linkedin profile",
     "financial report", "people")
)  # fmt: skip


def _ask(query: PageQuery, _request: int) -> Ask:
    if query.category is not None and query.category not in _CATEGORIES:
        raise cannot(_NAME, "category", f"has {', '.join(sorted(_CATEGORIES))}")
    body: dict[str, Any] = {"query": query.text, "numResults": query.count, "useAutoprompt": query.may_reword}
    if query.category is not None:
        body["category"] = query.category
    if query.published_from is not None:
        body["startPublishedDate"] = f"{query.published_from}T00:00:00.000Z"
    if query.included:
        body["includeDomains"] = [*query.included]
    if query.excluded:
        body["excludeDomains"] = [*query.excluded]
    contents: dict[str, Any] = {"text": {"maxCharacters": MOST_TEXT}} if query.with_text else {}
    contents |= {"highlights": True} if query.with_highlights else {}
    contents |= {"summary": {}} if query.with_summary else {}
    return Ask("/search", body={**body, "contents": contents} if contents else body)


def _read(answer: JSON, _query: PageQuery) -> Sequence[Page]:
    return [
        Page(
            url,
            title(row.get("title")),
            text(row.get("text")),
            texts(row.get("highlights")),
            text(row.get("summary")),
            text(row.get("publishedDate"), 40),
            text(row.get("author"), 200),
            address(row.get("image")),
            number(row.get("score")),
        )
        for row in rows(answer, "results")
        if (url := address(row.get("url")))
    ]


EXA: PageProtocol = Protocol(_NAME, "https://api.exa.ai", _ask, _read, most=100, key_header=("x-api-key", "{}"))
