"""The playground, as a person uses it."""

import json
import re

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf


def titles(page: Page) -> list[str]:
    return [one.input_value() for one in page.locator(".stage-title").all()]


def test_from_nothing_to_an_answer(page: Page, shelf: Shelf) -> None:
    """Build, see the plan and its cost, run with the stages lighting up, save."""
    page.goto("/playground")
    assert titles(page) == ["search", "best"]
    page.fill("#inputs", json.dumps({"query": "warm soup"}))
    expect(page.get_by_label("dishes")).to_be_checked()
    page.select_option("#add", "sort_attribute")
    expect(page.locator(".stage-form")).to_have_count(3)
    added = page.locator(".stage-form").last
    expect(added.locator(".stage-title")).to_be_focused()
    added.locator("[name$='.p.field']").fill("price")
    expect(page.locator("#plan tbody tr")).to_have_count(3)
    expect(page.locator("#plan tfoot")).to_contain_text("0.01")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".light[data-state=completed]")).to_have_count(3)
    expect(page.locator("[data-says]").first).to_contain_text("→")
    expect(page.locator("#outcome a.stage-row")).to_have_count(3)
    page.locator("summary", has_text="Save as retriever").click()
    page.fill("#save-name", "played")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".done")).to_contain_text("played")
    with shelf.server.client() as client:
        saved = client.get("retrievers/played")
        assert [one["stage_name"] for one in saved["stages"]] == ["search", "best", "sort_attribute"]
    page.get_by_role("link", name="Open the execution").click()
    expect(page.locator("h1")).to_have_text("warm soup")


def test_stages_are_moved_by_keys_by_buttons_and_by_hand(page: Page, shelf: Shelf) -> None:
    page.goto(f"/playground?from={shelf.plain}")
    assert titles(page) == ["search", "cheap", "by_price", "best"]
    page.locator(".stage-title").nth(2).focus()
    page.keyboard.press("Alt+ArrowUp")
    assert titles(page) == ["search", "by_price", "cheap", "best"]
    expect(page.locator(".stage-title").nth(1)).to_be_focused()
    page.locator(".stage-form").nth(1).get_by_role("button", name="Move down").click()
    assert titles(page) == ["search", "cheap", "by_price", "best"]
    page.locator(".grip").nth(3).drag_to(page.locator(".stage-form").nth(2), target_position={"x": 60, "y": 4})
    assert titles(page) == ["search", "cheap", "best", "by_price"]
    expect(page.locator("#plan tbody tr td:first-child").nth(2)).to_contain_text("best")
    page.locator(".stage-form").nth(2).get_by_role("button", name="Remove").click()
    assert titles(page) == ["search", "cheap", "by_price"]


def test_what_is_wrong_is_told_where_it_is(page: Page, shelf: Shelf) -> None:
    page.goto(f"/playground?from={shelf.plain}")
    limit = page.locator(".stage-form").last.locator("[name$='.p.limit']")
    limit.fill("ten")
    limit.blur()
    expect(page.locator("#plan .problem")).to_contain_text("stage best: limit: a number")
    limit.fill("-5")
    limit.blur()
    expect(page.locator("#plan .problem")).to_contain_text("stages.3")
    page.click("#run-button")
    expect(page.locator("#run-problem")).to_contain_text("limit")
    limit.fill("3")
    page.fill("#inputs", "{")
    page.click("#run-button")
    expect(page.locator("#run-problem")).to_contain_text("inputs: not valid JSON")
    page.fill("#inputs", '{"query": "tea"}')
    page.click("#run-button")
    expect(page.locator("#outcome .card")).to_have_count(3)
    expect(page.locator("#run-problem")).to_be_hidden()


def test_a_run_that_fails_says_where_and_has_a_record(page: Page, shelf: Shelf) -> None:
    page.goto(f"/playground?from={shelf.failed}")
    page.click("#run-button")
    expect(page.locator(".light[data-state=failed]")).to_have_count(1)
    expect(page.locator("#run-problem")).to_be_visible()
    expect(page.locator("#outcome .status")).to_have_text("failed")


def test_as_json_with_completion_and_back_to_forms(page: Page, shelf: Shelf) -> None:
    page.goto(f"/playground?from={shelf.plain}")
    page.locator("summary", has_text="JSON").click()
    area = page.locator("#pipeline-json")
    body = json.loads(area.input_value())
    assert body["inputs"] == {"query": "warm soup"}
    assert [one["config"]["stage_id"] for one in body["stages"]][1:] == ["attribute_filter", "sort_attribute", "limit"]
    area.fill('{"stages": [{"stage_id": "sam')
    area.press("Control+Space")
    expect(page.locator(".offers li")).to_have_text(["sample"])
    area.press("Enter")
    area.press_sequentially('", "parameters": {"count": 3}}]}')
    page.get_by_role("button", name="Take the stages over").click()
    expect(page.locator(".stage-title")).to_have_count(1)
    assert titles(page) == ["sample"]
    assert page.locator("[name$='.p.count']").input_value() == "3"
    expect(page.locator("details.menu[open]")).to_have_count(0)
    page.locator("summary", has_text="JSON").click()
    expect(area).to_have_value(re.compile('"stage_name": "sample"'))
    area.fill("[{]")
    page.get_by_role("button", name="Take the stages over").click()
    expect(page.locator("#pipeline-problem")).to_contain_text("not valid JSON")
    assert titles(page) == ["sample"]


def test_every_stage_of_the_catalogue_has_a_form(page: Page, shelf: Shelf) -> None:
    page.goto("/playground")
    with shelf.server.client() as client:
        catalogue = client.get("retrievers/stages")
    for stage in catalogue:
        answer = page.request.get(f"/playground/stage?stage_id={stage['stage_id']}")
        assert answer.ok, stage["stage_id"]
        shown = answer.text()
        missing = [name for name in stage["parameter_schema"]["properties"] if f'.p.{name}"' not in shown]
        assert missing == [], stage["stage_id"]
