"""A connection made and looked into, a bucket kept in step with it, and a file that did not come in."""

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, of, synced


def test_from_a_connection_to_a_bucket_in_step(page: Page, shelf: Shelf) -> None:
    sources = shelf.server.data_dir.parent / "sources" / "recipes"
    sources.mkdir(parents=True)
    (sources / "bread.txt").write_text("A fresh bread.")
    page.goto("/automation/connections/new")
    page.fill("#connection-name", "kitchen")
    page.get_by_label("A folder").check()
    page.fill("#folder", "/no/such/folder")
    page.get_by_role("button", name="Make the connection").click()
    expect(page.locator(".problem")).to_contain_text("folder")
    page.fill("#folder", str(sources.parent))
    page.get_by_role("button", name="Make the connection").click()
    page.wait_for_url("**/automation/connections/conn_*")
    page.get_by_role("button", name="Test it").click()
    expect(page.locator("#told .done")).to_be_visible()
    page.get_by_role("button", name="Look").click()
    page.locator("#inside").get_by_role("button", name="recipes").click()
    expect(page.locator("#inside .thing")).to_contain_text("bread.txt")

    page.get_by_role("link", name="Keep a bucket in step with it").click()
    expect(page.locator("#path")).to_have_value("recipes")
    page.select_option("#bucket", value=of(shelf, "bucket", "dishes").rpartition("/")[2])
    page.fill("#seconds", "5")
    page.get_by_label("extract what comes in").uncheck()
    page.get_by_role("button", name="Make the sync").click()
    expect(page.locator(".problem")).to_contain_text("seconds: a whole number from 30 to 900")
    page.fill("#seconds", "900")
    page.get_by_role("button", name="Make the sync").click()
    page.wait_for_url("**/automation/syncs/bkt_*/sync_*")
    # The page asks again by itself until the run has ended.
    expect(page.locator(".ledger tbody tr")).to_have_count(1)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("button", name="Resume").click()
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete the sync").click()
    page.wait_for_url("**/automation/syncs")


def test_what_became_of_each_file_is_told(page: Page, shelf: Shelf) -> None:
    page.goto(synced(shelf))
    expect(page.locator(".ledger tbody tr")).to_have_count(2)
    expect(page.locator(".ledger tr", has_text="soup.txt")).to_contain_text("has no property that takes text")
    page.locator(".segments").get_by_role("link", name="failed").click()
    expect(page.locator(".ledger tbody tr")).to_have_count(1)
    page.locator(".segments").get_by_role("link", name="All").click()
    page.get_by_role("link", name="menu/card.pdf").click()
    page.wait_for_url("**/objects/obj_*")
    assert page.request.get(f"{synced(shelf)}?state=odd").status == 400
    assert page.request.get(f"{synced(shelf)}0").status == 404
