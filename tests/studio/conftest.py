"""A browser before a real server. Both last for this folder's tests: no test elsewhere may find a loop running."""

import os
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.live import LiveServer
from tests.llm_server import serving
from tests.servers import missing
from tests.studio.shelf import Shelf, filled

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
_PATIENCE_MS = 15_000
_CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(scope="package")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    folder = tmp_path_factory.mktemp("studio")
    settings = {"TAMIS_MODEL_THREADS": "1", "TAMIS_SECRET_KEY": "s" * 40, "TAMIS_LLM_MODEL": "small"}
    settings["TAMIS_CONNECTION_FOLDERS"] = str(folder / "sources")
    with serving() as model, LiveServer(folder / "data", **settings, TAMIS_LLM_BASE_URL=model.url) as server:
        yield filled(server, folder, model)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = next((found for name in _CHROMIUM if (found := shutil.which(name))), None)
    if path is None:
        missing("Chromium is not installed (apt-get install chromium)")
        return
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=arguments)
        yield launched
        launched.close()


@pytest.fixture(scope="package")
def signed_in(browser: Browser, shelf: Shelf) -> str:
    """The session's cookie, of the key that the server printed: as a person follows the printed address."""
    with browser.new_context(base_url=shelf.server.url) as context:
        page = context.new_page()
        page.goto(f"/sign-in#{shelf.server.key}")
        page.wait_for_url("**/executions")
        (cookie,) = [one for one in context.cookies() if one["name"] == "tamis_session"]
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Strict"
        return cookie["value"]


class Watched:
    """A signed-in browser window that notes what it must not do: ask others, break the policy, fail in a script."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.context = context
        self.faults: list[str] = []
        self._host = urlsplit(url).netloc
        context.on("request", lambda request: self._asked(request.url))
        context.on("console", lambda message: self._told(message.type, message.text))
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "data" and parts.netloc != self._host:
            self.faults.append(f"asked {url}")

    def _told(self, kind: str, text: str) -> None:
        # A page that is answered 4xx is told on the console, too; the tests look at those themselves.
        if kind == "error" and "Failed to load resource" not in text:
            self.faults.append(f"console: {text}")


@pytest.fixture
def page(browser: Browser, shelf: Shelf, signed_in: str) -> Iterator[Page]:
    yield from _window(browser, shelf, signed_in, width=DESKTOP)


@pytest.fixture
def phone(browser: Browser, shelf: Shelf, signed_in: str) -> Iterator[Page]:
    yield from _window(browser, shelf, signed_in, width=PHONE)


@pytest.fixture
def stranger(browser: Browser, shelf: Shelf) -> Iterator[Page]:
    """Somebody with a phone and no key."""
    yield from _window(browser, shelf, None, width=PHONE)


def _window(browser: Browser, shelf: Shelf, cookie: str | None, width: ViewportSize) -> Iterator[Page]:
    with browser.new_context(base_url=shelf.server.url, viewport=width) as context:
        if cookie is not None:
            context.add_cookies([{"name": "tamis_session", "value": cookie, "url": shelf.server.url}])
        watched = Watched(context, shelf.server.url)
        opened = context.new_page()
        opened.set_default_timeout(_PATIENCE_MS)
        expect.set_options(timeout=_PATIENCE_MS)
        yield opened
        assert watched.faults == []
