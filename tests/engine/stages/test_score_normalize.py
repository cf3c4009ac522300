"""The four methods by hand, and what they all promise."""

import itertools
import math
from typing import Any

import pydantic
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.engine.stages.score_normalize import ScoreNormalizeParameters
from tamis.model.hits import Hits
from tests.engine.stages.shop import Shop, hit, ids


async def rescale(shop: Shop, scores: list[float], **parameters: Any) -> list[float]:
    hits = Hits.of(hit(f"h{n}", score) for n, score in enumerate(scores))
    outcome = await shop.run("score_normalize", parameters, hits, stage_index=1)
    assert ids(outcome) == [one.id for one in hits]
    return [one.score for one in outcome.hits]


async def test_min_max(shop: Shop) -> None:
    assert await rescale(shop, [4.0, 3.0, 2.0]) == [1.0, 0.5, 0.0]
    assert await rescale(shop, [4.0, 3.0, 2.0], min_value=0, max_value=8) == [0.5, 0.375, 0.25]
    assert await rescale(shop, [4.0, 3.0, 2.0], min_value=3, max_value=3.5) == [1.0, 0.0, 0.0]
    assert await rescale(shop, [7.0, 7.0]) == [1.0, 1.0]
    assert await rescale(shop, [4.0, 2.0], max_value=2.0) == [1.0, 1.0]


async def test_z_score(shop: Shop) -> None:
    # Mean 3, deviation of the population sqrt(2).
    assert await rescale(shop, [5.0, 3.0, 3.0, 1.0], method="z_score") == pytest.approx([2**0.5, 0, 0, -(2**0.5)])
    assert await rescale(shop, [2.0], method="z_score") == [0.0]


async def test_softmax(shop: Shop) -> None:
    assert await rescale(shop, [math.log(3), 0.0], method="softmax") == pytest.approx([0.75, 0.25])
    assert await rescale(shop, [1e308, 0.0], method="softmax") == [1.0, 0.0]


async def test_l2(shop: Shop) -> None:
    assert await rescale(shop, [4.0, -3.0], method="l2") == [0.8, -0.6]
    assert await rescale(shop, [0.0], method="l2") == [0.0]


async def test_what_is_no_number_counts_as_nothing(shop: Shop) -> None:
    hits = Hits.of([hit("a", 1.0, rank=2), hit("b", 1.0, rank="x"), hit("c", math.nan), hit("d", rank=True)])
    outcome = await shop.run("score_normalize", {"score_field": "rank", "output_field": "r"}, hits, stage_index=1)
    assert [one.extra["r"] for one in outcome.hits] == [1.0, 0.0, 0.0, 0.0]
    assert outcome.hits[0].score == 1.0
    assert not any(one.scores for one in outcome.hits)


async def test_the_stage_leaves_its_score_on_the_hit(shop: Shop) -> None:
    outcome = await shop.run("score_normalize", {"score_field": "text"}, Hits.of([hit("a", 1.0, {"text": 5.0})]))
    assert outcome.hits[0].scores == {"text": 5.0, "stage": 1.0}


def test_bounds_the_wrong_way_round() -> None:
    with pytest.raises(pydantic.ValidationError, match="below max_value"):
        ScoreNormalizeParameters.model_validate({"min_value": 2, "max_value": 1})


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
    st.sampled_from(["min_max", "z_score", "softmax", "l2"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_method_keeps_the_order(shop: Shop, scores: list[float], method: str) -> None:
    rescaled = await rescale(shop, scores, method=method)
    assert all(math.isfinite(value) for value in rescaled)
    pairs = sorted(zip(scores, rescaled, strict=True))
    assert all(low[1] <= high[1] for low, high in itertools.pairwise(pairs))
    if method == "softmax":
        assert math.fsum(rescaled) == pytest.approx(1.0)
    if method == "min_max":
        assert all(0.0 <= value <= 1.0 for value in rescaled)
