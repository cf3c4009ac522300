"""A version on trial, as its owner follows it: begun, measured, given a share, and taken or not."""

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, pipeline
from tests.studio.test_looks import check

QUESTIONS = ("warm soup", "fresh bread")


def test_a_candidate_is_tried_in_the_shadow_and_promoted(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        for name, limit in (("on-trial", 10), ("on-trial-next", 5)):
            client.post("retrievers", {"retriever_name": name, **pipeline(limit)})
        page.goto(f"/retrievers/{client.get('retrievers/on-trial')['retriever_id']}")
        page.get_by_role("link", name="Roll-out").click()
        expect(page.locator(".lead")).to_contain_text("Nothing is rolled out")
        page.select_option("#candidate", label="on-trial-next")
        page.fill("#shadow", "101")
        page.get_by_role("button", name="Begin").click()
        expect(page.locator(".result .problem")).to_contain_text("shadow: a number from 0")
        page.fill("#shadow", "100")
        page.get_by_role("button", name="Begin").click()
        expect(page.locator(".lead")).to_contain_text("Version 2 is tried beside version 1")
        expect(page.locator("#runs-title + .empty")).to_be_visible()

        asked = [client.post("retrievers/on-trial/execute", {"inputs": {"query": one}}) for one in QUESTIONS]
        assert [len(one["documents"]) for one in asked] == [10, 10]
        compared = page.locator(".facts dd").first
        for _ in range(100):  # the shadow runs behind the answers, and the page is loaded again until it has
            if compared.inner_text().startswith("2 "):
                break
            page.reload()
        expect(compared).to_have_text("2 / 1,000")
        expect(page.locator(".facts dd").nth(2)).to_contain_text("50")
        expect(page.locator("#runs-title ~ .table-wrap tbody tr")).to_have_count(2)
        for question in QUESTIONS:
            expect(page.locator("#runs-title ~ .table-wrap tbody")).to_contain_text(question)
        expect(page.locator("#cost-title ~ .table-wrap tbody tr")).to_have_count(2)
        check(page)
        page.set_viewport_size({"width": 1280, "height": 900})

        page.get_by_text("Change shares").click()
        page.fill("#live", "100")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".meter figcaption")).to_contain_text("answers 100")
        assert len(client.post("retrievers/on-trial/execute", {"inputs": {"query": QUESTIONS[0]}})["documents"]) == 5
        page.locator("summary", has_text="Roll back").click()
        page.get_by_role("button", name="Roll back").click()
        expect(page.locator("h1")).to_have_text("on-trial")
        assert len(client.post("retrievers/on-trial/execute", {"inputs": {"query": QUESTIONS[0]}})["documents"]) == 10

        page.get_by_role("link", name="Roll-out").click()
        page.select_option("#candidate", value="2:3")
        page.get_by_role("button", name="Begin").click()
        expect(page.locator(".lead")).to_contain_text("Version 2 is tried beside version 3")
        page.goto(page.url.removesuffix("/rollout"))
        page.get_by_role("link", name="version 2 is tried").click()
        page.locator("summary", has_text="Promote").click()
        page.get_by_role("button", name="Promote").click()
        expect(page.locator(".meta")).to_contain_text("version 4")
        assert len(client.post("retrievers/on-trial/execute", {"inputs": {"query": QUESTIONS[0]}})["documents"]) == 5


def test_what_is_measured_by_is_told_where_it_is_not_there(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        client.post("retrievers", {"retriever_name": "measured", **pipeline(10)})
        client.put("retrievers/measured/rollout", {"shadow_share": 0.5})
        found = client.get("retrievers/measured")["retriever_id"]
        page.goto(f"/retrievers/{found}/rollout?dataset=none-such")
        expect(page.locator(".warning")).to_contain_text("none-such")
        expect(page.locator(".facts")).to_be_visible()
        client.post("retrievers/measured/rollout/roll-back")
