"""Data, as a person uses it: from files to an answer, what is wrong with a file, and what became of each."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.drawing import drawn, encoded
from tests.studio.shelf import BIDI, SCRIPT, Shelf, first_of, of

OBSERVATORY = b"The observatory opens its doors on the first Friday of each month.\n"
CHESS = b"The winter chess tournament is played in the town library.\n"


def file(name: str, content: bytes, media_type: str = "text/plain") -> FilePayload:
    return {"name": name, "mimeType": media_type, "buffer": content}


def test_from_files_to_an_answer(page: Page, shelf: Shelf) -> None:
    page.goto("/data")
    page.get_by_text("New bucket").click()
    page.fill("#bucket-name", "a/b")
    page.get_by_label("Documents").check()
    page.get_by_role("button", name="Create the bucket").click()
    expect(page.locator(".result .problem")).to_contain_text("bucket_name: a name is printable")
    page.fill("#bucket-name", "leaflets")
    page.get_by_role("button", name="Create the bucket").click()
    expect(page.locator("h1")).to_have_text("leaflets")
    page.locator("#files").focus()
    expect(page.locator("#files")).to_be_focused()
    page.set_input_files("#files", [file("observatory.txt", OBSERVATORY), file("chess.txt", CHESS)])
    expect(page.locator("#uploads [data-state=in]")).to_have_count(2)
    expect(page.locator("#objects .thing")).to_have_count(2)
    page.get_by_role("link", name="Next: make it searchable").click()
    expect(page.get_by_label("document_extractor")).to_be_checked()
    page.get_by_text("with defaults").click()
    page.fill("#p-min_text_length", "many")
    page.get_by_role("button", name="Create the collection").click()
    expect(page.locator(".result .problem")).to_contain_text("min_text_length: a number")
    page.fill("#p-min_text_length", "5")
    page.get_by_role("button", name="Create the collection").click()
    expect(page.locator(".batch .status")).to_have_text("done")
    expect(page.locator(".progress-says")).to_contain_text("2 done")
    page.get_by_role("link", name="Ask leaflets").click()
    expect(page.locator("#documents .thing")).to_have_count(2)
    page.fill("#ask", "When can one look through the telescope?")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("When can one look through the telescope?")
    expect(page.locator(".card").first).to_contain_text("observatory")
    expect(page.locator(".card").first).to_contain_text("first Friday")


def dropped(page: Page, files: list[tuple[str, str, str]]) -> None:
    """Files (name, type, text) let go over the zone."""
    held = page.evaluate_handle(
        """files => { const held = new DataTransfer();
        for (const [name, type, text] of files) held.items.add(new File([text], name, {type})); return held; }""",
        [list(one) for one in files],
    )
    page.dispatch_event(".drop", "drop", {"dataTransfer": held})


def test_a_bad_file_says_why_and_holds_up_no_other(page: Page, shelf: Shelf) -> None:
    bucket = of(shelf, "bucket", "pictures")
    page.goto(bucket)
    dropped(page, [("letter.pdf", "application/pdf", "%PDF-1.4"), ("nothing.png", "image/png", ""),
                   ("lies.png", "image/png", "no picture at all")])  # fmt: skip
    page.set_input_files("#files", [file("good.png", encoded(drawn(seed=8)), "image/png")])
    failed = page.locator("#uploads [data-state=failed]")
    expect(failed).to_have_count(2)
    expect(failed.nth(0)).to_contain_text("'file' is declared as image, which a file of type pdf is not")
    expect(failed.nth(1)).to_contain_text("the file is empty")
    expect(page.locator("#upload-said")).to_have_text("2 of 4 are in, 2 failed.")
    expect(page.get_by_role("link", name="Ask pictures")).to_be_visible()
    page.get_by_role("link", name="What failed, and why").first.click()
    expect(page.locator("#failed .thing-name")).to_have_text("lies.png")
    expect(page.locator("#failed .error")).to_contain_text("no picture that can be read")
    page.get_by_role("button", name="Try 1 again").click()
    expect(page.locator("#failed .thing")).to_contain_text("2 attempts")
    page.locator("#failed .thing-name").click()
    expect(page.locator(".problem")).to_contain_text("no picture that can be read")
    page.goto(f"{bucket}?status=FAILED")
    expect(page.locator("#objects .thing-name")).to_have_text(["lies.png"])


def test_a_file_that_was_cut_off_is_sent_again(page: Page, shelf: Shelf) -> None:
    page.goto(of(shelf, "bucket", "pictures"))
    page.get_by_label("Extract at once").uncheck()

    def cut(route: Route) -> None:
        route.abort("connectionreset")

    page.route("**/v1/uploads/*", cut)
    page.set_input_files("#files", [file("far.png", encoded(drawn(seed=9)), "image/png")])
    expect(page.locator("#uploads [data-state=failed]")).to_contain_text("The server does not answer")
    page.unroute("**/v1/uploads/*", cut)
    page.get_by_role("button", name="Try again: far.png").click()
    expect(page.locator("#uploads [data-state=in]")).to_have_count(1)
    page.set_input_files("#files", [file("again.png", encoded(drawn(seed=9)), "image/png")])
    expect(page.locator("#uploads li").nth(1)).to_contain_text("was in already")


def test_a_document_with_its_vectors_its_family_and_what_is_like_it(page: Page, shelf: Shelf) -> None:
    page.goto(first_of(shelf, "collection", "films", "document"))
    assert page.locator("video.show").get_attribute("src") is not None
    expect(page.locator(".tree [aria-current]")).to_contain_text("video 0")
    expect(page.locator(".tree .branch > ul > li")).to_have_count(2)
    expect(page.locator(".feature")).to_have_count(3)
    drawing = page.locator(".feature", has_text="color_gradient_descriptor")
    expect(drawing.locator(".strokes")).to_have_count(1)
    page.locator(".tree a.leaf").first.click()
    expect(page.locator("h2", has_text="What became of it")).to_be_visible()
    page.go_back()
    drawing.get_by_role("link", name="More like this").click()
    page.click("#run-button")
    expect(page.locator("#outcome .card").first).to_contain_text("video 0")


def test_documents_are_searched_and_filtered_and_keep_the_address(page: Page, shelf: Shelf) -> None:
    page.goto(of(shelf, "collection", "dishes"))
    expect(page.locator("#documents .count")).to_have_text("60")
    page.get_by_role("link", name="Next").click()
    expect(page.locator(".pager")).to_contain_text("21 to 40 of 60")
    page.locator("#document-text").press_sequentially("SOUP")
    page.wait_for_url("**text=SOUP**")
    page.fill("#filter-field", "price")
    page.select_option("#filter-op", "lt")
    page.fill("#filter-value", "12")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#documents .thing-name")).to_have_count(4)
    found = page.locator("#documents .thing-name").all_inner_texts()
    assert sorted(found) == ["noodles 11", "noodles 5", "soup 0", "soup 6"]
    page.reload()
    expect(page.locator(".chip")).to_contain_text("price is under 12")
    page.get_by_label("Without the condition on price").click()
    expect(page.locator(".chip")).to_have_count(0)
    for query, told in (("page=0", "page"), ("field=a&op=like&value=1", "op"), ("field=a", "as often")):
        page.goto(f"{of(shelf, 'collection', 'dishes')}?{query}")
        expect(page.locator(".lead")).to_contain_text(told)


def test_script_markup_and_right_to_left_text_show_as_text(page: Page, shelf: Shelf) -> None:
    for address in (
        first_of(shelf, "collection", "nasty", "document"),
        of(shelf, "collection", "nasty"),
        of(shelf, "bucket", "nasty"),
    ):
        page.goto(address)
        shown = page.locator("main").inner_text()
        assert "<script>document.title='owned'</script>" in shown
        assert BIDI.split()[-1] in shown
        assert page.title() != "owned"
        assert page.locator("main img, main script").count() == 0
    page.goto(first_of(shelf, "collection", "nasty", "document"))
    expect(page.locator("h1")).to_have_text(SCRIPT)


def test_a_picture_is_asked_with_a_picture(page: Page, shelf: Shelf) -> None:
    page.goto(of(shelf, "collection", "pictures"))
    page.set_input_files("#example-file", [file("like.png", encoded(drawn(seed=2)), "image/png")])
    expect(page.locator(".card").first).to_contain_text("image 2")


def test_a_namespace_is_made_and_teaches_how_to_begin(page: Page, shelf: Shelf) -> None:
    page.goto("/data/namespaces")
    page.get_by_text("New namespace").click()
    page.fill("#namespace-name", "default")
    page.get_by_role("button", name="Create the namespace").click()
    expect(page.locator(".result .problem")).to_contain_text("default")
    page.fill("#namespace-name", "second shelf")
    page.get_by_role("button", name="Create the namespace").click()
    expect(page.locator(".steps li")).to_have_count(3)
    page.goto("/data/collections/new")
    expect(page.locator(".blank")).to_contain_text("fed by a bucket")
    page.goto(of(shelf, "collection", "dishes"))
    expect(page.locator("#namespace option:checked")).to_have_text("default")


def test_a_template_makes_a_whole_namespace_by_one_click(page: Page, shelf: Shelf) -> None:
    page.goto("/data/namespaces")
    card = page.locator(".shelf li", has_text="Documentation search")
    card.get_by_label("Name of the namespace of Documentation search").fill("default")
    card.get_by_role("button", name="Create it").click()
    expect(card.locator(".problem")).to_contain_text("default")
    card.get_by_label("Name of the namespace of Documentation search").fill("handbook")
    card.get_by_role("button", name="Create it").click()
    expect(page.locator("#namespace option:checked")).to_have_text("handbook")
    expect(page.locator("main")).to_contain_text("passages")
    page.goto(of(shelf, "collection", "dishes"))
    expect(page.locator("#namespace option:checked")).to_have_text("default")


def test_what_is_deleted_is_gone_and_what_it_fed_stays(page: Page, shelf: Shelf) -> None:
    page.goto("/data")
    page.get_by_text("New bucket").click()
    page.fill("#bucket-name", "passing")
    page.get_by_role("button", name="Create the bucket").click()
    page.set_input_files("#files", [file("note.txt", CHESS)])
    page.locator("#objects .thing-name").click()
    for noun in ("object", "bucket"):
        page.locator("summary", has_text="Delete").click()
        page.get_by_role("button", name=f"Delete the {noun}").click()
        expect(page.locator("h1")).to_have_text("passing" if noun == "object" else "Data")
    expect(page.get_by_role("link", name="passing")).to_have_count(0)


@pytest.fixture
def client(shelf: Shelf) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=shelf.server.url, timeout=30) as opened:
        yield opened


def signed_in_as(client: httpx.Client, shelf: Shelf, **asked: Any) -> str:
    """The token of the pages' changes."""
    with shelf.server.client(None) as admin:
        made = admin.post("organizations/users/admin@localhost/api-keys", asked)
    client.post("/sign-in", data={"key": made["key"]})
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', client.get("/data").text)
    assert found
    return found[1]


def test_a_key_that_only_reads_is_shown_no_way_to_write_and_has_none(client: httpx.Client, shelf: Shelf) -> None:
    csrf = signed_in_as(client, shelf, name="looker", permissions=["read"])
    bucket, collection = of(shelf, "bucket", "pictures"), of(shelf, "collection", "pictures")
    shown = client.get(bucket).text
    assert 'type="file"' not in shown
    assert "reads only" in shown
    for address in (
        "/data/namespaces", "/data/buckets", "/data/collections", f"{bucket}/uploads", f"{bucket}/batches",
        f"{collection}/extract", f"{collection}/delete", f"{bucket}/delete",
    ):  # fmt: skip
        assert client.post(address, data={"csrf": csrf}).status_code == 403, address
    assert client.post(f"{collection}/search", data={"query": "red"}).status_code == 403, "without the token"
    found = client.post(f"{collection}/search", data={"csrf": csrf, "query": "red"})
    assert found.headers["location"].startswith("/executions/exec_")


def test_what_is_another_tenants_is_not_there(client: httpx.Client, shelf: Shelf) -> None:
    with shelf.server.client(None) as admin:
        other = admin.post("namespaces", {"namespace_name": "beyond"})["namespace_id"]
    scopes = [{"resource_type": "namespace", "resource_id": other, "operation": "read"}]
    csrf = signed_in_as(client, shelf, name="stranger", permissions=["read", "write", "delete"], scopes=scopes)
    bucket, collection = of(shelf, "bucket", "films"), of(shelf, "collection", "films")
    with shelf.server.client() as admin:
        batch = admin.post(f"buckets/{bucket.rpartition('/')[2]}/batches/list")["results"][0]["batch_id"]
        first = admin.post(f"buckets/{bucket.rpartition('/')[2]}/objects/list")["results"][0]["object_id"]
    for address in (
        bucket, collection, first_of(shelf, "collection", "films", "document"), f"{bucket}/batches/{batch}",
        f"{bucket}/batches/{batch}/events", f"{bucket}/objects/{first}", f"/data/collections/new?bucket={first}",
        f"/playground?like={first}&in={collection.rpartition('/')[2]}&feature=embedding",
    ):  # fmt: skip
        assert client.get(address).status_code == 404, address
    for address in (
        f"{bucket}/uploads", f"{bucket}/objects/{first}/extract", f"{collection}/search", f"{collection}/delete",
        f"{bucket}/objects/{first}/delete",
    ):  # fmt: skip
        assert client.post(address, data={"csrf": csrf, "query": "x"}).status_code == 404, address
    assert client.post("/data/namespaces", data={"csrf": csrf, "name": "mine"}).status_code == 403
    assert "films" not in client.get("/data").text


def test_events_of_a_batch_end_with_it(client: httpx.Client, shelf: Shelf) -> None:
    signed_in_as(client, shelf, name="follower", permissions=["read"])
    bucket = of(shelf, "bucket", "films")
    with shelf.server.client() as admin:
        batch = admin.post(f"buckets/{bucket.rpartition('/')[2]}/batches/list")["results"][0]["batch_id"]
    answer = client.get(f"{bucket}/batches/{batch}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    (event,) = answer.text.strip().split("\n\n")
    assert '"is_final":true' in event
    assert "<progress" in event


def test_from_a_document_to_the_executions_that_saw_it(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        trace = client.get(f"retrievers/executions/{shelf.plainer}/trace", stage="best", side="out")
        shown = trace["stages"][-1]["documents"]["returned"]["items"][0]
        dishes = client.get("collections/dishes")["collection_id"]
    address = f"/data/collections/{dishes}/documents/{shown['document_id']}"
    page.goto(address)
    seen = page.locator(".seen li").filter(has=page.locator(f'a[href="/executions/{shelf.plainer}"]'))
    expect(seen.locator(".seen-rank")).to_contain_text("1")
    seen.get_by_role("link").click()
    expect(page.locator("h1")).to_have_text("warm soup")
    page.goto(f"{address}/executions")
    expect(page.locator(".seen li").first).to_be_visible()
    here = f"/v1/collections/dishes/documents/{shown['document_id']}/executions"
    headers = {"Authorization": f"Bearer {shelf.server.key}", "X-Namespace": "default"}
    with httpx.Client(base_url=shelf.server.url, headers=headers) as client:
        for name, value in (("after", "x"), ("limit", "0")):
            told = client.get(here, params={name: value})
            assert told.status_code == 422
            assert told.json()["detail"][0]["loc"][-1] == name
        assert client.get(here.replace(shown["document_id"], "nobody")).status_code == 404
    page.goto(f"{address}/executions?after=x")
    expect(page.locator(".lead")).to_contain_text("after")
