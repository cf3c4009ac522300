"""Every page by machine: accessible in both colour schemes, light enough, and narrow enough for a phone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response
from scripts.assets import faults
from starlette.routing import Route

from tamis.studio.application import build_studio
from tamis.studio.assets import assets
from tests.studio.conftest import DESKTOP, PHONE
from tests.studio.shelf import (
    Shelf,
    alerted,
    clustered,
    connected,
    first_of,
    labelled,
    migrated,
    of,
    pipeline,
    synced,
    talked,
    told,
    triggered,
)

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
    "markup": lambda shelf: first_of(shelf, "collection", "nasty", "document"),
    "seen": lambda shelf: f"{first_of(shelf, 'collection', 'dishes', 'document')}/executions",
    "clusters": lambda shelf: "/data/clusters",
    "cluster": lambda shelf: f"{clustered(shelf)}?in=0",
    "sessions": lambda shelf: talked(shelf).rpartition("/")[0],
    "session": talked,
    "taxonomies": lambda shelf: "/data/taxonomies",
    "taxonomy": labelled,
    "films": lambda shelf: f"/executions/{shelf.videos}",
    "trigger": triggered,
    "alert": alerted,
    "webhook": told,
    "sync": synced,
    "connection": connected,
    "migration": migrated,
    "analytics": lambda shelf: "/analytics?period=7d",
}

PARTS = (
    "/",  # it leads to the executions
    "/studio/assets/{name}",
    "/executions/charts",
    "/executions/{execution_id}/export",
    "/executions/{execution_id}/code",
    "/playground/stage",
    "/playground/outcome",
    "/retrievers/{retriever_id}/publish/name",
    "/data/buckets/{bucket_id}/batches/{batch_id}/events",
    "/automation/connections/{connection_id}/folder",
    "/automation/activity/events",
    "/p/{name}/theme.css",
    "/p/{name}/embed.js",
)
"""What answers a GET and is no page of its own."""

DISPLAY = {
    "title": "Open shop",
    "inputs": [{"field_name": "query", "field_schema": {"type": "text"}, "label": "What?", "suggestions": ["tea"]}],
    "exposed_fields": ["title", "text", "price"],
    "markdowns": [{"title": "About", "content": "Words [and a link](https://example.com)."}],
}
WHOLE = (
    "/compare",
    "/data/templates",
    "/data/templates/namespace/tmpl_product_search",
    "/data/templates/cluster/tmpl_cluster_topics",
    "/data/collections/new",
    "/settings",
    "/settings/keys",
    "/settings/keys/{key}",
    "/settings/users",
    "/settings/users/admin@localhost",
    "/settings/secrets",
    "/settings/usage",
    "/settings/credits",
    "/settings/audit",
    "/analytics/fields",
    "/analytics/stages",
    "/analytics/slow?ms=0",
    "/automation",
    "/automation/activity",
    "/automation/triggers/new",
    "/automation/alerts",
    "/automation/alerts/new",
    "/automation/syncs",
    "/automation/syncs/new",
    "/automation/connections",
    "/automation/connections/new",
    "/automation/migrations",
    "/automation/migrations/new",
    "/automation/webhooks",
    "/automation/webhooks/new",
    "/retrievers",
    "/retrievers/dishes",
    "/retrievers/dishes/publish",
    "/retrievers/dishes/rollout",
    "/p/open-shop",
    "/p/open-shop?query=soup",
    "/p/shut-shop",
    "/p/no-shop",
)


@pytest.mark.parametrize("name", ADDRESSES)
def test_a_page_is_accessible_in_light_and_dark_fits_a_phone_and_is_small(page: Page, shelf: Shelf, name: str) -> None:
    with weighed(page):
        page.goto(ADDRESSES[name](shelf), wait_until="networkidle")
    check(page)


def test_pages_without_parts_to_come_are_so_too(page: Page, shelf: Shelf) -> None:
    """These are whole when they are loaded: one window looks at them all, one after the other."""
    with shelf.server.client() as client:
        client.post("retrievers/dishes/publish", {"public_name": "open-shop", "display_config": DISPLAY})
        client.post("retrievers", {"retriever_name": "shut", **pipeline(5)})
        body = {"public_name": "shut-shop", "display_config": DISPLAY, "password": "open sesame"}
        client.post("retrievers/shut/publish", body)
        key = client.get("organizations/users/admin@localhost/api-keys")["api_keys"][0]["key_id"]
    for address in WHOLE:
        page.set_viewport_size(DESKTOP)
        with weighed(page):
            page.goto(address.format(key=key), wait_until="load")
        check(page)


def test_no_page_is_left_out(shelf: Shelf) -> None:
    """Every address that shows a page is among those looked at."""
    looked_at = [urlsplit(find(shelf)).path for find in ADDRESSES.values()]
    looked_at += [urlsplit(one).path.replace("{key}", "key_1") for one in WHOLE]
    for route in build_studio({}, lambda given: dict(given)).routes:
        assert isinstance(route, Route)
        is_page = "GET" in (route.methods or ()) and route.path not in PARTS
        assert not is_page or any(route.path_regex.fullmatch(path) for path in looked_at), route.path


@contextmanager
def weighed(page: Page) -> Iterator[None]:
    """What is loaded meanwhile is small, but for pictures, sounds and films."""
    answers: list[Response] = []

    def note(answer: Response) -> None:
        answers.append(answer)

    page.on("response", note)
    yield
    page.remove_listener("response", note)
    told = [one for one in answers if one.request.resource_type not in _MEDIA and not 300 <= one.status < 400]
    assert 0 < sum(len(one.body()) for one in told) < _LARGEST_PAGE_BYTES, page.url


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
