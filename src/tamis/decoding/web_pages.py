"""Web pages: their main text and where they lead."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tamis.decoding.unreadable import UnreadableError
from tamis.engine.text.pages import read_page
from tamis.errors import NotSetUpError, TamisError
from tamis.model.media_page import WebLink, WebPage, WebPageOptions

_LONGEST_TEXT = 300


def decode_page(path: Path, options: WebPageOptions, work: Path) -> WebPage:
    """Nothing of it is run or fetched. Raises: UnreadableError."""
    try:
        found = read_page(path.read_bytes(), options.url)
    except TamisError as problem:
        kind = "dependency" if isinstance(problem, NotSetUpError) else "validation"
        raise UnreadableError(problem.message, kind) from None
    return WebPage(
        text=found.markdown[: options.most_characters].replace("\x00", ""),
        title=found.title,
        description=found.description,
        language=found.language,
        links=_links(found.links, "href", "text", options.most_links),
        images=_links(found.images, "src", "alt", options.most_links),
    )


def _links(found: Iterable[Any], address: str, text: str, most: int) -> tuple[WebLink, ...]:
    kept: dict[str, WebLink] = {}
    for one in found:
        href = str(one[address]).partition("#")[0]
        if href.startswith(("http://", "https://")) and len(kept) < most:
            kept.setdefault(href, WebLink(href, str(one[text])[:_LONGEST_TEXT]))
    return tuple(kept.values())
