"""A web site read from one page on: breadth first, on the same host, within bounds."""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urldefrag, urlsplit

import re2

from tamis.engine.ports.decoding import Decoding
from tamis.engine.ports.outside import Fetch, Fetched
from tamis.engine.ports.web_pages import WebPages
from tamis.errors import DecodeError, OutsideError, OutsideRefusedError, TamisError
from tamis.model.media_page import WebPage, WebPageOptions
from tamis.model.principal import Principal

_LARGEST = 5 << 20
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_PAGE_TYPES = ("text/html", "application/xhtml+xml", "text/plain")


@dataclass(frozen=True, slots=True)
class Crawl:
    """How far a crawl goes. include, exclude: patterns (RE2) that an address must, and must not, contain.

    timeout_s: of all of it; the pages read until then are what it found.
    """

    max_depth: int = 2
    max_pages: int = 50
    timeout_s: float = 300.0
    page_timeout_s: float = 20.0
    delay_s: float = 0.0
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrawledPage:
    """parent: the page with the first link to it; None for the one that the crawl began with."""

    url: str
    depth: int
    parent: str | None
    page: WebPage


@dataclass(slots=True)
class Crawler:
    """failures: addresses and why they were not read, so far."""

    pages: WebPages
    decoding: Decoding
    principal: Principal
    crawl: Crawl
    failures: list[tuple[str, str]] = field(default_factory=list)

    def read(self, seed: str) -> Iterator[CrawledPage]:
        """Pages in the order of their distance. Raises: TamisError where the first one cannot be read."""
        until_s = time.monotonic() + self.crawl.timeout_s
        near = _near(seed)
        waiting: deque[tuple[str, int, str | None]] = deque([(urldefrag(seed)[0], 0, None)])
        known, found = {waiting[0][0]}, 0
        while waiting and found < self.crawl.max_pages and time.monotonic() < until_s:
            url, depth, parent = waiting.popleft()
            try:
                address, page = self._page(url, near, until_s)
            except TamisError as error:
                if parent is None:
                    raise
                self.failures.append((url, error.message))
                continue
            found += 1
            known.add(address)
            yield CrawledPage(address, depth, parent, page)
            if depth < self.crawl.max_depth:
                fresh = [one.href for one in page.links if one.href not in known and self._is_wanted(one.href, near)]
                known.update(fresh)
                waiting.extend((href, depth + 1, address) for href in fresh)
            time.sleep(self.crawl.delay_s)

    def _page(self, url: str, near: Sequence[str], until_s: float) -> tuple[str, WebPage]:
        left_s = max(0.1, min(self.crawl.page_timeout_s, until_s - time.monotonic()))
        fetch = Fetch(url, timeout_s=left_s, max_bytes=_LARGEST, allowed_domains=tuple(near))
        fetched = self.pages.read(self.principal, fetch)
        _check(fetched)
        with self.decoding.folder() as work:
            file = work / "page"
            file.write_bytes(fetched.body)
            page = self.decoding.decode("page", file, WebPageOptions(fetched.url), WebPage, _folder(work))
        return urldefrag(fetched.url)[0], page

    def _is_wanted(self, url: str, near: Sequence[str]) -> bool:
        host = urlsplit(url).hostname or ""
        if not any(host == one or host.endswith(one.removeprefix("*")) for one in near):
            return False
        include, exclude = self.crawl.include, self.crawl.exclude
        return (not include or any(re2.search(pattern, url) for pattern in include)) and not any(
            re2.search(pattern, url) for pattern in exclude
        )


def _near(url: str) -> tuple[str, str]:
    """The page's own host, and those below it. Raises: OutsideRefusedError for what is no web address."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        host = ""
    if not host or parts.scheme not in ("http", "https"):
        raise OutsideRefusedError(f"{url[:200]!r} is no web address")
    return host, f"*.{host}"


def _check(fetched: Fetched) -> None:
    if not 200 <= fetched.status < 300:
        # Only what another attempt may better is told as a trouble of the network.
        kind = OutsideError if fetched.status in _PASSING else DecodeError
        raise kind(f"the page answered {fetched.status}")
    sent = fetched.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
    if sent not in _PAGE_TYPES:
        raise DecodeError(f"it is {sent}, and no web page")


def _folder(work: Path) -> Path:
    folder = work / "made"
    folder.mkdir()
    return folder
