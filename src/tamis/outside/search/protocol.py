"""What a provider's file says: how a search is asked for and how the answer is read. It sends nothing itself."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from tamis.engine.ports.web_search import ImageQuery, Page, PageQuery, Sighting
from tamis.errors import ValidationError
from tamis.model.json import JSON

_INLINE = re.compile(r"data:(image/(?:png|jpeg|webp|gif|bmp|tiff));base64,([A-Za-z0-9+/]+={0,2})")
QueryT = TypeVar("QueryT")
FoundT = TypeVar("FoundT")


@dataclass(frozen=True, slots=True)
class Picture:
    """type: as `image/png`."""

    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. path: below the provider's base URL.  body: sent as JSON.  upload: a form's field and its file.

    With neither it is a GET.
    """

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    upload: tuple[str, Picture] | None = None


@dataclass(frozen=True, slots=True)
class Protocol(Generic[QueryT, FoundT]):
    """One provider's API.

    home: its public base URL; None for one that everybody runs himself.
    key_header, key_query: where the key goes, with `{}` for it; a provider without either needs none.
    ask: of a query and the number of the request, from 0.  read: the answer to one request.
    most: results of one request.  requests: at most, for one search.  engines: its names for them, its default first.
    """

    name: str
    home: str | None
    ask: Callable[[QueryT, int], Ask]
    read: Callable[[JSON, QueryT], Sequence[FoundT]]
    most: int
    requests: int = 1
    key_header: tuple[str, str] | None = None
    key_query: str | None = None
    needs_key: bool = True
    engines: tuple[str, ...] = ()


PageProtocol: TypeAlias = Protocol[PageQuery, Page]
ImageProtocol: TypeAlias = Protocol[ImageQuery, Sighting]


def picture_of(image: str) -> Picture | None:
    """What a `data:` URL holds; None for an address. Raises: ValidationError for what is no picture."""
    if not image.startswith("data:"):
        return None
    found = _INLINE.fullmatch(image)
    try:
        return Picture(found[1], base64.b64decode(found[2], validate=True)) if found else _no_picture()
    except binascii.Error:
        return _no_picture()


def _no_picture() -> Picture:
    raise ValidationError.at(
        ["parameters", "image_url"], "a picture is written as data:image/png;base64,...; jpeg, webp, gif, bmp, tiff too"
    )


def cannot(provider: str, parameter: str, why: str) -> ValidationError:
    return ValidationError.at(["parameters", parameter], f"{provider} {why}")


def category_of(query: PageQuery, provider: str, known: Mapping[str, str]) -> str | None:
    """The provider's word for the query's category. Raises: ValidationError where it has none."""
    if query.category is None:
        return None
    if query.category not in known:
        which = f"has {', '.join(sorted(known))}" if known else "has no categories; leave it out"
        raise cannot(provider, "category", which)
    return known[query.category]


def refuse_extras(query: PageQuery, provider: str) -> None:
    """For a provider that gives a snippet and nothing made of the page. Raises: ValidationError."""
    if query.with_highlights or query.with_summary:
        raise cannot(provider, "contents", "gives the text it has found and makes no highlights or summary")


def within_domains(query: PageQuery) -> str:
    """The wording with its domains as search operators, for a provider without parameters for them."""
    included = " OR ".join(f"site:{domain}" for domain in query.included)
    excluded = "".join(f" -site:{domain}" for domain in query.excluded)
    return query.text + (f" ({included})" if included else "") + excluded
