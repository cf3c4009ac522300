"""The aggregate stage: rows instead of hits, or beside them."""

from typing import Any

import pydantic
import pytest

from tamis.engine.stages.aggregate import AggregateParameters
from tamis.model.hits import Hits
from tests.engine.stages.shop import Shop, hit

HITS = Hits.of(
    [
        hit("a", 4.0, brand="Sole", price=90, tags=["x", "y"]),
        hit("b", 3.0, brand="Sole", price=30, tags=["x"]),
        hit("c", 2.0, brand="Blade", price=20),
        hit("d", 1.0, price="dear"),
    ]
)


async def rows(shop: Shop, **parameters: Any) -> list[dict[str, Any]]:
    outcome = await shop.run("aggregate", parameters, HITS, stage_index=1)
    assert all(one.document is None for one in outcome.hits)
    answer = [dict(one.extra) for one in outcome.hits]
    assert answer == outcome.metadata["aggregations"]
    return answer


async def test_one_row_for_all(shop: Shop) -> None:
    wanted = [
        {"function": "count", "alias": "n"},
        {"function": "avg", "field": "metadata.price", "alias": "mean"},
        {"function": "max", "field": "score", "alias": "best"},
        {"function": "percentile", "field": "price", "percentile_value": 100, "alias": "p100"},
    ]
    mean = (90 + 30 + 20) / 3
    assert await rows(shop, aggregations=wanted) == [{"n": 4, "mean": pytest.approx(mean), "best": 4.0, "p100": 90}]


async def test_a_row_for_each_group(shop: Shop) -> None:
    wanted = [{"function": "count", "alias": "n"}, {"function": "sum", "field": "price", "alias": "total"}]
    group = [{"field": "metadata.brand", "alias": "brand"}]
    assert await rows(shop, aggregations=wanted, group_by=group, sort_by="total") == [
        {"brand": "Sole", "n": 2, "total": 120},
        {"brand": "Blade", "n": 1, "total": 20},
        {"brand": None, "n": 1, "total": 0},
    ]
    least = await rows(shop, aggregations=wanted, group_by="brand", sort_by="total", sort_order="asc", limit=1)
    assert least == [{"brand": None, "n": 1, "total": 0}]


async def test_the_older_spelling_of_the_stage_pages(shop: Shop) -> None:
    wanted = [
        {"type": "cardinality", "field": "brand", "name": "brands"},
        {"type": "histogram", "field": "price", "interval": 50, "name": "prices"},
        {"type": "percentile", "field": "price", "percentiles": [0, 50], "name": "spread"},
    ]
    assert await rows(shop, aggregations=wanted) == [
        {
            "brands": 2,
            "prices": {"buckets": [{"key": "0-50", "count": 2}, {"key": "50-100", "count": 1}]},
            "spread": {"0": 20, "50": 30},
        }
    ]


async def test_beside_the_documents(shop: Shop) -> None:
    parameters = {"aggregations": [{"function": "count", "alias": "n"}], "include_documents": True}
    outcome = await shop.run("aggregate", parameters, HITS, stage_index=1)
    assert outcome.hits == HITS
    assert outcome.metadata == {"aggregations": [{"n": 4}], "total_groups": 1}


async def test_rows_are_named_by_their_group(shop: Shop) -> None:
    parameters = {"aggregations": [{"function": "count", "alias": "n"}], "group_by": ["brand"]}
    outcome = await shop.run("aggregate", parameters, HITS, stage_index=1)
    assert [one.id for one in outcome.hits] == ['group:["Sole"]', 'group:["Blade"]', "group:[null]"]


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({}, "aggregations"),
        ({"aggregations": []}, "at least 1"),
        ({"aggregations": [{"function": "sum", "alias": "s"}]}, "sum needs a field"),
        ({"aggregations": [{"function": "correlation", "field": "a", "alias": "s"}]}, "field_b"),
        ({"aggregations": [{"function": "median", "field": "a", "alias": "s"}]}, "percentile"),
        ({"aggregations": [{"function": "count", "alias": "n"}] * 2}, "alias of its own"),
        ({"aggregations": [{"function": "count", "alias": "n"}], "sort_by": "m"}, "sort_by names none of n"),
        ({"aggregations": [{"function": "percentile", "field": "a", "percentiles": [101], "alias": "p"}]}, "between"),
    ],
)
def test_parameters_that_make_no_sense(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(pydantic.ValidationError, match=message):
        AggregateParameters.model_validate(parameters)
