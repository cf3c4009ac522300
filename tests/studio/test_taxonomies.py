"""A taxonomy's pages: listed, its tree shown, and taken away."""

import re

from playwright.sync_api import Page, expect

from tests.studio.shelf import Shelf, labelled


def test_the_tree_of_a_taxonomy_is_shown_and_it_is_deleted(page: Page, shelf: Shelf) -> None:
    labelled(shelf)
    with shelf.server.client() as client:
        config = {"hierarchical_nodes": [{"id": "a", "label": "Above", "text": "x"}, {"id": "b", "parent": "a"}]}
        made = client.post("taxonomies", {"taxonomy_name": "brief", "config": config})
    page.goto("/data/taxonomies")
    page.get_by_role("link", name="brief").click()
    rows = page.locator(".taxonomy-tree tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Above")
    expect(page.locator(".facts")).to_contain_text("taxonomies.brief")
    page.locator(".head .danger").click()
    page.get_by_role("button", name="Delete the taxonomy").click()
    expect(page).to_have_url(re.compile("/data/taxonomies$"))
    assert page.request.get(f"/data/taxonomies/{made['taxonomy_id']}").status == 404
