"""TinEye (tineye.com): where the very picture is found, cropped or altered. It takes an address or the picture."""

from collections.abc import Sequence

from tamis.engine.ports.web_search import ImageQuery, Sighting
from tamis.model.json import JSON
from tamis.outside.search.protocol import Ask, ImageProtocol, Protocol, picture_of
from tamis.outside.search.reading import address, number, pixels, rows, text

_PATH = "/rest/search/"


def _ask(query: ImageQuery, _request: int) -> Ask:
    limits = {"limit": str(query.count), "offset": "0", "sort": "score", "order": "desc"}
    picture = picture_of(query.image)
    if picture is None:
        return Ask(_PATH, {**limits, "image_url": query.image})
    return Ask(_PATH, limits, upload=("image_upload", picture))


def _read(answer: JSON, _query: ImageQuery) -> Sequence[Sighting]:
    """One for each page that a match was seen on. Its score is out of 100."""
    return [
        Sighting(
            url,
            site=text(match.get("domain"), 200),
            image_url=address(link.get("url")),
            thumbnail_url=address(match.get("image_url")),
            width=pixels(match.get("width")),
            height=pixels(match.get("height")),
            published=text(link.get("crawl_date"), 40),
            score=None if (score := number(match.get("score"))) is None else score / 100,
        )
        for match in rows(answer, "results", "matches")
        for link in rows(match, "backlinks")
        if (url := address(link.get("backlink")))
    ]


TINEYE: ImageProtocol = Protocol(
    "tineye", "https://api.tineye.com", _ask, _read, most=100, key_header=("x-api-key", "{}")
)
