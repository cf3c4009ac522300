"""Triggers, as their owner uses them: made by a form, run, paused, changed and taken away."""

import re

import httpx
from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, triggered


def test_a_trigger_is_made_run_paused_changed_and_deleted(page: Page, shelf: Shelf) -> None:
    page.goto("/automation/triggers/new")
    page.get_by_label("Process a collection").check()
    page.select_option("#source", label="dishes")
    page.get_by_label("By the clock").check()
    page.fill("#cron", "61 3 * * *")
    page.get_by_role("button", name="Make the trigger").click()
    expect(page.locator(".problem")).to_contain_text("minute: '61' is none of 0 to 59")
    page.get_by_label("At an interval").check()
    expect(page.locator("#cron")).to_be_hidden()
    page.fill("#every", "never")
    page.get_by_role("button", name="Make the trigger").click()
    expect(page.locator(".problem")).to_contain_text("every: a whole number from 1")
    page.fill("#every", "2")
    page.select_option("[name=every_unit]", "day")
    page.fill("#description", "<b>nightly</b>")
    page.get_by_role("button", name="Make the trigger").click()
    page.wait_for_url("**/automation/triggers/trig_*")
    expect(page.locator(".meta")).to_contain_text("every 2 days")
    expect(page.locator(".lead")).to_have_text("<b>nightly</b>")
    expect(page.locator(".empty")).to_contain_text("not fired yet")

    page.get_by_role("button", name="Run now").click()
    expect(page.locator(".ledger tbody tr")).to_have_count(1)
    # The page asks again by itself until what was begun has ended.
    expect(page.locator(".ledger .status")).to_have_text(re.compile("done|skipped"))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".meta .status")).to_have_text("paused")
    page.locator("summary", has_text="Change").click()
    page.fill("#every", "90")
    page.select_option("[name=every_unit]", "minute")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".meta")).to_contain_text("every 90 minutes")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".meta .status")).to_have_text("active")

    here = page.url
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete the trigger").click()
    page.wait_for_url("**/automation")
    assert page.request.get(here).status == 404


def test_triggers_are_told_apart_by_their_status(page: Page, shelf: Shelf) -> None:
    address = triggered(shelf)
    page.goto("/automation?status=paused")
    expect(page.locator(".blank")).to_contain_text("No trigger is like that")
    page.get_by_role("link", name="All triggers").click()
    expect(page.locator(f".ledger a[href='{address}']")).to_contain_text("Process the collection dishes")
    assert page.request.get("/automation?status=odd").status == 400


def test_who_may_only_read_sees_and_changes_nothing(shelf: Shelf) -> None:
    address = triggered(shelf)
    body = {"name": "reads triggers", "permissions": ["read"]}
    with shelf.server.client(None) as client:
        key = client.post("organizations/users/admin@localhost/api-keys", body)["key"]
    with httpx.Client(base_url=shelf.server.url) as reader:
        reader.post("/sign-in", data={"key": key})
        shown = reader.get(address)
        assert shown.status_code == 200
        assert "Run now" not in shown.text
        assert "New trigger" not in reader.get("/automation").text
        assert "may look, not change" in reader.get("/automation/triggers/new").text
        assert "/automation/webhooks" not in shown.text
        found = re.search(r'"X-CSRF-Token": "([0-9a-f]+)"', shown.text)
        assert found
        token = {"csrf": found[1]}
        for change in (f"{address}/run", f"{address}/pause", f"{address}/resume", f"{address}/delete", address):
            assert reader.post(change, data=token).status_code == 403, change
        assert reader.post(f"{address}/run", data={"csrf": "0" * 32}).status_code == 403
        for hidden in ("/automation/webhooks", "/automation/webhooks/new"):
            assert reader.get(hidden).status_code == 403, hidden
