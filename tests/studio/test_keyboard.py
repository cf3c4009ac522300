"""From a file to a comparison by keys alone: what has the focus is always to be seen, and nothing is ever clicked."""

import json

from playwright.sync_api import FilePayload, Page, expect

from tests.studio.shelf import Shelf

_MOST_STEPS = 150
_BUCKET = "by-keys"
_FILE: FilePayload = {"name": "heron.txt", "mimeType": "text/plain", "buffer": b"A grey heron fishes at dusk.\n"}
_FOCUS = """async ([wanted, says]) => {
  const has = document.activeElement, isWhole = has.tagName === "BODY" || has.id === "main";
  let ring = has;
  while (ring && getComputedStyle(ring).outlineStyle === "none") ring = ring.parentElement;
  const isThere = () => { const box = has.getBoundingClientRect(); return box.bottom > 0 && box.top < innerHeight; };
  for (let frame = 0; frame < 60 && !isThere(); frame++) await new Promise(requestAnimationFrame);
  return { is: has.matches(wanted) && has.textContent.includes(says), at: has.outerHTML.slice(0, 120),
    isSeen: isWhole || (ring !== null && isThere()) };
}"""
"""What has the focus: whether it is what is looked for, and whether a ring shows it, its own or one around it.

The page may take some frames to scroll to it.
"""


def reach(page: Page, selector: str, says: str = "", back: bool = False) -> None:
    """Step by Tab to what the selector names and the text tells apart."""
    expect(page.locator(selector, has_text=says).first).to_be_attached()
    # What an answer scrolls to comes some milliseconds after it is to be seen.
    expect(page.locator(".htmx-swapping, .htmx-settling")).to_have_count(0)
    passed = []
    for _ in range(_MOST_STEPS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        focus = page.evaluate(_FOCUS, [selector, says])
        assert focus["isSeen"], f"has the focus and does not show it: {focus['at']}"
        if focus["is"]:
            return
        passed.append(focus["at"])
    raise AssertionError(f"{selector} {says} is not reached, after {passed[-20:]}")


def press(page: Page, selector: str, says: str = "", back: bool = False) -> None:
    reach(page, selector, says, back)
    page.keyboard.press("Enter")


def past_the_bar(page: Page) -> None:
    """By the link that skips it, which is the first thing on every page."""
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")


def a_file_is_brought_in(page: Page) -> None:
    """A bucket, a file in it, a collection that takes it."""
    # What the system's own window would choose.
    page.on("filechooser", lambda chooser: chooser.set_files(_FILE))
    page.goto("/data")
    past_the_bar(page)
    press(page, "summary", "New bucket")
    reach(page, "#bucket-name")
    page.keyboard.type(_BUCKET)
    reach(page, "[name=kind]")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_label("Documents")).to_be_checked()
    press(page, "button", "Create the bucket")
    expect(page.locator("h1")).to_have_text(_BUCKET)
    past_the_bar(page)
    reach(page, "#files")
    page.keyboard.press("Space")
    expect(page.locator("#uploads [data-state=in]")).to_have_count(1)
    press(page, "#upload-sum a")
    expect(page.get_by_label("document_extractor")).to_be_checked()
    past_the_bar(page)
    press(page, "button", "Create the collection")
    expect(page.locator(".batch .status")).to_have_text("done")


def a_pipeline_is_asked(page: Page) -> None:
    """Built of what is there, moved, run."""
    page.keyboard.press("Home")
    press(page, "a[href='/playground']", back=True)
    page.wait_for_url("**/playground")
    past_the_bar(page)
    reach(page, "#inputs")
    page.keyboard.press("Control+A")
    page.keyboard.type(json.dumps({"query": "warm soup"}))
    reach(page, "#add")
    page.keyboard.type("sort_attr")
    added = page.locator(".stage-form").nth(2)
    expect(added.locator(".stage-title")).to_be_focused()
    reach(page, ".stage-form:nth-child(3) [name$='.p.field']")
    page.keyboard.type("price")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".stage-form").nth(1).locator(".kind")).to_have_text("sort_attribute")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".light[data-state=completed]")).to_have_count(3)
    press(page, "#outcome a", "Open the execution")
    expect(page.locator("h1")).to_have_text("warm soup")


def a_stage_says_why_not(page: Page) -> None:
    """What a stage dropped, and why."""
    past_the_bar(page)
    press(page, "#stage-2")
    expect(page.locator("#stage-title")).to_contain_text("best")
    page.wait_for_url("**stage=2**")
    press(page, "#group-dropped")
    page.wait_for_url("**group=dropped**")
    expect(page.locator("#group-dropped")).to_be_focused()
    press(page, ".card summary")
    press(page, ".card button", "Why not?")
    expect(page.locator("#why-answer .why")).to_contain_text("It stopped at best.")


def a_replay_is_compared(page: Page) -> None:
    """It and the execution side by side."""
    press(page, "summary", "Replay", back=True)
    press(page, "button", "Replay")
    expect(page.locator(".replayed.identical")).to_be_visible()
    press(page, "a", "Open the replay")
    expect(page.locator(".meta")).to_contain_text("frozen replay of")
    past_the_bar(page)
    press(page, ".meta a[href^='/compare']")
    expect(page.locator(".done")).to_be_visible()
    past_the_bar(page)
    press(page, "#stage-1")
    expect(page.locator("#compared-title")).to_contain_text("sort_attribute")


def test_from_a_file_to_a_comparison(page: Page, shelf: Shelf) -> None:
    a_file_is_brought_in(page)
    a_pipeline_is_asked(page)
    a_stage_says_why_not(page)
    a_replay_is_compared(page)
