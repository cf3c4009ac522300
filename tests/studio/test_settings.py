"""The organisation's settings, as its administrator uses them, and as others do not."""

import re
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf

USERS = "organizations/users/admin@localhost"


def opened(shelf: Shelf, secret: str) -> int:
    return httpx.get(
        f"{shelf.server.url}/v1/namespaces/default", headers={"Authorization": f"Bearer {secret}"}
    ).status_code


def test_a_key_is_made_shown_once_rotated_and_revoked(page: Page, shelf: Shelf) -> None:
    page.goto("/settings/keys")
    page.locator("summary", has_text="New key").click()
    page.fill("#key-name", "search page")
    page.get_by_label("only these namespaces").check()
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator(".problem")).to_contain_text("namespace: what the key is limited to")
    page.locator(".only-limited").get_by_label("default").check()
    page.fill("#key-rate", "500")
    page.get_by_role("button", name="Make the key").click()
    first = page.locator("#issued-key").inner_text()
    assert opened(shelf, first) == 200
    expect(page.locator("details.menu[open]")).to_have_count(0)
    row = page.locator(".ledger tr", has_text="search page")
    expect(row).to_contain_text("default")
    expect(row).to_contain_text("never")

    page.get_by_role("link", name="search page").click()
    assert first not in page.content()
    expect(page.locator(".pairs.wide")).to_contain_text("500")
    page.locator("summary", has_text="Rotate").click()
    page.select_option("#grace", "0")
    page.locator("form").get_by_role("button", name="Rotate").click()
    second = page.locator("#issued-key").inner_text()
    assert (opened(shelf, first), opened(shelf, second)) == (401, 200)

    page.locator("summary", has_text="Revoke").click()
    page.get_by_role("button", name="Revoke the key").click()
    expect(page.locator(".title .status")).to_have_text("revoked")
    assert opened(shelf, second) == 401
    expect(page.locator("summary", has_text="Rotate")).to_have_count(0)


def test_a_user_gets_a_role_and_the_last_administrator_stays(page: Page) -> None:
    page.goto("/settings/users")
    page.locator("summary", has_text="New user").click()
    page.fill("#user-email", "ada@example.com")
    page.fill("#user-name", "Ada")
    page.get_by_role("button", name="Make the user").click()
    page.wait_for_url("**/settings/users/usr_*")
    page.get_by_label("viewer").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".title .meta")).to_contain_text("viewer")
    page.goto("/settings/users")
    page.get_by_role("link", name="admin@localhost").click()
    page.get_by_label("suspended").check()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".problem")).to_contain_text("last active administrator")


def test_the_audit_log_tells_before_and_after(page: Page, shelf: Shelf) -> None:
    headers = {"Authorization": f"Bearer {shelf.server.key}"}
    for note in ("<b>sieves</b>", "sieves & co"):
        body = {"metadata": {"note": note, "same": 1}}
        changed = httpx.patch(f"{shelf.server.url}/v1/organizations", json=body, headers=headers)
        assert changed.status_code == 200
    page.goto("/settings/audit?type=organization")
    newest = page.locator(".events > li").first
    newest.locator("summary").click()
    expect(newest.locator(".diff th")).to_have_text("metadata.note")
    expect(newest.locator("del")).to_have_text("<b>sieves</b>")
    expect(newest.locator("ins")).to_have_text("sieves & co")
    page.fill("#audit-action", "no_such_action")
    page.get_by_role("button", name="Find").click()
    expect(page.locator(".blank")).to_be_visible()
    page.goto("/settings/audit?start=yesterday")
    expect(page.locator(".lead")).to_contain_text("start: a day")


def test_usage_counts_what_a_key_asked(page: Page, shelf: Shelf) -> None:
    with shelf.server.client(None) as client:
        secret = client.post(f"{USERS}/api-keys", {"name": "counted", "permissions": ["read"]})["key"]
    for _ in range(3):
        assert opened(shelf, secret) == 200
    page.goto("/settings/usage?days=7")
    row = page.locator(".ranking tr", has_text="counted")
    expect(row.locator(".n").first).to_have_text("3")
    row.get_by_role("link").click()
    expect(
        page.locator(".ranking tr", has_text="GET /v1/namespaces/{namespace_identifier}").locator(".n").first
    ).to_have_text("3")
    assert page.locator(".chart .bar-good").count() == 1


def test_credits_are_given_and_a_cap_stops(page: Page, shelf: Shelf) -> None:
    page.goto("/settings/credits")
    page.locator("summary", has_text="Budget and cap").click()
    page.get_by_label("Refuse executions").check()
    page.locator(".pop").get_by_role("button", name="Save").first.click()
    expect(page.locator(".problem")).to_contain_text("a hard cap that is enabled has an amount")
    page.fill("#cap", "1000")
    page.fill("#budget", "400.50")
    page.locator(".pop").get_by_role("button", name="Save").first.click()
    expect(page.locator(".meter figcaption")).to_contain_text("Budget 400.50 $")
    expect(page.locator(".plain tfoot")).to_contain_text("=")


def test_secrets_are_names(page: Page) -> None:
    page.goto("/settings/secrets")
    page.locator("summary", has_text="Keep a secret").click()
    page.fill("#secret-name", "crm")
    page.fill("#secret-value", "a value to keep")
    page.fill("#secret-hosts", "api.example.com")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator(".shelf li")).to_contain_text("api.example.com")
    assert "a value to keep" not in page.content()
    page.locator(".shelf summary").click()
    page.get_by_role("button", name="Delete the secret").click()
    expect(page.locator(".blank")).to_be_visible()


def test_who_is_no_administrator_sees_limits_and_no_more(shelf: Shelf) -> None:
    with shelf.server.client(None) as client:
        namespace = client.get("namespaces/default")["namespace_id"]
        scopes = [{"resource_type": "namespace", "resource_id": namespace}]
        keys: dict[str, dict[str, Any]] = {
            "writer": {"name": "no ruler", "permissions": ["read", "write"]},
            "scoped": {"name": "half a ruler", "permissions": ["admin"], "scopes": scopes},
        }
        made = {name: client.post(f"{USERS}/api-keys", body)["key"] for name, body in keys.items()}
    for secret in made.values():
        with httpx.Client(base_url=shelf.server.url) as browser:
            browser.post("/sign-in", data={"key": secret})
            shown = browser.get("/settings").text
            assert "Requests a minute" in shown
            assert "/settings/keys" not in shown
            found = re.search(r'"X-CSRF-Token": "([0-9a-f]+)"', shown)
            assert found
            for section in ("keys", "users", "usage", "credits", "audit", "secrets"):
                assert browser.get(f"/settings/{section}").status_code == 403, section
            token = {"csrf": found[1], "name": "mine", "email": "eve@example.com", "credits": "5", "search": "1"}
            for change in ("keys", "users", "credits", "credits/caps", "audit", "secrets", "rates", "name"):
                assert browser.post(f"/settings/{change}", data=token).status_code == 403, change
