"""A migration looked over, begun and followed to its switch; and one that does not fit."""

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, migrated, texts


def test_a_migration_is_looked_over_begun_and_followed(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        texts(client, "to-move", [{"text": "One of a kind.", "title": "one"}])
        before = client.get("collections/to-move")["collection_id"]
    page.goto("/automation/migrations/new")
    page.get_by_role("button", name="Look it over").click()
    expect(page.locator(".problem")).to_contain_text("extractor: choose what changes")
    page.locator("label", has_text="text_extractor").get_by_role("checkbox").check()
    page.locator("[name='v.text_extractor']").fill("v99")
    page.get_by_text("Only some collections").click()
    page.get_by_label("to-move", exact=True).check()
    page.get_by_role("button", name="Look it over").click()
    expect(page.locator(".validated .problem")).to_contain_text("there is no extractor text_extractor@v99")
    expect(page.get_by_role("button", name="Start it")).to_have_count(0)
    page.locator("[name='v.text_extractor']").fill("v1")
    page.get_by_role("button", name="Look it over").click()
    expect(page.locator(".validated .done")).to_be_visible()
    page.get_by_role("button", name="Start it").click()
    page.wait_for_url("**/automation/migrations/mig_*")
    # The page asks again by itself until it has ended.
    expect(page.locator(".meta .status")).to_have_text("done", timeout=60_000)
    expect(page.locator(".progress-says")).to_contain_text("Searches have the new collections")
    with shelf.server.client() as client:
        assert client.get("collections/to-move")["collection_id"] != before
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Forget the migration").click()
    page.wait_for_url("**/automation/migrations")


def test_what_was_cancelled_says_that_all_is_as_it_was(page: Page, shelf: Shelf) -> None:
    page.goto(migrated(shelf))
    expect(page.locator(".progress-says")).to_contain_text("as it was before")
    expect(page.get_by_role("button", name="Cancel it")).to_have_count(0)
    assert page.request.get("/automation/migrations?status=odd").status == 400
    assert page.request.get("/automation/migrations/mig_none").status == 404
