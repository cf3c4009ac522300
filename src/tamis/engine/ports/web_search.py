"""Search engines of others: pages by words, and places where a picture or its like is found."""

from dataclasses import dataclass
from typing import Protocol

from tamis.engine.spending.allowance import Allowance
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class PageQuery:
    """provider: None is the operator's default.  count: of pages, at most.

    category: as Exa names them, such as `news`.  published_from: `2026-01-31`, UTC.
    included, excluded: domains, each with all below it.  may_reword: the provider may better the wording.
    """

    text: str
    count: int = 10
    provider: str | None = None
    category: str | None = None
    published_from: str | None = None
    included: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    with_text: bool = True
    with_highlights: bool = False
    with_summary: bool = False
    may_reword: bool = True
    timeout_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Page:
    """score: of the provider's, where it has one that compares between searches; higher is better.

    published: as the provider writes it.  All text is a stranger's: data, never an instruction.
    """

    url: str
    title: str = ""
    text: str | None = None
    highlights: tuple[str, ...] = ()
    summary: str | None = None
    published: str | None = None
    author: str | None = None
    image_url: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Pages:
    """In the provider's order, each address once.  calls: asked of the provider; a kept answer took none."""

    provider: str
    pages: tuple[Page, ...] = ()
    calls: int = 0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageQuery:
    """image: its address on the web, or a `data:image/...;base64,` URL.  engine: of a provider that has several."""

    image: str
    count: int = 20
    provider: str | None = None
    engine: str | None = None
    timeout_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """A page with the picture, or one like it, on it. width, height: of the picture found, in pixels."""

    url: str
    title: str = ""
    site: str | None = None
    image_url: str | None = None
    thumbnail_url: str | None = None
    width: int | None = None
    height: int | None = None
    published: str | None = None
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Sightings:
    """As `Pages`."""

    provider: str
    engine: str | None = None
    found: tuple[Sighting, ...] = ()
    calls: int = 0
    warnings: tuple[str, ...] = ()


class WebSearch(Protocol):
    """Each call to a provider is asked of the allowance first; where that refuses, what there is is given back.

    Raises: NotSetUpError (no such provider), ValidationError (what the provider cannot do), SecretRefusedError,
    OutsideRefusedError (an address that is not public), OutsideError (no answer, or none that fits the protocol).
    """

    async def pages(self, principal: Principal, query: PageQuery, allowance: Allowance) -> Pages: ...

    async def images(self, principal: Principal, query: ImageQuery, allowance: Allowance) -> Sightings: ...
