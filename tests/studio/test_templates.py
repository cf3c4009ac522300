"""The gallery: what there is to begin with, and a thing made of one of them under a name of one's own."""

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, labelled


def test_a_bucket_is_made_of_a_template(page: Page, shelf: Shelf) -> None:
    page.goto("/data")
    page.get_by_role("link", name="Templates").click()
    page.get_by_role("link", name="Products", exact=True).click()
    page.fill("#made-name", "dishes")
    page.get_by_role("button", name="Create it").click()
    expect(page.locator(".problem")).to_contain_text("dishes")
    page.fill("#made-name", "wares")
    page.get_by_role("button", name="Create it").click()
    page.wait_for_url("**/data/buckets/bkt_*")
    expect(page.locator("h1")).to_have_text("wares")


def test_one_of_the_organisations_own_is_used_and_let_go(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        taxonomy = labelled(shelf).rpartition("/")[2]
        client.post(f"templates/taxonomies/from-taxonomy/{taxonomy}", {"template_name": "<b>Courses</b>"})
    page.goto("/data/templates")
    page.get_by_role("link", name="<b>Courses</b>").click()
    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name="Delete the template").click()
    page.wait_for_url("**/data/templates")
    expect(page.get_by_role("link", name="<b>Courses</b>")).to_have_count(0)
    assert page.request.get("/data/templates/odd/tmpl_cluster_topics").status == 400
    assert page.request.get("/data/templates/cluster/tmpl_none").status == 404
    page.goto("/data/templates/cluster/tmpl_cluster_topics")
    page.get_by_role("button", name="Create it").click()
    expect(page.locator(".problem")).to_contain_text("collection: choose at least one")
