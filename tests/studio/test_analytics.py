"""A namespace's figures, as whoever runs it reads them; an index that is suggested is made by one click."""

import orjson
from playwright.sync_api import Page, expect

from tamis.cli.ingest import ensure_bucket
from tests.studio.shelf import Shelf


def test_a_suggested_index_is_made_and_measured(page: Page, shelf: Shelf) -> None:
    """Fields that come into a collection that has grown large get an index at the next build: until then by a click."""
    with shelf.server.client() as client:
        bucket = ensure_bucket(client, "stock", {"text": "text"})
        client.post("collections", {
            "collection_name": "stock", "source": {"type": "bucket", "bucket_ids": [bucket]},
            "feature_extractor": {"feature_extractor_name": "passthrough_extractor", "version": "v1"},
        })  # fmt: skip
        for rows in ([{"name": f"thing {n}"} for n in range(600)], [{"weight": n} for n in range(100)]):
            lines = b"\n".join(orjson.dumps(one) for one in rows)
            client.post_bytes("collections/stock/documents/import", lines, "application/x-ndjson")
        parameters = {"field": "weight", "operator": "gte", "value": 50}
        heavy = {"stage_name": "heavy", "config": {"stage_id": "attribute_filter", "parameters": parameters}}
        client.post("retrievers", {"retriever_name": "heavy", "collection_identifiers": ["stock"], "stages": [heavy]})
        client.post("retrievers/heavy/execute", {})
    page.goto("/analytics/fields")
    row = page.locator(".ledger tbody tr", has_text="weight").first
    expect(row).to_contain_text("gte · 1 stage")
    row.get_by_role("button", name="Make the index").click()
    expect(row.locator(".measured")).to_contain_text("stock")
    expect(row.locator(".measured")).to_contain_text("100 documents")
    page.reload()
    expect(row.locator(".status")).to_have_text("answers it")
    answer = page.request.post("/analytics/fields/index", form={"field_name": "weight"})
    assert answer.status == 403  # without the session's token
    assert page.request.get("/analytics/fields?period=9d").status == 400


def test_where_the_time_goes_leads_to_executions(page: Page, shelf: Shelf) -> None:
    page.goto("/analytics")
    expect(page.locator(".ledger", has_text="dishes").first).to_be_visible()
    expect(page.locator(".ledger", has_text="text_extractor")).to_be_visible()
    page.get_by_role("link", name="Time by stage").click()
    expect(page.locator(".ledger tbody tr", has_text="text_extractor").first).to_be_visible()
    page.get_by_role("link", name="Slow executions").click()
    page.fill("#slow-ms", "soon")
    page.get_by_role("button", name="Go").click()
    expect(page.locator(".lead")).to_contain_text("ms: a number from 0")
    page.goto("/analytics/slow?ms=299999")
    expect(page.locator(".blank")).to_be_visible()
    page.fill("#slow-ms", "0")
    page.get_by_role("button", name="Go").click()
    page.locator(".ledger tbody a").first.click()
    page.wait_for_url("**/executions/exec_*")
