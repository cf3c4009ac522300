"""A small shop with vectors of its own, for tests of what stands beside the server: clients, retrievers, tools."""

from typing import Any

from tamis.client import Client

TEAS: tuple[dict[str, Any], ...] = (
    {"title": "Green sencha", "price": 12, "vectors": {"taste": [0.9, 0.1, 0.0]}},
    {"title": "Black assam", "price": 9, "vectors": {"taste": [0.1, 0.9, 0.2]}},
    {"title": "Smoked black souchong", "price": 15, "vectors": {"taste": [0.0, 0.8, 0.6]}},
    {"title": "White peony", "price": 21, "vectors": {"taste": [0.7, 0.0, 0.1]}},
    {"title": "<b>Rooibos</b> & honey", "price": 7, "vectors": {"taste": [0.2, 0.3, 0.1]}},
)
FEATURE = "mixpeek://passthrough_extractor@v1/taste"
INPUTS = {"query": {"type": "string", "required": True, "description": "A word of the title"}}


def stages(limit: int = 3) -> list[dict[str, Any]]:
    """By taste, then those that have the query in their title, then the first of them."""
    search = {"feature_uri": FEATURE, "query": {"input_mode": "vector", "value": [0.1, 0.9, 0.4]}, "top_k": 50}
    where = {"field": "title", "operator": "contains", "value": "{{INPUT.query}}"}
    return [
        {"stage_name": name, "config": {"stage_id": stage_id, "parameters": parameters}}
        for name, stage_id, parameters in (
            ("taste", "feature_search", {"searches": [search], "final_top_k": 50}),
            ("named", "attribute_filter", where),
            ("best", "limit", {"limit": limit}),
        )
    ]


def furnish(client: Client) -> str:
    """A bucket, a collection and a retriever, each called `teas`, without a document. Returns: the retriever's id."""
    client.buckets.create(bucket_name="teas", bucket_schema={"properties": {}})
    client.collections.create(
        collection_name="teas",
        source={"type": "bucket", "bucket_ids": ["teas"]},
        feature_extractor={
            "feature_extractor_name": "passthrough_extractor",
            "version": "v1",
            "parameters": {"vectors": {"taste": {"dimensions": 3}}},
        },
    )
    made = client.retrievers.create(
        retriever_name="teas", collection_identifiers=["teas"], input_schema=INPUTS, stages=stages()
    )
    return str(made["retriever"]["retriever_id"])
