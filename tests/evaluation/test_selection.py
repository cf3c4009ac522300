"""Choosing among candidates: what is chosen, what it is worth where it was not chosen by, and what nothing beats."""

import random
from statistics import fmean

import pytest

from tamis.evaluation.selection import choose, fold_of, front


def noise(seed: int, queries: int, mean: float) -> dict[str, float]:
    chance = random.Random(seed)
    return {f"q{n}": mean + chance.uniform(-0.2, 0.2) for n in range(queries)}


def test_a_better_candidate_is_chosen_and_its_worth_measured_by_others() -> None:
    found = choose([noise(0, 60, 0.5), noise(1, 60, 0.4), noise(2, 60, 0.7)], 5)
    assert (found.best, found.is_better) == (2, True)
    assert found.held_out == pytest.approx(0.7, abs=0.05)
    assert found.p < 0.01


def test_the_best_of_many_that_are_alike_is_not_believed() -> None:
    """By all queries the best of 40 seems better than the baseline; where it was not chosen by, it is not."""
    gains, seeming = [], []
    for trial in range(10):
        candidates = [noise(1000 * trial + n, 40, 0.5) for n in range(40)]
        found = choose(candidates, 5)
        gains.append(found.held_out - found.baseline)
        seeming.append(fmean(candidates[found.best].values()) - found.baseline)
    assert fmean(seeming) > 0.02
    assert fmean(gains) < fmean(seeming) / 3


def test_one_that_was_known_before_is_believed_as_it_is() -> None:
    """Among many that are alike the best is best by chance; the default is no choice of these queries."""
    alike = [noise(100 + n, 40, 0.5) for n in range(30)]
    default = {query: value + 0.05 for query, value in alike[0].items()}
    found = choose([*alike, default], 5, unchosen=30)
    assert (found.best, found.is_better) == (30, True)
    assert found.held_out == pytest.approx(found.baseline + 0.05)
    worse = {query: value - 0.01 for query, value in alike[0].items()}
    assert choose([*alike, worse], 5, unchosen=30) == choose([*alike, worse], 5)
    better = noise(7, 40, 0.8)
    assert choose([alike[0], default, better], 5, unchosen=1).best == 2


def test_of_equal_ones_the_baseline_stays() -> None:
    same = noise(3, 20, 0.5)
    found = choose([same, dict(same)], 4)
    assert (found.best, found.is_better, found.p) == (0, False, 1.0)


def test_one_query_chooses_by_itself() -> None:
    assert choose([{"q": 0.1}, {"q": 0.9}], 5).best == 1


def test_folds_share_the_queries() -> None:
    sizes = [sum(fold_of(f"q{n}", 5) == fold for n in range(1000)) for fold in range(5)]
    assert min(sizes) > 150
    assert sum(sizes) == 1000
    assert len({tuple(fold_of(f"q{n}", 5, partition) for n in range(100)) for partition in range(10)}) == 10


def test_the_folds_that_queries_fall_into_decide_little() -> None:
    """The same queries under other ids are held out in other ways: what is promised of them stays nearly the same."""
    chance = random.Random(5)
    pairs = [(chance.random(), chance.random()) for _ in range(40)]
    promised = []
    for name in range(20):
        a, b = ({f"{name}-{n}": pair[side] for n, pair in enumerate(pairs)} for side in (0, 1))
        promised.append(choose([dict.fromkeys(a, 0.5), a, b], 5).held_out)
    assert max(promised) - min(promised) < 0.05


def test_what_nothing_beats() -> None:
    points = [(0.7, 5.0, 1.0), (0.8, 9.0, 1.0), (0.7, 6.0, 1.0), (0.6, 5.0, 0.5), (0.8, 9.0, 1.0)]
    assert front(points) == [0, 1, 3, 4]
