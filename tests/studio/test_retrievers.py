"""Saved retrievers, and how one is opened to the public, as its owner does it."""

import json
import re

import httpx
from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, pipeline


def test_from_the_playground_to_a_page_for_everybody_and_back(page: Page, shelf: Shelf) -> None:
    page.goto(f"/playground?from={shelf.plain}")
    page.locator("summary", has_text="Save as retriever").click()
    page.fill("#save-name", "warm dishes")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("link", name="Publish it").click()

    page.fill("#public-name", "Warm Dishes")
    expect(page.locator("#is-free .bad")).to_contain_text("small letters")
    page.fill("#public-name", "warm-dishes")
    expect(page.locator("#is-free .good")).to_have_text("warm-dishes is free.")
    page.fill("#pub-title", "Warm dishes")
    page.fill("#pub-exposed", "title, price")
    page.fill("#pub-primary_color", "red; } body { display: none")
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".result .problem")).to_contain_text("primary_color")
    page.fill("#pub-primary_color", "#a02050")
    page.get_by_role("button", name="Publish").click()
    page.get_by_role("link", name="See the page").click()
    page.wait_for_url("**/p/warm-dishes")
    expect(page.locator("h1")).to_have_text("Warm dishes")
    public = f"{shelf.server.url}/p/warm-dishes"
    assert "--theme-primary: #a02050;" in httpx.get(f"{public}/theme.css").text

    page.go_back()
    page.get_by_label("Open", exact=True).uncheck()
    page.fill("#pub-most", "7")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".status")).to_have_text("published, but closed")
    expect(page.locator("#pub-most")).to_have_value("7")
    assert httpx.get(public).status_code == 404
    page.locator("summary", has_text="Unpublish").click()
    page.get_by_role("button", name="Unpublish").click()
    expect(page.get_by_role("link", name="Publish")).to_be_visible()
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete the retriever").click()
    page.wait_for_url("**/retrievers")
    expect(page.locator(".ledger a", has_text="warm dishes")).to_have_count(0)


def test_one_retriever_with_what_it_runs_and_what_ran(page: Page, shelf: Shelf) -> None:
    page.goto("/retrievers?text=DISHES")
    page.locator(".ledger a", has_text=re.compile("^dishes$")).click()
    expect(page.locator(".stage-list li")).to_have_count(4)
    page.locator(".stage-list summary").nth(1).click()
    expect(page.locator(".stage-list pre").nth(1)).to_contain_text('"operator": "lt"')
    expect(page.locator('.ledger a[href^="/executions/exec_"]').first).to_be_visible()
    day = page.locator("section", has=page.locator("#day-title"))
    expect(day.locator("dd").first).to_have_text(re.compile(r"^\d+"))
    expect(day.locator("tbody tr")).to_have_count(4)
    page.get_by_role("link", name="Run in the playground").click()
    expect(page.locator(".stage-form")).to_have_count(4)
    page.goto("/retrievers?text=nothing+is+called+so")
    expect(page.locator(".blank")).to_be_visible()
    page.goto("/retrievers/ret_nothing")
    expect(page.locator(".lead")).to_contain_text("ret_nothing")


def test_the_whole_configuration_as_json(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        client.post("retrievers", {"retriever_name": "as json", **pipeline(3)})
    page.goto("/retrievers/as json/publish")
    page.fill("#public-name", "as-json")
    page.locator("summary", has_text="as JSON").click()
    display = json.loads(page.locator("#pub-json").input_value())
    page.get_by_label("Take this instead").check()
    page.fill("#pub-json", json.dumps({**display, "inputs": []}))
    page.get_by_role("button", name="Publish").click()
    expect(page.locator(".result .problem")).to_contain_text("inputs")
    page.fill("#pub-json", json.dumps({**display, "title": "By hand", "layout": {"columns": 5}}))
    page.get_by_role("button", name="Publish").click()
    expect(page.locator("#pub-title")).to_have_value("By hand")
    expect(page.locator("#pub-columns")).to_have_value("5")


def test_who_only_reads_publishes_and_deletes_nothing(shelf: Shelf) -> None:
    with shelf.server.client(None) as client:
        body = {"name": "reads retrievers", "permissions": ["read"]}
        secret = client.post("organizations/users/admin@localhost/api-keys", body)["key"]
    with httpx.Client(base_url=shelf.server.url) as browser:
        browser.post("/sign-in", data={"key": secret})
        shown = browser.get("/retrievers/dishes").text
        assert "Delete the retriever" not in shown
        assert 'class="primary save"' not in browser.get("/retrievers/dishes/publish").text
        found = re.search(r'"X-CSRF-Token": "([0-9a-f]+)"', shown)
        assert found
        for change in ("delete", "publish", "publish/change", "unpublish"):
            assert browser.post(f"/retrievers/dishes/{change}", data={"csrf": found[1]}).status_code == 403, change
