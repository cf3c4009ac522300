"""A session's page: what was said, what it rests on, and the executions that it made."""

import re

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, talked


def test_a_conversation_is_shown_beside_its_executions_and_deleted(page: Page, shelf: Shelf) -> None:
    address = talked(shelf)
    page.goto("/data/sessions")
    page.get_by_role("link", name="Which dish is a warm soup?").click()
    answers = page.locator(".said .assistant")
    expect(answers.first.locator(".words")).to_contain_text("The first of them [D1], not [?].")
    expect(answers.first).to_contain_text("<script>")  # text, as it was written
    expect(answers.first).to_contain_text("dropped: D77")
    expect(answers.last).to_contain_text("There is no answer.")
    answers.first.get_by_role("link", name="[D1]").click()
    expect(page).to_have_url(re.compile("/data/collections/col_.*/documents/doc_"))
    page.goto(address)
    page.locator(".runs a").click()
    expect(page).to_have_url(re.compile("/executions/exec_"))
    page.goto(address)
    page.locator(".head .danger").click()
    page.get_by_role("button", name="Delete the session").click()
    expect(page).to_have_url(re.compile("/data/sessions$"))
    assert page.request.get(address).status == 404
