"""The list of executions, as a person uses it."""

import re
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, run


def test_it_is_filtered_while_one_types_and_keeps_its_address(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        run(client, "a very rare zucchini")
    page.goto("/executions")
    expect(page.locator(".list tbody tr").nth(3)).to_be_visible()
    page.locator("#filter-text").press_sequentially("ZUCCHINI")
    expect(page.locator(".list tbody tr")).to_have_count(1)
    page.wait_for_url("**text=ZUCCHINI**")
    page.reload()
    expect(page.locator(".list .query a")).to_have_text("a very rare zucchini")
    page.fill("#filter-text", "nothing is called so")
    expect(page.locator(".blank")).to_be_visible()


def test_by_status_by_kind_and_by_retriever(page: Page, shelf: Shelf) -> None:
    page.goto("/executions")
    page.select_option("#filter-status", "failed")
    page.wait_for_url("**status=failed**")
    expect(page.locator(f"#row-{shelf.failed}")).to_be_visible()
    expect(page.locator(".list .status:not(.failed)")).to_have_count(0)
    page.select_option("#filter-status", "")
    page.select_option("#filter-kind", "saved")
    expect(page.locator(f"#row-{shelf.saved}")).to_be_visible()
    expect(page.locator(f"#row-{shelf.plain}")).to_have_count(0)
    page.select_option("#filter-kind", "")
    page.select_option("#filter-retriever", label="dishes")
    expect(page.locator(f"#row-{shelf.plain}")).to_have_count(0)
    expect(page.locator(f"#row-{shelf.saved}")).to_be_visible()
    page.fill("#filter-credits", "1000")
    page.keyboard.press("Tab")
    expect(page.locator(".blank")).to_be_visible()


def test_from_a_bar_to_the_executions_behind_it(page: Page, shelf: Shelf) -> None:
    page.goto("/executions?period=1h")
    bar = page.locator(".chart").first.locator("a").last
    expect(bar).to_be_attached()
    says = bar.get_attribute("aria-label") or ""
    bar.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**start=**")
    asked = parse_qs(urlsplit(page.url).query)
    assert asked["start"] < asked["end"]
    count = re.findall(r": ([\d,]+)$", says)[0]
    expect(page.locator(".pager")).to_contain_text(f"{count} execution")


def test_it_is_live(page: Page, shelf: Shelf) -> None:
    page.goto("/executions")
    with shelf.server.client() as client:
        found = run(client, "cheese that came later")
    expect(page.locator(f"#row-{found}")).to_be_visible()


def test_it_goes_on_to_older_ones_and_back(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        queries = [{"inputs": {"query": f"bread {n % 2}"}} for n in range(32)]
        client.post("retrievers/dishes/execute/batch", {"queries": queries})
    page.goto("/executions")
    expect(page.locator(".list tbody tr")).to_have_count(30)
    newest = page.locator(".list .query a").first.get_attribute("href") or ""
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**after=**")
    assert page.locator(f'.list a[href="{newest}"]').count() == 0
    page.get_by_role("link", name="Newest").click()
    expect(page.locator(f'.list a[href="{newest}"]')).to_be_visible()


def test_bad_filters_are_told(page: Page, shelf: Shelf) -> None:
    for query in ("status=no", "kind=no", "period=2h", "start=yesterday", "ms=-1", "credits=nan", "after=x"):
        page.goto(f"/executions?{query}")
        expect(page.locator(".lead")).to_contain_text(query.partition("=")[0])


def test_an_empty_namespace_teaches_what_to_do(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        client.post("namespaces", {"namespace_name": "fresh"})
    page.goto("/executions")
    page.select_option("#namespace", label="fresh")
    expect(page.locator(".blank")).to_contain_text("tamis load")
