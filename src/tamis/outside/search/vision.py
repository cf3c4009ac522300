"""Google Cloud Vision's web detection: pages with the picture. It takes an address or the picture."""

import base64
from collections.abc import Iterator, Sequence
from typing import Any

from tamis.engine.ports.web_search import ImageQuery, Sighting
from tamis.errors import OutsideError
from tamis.model.json import JSON
from tamis.outside.search.protocol import Ask, ImageProtocol, Protocol, picture_of
from tamis.outside.search.reading import address, rows, title


def _ask(query: ImageQuery, _request: int) -> Ask:
    picture = picture_of(query.image)
    image: dict[str, Any] = {"source": {"imageUri": query.image}}
    if picture is not None:
        image = {"content": base64.b64encode(picture.data).decode()}
    features = [{"type": "WEB_DETECTION", "maxResults": query.count}]
    return Ask("/v1/images:annotate", body={"requests": [{"image": image, "features": features}]})


def _read(answer: JSON, _query: ImageQuery) -> Sequence[Sighting]:
    found = []
    for response in rows(answer, "responses"):
        if isinstance(response.get("error"), dict):
            raise OutsideError("vision could not read the picture")
        for page in rows(response, "webDetection", "pagesWithMatchingImages"):
            url = address(page.get("url"))
            if url is not None:
                found.append(Sighting(url, title(page.get("pageTitle")), image_url=next(_pictures(page), None)))
    return found


def _pictures(page: dict[str, Any]) -> Iterator[str]:
    """Those that match wholly come first."""
    for name in ("fullMatchingImages", "partialMatchingImages"):
        for image in rows(page, name):
            if (url := address(image.get("url"))) is not None:
                yield url


VISION: ImageProtocol = Protocol("vision", "https://vision.googleapis.com", _ask, _read, most=100,
                       key_header=("x-goog-api-key", "{}"))  # fmt: skip
