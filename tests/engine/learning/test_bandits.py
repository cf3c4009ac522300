"""Weights out of what is known: laws that hold for every algorithm, and what each does with chance."""

import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.engine.learning.bandits import LearningAlgorithm, Policy, combined, draw, weigh
from tamis.engine.ports.learning import Evidence
from tamis.model.fusion_credit import Agreement

POLICY = Policy(LearningAlgorithm.THOMPSON_SAMPLING, 1, 1, 1, 0.99, 0.1, 0.05, 0.95)
OWN = {"w": 0.6, "m": 0.4}


def known(interactions: int, words: float, meaning: float) -> Evidence:
    """Shares of agreement, of ten pairs each time."""
    pairs = 10.0 * interactions
    return Evidence(interactions, {"w": Agreement(words * pairs, pairs), "m": Agreement(meaning * pairs, pairs)})


def drawn(policy: Policy, evidence: Evidence, times: int = 200) -> list[float]:
    return [draw(policy, OWN, evidence, random.Random(seed)).weights["w"] for seed in range(times)]


shares = st.floats(0, 1)
names = st.sampled_from("abcdefgh")


@given(
    st.dictionaries(names, st.tuples(st.floats(0.001, 9), st.floats(0, 1)), min_size=1, max_size=8),
    st.floats(0, 0.5),
    st.floats(0.5, 1),
)
def test_weights_are_a_whole_within_their_limits(
    given_searches: dict[str, tuple[float, float]], least: float, most: float
) -> None:
    own = {search: weight for search, (weight, _) in given_searches.items()}
    thetas = {search: theta for search, (_, theta) in given_searches.items()}
    found = weigh(own, thetas, least, most)
    count = len(found)
    assert sum(found.values()) == pytest.approx(1)
    low, high = min(least, 1 / count), max(most, 1 / count)
    assert all(low - 1e-9 <= weight <= high + 1e-9 for weight in found.values())


def test_a_search_without_weight_stays_without_it() -> None:
    assert weigh({"w": 1.0, "m": 0.0}, {"w": 0.1, "m": 0.9}, 0.05, 0.95) == {"w": 1.0, "m": 0.0}


@pytest.mark.parametrize("algorithm", LearningAlgorithm)
def test_what_agrees_more_weighs_more_and_noise_changes_nothing(algorithm: LearningAlgorithm) -> None:
    policy = replace(POLICY, algorithm=algorithm)
    assert statistics.fmean(drawn(policy, known(300, 0.62, 0.45))) > 0.8
    assert statistics.fmean(drawn(policy, known(300, 0.45, 0.62))) < 0.4
    assert statistics.median(drawn(policy, known(1000, 0.5, 0.5))) == pytest.approx(0.6, abs=0.02)


def test_exploration_falls_to_its_floor_and_not_below() -> None:
    wide, narrow = (statistics.stdev(drawn(POLICY, known(n, 0.5, 0.5))) for n in (5, 400))
    assert wide > 3 * narrow > 0
    assert [draw(POLICY, OWN, known(n, 0.5, 0.5), random.Random(1)).exploration for n in (0, 1, 1000)] == [1, 0.99, 0.1]
    never = replace(POLICY, floor=0.0, bonus=0.1, bonus_decay=0.9)
    assert statistics.stdev(drawn(never, known(10_000, 0.5, 0.5))) < 0.001


def test_the_same_chance_draws_the_same() -> None:
    evidence = known(20, 0.55, 0.5)
    assert draw(POLICY, OWN, evidence, random.Random(7)) == draw(POLICY, OWN, evidence, random.Random(7))


def test_what_is_known_around_a_context_counts_for_as_many_as_it_may() -> None:
    together = combined(known(5, 0.9, 0.1), known(100, 0.5, 0.5), 5)
    assert together.interactions == 5
    words = together.agreements["w"]
    assert (words.agreed, words.pairs) == pytest.approx((45 + 25, 50 + 50))
    assert combined(Evidence(), known(2, 0.5, 0.5), 5).agreements == known(2, 0.5, 0.5).agreements
