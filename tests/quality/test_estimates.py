"""After some executions, what is expected of a pipeline is within a factor of two of what then happens."""

from collections.abc import AsyncIterator
from statistics import fmean
from typing import Any

import pytest
import pytest_asyncio

from tests.quality.product_filters import FILTERS, on
from tests.quality.products import Shop, open_shop, search
from tests.shared_data import json_lines, shared

pytestmark = pytest.mark.asyncio(loop_scope="module")

LEARNT_FROM, TRIED_ON = 20, 20
DEAR = {"conditions": {"AND": [on("price", "gte", 2000)]}}
FUSED = {"searches": [search("dense", top_k=100), search("lexical", top_k=100)], "final_top_k": 100, "fusion": "rrf"}

PIPELINES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "fused, then filtered": [("feature_search", FUSED), ("attribute_filter", DEAR), ("limit", {"limit": 10})],
    "a score to reach": [
        ("feature_search", {"searches": [search("dense", top_k=300, min_score=0.2)], "final_top_k": 300}),
        ("deduplicate", {"fields": ["metadata.supplier"]}),
    ],
    "words, then groups": [
        ("feature_search", {"searches": [search("lexical", top_k=500)], "final_top_k": 500}),
        ("group_by", {"group_by_field": "supplier", "max_per_group": 2}),
        ("aggregate", {"aggregations": [{"function": "count", "alias": "n"}], "group_by": ["supplier"]}),
    ],
    "listed, then searched": [
        ("attribute_filter", DEAR),
        ("feature_search", {"searches": [search("dense", top_k=200)], "final_top_k": 50}),
        ("sample", {"count": 20}),
    ],
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture(scope="module")
def queries() -> list[str]:
    rows = json_lines(shared("data/chorus_icecat/queries.jsonl"))
    return [row["text"] for row in rows][: LEARNT_FROM + TRIED_ON]


def body(stages: list[tuple[str, dict[str, Any]]], query: str) -> dict[str, Any]:
    return {
        "collection_identifiers": ["corpus"],
        "input_schema": {"query": {"type": "text", "required": True}},
        "inputs": {"query": query},
        "stages": [
            {"stage_name": f"{stage_id} {number}", "config": {"stage_id": stage_id, "parameters": parameters}}
            for number, (stage_id, parameters) in enumerate(stages)
        ],
    }


async def counts(shop: Shop, stages: list[tuple[str, dict[str, Any]]], query: str) -> list[int]:
    answer = await shop.corpus.post("retrievers/execute", body(stages, query))
    return [one["output_count"] for one in answer["stage_statistics"]["stages"].values()]


@pytest.mark.parametrize("name", PIPELINES)
async def test_within_a_factor_of_two_after_some_executions(shop: Shop, queries: list[str], name: str) -> None:
    """Learnt from some queries, held against others: each stage's documents, on average over these."""
    stages = PIPELINES[name]
    for query in queries[:LEARNT_FROM]:
        await counts(shop, stages, query)
    plan = (await shop.corpus.post("retrievers/execute/explain", body(stages, queries[LEARNT_FROM])))["execution_plan"]
    assert [one["basis"] for one in plan] == ["measured"] * len(stages)
    happened = [await counts(shop, stages, query) for query in queries[LEARNT_FROM:]]
    for stage, outputs in zip(plan, zip(*happened, strict=True), strict=True):
        mean = fmean(outputs)
        assert mean / 2 <= stage["estimated_output"] <= mean * 2, (stage["stage_name"], mean)


async def test_a_filter_s_documents_are_counted_before_anything_ran(shop: Shop) -> None:
    """Every filter of the other tests, as a stage that lists; what the index cannot count, it does not claim to."""
    told = 0
    for name, (sent, keep) in FILTERS.items():
        listing = [("attribute_filter", {"conditions": {"AND": sent if isinstance(sent, list) else [sent]}})]
        (stage,) = (await shop.corpus.post("retrievers/execute/explain", body(listing, "x")))["execution_plan"]
        if stage["basis"] == "counted":
            told += 1
            assert stage["estimated_output"] == len(shop.matching(keep)), name
    assert told > len(FILTERS) / 2
