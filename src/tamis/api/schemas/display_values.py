"""What a display configuration may say: words, addresses, colours. Nothing in it can run in a visitor's browser.

A page that shows it escapes it as well; but it goes out to pages of others, too, and those may not.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_MARKUP = re.compile(r"<[A-Za-z/!?]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
_LONGEST_URL = 2048


def _text(value: str) -> str:
    if _MARKUP.search(value):
        raise ValueError("plain text, without markup such as <b> or <script>")
    if _CONTROL.search(value):
        raise ValueError("plain text, without control characters")
    return value


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("an address as https://host/path, without a user's name, or a path of this server as /path")
    return value


def is_address(value: str) -> bool:
    """An http(s) URL, or a path of the page's own server. `javascript:`, `data:` and the like are none."""
    if len(value) > _LONGEST_URL or re.search(r"[\s\\<>\"'`\x00-\x1f]", value):
        return False
    try:
        parts = urlsplit(value)
        host = parts.hostname
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        return bool(host) and "@" not in parts.netloc
    return not parts.scheme and not parts.netloc and value.startswith("/") and not value.startswith("//")


def _markdown(value: str) -> str:
    """Raises: ValueError where it holds HTML, or a link or a picture that is no address."""
    _no_control(value)
    for token in _tokens(_parser().parse(value)):
        if token.type.startswith("html_"):
            raise ValueError(f"Markdown without HTML; it has {token.content.strip()[:40]!r}")
        for name in ("href", "src"):
            target = token.attrs.get(name)
            if target is not None and not (is_address(str(target)) or str(target).startswith(("#", "mailto:"))):
                raise ValueError(f"links and pictures by https://host/path, /path, #place or mailto:, not {target!r}")
    return value


def _no_control(value: str) -> None:
    if _CONTROL.search(value):
        raise ValueError("text without control characters")


@cache
def _parser() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def _tokens(tokens: "list[Token]") -> Iterator["Token"]:
    for token in tokens:
        yield token
        yield from _tokens(token.children or [])


def _plain_json(value: dict[str, Any]) -> dict[str, Any]:
    for text in _strings(value):
        _text(text)
    return value


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield key
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def _fits(pattern: str, what: str) -> AfterValidator:
    compiled = re.compile(pattern)

    def check(value: str) -> str:
        if not compiled.fullmatch(value):
            raise ValueError(what)
        return value

    return AfterValidator(check)


Words = Annotated[str, AfterValidator(_text)]
Address = Annotated[str, AfterValidator(_address)]
Markdown = Annotated[str, AfterValidator(_markdown)]
PlainJson = Annotated[dict[str, Any], AfterValidator(_plain_json)]
Colour = Annotated[
    str,
    _fits(
        r"#[0-9A-Fa-f]{3,8}|[A-Za-z]{3,24}|(rgb|hsl)a?\([0-9.,%/ ]{1,60}\)",
        "a colour as #007AFF, rgb(0, 122, 255) or a name",
    ),
]
Length = Annotated[str, _fits(r"\d{1,5}(\.\d{1,3})?(px|rem|em|%|vw|vh)?", "a length as 16px or 1.5rem")]
Font = Annotated[str, _fits(r"[A-Za-z0-9 ,'\"_-]{1,200}", "names of fonts, separated by commas")]
Ratio = Annotated[str, _fits(r"\d{1,5}(\.\d+)? ?[/:] ?\d{1,5}(\.\d+)?|auto|\d{1,5}(\.\d+)?", "a ratio as 16/9")]
Keyword = Annotated[str, _fits(r"[A-Za-z0-9_-]{1,40}", "a single word")]
FieldPath = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(_text)]
