"""Every page by machine: accessible in both colour schemes, light enough, and narrow enough for a phone."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from scripts.assets import faults

from tamis.studio.assets import assets
from tests.studio.conftest import DESKTOP, PHONE
from tests.studio.shelf import Shelf, first_of, of

_AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
_LARGEST_PAGE_BYTES = 150_000
_MEDIA = ("image", "media")


ADDRESSES: dict[str, Callable[[Shelf], str]] = {
    "executions": lambda shelf: "/executions?period=1h",
    "execution": lambda shelf: f"/executions/{shelf.plainer}?stage=3",
    "dropped": lambda shelf: f"/executions/{shelf.plain}?stage=1&group=dropped&page=1",
    "pictures": lambda shelf: f"/executions/{shelf.pictures}",
    "failed": lambda shelf: f"/executions/{shelf.failed}",
    "compare": lambda shelf: f"/compare?a={shelf.plain}&b={shelf.plainer}",
    "playground": lambda shelf: f"/playground?from={shelf.plain}",
    "absent": lambda shelf: "/executions/exec_nothing",
    "sign-in": lambda shelf: "/sign-in",
    "data": lambda shelf: "/data",
    "namespaces": lambda shelf: "/data/namespaces",
    "bucket": lambda shelf: of(shelf, "bucket", "pictures"),
    "object": lambda shelf: first_of(shelf, "bucket", "films", "object"),
    "batch": lambda shelf: first_of(shelf, "bucket", "films", "batch"),
    "new collection": lambda shelf: (
        f"/data/collections/new?bucket={of(shelf, 'bucket', 'pictures').rpartition('/')[2]}"
    ),
    "collection": lambda shelf: of(shelf, "collection", "pictures"),
    "document": lambda shelf: first_of(shelf, "collection", "dishes", "document"),
}

DISPLAY = {
    "title": "Open shop",
    "inputs": [{"field_name": "query", "field_schema": {"type": "text"}, "label": "What?", "suggestions": ["tea"]}],
    "exposed_fields": ["title", "text", "price"],
    "markdowns": [{"title": "About", "content": "Words [and a link](https://example.com)."}],
}
WHOLE = (
    "/settings",
    "/settings/keys",
    "/settings/usage",
    "/settings/credits",
    "/settings/audit",
    "/retrievers",
    "/retrievers/dishes",
    "/retrievers/dishes/publish",
    "/p/open-shop",
    "/p/open-shop?query=soup",
)


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_accessible_in_light_and_dark_fits_a_phone_and_is_small(page: Page, shelf: Shelf, name: str) -> None:
    sizes: list[int] = []
    page.on(
        "response",
        lambda answer: sizes.append(0 if answer.request.resource_type in _MEDIA else len(answer.body())),
    )
    page.goto(ADDRESSES[name](shelf), wait_until="networkidle")
    assert sum(sizes) < _LARGEST_PAGE_BYTES
    check(page)


def test_pages_without_parts_to_come_are_so_too(page: Page, shelf: Shelf) -> None:
    """These are whole when they are loaded: one window looks at them all, one after the other."""
    with shelf.server.client() as client:
        client.post("retrievers/dishes/publish", {"public_name": "open-shop", "display_config": DISPLAY})
    for address in WHOLE:
        page.set_viewport_size(DESKTOP)
        page.goto(address)
        check(page)


def check(page: Page) -> None:
    # In the page's own world, as a browser's tools do: the page's policy lets no other script in.
    page.evaluate(_AXE)
    for scheme, rules in (("light", None), ("dark", ["color-contrast"])):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
        only: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
        found = page.evaluate("options => axe.run(document, options)", only)
        told = [
            (one["id"], one["impact"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]
        ]
        assert told == [], (scheme, page.url)
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], page.url


def test_what_comes_from_npm_is_what_the_list_says() -> None:
    assert faults() == []
    assert "htmx.min.js" in assets()
