"""Markdown as HTML that is safe to show: raw HTML comes out as text, and links lead to the web or to this server."""

from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from tamis.studio.field_formats import web_address

_PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def rendered(text: str) -> Markup:
    tokens = _PARSER.parse(text)
    for token in _each(tokens):
        _harden(token)
    return Markup(_PARSER.renderer.render(tokens, _PARSER.options, {}))  # noqa: S704 # nosec B704 - html is off


def pictures_of(text: str) -> list[str]:
    """Addresses that a browser fetches for it."""
    sources = (token.attrGet("src") for token in _each(_PARSER.parse(text)) if token.type == "image")
    return [str(source) for source in sources if web_address(source)]


def _harden(token: Token) -> None:
    if token.type == "link_open":
        target = str(token.attrGet("href") or "")
        if not (web_address(target) or target.startswith(("#", "mailto:"))):
            token.attrSet("href", "#")
        token.attrSet("rel", "noopener noreferrer nofollow")
    elif token.type == "image":
        if not web_address(token.attrGet("src")):
            token.attrSet("src", "")
        token.attrSet("loading", "lazy")
        token.attrSet("referrerpolicy", "no-referrer")
    elif token.type == "heading_open" or token.type == "heading_close":
        # The page has its title and each part its own already.
        token.tag = f"h{min(6, int(token.tag[1:]) + 2)}"


def _each(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _each(token.children or [])
