"""Two executions side by side."""

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, run


def test_they_part_where_the_pipelines_do(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    page.locator("summary", has_text="Compare").click()
    page.fill("#compare-b", shelf.plainer)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator(".warning")).to_contain_text("They part at best.")
    expect(page.locator(".warning")).to_contain_text("the pipeline")
    expect(page.locator("#compared-title")).to_have_text("What came out of best")
    expect(page.locator(".entries.first li")).to_have_count(10)
    expect(page.locator(".entries:not(.first) li")).to_have_count(4)
    expect(page.locator(".entries.first li.left")).to_have_count(6)
    expect(page.locator("path.link")).to_have_count(4)


def test_documents_that_moved_are_joined_by_lines(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        other = run(client, "bread for people")
    page.goto(f"/compare?a={shelf.plain}&b={other}")
    page.click("#stage-0")
    page.wait_for_url("**stage=0")
    moved = page.locator(".entries.first li.up, .entries.first li.down")
    assert moved.count() > 0
    assert page.locator("path.link.up").count() > 0
    expect(page.locator("#stage-0 .fate.moved")).to_be_visible()
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".entries .rank-no").first).to_have_text("26")


def test_the_same_twice_is_said_to_be_the_same(page: Page, shelf: Shelf) -> None:
    page.goto(f"/compare?a={shelf.plain}&b={shelf.plain}")
    expect(page.locator(".done")).to_be_visible()
    expect(page.locator(".entries li.same")).to_have_count(20)


def test_what_is_not_there_is_told(page: Page, shelf: Shelf) -> None:
    page.goto(f"/compare?a={shelf.plain}&b=exec_nothing")
    expect(page.locator(".lead")).to_contain_text("exec_nothing")
    page.goto(f"/compare?a={shelf.plain}&b={shelf.plainer}&stage=99")
    expect(page.locator(".lead")).to_contain_text("stage: a place from 0 to 3")
    page.goto("/compare")
    expect(page.locator("#a")).to_be_visible()
