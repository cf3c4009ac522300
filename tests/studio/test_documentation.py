"""The page of the API, /docs: drawn from what this server serves; the fixture sees to it that nobody else is asked."""

from playwright.sync_api import Page, expect


def test_the_page_of_the_api_shows_what_can_be_asked(page: Page) -> None:
    page.goto("/docs")
    expect(page.locator(".info .title")).to_contain_text("Tamis", timeout=60_000)
    page.locator("#operations-tag-tasks").click(timeout=60_000)
    expect(page.locator(".opblock-summary-path").first).to_contain_text("/v1/tasks")
