"""Every page by machine: accessible in both colour schemes, light enough, and narrow enough for a phone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from scripts.assets import faults

from tamis.studio.assets import assets
from tests.studio.shelf import Shelf

_AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
_LARGEST_PAGE_BYTES = 150_000
_MEDIA = ("image", "media")


def addresses(shelf: Shelf) -> dict[str, str]:
    return {
        "executions": "/executions?period=1h",
        "execution": f"/executions/{shelf.plainer}?stage=3",
        "dropped": f"/executions/{shelf.plain}?stage=1&group=dropped&page=1",
        "pictures": f"/executions/{shelf.pictures}",
        "failed": f"/executions/{shelf.failed}",
        "compare": f"/compare?a={shelf.plain}&b={shelf.plainer}",
        "playground": f"/playground?from={shelf.plain}",
        "absent": "/executions/exec_nothing",
        "sign-in": "/sign-in",
    }


NAMES = ("executions", "execution", "dropped", "pictures", "failed", "compare", "playground", "absent", "sign-in")


@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing_in_light_and_dark(page: Page, shelf: Shelf, name: str) -> None:
    page.goto(addresses(shelf)[name], wait_until="networkidle")
    # In the page's own world, as a browser's tools do: the page's policy lets no other script in.
    page.evaluate(_AXE)
    for scheme, rules in (("light", None), ("dark", ["color-contrast"])):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
        only: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": rules} if rules else {})}
        found = page.evaluate("options => axe.run(document, options)", only)
        told = [
            (one["id"], one["impact"], [node["html"][:160] for node in one["nodes"]]) for one in found["violations"]
        ]
        assert told == [], scheme


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_a_phone_and_is_small(phone: Page, shelf: Shelf, name: str) -> None:
    sizes: list[int] = []
    phone.on(
        "response",
        lambda answer: sizes.append(0 if answer.request.resource_type in _MEDIA else len(answer.body())),
    )
    phone.goto(addresses(shelf)[name], wait_until="networkidle")
    assert phone.evaluate("document.documentElement.scrollWidth") <= phone.evaluate("innerWidth")
    assert sum(sizes) < _LARGEST_PAGE_BYTES


def test_what_comes_from_npm_is_what_the_list_says() -> None:
    assert faults() == []
    assert "htmx.min.js" in assets()
