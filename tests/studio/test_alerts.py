"""Alerts, as their owner uses them: made of a saved retriever, switched, changed, read and taken away."""

import re

import httpx
from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, alerted, told


def test_an_alert_is_made_switched_changed_and_deleted(page: Page, shelf: Shelf) -> None:
    told(shelf)
    page.goto("/automation/alerts/new?retriever=dishes")
    expect(page.locator("#retriever option:checked")).to_have_text("dishes")
    page.fill("#name", "teas")
    page.fill("#description", "<b>black</b>")
    page.get_by_role("button", name="Make the alert").click()
    expect(page.locator(".problem")).to_contain_text("webhook: choose at least one")
    page.get_by_label("shop").check()
    page.fill("#credits", "0")
    page.get_by_role("button", name="Make the alert").click()
    expect(page.locator(".problem")).to_contain_text("credits: more than 0")
    page.fill("#credits", "2.5")
    page.get_by_label("with its scores").uncheck()
    page.get_by_role("button", name="Make the alert").click()
    page.wait_for_url("**/automation/alerts/alt_*")
    alert_id = page.url.rpartition("/")[2]
    with shelf.server.client() as client:
        made = client.get(f"alerts/{alert_id}")
    assert (made["name"], made["max_credits"], made["enabled"]) == ("teas", 2.5, True)
    assert (made["notification_config"]["include_matches"], made["notification_config"]["include_scores"]) == (
        True, False,
    )  # fmt: skip
    expect(page.locator(".lead")).to_have_text("<b>black</b>")
    expect(page.locator(".empty")).to_contain_text("not been executed yet")

    page.get_by_role("button", name="Switch off").click()
    expect(page.locator(".meta .status")).to_have_text("off")
    page.locator("summary", has_text="Change").click()
    page.fill("#name", "dishes")
    page.fill("#credits", "")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("dishes")
    expect(page.locator(".facts")).to_contain_text("no limit")
    expect(page.locator(".meta .status")).to_have_text("off")
    page.get_by_role("button", name="Switch on").click()
    expect(page.locator(".meta .status")).to_have_text("on")
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete the alert").click()
    page.wait_for_url("**/automation/alerts")
    assert page.request.get(f"/automation/alerts/{alert_id}").status == 404


def test_what_it_came_to_leads_to_what_was_found_and_how(page: Page, shelf: Shelf) -> None:
    address = alerted(shelf)
    page.goto("/automation/alerts")
    page.locator(f".ledger a[href='{address}']").click()
    rows = page.locator(".ledger tbody tr")
    expect(rows).to_have_count(6)
    expect(rows.first).to_contain_text("the document has no 'nothing'")
    found = rows.last
    found.locator("summary").click()
    for link in found.locator("a").all():
        assert page.request.get(str(link.get_attribute("href"))).status == 200
    expect(found.locator("a[href^='/executions/']")).to_have_count(1)
    page.locator(".facts a", has_text="shop").click()
    page.wait_for_url("**/automation/webhooks/*")
    expect(page.locator(".deliveries")).to_contain_text("alert.triggered")


def test_who_may_only_read_sees_and_changes_nothing(shelf: Shelf) -> None:
    address = alerted(shelf)
    body = {"name": "reads alerts", "permissions": ["read"]}
    with shelf.server.client(None) as client:
        key = client.post("organizations/users/admin@localhost/api-keys", body)["key"]
    with httpx.Client(base_url=shelf.server.url) as reader:
        reader.post("/sign-in", data={"key": key})
        shown = reader.get(address)
        assert shown.status_code == 200
        assert "Switch off" not in shown.text
        assert "/automation/webhooks" not in shown.text
        assert "New alert" not in reader.get("/automation/alerts").text
        assert "may look, not change" in reader.get("/automation/alerts/new").text
        found = re.search(r'"X-CSRF-Token": "([0-9a-f]+)"', shown.text)
        assert found
        for change in (f"{address}/on", f"{address}/off", f"{address}/delete", address, "/automation/alerts"):
            assert reader.post(change, data={"csrf": found[1]}).status_code == 403, change
