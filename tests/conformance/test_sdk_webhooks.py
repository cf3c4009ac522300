"""Webhooks, driven by the published client."""

from typing import Any

import mixpeek

from tests.conformance.conftest import Corpus
from tests.conformance.wire import Wire


def test_a_webhook_is_made_changed_listed_and_deleted(wire: Wire, generated: mixpeek.ApiClient, corpus: Corpus) -> None:
    api: Any = mixpeek.WebhooksApi(generated)
    body = {
        "webhook_name": "changes",
        "event_types": ["object.created", "collection.documents.written"],
        "channels": [{"channel": "webhook", "configs": {"url": "https://example.com/hook", "timeout": 5}}],
    }
    # Of a webhook's id the later client wants 16 figures where the contract has 10: answers are read as they came.
    _call(api, "create")(mixpeek.WebhookInput.from_dict(body))
    webhook_id = wire.last()["webhook_id"]
    _call(api, "get")(webhook_id)
    assert (wire.last()["webhook_name"], wire.last()["event_types"]) == ("changes", body["event_types"])
    _call(api, "update")("changes", mixpeek.WebhookInput.from_dict({**body, "is_active": False}))
    assert (wire.last()["webhook_id"], wire.last()["is_active"]) == (webhook_id, False)
    _call(api, "list")(list_webhooks_request=mixpeek.ListWebhooksRequest(is_active=False))
    assert [one["webhook_id"] for one in wire.last()["results"]] == [webhook_id]
    _call(api, "delete")(webhook_id)
    _call(api, "list")()
    assert wire.last()["total"] == 0


def _call(api: Any, verb: str) -> Any:
    """The client's method of the verb, whose name has the path in it."""
    (name,) = [
        name for name in dir(api) if name.startswith(f"{verb}_webhook") and name.endswith("without_preload_content")
    ]

    def call(*arguments: Any, **named: Any) -> None:
        # Its answer is on the wire until it is read.
        assert getattr(api, name)(*arguments, **named).data is not None

    return call
