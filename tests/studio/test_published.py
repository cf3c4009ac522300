"""A published retriever's page, as strangers meet it."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from tamis.client import Client
from tamis.errors import BadRequestError
from tamis.studio.field_formats import Shown, shown, web_address
from tamis.studio.markdown import pictures_of, rendered
from tamis.studio.search_engines import structured_data
from tamis.studio.search_inputs import controls_of, inputs_of
from tamis.studio.themes import style_sheet
from tests.drawing import drawn, encoded
from tests.studio.shelf import SCRIPT, Shelf, pipeline, texts

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
WORD = {
    "field_name": "query",
    "field_schema": {"type": "text"},
    "label": "What would you like?",
    "suggestions": ["warm soup"],
}
DISPLAY: dict[str, Any] = {
    "title": "The {{ 7 * 7 }} & 'corner' \" onload=x shop",
    "description": "Dishes & more",
    "inputs": [WORD],
    "exposed_fields": ["title", "price"],
    "field_config": {
        "price": {"format": "number", "format_options": {"prefix": "€ ", "decimals": 2, "label": "Price"}}
    },
    "components": {"result_card": {"show_score": True}},
    "markdowns": [
        {"title": "About", "content": "We cook **slowly**.\n\n| day | open |\n| --- | --- |\n| Mon | 9-18 |"}
    ],
}


def publish(client: Client, name: str, definition: dict[str, Any], **more: Any) -> None:
    client.post("retrievers", {"retriever_name": f"behind {name}", **definition})
    told = client.post(f"retrievers/behind {name}/publish", {"public_name": name, "display_config": DISPLAY, **more})
    assert told["public_url"].endswith(f"/p/{name}")


@pytest.fixture(scope="module")
def shop(shelf: Shelf) -> str:
    with shelf.server.client() as client:
        publish(client, "corner-shop", pipeline(30, where=False))
        nasty = {**pipeline(5, where=False), "collection_identifiers": ["nasty"]}
        publish(client, "nasty-shop", nasty, display_config={**DISPLAY, "exposed_fields": ["title", "text", "kind"]})
        publish(client, "locked-shop", pipeline(5), password="open sesame")
        shown = {**pipeline(5), "input_schema": {"query": {"type": "text", "default": "tea"}}}
        publish(
            client, "shown-shop", shown, display_config={**DISPLAY, "components": {"show_search": False}}
        )  # fmt: skip
        publish(
            client, "framed-shop", pipeline(5), allowed_origins=["http://shop.example"],
            rate_limit_config={"visitor_requests_per_minute": 3},
        )  # fmt: skip
        look = {
            "feature_uri": "mixpeek://image_extractor@v1/color_gradient_descriptor",
            "query": {"input_mode": "content", "value": "{{INPUT.like}}"},
        }
        picture = {"field_name": "like", "field_schema": {"type": "image"}, "label": "A picture"}
        publish(
            client,
            "lookalike",
            {
                "stages": [
                    {"stage_name": "look", "config": {"stage_id": "feature_search", "parameters": {"searches": [look]}}}
                ],
                "input_schema": {"like": {"type": "image", "required": True}},
                "collection_identifiers": ["pictures"],
            },
            display_config={**DISPLAY, "inputs": [picture], "exposed_fields": ["name", "document_blobs"]},
        )
    return "/p/corner-shop"


NARROWED = {
    **DISPLAY,
    "exposed_fields": ["title", "kind", "price"],
    "components": {"show_filters": True},
    "seo": {
        "meta_title": "Dishes & \"more\"", "og_image_url": "https://a.example/b.png",
        "twitter_site": "@dishes", "locale": "de_DE", "keywords": ["soup", "tea"],
        "structured_data": {"type": "Restaurant", "additional_properties": {"servesCuisine": "soup"}},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def narrowed(shelf: Shelf) -> str:
    """Of documents whose kinds are few, published with filters and with words for search engines."""
    kinds = ("hot", "cold", "cold")
    with shelf.server.client() as client:
        rows = [{"text": f"kettle {n}", "title": f"kettle {n}", "kind": kinds[n % 3], "price": n} for n in range(9)]
        texts(client, "kettles", rows)
        definition = {**pipeline(30, where=False), "collection_identifiers": ["kettles"]}
        publish(client, "kettle-shop", definition, display_config=NARROWED)
    return "/p/kettle-shop"


@pytest.fixture
def visitor(shelf: Shelf, shop: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shelf.server.url, timeout=30) as opened:
        yield opened


def test_a_stranger_searches_from_a_phone(stranger: Page, shelf: Shelf, shop: str) -> None:
    stranger.goto(shop)
    expect(stranger.locator("h1")).to_have_text(DISPLAY["title"])
    expect(stranger.locator(".words strong")).to_have_text("slowly")
    expect(stranger.locator(".words td").first).to_have_text("Mon")
    stranger.get_by_role("link", name="warm soup").click()
    expect(stranger.locator(".count")).to_have_text("30 results")
    expect(stranger.locator(".result")).to_have_count(24)
    first = stranger.locator(".result").first
    expect(first).to_contain_text("Price")
    expect(first).to_contain_text(re.compile(r"€ \d+\.00"))
    assert "cooked slowly" not in stranger.content(), "only the exposed fields leave"
    stranger.get_by_role("link", name="Next").click()
    expect(stranger.locator(".result")).to_have_count(6)
    stranger.fill("#in-1", "bread")
    stranger.get_by_role("button", name="Search").click()
    expect(stranger.locator("#in-1")).to_have_value("bread")
    stranger.wait_for_url("**/p/corner-shop?query=bread")
    with shelf.server.client() as client:
        newest = client.post("retrievers/behind corner-shop/executions/list", {})["executions"][0]
    assert newest["query_summary"] == "bread"


def test_script_and_markup_show_as_text(stranger: Page, shop: str) -> None:
    stranger.goto("/p/nasty-shop?query=markup")
    expect(stranger.locator(".result h3")).to_have_text(SCRIPT)
    expect(stranger.locator(".result .text")).to_contain_text("onerror")
    assert stranger.title() == DISPLAY["title"]
    assert stranger.locator(".results script, .results img").count() == 0


def test_by_a_picture(stranger: Page, shop: str) -> None:
    stranger.goto("/p/lookalike")
    file: FilePayload = {"name": "look.png", "mimeType": "image/png", "buffer": encoded(drawn(seed=1))}
    stranger.set_input_files("#in-1", [file])
    stranger.get_by_role("button", name="Search").click()
    expect(stranger.locator(".result").nth(2)).to_be_visible()
    picture = stranger.locator(".result .picture img").first
    expect(picture).to_be_visible()
    assert (picture.get_attribute("src") or "").startswith("/v1/blobs/")
    expect(stranger.locator(".result h3").first).to_have_text("image 1")


def test_the_next_page_of_a_search_by_a_picture(visitor: httpx.Client) -> None:
    file = {"like": ("look.png", encoded(drawn(seed=1)), "image/png")}
    first = visitor.post("/p/lookalike", files=file)
    (execution,) = re.findall(r'data-execution="(exec_\w+)"', first.text)
    again = visitor.get(f"/p/lookalike?.of={execution}").text
    shown = [re.findall(r'data-document="(\w+)"', page) for page in (first.text, again)]
    assert shown[0] == shown[1] != []
    second = visitor.get(f"/p/lookalike?.of={execution}&.page=2")
    assert second.status_code == 200
    assert f"/p/lookalike?.of={execution}" in second.text.replace("&amp;", "&"), "the way back"
    soup = visitor.get("/p/corner-shop?query=soup").text
    (of_another,) = re.findall(r'data-execution="(exec_\w+)"', soup)
    for unknown in (of_another, "exec_nothing"):
        told = visitor.get(f"/p/lookalike?.of={unknown}")
        assert told.status_code == 404
        assert "Choose the file again" in told.text


def test_a_visitor_narrows_what_he_found(stranger: Page, narrowed: str) -> None:
    stranger.goto(f"{narrowed}?query=kettle")
    expect(stranger.locator(".result")).to_have_count(9)
    facets = stranger.locator(".facet")
    expect(facets).to_have_count(1)
    expect(facets.locator("a")).to_contain_text(["cold 6", "hot 3"])
    facets.get_by_role("link", name="hot").click()
    expect(stranger.locator(".result")).to_have_count(3)
    expect(stranger.locator("#in-1")).to_have_value("kettle")
    stranger.get_by_role("link", name="Ohne kind: hot").click()
    expect(stranger.locator(".result")).to_have_count(9)


def test_nothing_hidden_is_narrowed_by(visitor: httpx.Client, narrowed: str) -> None:
    for query in (".where.text=%22kettle 1%22", ".where.kind=hot", ".where.kind=[1]", ".where.kind=null"):
        told = visitor.get(f"{narrowed}?query=kettle&{query}")
        assert told.status_code == 400
        assert ".where." in told.text
    assert visitor.get(f"{narrowed}?query=kettle&.where.price=4").text.count('class="result"') == 1
    assert "facet" not in visitor.get("/p/corner-shop?query=soup&.where.price=4").text


def test_search_engines_are_told_what_the_publisher_says(visitor: httpx.Client, narrowed: str) -> None:
    html = visitor.get(narrowed).text
    assert '<html lang="de-DE">' in html
    assert ">Suchen<" in html
    (told,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html)
    data = json.loads(told)
    assert (data["@type"], data["servesCuisine"], data["keywords"]) == ("Restaurant", "soup", "soup, tea")
    assert data["name"] == NARROWED["seo"]["meta_title"]
    assert "<script>" not in html
    for tag in (
        '<meta name="twitter:card" content="summary_large_image">', '<meta name="twitter:site" content="@dishes">',
        '<meta property="og:image" content="https://a.example/b.png">', '<meta property="og:locale" content="de_DE">',
    ):  # fmt: skip
        assert tag in html
    assert "application/ld+json" not in visitor.get("/p/locked-shop").text


def test_nothing_ends_the_element_of_structured_data() -> None:
    nasty = "</script><script>alert(1)</script><!-- &\u2028"
    display = {"seo": None, "title": nasty, "description": nasty, "logo_url": None}
    told = structured_data(display, "https://a.example/")
    assert not set(told) & set("<>&\u2028")
    assert json.loads(told)["name"] == nasty


def test_a_page_without_a_form_shows_what_its_defaults_find(visitor: httpx.Client) -> None:
    shown = visitor.get("/p/shown-shop").text
    assert shown.count('class="result"') == 5
    assert "<form" not in shown


def test_a_password_stands_before_it(visitor: httpx.Client, shelf: Shelf) -> None:
    address = "/p/locked-shop"
    locked = visitor.get(f"{address}?query=soup").text
    assert 'name="password"' in locked
    assert "slowly" not in locked
    assert 'class="result"' not in locked
    assert visitor.post(f"{address}/unlock", data={"password": "open barley"}).status_code == 401
    right = {"password": "open sesame"}
    elsewhere = visitor.post(f"{address}/unlock", data=right, headers={"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403
    led = visitor.post(f"{address}/unlock", data=right)
    assert led.status_code == 303
    cookie = led.headers["set-cookie"]
    assert f"Path={address};" in cookie
    assert "HttpOnly" in cookie
    assert 'class="result"' in visitor.get(f"{address}?query=soup").text
    headers = {"Authorization": f"Bearer {shelf.server.key}", "X-Namespace": "default"}
    changed = {"password": "another sesame"}
    httpx.patch(f"{shelf.server.url}/v1/retrievers/behind locked-shop/publish", json=changed, headers=headers)
    assert 'name="password"' in visitor.get(f"{address}?query=soup").text


def test_who_may_frame_it_is_the_publishers_to_say(visitor: httpx.Client) -> None:
    own = visitor.get("/p/corner-shop").headers
    assert "frame-ancestors 'none'" in own["content-security-policy"]
    assert own["x-frame-options"] == "DENY"
    framed = visitor.get("/p/framed-shop").headers
    assert framed["content-security-policy"].endswith("frame-ancestors http://shop.example")
    assert "x-frame-options" not in framed
    assert "unsafe" not in framed["content-security-policy"]


class _Neighbour(BaseHTTPRequestHandler):
    """Another site's page, with the script in it."""

    script = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(
            f'<!doctype html><title>Shop</title><p>Ours</p><script async src="{self.script}"></script>'.encode()
        )

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def neighbour(shelf: Shelf) -> Iterator[int]:
    """The port of another site, which is another origin than the server's."""
    _Neighbour.script = f"{shelf.server.url}/p/framed-shop/embed.js"
    with ThreadingHTTPServer(("127.0.0.1", 0), _Neighbour) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_another_sites_page_has_it_by_one_script(browser: Browser, shelf: Shelf, shop: str, neighbour: int) -> None:
    headers = {"Authorization": f"Bearer {shelf.server.key}", "X-Namespace": "default"}
    allowed = {"allowed_origins": [f"http://127.0.0.1:{neighbour}"]}
    httpx.patch(f"{shelf.server.url}/v1/retrievers/behind framed-shop/publish", json=allowed, headers=headers)
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{neighbour}/")
        frame = page.frame_locator("iframe")
        expect(frame.locator("h1")).to_have_text(DISPLAY["title"])
        expect(frame.locator(".words")).to_have_count(0)
        expect(page.locator("iframe")).to_have_attribute("style", re.compile(r"height: (?!520px)\d+px"))
        frame.get_by_role("link", name="warm soup").click()
        expect(frame.locator(".result")).to_have_count(5)
        page.goto(f"http://localhost:{neighbour}/")
        # What the browser shows in place of a page that is not to be framed here.
        expect(frame.locator("h1")).to_have_count(1)
        expect(frame.locator("h1")).not_to_have_text(DISPLAY["title"])


def test_limits_and_faults_are_told(visitor: httpx.Client) -> None:
    answers = [visitor.get("/p/framed-shop?query=tea") for _ in range(4)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert "Too many searches" in answers[-1].text
    assert visitor.get("/p/corner-shop?query=").status_code == 422
    assert visitor.get("/p/corner-shop?query=tea&.page=0").status_code == 400
    for address in ("/p/nobodys-shop", "/p/nobodys-shop/theme.css", "/p/"):
        assert visitor.get(address).status_code == 404
    told = visitor.post("/p/corner-shop/tell", data={"document": "doc_1", "place": "2", "execution": "exec_1"})
    assert told.status_code == 204
    assert visitor.post("/p/corner-shop/tell", data={"place": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("value", "config", "told"),
    [
        (1234.5, ("number", {"decimals": 1, "suffix": " kg"}), Shown("text", "1,234.5 kg")),
        (True, ("boolean", {"true_label": "in stock"}), Shown("text", "in stock")),
        (["a", "b", "c"], ("array", {"max_items": 2, "separator": " / "}), Shown("text", "a / b …")),
        ("2026-01-31", ("date", {"date_format": "DD.MM.YYYY"}), Shown("text", "31.01.2026")),
        ("javascript:alert(1)", ("url", {}), Shown("text", "javascript:alert(1)")),
        (
            "https://a.example/b",
            ("url", {"show_domain": True}),
            Shown("link", "a.example", "https://a.example/b", True),
        ),
        ("data:text/html,x", ("image", {}), Shown("text", "data:text/html,x")),
        (None, ("text", {}), Shown("empty", "–")),
        (None, ("text", {"show_empty": False}), None),
        ("abcdef", ("text", {"truncate_chars": 3}), Shown("text", "abc …")),
        ({"a": 1}, ("object", {}), Shown("json", '{\n  "a": 1\n}')),
        ("", None, None),
    ],
)
def test_values_by_their_formats(value: Any, config: tuple[str, dict[str, Any]] | None, told: Shown | None) -> None:
    given = config and {"format": config[0], "format_options": {"show_empty": True, **config[1]}}
    assert shown(value, given or None, NOW) == told


def test_how_long_ago() -> None:
    config = {"format": "date", "format_options": {"date_format": "relative", "show_empty": True}}
    for before, told in (
        (timedelta(days=3), (3, "day")),
        (timedelta(hours=-2), (-2, "hour")),
        (timedelta(), (0, "minute")),
    ):
        found = shown((NOW - before).isoformat(), config, NOW)
        assert found is not None
        assert found.ago == told


def test_markdown_lets_nothing_run() -> None:
    text = "# Big\n<script>alert(1)</script> <b onclick=x>y</b>\n\n[a](javascript:alert%281%29) [b](https://b.example/) ![p](https://p.example/x.png)"
    html = rendered(text)
    assert "<script" not in html
    assert "<b" not in html
    assert 'href="javascript' not in html
    assert 'rel="noopener noreferrer nofollow"' in html
    assert "<h3>Big</h3>" in html
    assert pictures_of(text) == ["https://p.example/x.png"]


def test_a_theme_is_values_and_no_more() -> None:
    card = {"thumbnail_aspect_ratio": "16:9", "thumbnail_fit": "url(x)"}
    theme = {
        "background_color": "red;} body { display: none", "text_color": "#123456", "primary_color": "rgb(1, 2, 3)",
        "secondary_color": None, "font_family": "Inter, serif",
    }  # fmt: skip
    display = {"theme": theme, "layout": {"columns": 2, "gap": "12"}, "components": {"result_card": card}}
    sheet = style_sheet(display)
    assert "display" not in sheet
    assert sheet.count("}") == 1
    assert "--theme-ink: #123456;" in sheet
    assert "--gap: 12px;" in sheet
    assert "--ratio: 16/9;" in sheet
    assert "--fit: cover;" in sheet


def test_inputs_are_read_by_their_types() -> None:
    kinds = {"n": "integer", "flag": "boolean", "where": "object", "day": "date", "at": "datetime", "word": "text"}
    inputs = [
        {"field_name": name, "field_schema": {"type": kind}, "label": name.upper(), "order": 0, "placeholder": None,
         "helper_text": None, "required": False, "suggestions": None}
        for name, kind in kinds.items()
    ]  # fmt: skip
    asked = {
        "n": "5",
        "flag": "true",
        "where": '{"a": 1}',
        "day": "2026-01-31",
        "at": "2026-01-31T10:00",
        "word": " x ",
    }
    controls = controls_of({"inputs": inputs}, asked)
    assert inputs_of(controls, asked) == {
        "n": 5, "flag": True, "where": {"a": 1}, "day": "2026-01-31", "at": "2026-01-31T10:00:00Z", "word": "x",
    }  # fmt: skip
    assert inputs_of(controls, {"n": ""}) == {}
    for name, wrong in (("n", "five"), ("flag", "1"), ("where", "[")):
        with pytest.raises(BadRequestError, match=name.upper()):
            inputs_of(controls, {name: wrong})


@pytest.mark.parametrize(
    "address", ["javascript:x", "//evil.example", "https://u@h.example", "ftp://x", "/\\x", "https://x y", 5, None]
)
def test_what_no_browser_is_to_follow(address: Any) -> None:
    assert web_address(address) == ""
