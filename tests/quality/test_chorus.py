"""Filtered and faceted product search gives exactly what brute force over the same products gives.

The reference is plain Python over the source's rows: a filter is a lambda, a ranking a dictionary of scores. It shares
the vectors and the terms with Tamis, and none of its filters, orders, groups or figures.
"""

import statistics
from collections import Counter
from collections.abc import AsyncIterator, Callable
from itertools import groupby
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from tests.quality.product_filters import FILTERS, GROUPS, Case, on, random_filters
from tests.quality.products import (
    COUNT,
    DEPTH,
    Product,
    Scores,
    Shop,
    assert_ranks,
    fused,
    ids,
    open_shop,
    ranking,
    search,
)
from tests.shared_data import json_lines, shared

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMITS = {"dense": DEPTH, "lexical": COUNT}
KINDS = tuple(LIMITS)
QUERIES = ("q1", "q26", "q44")
HALF_DEAR: Case = (
    {"AND": [on("price", "gte", 2000)], "NOT": [on("supplier", "eq", "HP")]},
    lambda p: p["price"] >= 2000 and p["supplier"] != "HP",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture(scope="module")
def queries() -> dict[str, str]:
    texts = {row["id"]: row["text"] for row in json_lines(shared("data/chorus_icecat/queries.jsonl"))}
    return {query_id: texts[query_id] for query_id in QUERIES}


def scores(shop: Shop, kind: str, query: str, keep: Callable[[Product], bool] = lambda _: True) -> Scores:
    every = shop.dense(query) if kind == "dense" else shop.lexical(query)
    return {document_id: score for document_id, score in every.items() if keep(shop.products[document_id])}


def one_search(kind: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "feature_search", {"searches": [search(kind)], "final_top_k": COUNT, **more}


async def test_a_ranking_without_filters(shop: Shop, queries: dict[str, str]) -> None:
    for query in queries.values():
        for kind in KINDS:
            whole = {"searches": [search(kind, top_k=COUNT)], "final_top_k": COUNT}
            found = ranking(await shop.answer(("feature_search", whole), query=query))
            assert_ranks(found, scores(shop, kind, query))
            first = ranking(await shop.answer(one_search(kind, final_top_k=25), query=query))
            assert first == found[:25]


@pytest.mark.parametrize("name", FILTERS)
async def test_a_filter(shop: Shop, queries: dict[str, str], name: str) -> None:
    """As a stage that lists, and in searches by meaning and by words."""
    sent, keep = FILTERS[name]
    wanted = shop.matching(keep)
    listing = {"conditions": {"AND": sent if isinstance(sent, list) else [sent]}}
    assert ids(await shop.answer(("attribute_filter", listing))) == wanted
    for kind in KINDS:
        found = ranking(await shop.answer(one_search(kind, filters=sent), query=queries["q26"]))
        assert_ranks(found, scores(shop, kind, queries["q26"], keep), LIMITS[kind])


@pytest.mark.parametrize("name", GROUPS)
async def test_where_a_filter_stands_makes_no_difference(shop: Shop, queries: dict[str, str], name: str) -> None:
    """In a stage, in its search, in a stage behind it, around the whole run."""
    sent, _ = GROUPS[name]
    query, plain = queries["q26"], one_search("lexical")
    behind = ("attribute_filter", {"conditions": {"AND": sent if isinstance(sent, list) else [sent]}})
    inner = ("feature_search", {"searches": [search("lexical", filters=sent)], "final_top_k": COUNT})
    found = ranking(await shop.answer(one_search("lexical", filters=sent), query=query))
    assert ranking(await shop.answer(inner, query=query)) == found
    assert ranking(await shop.answer(plain, behind, query=query)) == found
    assert ranking(await shop.answer(plain, query=query, filters=sent)) == found


async def test_filters_are_not_all_or_nothing(shop: Shop) -> None:
    """Otherwise the test above would say little."""
    telling = [name for name, (_, keep) in FILTERS.items() if 0 < len(shop.matching(keep)) < len(shop.products)]
    assert len(telling) > 0.8 * len(FILTERS)


async def test_random_trees_of_filters(shop: Shop, queries: dict[str, str]) -> None:
    for number, (sent, keep) in enumerate(random_filters(seed=7, count=30)):
        kind, query = KINDS[number % 2], list(queries.values())[number % len(queries)]
        answer = await shop.answer(one_search(kind, filters=sent), query=query)
        assert_ranks(ranking(answer), scores(shop, kind, query, keep), LIMITS[kind])


async def test_the_best_few_of_a_filter(shop: Shop, queries: dict[str, str]) -> None:
    """The cut falls where it should, among equal scores by id."""
    sent, keep = HALF_DEAR
    for query in queries.values():
        for kind in KINDS:
            for limit in (1, 10, 50):
                parameters = {"searches": [search(kind, top_k=limit)], "final_top_k": limit, "filters": sent}
                found = ranking(await shop.answer(("feature_search", parameters), query=query))
                assert_ranks(found, scores(shop, kind, query, keep), limit)


async def test_a_score_to_reach(shop: Shop, queries: dict[str, str]) -> None:
    for query in queries.values():
        expected = {one: score for one, score in scores(shop, "dense", query).items() if score >= 0.25}
        parameters = {"searches": [search("dense", min_score=0.25, top_k=COUNT)], "final_top_k": COUNT}
        assert_ranks(ranking(await shop.answer(("feature_search", parameters), query=query)), expected)


@pytest.mark.parametrize("strategy", ["rrf", "dbsf", "weighted", "max"])
async def test_fusion_under_a_filter(shop: Shop, queries: dict[str, str], strategy: str) -> None:
    """Each arm was compared with brute force above; here it is given, and the sums are done by hand."""
    sent, keep = HALF_DEAR
    weights = [0.7, 1.0]
    for query in queries.values():
        arms = []
        for kind in KINDS:
            alone = {"searches": [search(kind, top_k=60)], "final_top_k": 60, "filters": sent}
            arms.append(ranking(await shop.answer(("feature_search", alone), query=query)))
            assert_ranks(arms[-1], scores(shop, kind, query, keep), 60)
        searches = [search(kind, top_k=60, weight=w) for kind, w in zip(KINDS, weights, strict=True)]
        both = {"searches": searches, "fusion": strategy, "final_top_k": 200, "filters": sent}
        assert_ranks(ranking(await shop.answer(("feature_search", both), query=query)), fused(strategy, arms, weights))


async def test_each_search_has_filters_of_its_own(shop: Shop, queries: dict[str, str]) -> None:
    cheap: Case = (on("price", "lt", 3000), lambda p: p["price"] < 3000)
    black: Case = (on("attr_t_product_colour", "eq", "Black"), lambda p: p.get("attr_t_product_colour") == "Black")
    sent, keep = HALF_DEAR
    for query in queries.values():
        arms = []
        for kind, (own, holds) in zip(KINDS, (cheap, black), strict=True):
            found = await shop.answer(one_search(kind, filters={"AND": [sent, own]}), query=query)
            arms.append(ranking(found))
            assert set(ids(found)) <= set(shop.matching(lambda p, holds=holds: keep(p) and holds(p)))  # type: ignore[misc]  # bound now
        searches = [search(kind, filters=own) for kind, (own, _) in zip(KINDS, (cheap, black), strict=True)]
        both = await shop.answer(
            ("feature_search", {"searches": searches, "final_top_k": COUNT, "filters": sent}), query=query
        )
        assert_ranks(ranking(both), fused("rrf", arms, [1, 1]))


def counted(products: list[Product], field: str) -> list[dict[str, Any]]:
    counts = Counter(
        value
        for product in products
        for value in set(
            product[field] if isinstance(product.get(field), list) else [product[field]] if field in product else []
        )
    )
    return [{"value": value, "count": count} for value, count in sorted(counts.items(), key=lambda c: (-c[1], c[0]))]


@pytest.mark.parametrize(
    "name", ["a range", "ne is true of what is missing", "before a time in a zone", "true", "deep", "regex"]
)
async def test_facets(shop: Shop, queries: dict[str, str], name: str) -> None:
    """Over all that could be found: what the filter leaves."""
    sent, keep = FILTERS[name]
    left = [product for product in shop.products.values() if keep(product)]
    fields = ["supplier", "attr_t_product_colour", "attr_n_quantity_per_pack", "attr_b_colour", "ean", "date_released"]
    facets = [
        {"key": field, "limit": limit, "exact": True}
        for field, limit in zip(fields, (5, 7, 20, 3, 9, 1000), strict=True)
    ]
    for kind in KINDS:
        answer = await shop.answer(one_search(kind, filters=sent, facets=facets), query=queries["q26"])
        (statistics_,) = answer["stage_statistics"]["stages"].values()
        for facet in facets:
            expected = counted(left, str(facet["key"]))[: int(str(facet["limit"]))]
            assert statistics_["metadata"]["facets"][facet["key"]] == expected


def grouped(found: list[tuple[str, float]], shop: Shop, field: str) -> dict[Any, list[str]]:
    """Groups by their best hit, and their hits, both in the ranking's order."""
    groups: dict[Any, list[str]] = {}
    for document_id, _ in found:
        groups.setdefault(shop.products[document_id].get(field), []).append(document_id)
    return groups


@pytest.mark.parametrize("field", ["supplier", "attr_t_product_colour", "attr_n_quantity_per_pack"])
async def test_groups_of_a_search(shop: Shop, queries: dict[str, str], field: str) -> None:
    sent, _ = HALF_DEAR
    for kind in KINDS:
        for query in queries.values():
            plain = ranking(await shop.answer(one_search(kind, filters=sent), query=query))
            groups = grouped(plain, shop, field)
            grouping = {"field": f"metadata.{field}", "limit": 6, "max_per_group": 3}
            answer = await shop.answer(one_search(kind, filters=sent, group_by=grouping), query=query)
            expected = [one for members in list(groups.values())[:6] for one in members[:3]]
            assert ids(answer) == expected
            labels = [document["group"] for document in answer["documents"]]
            assert [label for label, _ in groupby(labels)] == [
                {"key": key, "count": len(members), "rank": rank}
                for rank, (key, members) in enumerate(list(groups.items())[:6], start=1)
            ]  # fmt: skip


async def test_groups_as_a_stage(shop: Shop, queries: dict[str, str]) -> None:
    for query in queries.values():
        plain = ranking(await shop.answer(one_search("lexical"), query=query))
        groups = grouped(plain, shop, "supplier")
        place = {document_id: n for n, (document_id, _) in enumerate(plain)}
        parameters = {"group_by_field": "supplier", "max_per_group": 2, "output_mode": "flatten"}
        answer = await shop.answer(one_search("lexical"), ("group_by", parameters), query=query)
        assert ids(answer) == [one for members in groups.values() for one in members[:2]]
        largest = sorted(groups.values(), key=lambda members: (-len(members), place[members[0]]))
        parameters |= {"sort_groups_by": "count", "max_groups": 4}
        answer = await shop.answer(one_search("lexical"), ("group_by", parameters), query=query)
        assert ids(answer) == [one for members in largest[:4] for one in members[:2]]
        named = sorted(groups.items())
        parameters |= {"sort_groups_by": "field", "sort_order": "asc", "max_groups": 1000, "output_mode": "first"}
        answer = await shop.answer(one_search("lexical"), ("group_by", parameters), query=query)
        assert ids(answer) == [members[0] for _, members in named]


@pytest.mark.parametrize(
    "field", ["price", "date_released", "supplier", "attr_n_weight", "attr_b_colour", "size.width"]
)
@pytest.mark.parametrize("direction", ["asc", "desc"])
async def test_sorting(shop: Shop, queries: dict[str, str], field: str, direction: str) -> None:
    """Equal values keep the search's order; what has no value comes last."""

    def value(document_id: str) -> Any:
        product = shop.products[document_id]
        return product["size"].get("width") if field == "size.width" else product.get(field)

    sorting = ("sort_attribute", {"field": f"metadata.{field}", "direction": direction})
    search_first = one_search("dense", filters=HALF_DEAR[0])
    plain = ids(await shop.answer(search_first, query=queries["q44"]))
    having = [one for one in plain if value(one) is not None]
    if direction == "asc":
        having.sort(key=value)
    else:
        # Reversing the sorted reverse keeps equal ones as they were.
        having = sorted(reversed(having), key=value)[::-1]
    expected = having + [one for one in plain if value(one) is None]
    assert ids(await shop.answer(search_first, sorting, query=queries["q44"])) == expected


async def test_figures(shop: Shop, queries: dict[str, str]) -> None:
    figures = [
        ("count", None), ("count_distinct", "supplier"), ("sum", "price"), ("avg", "price"), ("min", "price"),
        ("max", "date_released"), ("stddev", "price"), ("variance", "attr_n_weight"), ("count", "attr_n_weight"),
    ]  # fmt: skip
    asked: list[dict[str, Any]] = [
        {"function": function, "alias": f"{function} {field}", **({"field": field} if field else {})}
        for function, field in figures
    ]
    asked.append({"function": "percentile", "alias": "quartiles", "field": "price", "percentiles": [25, 50, 75]})
    asked.append({"function": "frequency", "alias": "colours", "field": "attr_t_product_colour", "top_k": 3})
    asked.append({"function": "correlation", "alias": "heavy", "field": "price", "field_b": "attr_n_weight"})
    for query in queries.values():
        stages = (one_search("lexical", filters=HALF_DEAR[0]), ("aggregate", {"aggregations": asked}))
        (row,) = (await shop.answer(*stages, query=query))["documents"]
        members = [shop.products[one] for one in scores(shop, "lexical", query, HALF_DEAR[1])]
        for name, expected in _figures(members).items():
            assert row[name] == (pytest.approx(expected, rel=1e-9) if isinstance(expected, float) else expected), name


def _figures(members: list[Product]) -> dict[str, Any]:
    prices = [product["price"] for product in members]
    weights = [product["attr_n_weight"] for product in members if "attr_n_weight" in product]
    pairs = [(product["price"], product["attr_n_weight"]) for product in members if "attr_n_weight" in product]
    heavy = float(np.corrcoef(np.array(pairs).T)[0, 1]) if len(pairs) > 2 else None
    return {
        "count None": len(members),
        "count_distinct supplier": len({product["supplier"] for product in members}),
        "sum price": sum(prices),
        "avg price": statistics.fmean(prices),
        "min price": min(prices),
        "max date_released": max(product["date_released"] for product in members),
        "stddev price": statistics.stdev(prices),
        "variance attr_n_weight": statistics.variance(weights) if len(weights) > 1 else None,
        "count attr_n_weight": len(weights),
        "quartiles": pytest.approx({str(q): float(np.percentile(prices, q)) for q in (25, 50, 75)}),
        "colours": counted(members, "attr_t_product_colour")[:3],
        **({"heavy": heavy} if heavy is not None else {}),
    }


async def test_figures_by_group(shop: Shop) -> None:
    sent, keep = HALF_DEAR
    parameters = {
        "aggregations": [{"function": "count", "alias": "n"}, {"function": "avg", "field": "price", "alias": "mean"}],
        "group_by": [{"field": "supplier"}, {"field": "attr_b_colour", "alias": "colour"}],
        "sort_by": "n",
        "limit": 12,
    }
    listing = ("feature_search", {"filters": sent, "final_top_k": COUNT})
    found = (await shop.answer(listing, ("aggregate", parameters)))["documents"]
    groups: dict[tuple[str, Any], list[int]] = {}
    for document_id in shop.matching(keep):
        product = shop.products[document_id]
        groups.setdefault((product["supplier"], product.get("attr_b_colour")), []).append(product["price"])
    largest = sorted(groups.items(), key=lambda item: -len(item[1]))[:12]
    assert [(row["supplier"], row["colour"], row["n"]) for row in found] == [(*key, len(p)) for key, p in largest]
    assert [row["mean"] for row in found] == pytest.approx([statistics.fmean(prices) for _, prices in largest])
