"""What happens in a namespace, on a page that is open while it happens."""

import httpx
from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf


def make(shelf: Shelf, title: str) -> str:
    with shelf.server.client() as client:
        (bucket, *_) = client.pages("buckets/list")
        path = f"buckets/{bucket['bucket_id']}/objects"
        return str(client.post(path, {"metadata": {"title": title}, "skip_duplicates": False})["object_id"])


def test_changes_appear_as_they_come_and_wait_while_one_reads(page: Page, shelf: Shelf) -> None:
    page.goto("/automation")
    page.get_by_role("link", name="Activity").click()
    rows = page.locator("[data-activity] tr")
    expect(rows.first).to_be_visible()
    first = make(shelf, "<b>first</b>")
    expect(rows.first).to_contain_text(first)
    expect(rows.first).to_contain_text("Objects: created")
    pause = page.get_by_role("button", name="Pause")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    second = make(shelf, "second")
    page.wait_for_timeout(900)
    expect(rows.first).to_contain_text(first)
    pause.click()
    expect(rows.first).to_contain_text(second)
    rows.first.get_by_role("link").click()
    page.wait_for_url(f"**/objects/{second}")


def test_only_what_is_wanted_is_shown(page: Page, shelf: Shelf) -> None:
    page.goto("/automation/activity")
    page.get_by_role("link", name="Tasks", exact=True).click()
    page.wait_for_url("**type=task")
    rows = page.locator("[data-activity] tr")
    expect(rows.first).to_contain_text("Tasks: ")
    made = make(shelf, "third")
    page.get_by_role("link", name="Objects", exact=True).click()
    expect(rows.first).to_contain_text(made)
    for wrong in ("activity?type=odd", "activity/events?type=odd", "activity/events?since=odd"):
        assert page.request.get(f"/automation/{wrong}").status == 400


def test_the_stream_ends_with_the_key_that_opened_it(shelf: Shelf) -> None:
    path = "organizations/users/admin@localhost/api-keys"
    with shelf.server.client(None) as client, httpx.Client(base_url=shelf.server.url, timeout=60) as browser:
        key = client.post(path, {"name": "watcher", "permissions": ["read"]})["key"]
        browser.post("/sign-in", data={"key": key}, headers={"Sec-Fetch-Site": "same-origin"})
        with browser.stream("GET", "/automation/activity/events") as stream:
            assert stream.status_code == 200
            pieces = stream.iter_text()
            assert next(pieces) == ": it is open\n\n"
            client.delete(f"{path}/watcher")
            assert not any(piece.startswith(": nothing") for piece in pieces), "it ends before the first silence"
        assert browser.get("/automation/activity/events").status_code != 200
