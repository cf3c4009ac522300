"""A web page as a decoder hands it over."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebPageOptions:
    """url: where it lies, for its links."""

    url: str
    most_links: int = 2_000
    most_characters: int = 2_000_000


@dataclass(frozen=True, slots=True)
class WebLink:
    href: str
    text: str


@dataclass(frozen=True, slots=True)
class WebPage:
    """text: what it is about, as Markdown.  links, images: absolute, in the page's order, each address once."""

    text: str
    title: str | None
    description: str | None
    language: str | None
    links: tuple[WebLink, ...]
    images: tuple[WebLink, ...]
