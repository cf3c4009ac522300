"""An execution's page, as a person uses it."""

import json
import re

from playwright.sync_api import Page, expect

from tests.studio.shelf import BIDI, SCRIPT, Shelf, deleted


def test_the_sieve_shows_what_went_in_and_out_of_each_stage(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    expect(page.locator("h1")).to_have_text("warm soup")
    rows = page.locator("a.stage-row")
    expect(rows).to_have_count(4)
    with shelf.server.client() as client:
        trace = client.get(f"retrievers/executions/{shelf.plain}/trace", limit=0)
    for row, stage in zip(rows.all(), trace["stages"], strict=True):
        expect(row.locator("strong").first).to_have_text(stage["stage_name"])
        expect(row.locator(".counts strong")).to_have_text(str(stage["returned"]))
        expect(row.locator("path.through")).to_have_count(1)
    assert page.locator("path.held").count() == 2, "the filter and the limit held something back"


def test_a_stage_shows_what_it_dropped_and_moved(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    page.click("#stage-1")
    page.wait_for_url("**?stage=1")
    expect(page.locator("#stage-title")).to_contain_text("cheap")
    page.click("#group-dropped")
    expect(page.locator(".card.dropped").first).to_be_visible()
    prices = page.locator(".card-facts").all_inner_texts()
    assert all(int(re.findall(r"price\s+(\d+)", text)[0]) >= 40 for text in prices)
    page.click("#stage-2")
    page.wait_for_url("**?stage=2")
    page.click("#group-moved")
    page.wait_for_url("**group=moved")
    expect(page.locator(".moved.up").first).to_be_visible()
    expect(page.locator(".stage-side pre").first).to_contain_text("price")
    page.go_back()
    expect(page.locator("#stage-title")).to_contain_text("by_price")


def test_the_text_is_marked_where_it_matches(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    marks = {text.lower() for text in page.locator(".card mark").all_inner_texts()}
    assert marks == {"warm", "soup"}


def test_why_not_by_picking_a_dropped_document_and_by_pasting_an_id(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}?stage=1&group=dropped")
    card = page.locator(".card").first
    document = card.locator("summary code").inner_text()
    card.get_by_role("button", name="Why not?").click()
    answer = page.locator("#why-answer .why")
    expect(answer).to_contain_text("It stopped at cheap.")
    expect(answer.locator(".edits")).to_contain_text("stages.1.parameters")
    page.fill("#why-id", "doc_of_nobody")
    page.click("#why button")
    expect(page.locator("#why-answer .problem")).to_contain_text("doc_of_nobody")
    page.fill("#why-id", document)
    page.keyboard.press("Enter")
    expect(answer).to_contain_text(document)


def test_run_again_with_edited_inputs(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    page.get_by_text("Run again").click()
    field = page.locator("#again-inputs")
    field.fill("not JSON")
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator(".pop .problem").first).to_contain_text("not valid JSON")
    field.fill(json.dumps({"query": "fresh bread"}))
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.locator("h1")).to_have_text("fresh bread")
    assert shelf.plain not in page.url
    expect(page.locator("a.stage-row")).to_have_count(4)


def test_replay_says_identical_and_links_to_the_replay(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    page.locator("summary", has_text="Replay").click()
    page.get_by_role("button", name="Replay", exact=True).click()
    expect(page.locator(".replayed.identical")).to_be_visible()
    page.get_by_role("link", name="Open the replay").click()
    expect(page.locator(".meta")).to_contain_text("frozen replay of")


def test_save_as_a_retriever_and_add_to_an_evaluation_set(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    page.get_by_text("Save as retriever").click()
    page.fill("#save-name", "from-the-studio")
    page.keyboard.press("Enter")
    expect(page.locator(".done")).to_contain_text("from-the-studio")
    page.keyboard.press("Escape")
    page.get_by_text("Add to evaluation set").click()
    page.fill("#evaluate-name", "judged")
    page.keyboard.press("Enter")
    expect(page.locator(".done", has_text="judged")).to_be_visible()
    with shelf.server.client() as client:
        assert len(client.get("retrievers/from-the-studio")["stages"]) == 4
        assert client.get("retrievers/evaluations/datasets/judged")["dataset_name"] == "judged"


def test_export_and_copy_as_code(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    assert json.loads(download.value.path().read_text())["format"] == "tamis.execution/1"
    page.get_by_text("Copy as code").click()
    expect(page.locator("#code-1")).to_contain_text("$TAMIS_API_KEY")
    program = page.locator("#code-2").inner_text()
    compile(program, "copied", "exec")
    assert shelf.server.key not in page.content()


def test_script_markup_and_right_to_left_text_show_as_text(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.nasty}")
    expect(page.locator(".card-title")).to_contain_text(SCRIPT)
    expect(page.locator(".card-text")).to_contain_text("<script>document.title='owned'</script>")
    assert BIDI.split()[-1] in page.locator(".card-text").inner_text()
    assert page.title().startswith("markup")
    assert page.locator(".card img").count() == 0


def test_pictures_and_a_player_at_the_right_second(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.pictures}")
    picture = page.locator(".card img.thumb").first
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") > 0
    page.goto(f"/executions/{shelf.videos}")
    sources = [one.get_attribute("src") or "" for one in page.locator("video").all()]
    assert sources
    assert all(re.search(r"^/v1/blobs/.+#t=\d", source) for source in sources)


def test_a_failed_execution_shows_where_and_why(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.failed}")
    expect(page.locator(".status")).to_have_text("failed")
    expect(page.locator("li.failed .outcome")).to_have_text("failed")
    expect(page.locator(".problem").first).to_be_visible()


def test_a_link_is_permanent_whatever_was_deleted_since(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        client.post("retrievers/dishes/clone", {"retriever_name": "passing"})
        gone = client.post("retrievers/passing/execute", {"inputs": {"query": "tea"}})["execution_id"]
        deleted(shelf, "retrievers/passing")
        client.post("namespaces", {"namespace_name": "elsewhere"})
    page.goto("/executions")
    page.select_option("#namespace", label="elsewhere")
    page.wait_for_load_state("networkidle")
    page.goto(f"/executions/{gone}?stage=1&group=dropped")
    expect(page.locator("a.stage-row")).to_have_count(4)
    expect(page.locator(".meta")).to_contain_text("deleted since")
    page.locator(".card").first.get_by_role("button", name="Why not?").click()
    expect(page.locator("#why-answer .why")).to_contain_text("It stopped at cheap.")


def test_a_long_stage_is_paged(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}?stage=0")
    expect(page.locator(".card")).to_have_count(10)
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".card .rank strong").first).to_have_text("11")
    expect(page.locator(".pager")).to_contain_text("11 to 20 of 40")


def test_bad_addresses_are_told(page: Page, shelf: Shelf) -> None:
    for query, told in (
        ("stage=x", "stage: a place"),
        ("stage=0&group=no", "group: one of"),
        ("stage=9", "did not begin"),
    ):
        page.goto(f"/executions/{shelf.plain}?{query}")
        expect(page.locator(".lead")).to_contain_text(told)


def test_by_keyboard_alone(page: Page, shelf: Shelf) -> None:
    page.goto(f"/executions/{shelf.plain}")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("#stage-0").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#stage-title")).to_contain_text("search")
    expect(page.locator("#stage-0")).to_be_focused()


def test_who_follows_a_run_is_shown_the_whole_page_at_its_end(page: Page, shelf: Shelf) -> None:
    following = page.request.get(f"/executions/{shelf.plain}?following=yes", headers={"hx-request": "true"})
    assert (following.status, following.headers["hx-refresh"]) == (204, "true")
