"""deduplicate, group_by and sample: what is kept, where it stands, and that it can be repeated."""

from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.stages import STAGES
from tamis.engine.stages.sample import allot
from tamis.model.hits import Hits
from tests.engine.stages.shop import Shop, hit, ids, run

relaxed = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
brands = st.one_of(st.none(), st.sampled_from(["A", "a", "日"]), st.just(1), st.just(1.0), st.just(True))
runs = st.lists(st.tuples(brands, st.integers(0, 3)), max_size=14).map(
    lambda rows: Hits.of(hit(f"h{n:02}", float(score), brand=brand) for n, (brand, score) in enumerate(rows))
)


async def kept(shop: Shop, stage: str, hits: Hits, **parameters: Any) -> list[str]:
    return ids(await shop.run(stage, parameters, hits, stage_index=1))


BOOKS = Hits.of(
    [
        hit("a", 5.0, author="Ada", title="One", content="the quick brown fox jumps over the lazy dog"),
        hit("b", 4.0, author="ada", title="One", content="The quick brown fox  jumps over the lazy dog"),
        hit("c", 3.0, author="Ada", title="Two", content="something else entirely"),
        hit("d", 2.0, title="One"),
        hit("e", 1.0, author=None, title="One", content=" "),
    ]
)


async def test_duplicates_by_field(shop: Shop) -> None:
    assert await kept(shop, "deduplicate", BOOKS, fields=["metadata.author"]) == ["a", "b", "d"]
    assert await kept(shop, "deduplicate", BOOKS, field="author", case_sensitive=False) == ["a", "d"]
    assert await kept(shop, "deduplicate", BOOKS, fields=["author", "title"], case_sensitive=False) == ["a", "c", "d"]
    assert await kept(shop, "deduplicate", BOOKS, fields=["author"], keep="last") == ["b", "c", "e"]


async def test_duplicates_by_content(shop: Shop) -> None:
    near = {"strategy": "content", "similarity_threshold": 0.9}
    # White space is evened out; "the" against "The" is one shingle of 41 on either side.
    assert await kept(shop, "deduplicate", BOOKS, **near) == ["a", "c", "d", "e"]
    assert await kept(shop, "deduplicate", BOOKS, strategy="content", similarity_threshold=1) == list("abcde")
    folded = {"strategy": "content", "similarity_threshold": 1, "case_sensitive": False}
    assert await kept(shop, "deduplicate", BOOKS, **folded) == ["a", "c", "d", "e"]


def test_field_needs_fields() -> None:
    with pytest.raises(pydantic.ValidationError, match="needs fields"):
        STAGES["deduplicate"].Parameters.model_validate({})


async def test_groups_by_best_score(shop: Shop) -> None:
    outcome = await shop.run("group_by", {"field": "author", "max_per_group": 2}, BOOKS, stage_index=1)
    assert [(one.id, one.extra["group"]) for one in outcome.hits] == [
        ("a", {"key": "Ada", "count": 2, "rank": 1}),
        ("c", {"key": "Ada", "count": 2, "rank": 1}),
        ("b", {"key": "ada", "count": 1, "rank": 2}),
        ("d", {"key": None, "count": 2, "rank": 3}),
        ("e", {"key": None, "count": 2, "rank": 3}),
    ]
    assert outcome.metadata == {"total_groups": 3, "total_documents": 5, "field": "author"}


async def test_groups_in_every_form(shop: Shop) -> None:
    assert await kept(shop, "group_by", BOOKS, group_by_field="author", output_mode="first") == ["a", "b", "d"]
    assert await kept(shop, "group_by", BOOKS, field="author", exclude_null=True, max_groups=1) == ["a", "c"]
    assert await kept(shop, "group_by", BOOKS, field="author", docs_per_group=1, sort_order="asc") == ["d", "b", "a"]
    by_count = {"field": "title", "sort_groups_by": "count", "output_mode": "first"}
    assert await kept(shop, "group_by", BOOKS, **by_count) == ["a", "c"]
    assert await kept(shop, "group_by", BOOKS, **by_count, sort_order="asc") == ["c", "a"]
    by_value = {"field": "author", "sort_groups_by": "field", "sort_order": "asc", "max_per_group": 1}
    assert await kept(shop, "group_by", BOOKS, **by_value) == ["a", "b", "d"]
    by_title = {"field": "author", "sort_docs_by": "title", "output_mode": "first", "max_groups": 1}
    assert await kept(shop, "group_by", BOOKS, **by_title) == ["c"]


async def test_flattened_groups_say_nothing_of_themselves(shop: Shop) -> None:
    outcome = await shop.run("group_by", {"field": "author", "output_mode": "flatten"}, BOOKS, stage_index=1)
    assert list(outcome.hits) == [BOOKS[0], BOOKS[2], BOOKS[1], BOOKS[3], BOOKS[4]]


TEN = Hits.of(hit(f"h{n}", float(n), kind="odd" if n % 2 else "even", third=n % 3) for n in range(10))


async def test_a_sample_is_decided_by_the_seed(shop: Shop) -> None:
    one = await kept(shop, "sample", TEN, count=4, seed=1)
    assert one == await kept(shop, "sample", TEN, size=4, seed=1)
    assert len(set(one)) == 4
    assert one == sorted(one)
    drawn = {tuple(await kept(shop, "sample", TEN, limit=4, seed=seed)) for seed in range(20)}
    assert len(drawn) > 10


async def test_without_a_seed_it_is_the_executions(shop: Shop) -> None:
    async def drawn(seed: int, stage_index: int) -> list[str]:
        return ids(await run("sample", {"count": 4}, TEN, shop.context(stage_index, seed=seed)))

    assert await drawn(1, 1) == await drawn(1, 1)
    assert len({tuple(await drawn(seed, 1)) for seed in range(9)}) > 5
    assert len({tuple(await drawn(1, index)) for index in range(9)}) > 5


async def test_a_sample_is_uniform(shop: Shop) -> None:
    counts = dict.fromkeys(ids_of(TEN), 0)
    for seed in range(400):
        for one in await kept(shop, "sample", TEN, count=3, seed=seed):
            counts[one] += 1
    # 120 expected each, standard deviation 9.2.
    assert all(75 < count < 165 for count in counts.values()), counts


async def test_the_best_are_kept_for_sure(shop: Shop) -> None:
    for seed in range(10):
        assert {"h9", "h8"} < set(await kept(shop, "sample", TEN, count=4, seed=seed, preserve_top_k=2))
    assert await kept(shop, "sample", TEN, count=2, preserve_top_k=5) == ["h8", "h9"]


async def test_strata(shop: Shop) -> None:
    parameters = {"strategy": "stratified", "stratify_by": "metadata.third", "count": 5, "seed": 3}
    outcome = await shop.run("sample", parameters, TEN, stage_index=1)
    assert outcome.metadata["strata"] == [
        {"stratum": 0, "input": 4, "sampled": 2},
        {"stratum": 1, "input": 3, "sampled": 2},
        {"stratum": 2, "input": 3, "sampled": 1},
    ]
    assert len(outcome.hits) == 5
    each = await kept(shop, "sample", TEN, method="stratified", group_field="kind", samples_per_group=2)
    assert len(each) == 4
    assert sum(int(one[1:]) % 2 for one in each) == 2
    cut = await kept(shop, "sample", TEN, method="stratified", group_field="third", samples_per_group=3, count=4)
    assert len(cut) == 4


async def test_even_distances(shop: Shop) -> None:
    assert await kept(shop, "sample", TEN, strategy="systematic", count=5) == ["h0", "h2", "h4", "h6", "h8"]
    assert await kept(shop, "sample", TEN, method="systematic", size=3) == ["h0", "h3", "h6"]


async def test_more_than_there_are_is_all(shop: Shop) -> None:
    for strategy in ("random", "reservoir", "systematic"):
        assert await kept(shop, "sample", TEN, count=99, strategy=strategy) == ids_of(TEN)


def test_strata_need_a_field() -> None:
    with pytest.raises(pydantic.ValidationError, match="stratify_by"):
        STAGES["sample"].Parameters.model_validate({"strategy": "stratified"})


@given(st.lists(st.integers(1, 30), min_size=1, max_size=8), st.integers(0, 100), st.integers(0, 5))
def test_shares_add_up(sizes: list[int], count: int, least: int) -> None:
    shares = allot(sizes, count, least)
    assert sum(shares) == min(count, sum(sizes))
    assert all(0 <= share <= size for share, size in zip(shares, sizes, strict=True))
    if count >= least * len(sizes):
        assert all(share >= min(least, size) for share, size in zip(shares, sizes, strict=True))
    if least == 0:
        exact = [min(count, sum(sizes)) * size / sum(sizes) for size in sizes]
        assert all(abs(share - ideal) <= 1 for share, ideal in zip(shares, exact, strict=True))


@given(runs, st.sampled_from(["first", "last"]), st.booleans())
@relaxed
async def test_deduplicating_twice_is_deduplicating_once(shop: Shop, hits: Hits, keep: str, cased: bool) -> None:
    parameters = {"fields": ["brand"], "keep": keep, "case_sensitive": cased}
    once = (await shop.run("deduplicate", parameters, hits, stage_index=1)).hits
    assert (await shop.run("deduplicate", parameters, once, stage_index=1)).hits == once
    assert [one for one in hits if one in list(once)] == list(once)


@given(runs, st.integers(1, 4))
@relaxed
async def test_groups_lose_and_invent_nothing(shop: Shop, hits: Hits, most: int) -> None:
    everything = await shop.run("group_by", {"field": "brand", "max_per_group": 1000}, hits, stage_index=1)
    assert sorted(ids(everything)) == ids_of(hits)
    parameters = {"field": "brand", "max_per_group": most, "output_mode": "all"}
    some = (await shop.run("group_by", parameters, hits, stage_index=1)).hits
    labels: list[Any] = [one.extra["group"] for one in some]
    assert [label["rank"] for label in labels] == sorted(label["rank"] for label in labels)
    assert all(sum(other == label for other in labels) == min(most, label["count"]) for label in labels)


@given(runs, st.integers(1, 20), st.sampled_from(["random", "stratified", "systematic"]), st.integers(0, 5))
@relaxed
async def test_a_sample_is_a_part_in_order(shop: Shop, hits: Hits, count: int, strategy: str, best: int) -> None:
    parameters = {"count": count, "strategy": strategy, "stratify_by": "brand", "preserve_top_k": best}
    outcome = await shop.run("sample", parameters, hits, stage_index=1)
    assert len(outcome.hits) == min(count, len(hits))
    assert [one for one in hits if one in list(outcome.hits)] == list(outcome.hits)


def ids_of(hits: Hits) -> list[str]:
    return [one.id for one in hits]
