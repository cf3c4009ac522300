"""In and out, and who is kept out."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tamis.studio.security import POLICY
from tests.studio.shelf import Shelf, deleted


@pytest.fixture
def client(shelf: Shelf) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shelf.server.url, timeout=30) as opened:
        yield opened


def sign_in(client: httpx.Client, key: str, target: str = "") -> httpx.Response:
    return client.post("/sign-in", data={"key": key, "next": target})


def token(client: httpx.Client) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/executions").text)
    assert found
    return found[1]


def test_a_stranger_is_led_to_the_door_and_back(client: httpx.Client, shelf: Shelf) -> None:
    address = f"/executions/{shelf.plain}?stage=1"
    led = client.get(address)
    assert led.status_code == 303
    door = led.headers["location"]
    assert door.startswith("/sign-in?next=")
    assert address in httpx.URL(door).params["next"]
    assert sign_in(client, shelf.server.key, address).headers["location"] == address


def test_a_wrong_key_is_told_and_sets_no_cookie(client: httpx.Client) -> None:
    refused = sign_in(client, "sk_wrong")
    assert refused.status_code == 401
    assert "unknown API key" in refused.text
    assert "set-cookie" not in refused.headers


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_led_elsewhere(client: httpx.Client, shelf: Shelf, target: str) -> None:
    assert sign_in(client, shelf.server.key, target).headers["location"] == "/executions"


def test_signing_out_ends_the_session_for_every_copy_of_the_cookie(client: httpx.Client, shelf: Shelf) -> None:
    sign_in(client, shelf.server.key)
    copy = dict(client.cookies)
    assert client.get("/executions").status_code == 200
    assert client.post("/sign-out", data={"csrf": token(client)}).headers["location"] == "/sign-in"
    assert "tamis_session" not in client.cookies
    assert httpx.get(f"{shelf.server.url}/executions", cookies=copy).status_code == 303


def test_a_session_dies_with_its_key(client: httpx.Client, shelf: Shelf) -> None:
    with shelf.server.client(None) as admin:
        made = admin.post("organizations/users/admin@localhost/api-keys", {"name": "visitor", "permissions": ["read"]})
        sign_in(client, made["key"])
        assert client.get(f"/executions/{shelf.plain}").status_code == 200
        deleted(shelf, "organizations/users/admin@localhost/api-keys/visitor")
    assert client.get(f"/executions/{shelf.plain}").status_code == 303


def test_a_key_that_may_only_read_changes_nothing(client: httpx.Client, shelf: Shelf) -> None:
    with shelf.server.client(None) as admin:
        made = admin.post("organizations/users/admin@localhost/api-keys", {"name": "reader", "permissions": ["read"]})
    sign_in(client, made["key"])
    shown = client.get(f"/executions/{shelf.plain}").text
    assert "Save as retriever" not in shown
    saved = client.post(f"/executions/{shelf.plain}/save", data={"csrf": token(client), "name": "mine"})
    assert saved.status_code == 403


def test_a_change_needs_the_pages_token_and_a_page_of_this_site(client: httpx.Client, shelf: Shelf) -> None:
    sign_in(client, shelf.server.key)
    address = f"/executions/{shelf.plain}/replay"
    assert client.post(address, data={}).status_code == 403
    assert client.post(address, data={"csrf": "0" * 32}).status_code == 403
    known = token(client)
    assert client.post(address, data={"csrf": known}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post("/sign-in", data={}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.post(address, data={"csrf": known}).status_code == 200


@pytest.mark.parametrize("cookie", ["", "x", "gAAAAA", "é"])
def test_a_cookie_that_is_none_of_ours_is_no_session(shelf: Shelf, cookie: str) -> None:
    headers = {b"cookie": f"tamis_session={cookie}".encode()}
    assert httpx.get(f"{shelf.server.url}/executions", headers=headers).status_code == 303


def test_every_page_carries_the_policy(client: httpx.Client, shelf: Shelf) -> None:
    sign_in(client, shelf.server.key)
    for address in (
        "/sign-in",
        "/executions",
        f"/executions/{shelf.plain}",
        "/executions/exec_nothing",
        "/studio/none",
    ):
        answer = client.get(address)
        assert answer.headers["content-security-policy"] == POLICY, address
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"


def test_what_is_not_there_is_told_as_a_page_with_a_way_on(client: httpx.Client, shelf: Shelf) -> None:
    sign_in(client, shelf.server.key)
    answer = client.get("/executions/exec_nothing")
    assert answer.status_code == 404
    assert "exec_nothing" in answer.text
    assert 'href="/executions"' in answer.text
    assert 'href="/playground"' in answer.text


def test_a_link_from_elsewhere_asks_once_more(client: httpx.Client, shelf: Shelf) -> None:
    """Strict cookies do not come along from another site; the page's own reload brings them."""
    again = client.get(f"/executions/{shelf.plain}", headers={"sec-fetch-site": "cross-site"})
    assert again.status_code == 200
    assert f"0; url=/executions/{shelf.plain}" in again.text


def test_the_theme_is_chosen_and_kept(browser: Browser, shelf: Shelf) -> None:
    with browser.new_context(base_url=shelf.server.url) as context:
        page = context.new_page()
        page.goto("/sign-in")
        for theme in ("light", "dark", "auto"):
            page.locator("button[name=theme]").click()
            expect(page.locator("html")).to_have_attribute("data-theme", theme)


def test_a_keys_rate_holds_for_pages_too(client: httpx.Client, shelf: Shelf) -> None:
    with shelf.server.client(None) as admin:
        asked = {"name": "hasty", "permissions": ["read"], "rate_limit_override": 3}
        made = admin.post("organizations/users/admin@localhost/api-keys", asked)
    sign_in(client, made["key"])
    answers = [client.get("/executions") for _ in range(5)]
    assert answers[0].status_code == 200
    assert answers[-1].status_code == 429
    assert "3" in answers[-1].text


def test_a_key_of_another_namespace_sees_nothing_of_this_one(client: httpx.Client, shelf: Shelf) -> None:
    with shelf.server.client(None) as admin:
        other = admin.post("namespaces", {"namespace_name": "next-door"})["namespace_id"]
        scopes = [{"resource_type": "namespace", "resource_id": other, "operation": "read"}]
        asked = {"name": "neighbour", "permissions": ["read", "write"], "scopes": scopes}
        made = admin.post("organizations/users/admin@localhost/api-keys", asked)
    sign_in(client, made["key"])
    listed = client.get("/executions").text
    assert "next-door" in listed
    assert "warm soup" not in listed
    assert "dishes" not in listed
    assert client.get(f"/executions/{shelf.plain}").status_code == 404
    assert client.get(f"/compare?a={shelf.plain}&b={shelf.plainer}").status_code == 404
    assert client.get(f"/playground?from={shelf.plain}").status_code == 404
    for action in ("why", "replay", "again", "save"):
        data = {"csrf": token(client), "document_id": "doc_1", "inputs": "{}", "name": "stolen"}
        assert client.post(f"/executions/{shelf.plain}/{action}", data=data).status_code in (403, 404), action


def test_a_phone_has_one_menu_for_all_of_it(phone: Page, shelf: Shelf) -> None:
    phone.goto("/executions")
    burger, menu = phone.get_by_role("button", name="Menu"), phone.locator("#menu")
    expect(menu).to_be_hidden()
    burger.focus()
    phone.keyboard.press("Enter")
    expect(menu).to_be_visible()
    links = menu.get_by_role("link")
    assert links.all_inner_texts() == [
        "Executions",
        "Playground",
        "Data",
        "Retrievers",
        "Automation",
        "Analytics",
        "Settings",
    ]
    for link in links.all():
        box = link.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    phone.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    burger.click()
    menu.get_by_role("link", name="Retrievers").click()
    phone.wait_for_url("**/retrievers")
    expect(menu).to_be_hidden()
