"""The text of web pages, as trafilatura finds it. Nothing of a page is executed or fetched."""

from dataclasses import dataclass
from urllib.parse import urljoin

from tamis.errors import NotSetUpError, OutsideError
from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class Page:
    """markdown: the main text.  links, images: absolute, in the page's order."""

    markdown: str
    title: str | None
    description: str | None
    language: str | None
    links: list[JSON]
    images: list[JSON]


def read_page(html: bytes, url: str) -> Page:
    """Some ten milliseconds for a page of 100 kB. Raises: NotSetUpError, OutsideError for what is no page."""
    try:
        import trafilatura
    except ImportError:
        raise NotSetUpError("reading web pages (pip install 'tamis[web]')") from None
    tree = trafilatura.load_html(html)
    if tree is None:
        raise OutsideError("the answer is no web page")
    links: list[JSON] = [
        {"text": " ".join(one.text_content().split()), "href": urljoin(url, one.get("href"))}
        for one in tree.iterfind(".//a[@href]")
    ]
    images: list[JSON] = [
        {"alt": one.get("alt", ""), "src": urljoin(url, one.get("src"))} for one in tree.iterfind(".//img[@src]")
    ]
    language = tree.getroottree().getroot().get("lang")
    found = trafilatura.extract_metadata(html)
    text = trafilatura.extract(html, url=url, output_format="markdown", include_formatting=True) or ""
    title, description = (found.title, found.description) if found else (None, None)
    return Page(text, title, description, language, links, images)
