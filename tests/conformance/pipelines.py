"""Pipelines that the conformance tests send."""

from typing import Any

from tests.conformance.conftest import DENSE

INPUT_SCHEMA: dict[str, Any] = {"query": {"type": "text", "required": True}}


def search(top_k: int = 10, **more: Any) -> dict[str, Any]:
    query = {"input_mode": "text", "value": "{{INPUT.query}}"}
    return stage("search", "feature_search", searches=[{"feature_uri": DENSE, "query": query, "top_k": top_k}], **more)


def stage(stage_name: str, stage_id: str, **parameters: Any) -> dict[str, Any]:
    return {
        "stage_name": stage_name,
        "stage_type": "filter",
        "config": {"stage_id": stage_id, "parameters": parameters},
    }


SIEVE: list[dict[str, Any]] = [
    search(),
    stage("at sea", "attribute_filter", field="topic", operator="eq", value="sea"),
    stage("few", "limit", limit=2),
]
