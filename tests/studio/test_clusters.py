"""A cluster's page: a run is begun there, what it found is drawn and listed, and both are taken away."""

import re

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, clustered


def test_what_a_run_found_is_drawn_and_listed(page: Page, shelf: Shelf) -> None:
    page.goto(clustered(shelf))
    expect(page.locator(".facts")).to_contain_text("60")
    drawn = page.locator(".scatter path")
    expect(drawn).to_have_count(3)
    dots = sum(len(re.findall("M", drawn.nth(place).get_attribute("d") or "")) for place in range(3))
    assert dots == 60
    rows = page.locator(".cluster-list tbody tr")
    expect(rows).to_have_count(3)
    size = int(rows.first.locator(".n").inner_text())
    rows.first.get_by_role("link").click()
    listed = page.locator("#members tbody tr")
    expect(listed).to_have_count(min(size, 20))
    listed.first.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/documents/doc_"))


def test_a_run_by_attributes_is_begun_and_the_cluster_deleted(page: Page, shelf: Shelf) -> None:
    with shelf.server.client() as client:
        body = {"cluster_name": "by title", "cluster_type": "attribute", "attribute_config": {"attributes": ["title"]}}
        made = client.post("clusters", {**body, "collection_ids": ["dishes"]})
    page.goto("/data/clusters")
    page.get_by_role("link", name="by title").click()
    expect(page.locator(".blank")).to_contain_text("has not run yet")
    # Whoever reloads before the page has come back cuts its own way off: the page that comes has no such mark.
    page.evaluate("document.body.dataset.before = 'yes'")
    page.get_by_role("button", name="Run now").click()
    expect(page.locator("body:not([data-before]) h1")).to_have_text("by title")
    page.wait_for_load_state()
    for _ in range(200):
        if page.locator(".cluster-list").count():
            break
        page.reload()
    expect(page.locator(".scatter")).to_have_count(0)
    assert page.locator(".cluster-list tbody tr").count() > 0
    page.locator(".head .danger").click()
    page.get_by_role("button", name="Delete the cluster").click()
    expect(page).to_have_url(re.compile("/data/clusters$"))
    answer = page.request.get(f"/data/clusters/{made['cluster_id']}")
    assert answer.status == 404
