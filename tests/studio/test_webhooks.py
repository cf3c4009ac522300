"""Webhooks, as an administrator uses them, and what of their tellings can be seen."""

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, told


def test_a_webhook_is_made_changed_and_deleted(page: Page, shelf: Shelf) -> None:
    page.goto("/automation/webhooks/new")
    page.fill("#webhook-name", "orders")
    page.fill("#webhook-urls", "ftp://example.com")
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.locator(".problem")).to_contain_text("an http or https URL")
    page.fill("#webhook-urls", "https://one.example.com/a\nhttps://two.example.com/b\n")
    page.fill("#webhook-authorization", "Bearer {{SECRET.orders}}")
    page.get_by_label("collection.deleted").uncheck()
    page.get_by_role("button", name="Make the webhook").click()
    page.wait_for_url("**/automation/webhooks/wh_*")
    with shelf.server.client(None) as client:
        made = client.get("organizations/webhooks/orders")
    assert "collection.deleted" not in made["event_types"]
    assert [one["configs"]["headers"] for one in made["channels"]] == [
        {"Authorization": "Bearer {{SECRET.orders}}"}
    ] * 2
    page.locator("summary", has_text="Signing secret").click()
    expect(page.locator("#signing-secret")).to_have_text(made["signing_secret"])

    page.locator("summary", has_text="Change").click()
    page.fill("#webhook-urls", "https://two.example.com/b\nhttps://three.example.com/c")
    page.get_by_label("tell them from now on").uncheck()
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".meta .status")).to_have_text("paused")
    with shelf.server.client(None) as client:
        changed = client.get("organizations/webhooks/orders")
    assert [one["configs"]["headers"] for one in changed["channels"]] == [
        {"Authorization": "Bearer {{SECRET.orders}}"},
        {},
    ]
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete the webhook").click()
    page.wait_for_url("**/automation/webhooks")
    assert page.request.get(f"/automation/webhooks/{made['webhook_id']}").status == 404


def test_a_telling_is_seen_with_its_fault_and_told_once_more(page: Page, shelf: Shelf) -> None:
    page.goto(told(shelf))
    first = page.locator(".deliveries li").last
    for _ in range(100):  # the receiver is refused in the background, and the page is loaded again until that is noted
        first.locator("summary").click()
        if first.locator(".problem").count():
            break
        page.reload()
    expect(first).to_contain_text("trigger.resumed")
    expect(first.locator(".problem")).to_contain_text("port 9 is not reached")
    assert page.request.get(f"{told(shelf)}?status=odd").status == 400
