"""SerpApi (serpapi.com): what several engines' reverse image searches show. It takes an address, no picture."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.web_search import ImageQuery, Sighting
from tamis.model.json import JSON
from tamis.outside.search.protocol import Ask, ImageProtocol, Protocol, cannot
from tamis.outside.search.reading import address, pixels, rows, text, title

_NAME = "serpapi"
# Each engine: the parameter that takes the picture's address, and where its matches stand, the surest first.
_ENGINES: dict[str, tuple[str, tuple[str, ...]]] = {
    "google_lens": ("url", ("exact_matches", "visual_matches")),
    "google_reverse_image": ("image_url", ("image_results", "inline_images")),
    "bing_reverse_image": ("image_url", ("pages_with_this_image", "related_content")),
    "yandex_images": ("url", ("image_results", "similar_images")),
}


def _engine(query: ImageQuery) -> str:
    engine = query.engine or "google_lens"
    if engine not in _ENGINES:
        raise cannot(_NAME, "engine", f"is asked for {', '.join(_ENGINES)}")
    return engine


def _ask(query: ImageQuery, _request: int) -> Ask:
    engine = _engine(query)
    if query.image.startswith("data:"):
        raise cannot(_NAME, "image_url", "takes a picture's address on the web, not the picture itself")
    return Ask("/search.json", {"engine": engine, _ENGINES[engine][0]: query.image})


def _read(answer: JSON, query: ImageQuery) -> Sequence[Sighting]:
    return [
        Sighting(
            url,
            title(row.get("title")),
            text(row.get("source"), 200),
            _picture(row, "original_image", "original", "image"),
            _picture(row, "thumbnail"),
            pixels(row.get("image_width") or row.get("width") or _inside(row.get("original_image"), "width")),
            pixels(row.get("image_height") or row.get("height") or _inside(row.get("original_image"), "height")),
            text(row.get("date"), 40),
        )
        for name in _ENGINES[_engine(query)][1]
        for row in rows(answer, name)
        if (url := address(row.get("link")))
    ]


def _picture(row: dict[str, Any], *names: str) -> str | None:
    """Some engines' pictures are an address, others' an object with one."""
    found = (address(row.get(name)) or address(_inside(row.get(name), "link")) for name in names)
    return next((one for one in found if one is not None), None)


def _inside(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


SERPAPI: ImageProtocol = Protocol(
    _NAME, "https://serpapi.com", _ask, _read, most=100, key_query="api_key", engines=tuple(_ENGINES)
)
