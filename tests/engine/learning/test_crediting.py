"""What a like says of each search: by hand, and nothing at all where likes are noise."""

import random

import pytest

from tamis.engine.learning.crediting import Shown, credit

SHOWN = Shown([("a", {"w": 3.0, "m": 0.1}), ("b", {"w": 2.0}), ("c", {"w": 2.0, "m": 0.9})])


def test_by_hand() -> None:
    """Looks are as 1, 1/2, 1/3, so 6/11, 3/11, 2/11. `w` puts a before two, b and c before a half of the others."""
    found = credit(SHOWN, "c", ["w", "m"], 1.0, {})
    assert {one.pairs for one in found.values()} == {2.0}
    by_words = 6 / 11 * 1 + 5 / 11 * 0.25
    assert found["w"].agreed == pytest.approx(2 * (0.5 + (0.25 - by_words) / 2))
    by_meaning = 6 / 11 * 0.5 + 3 / 11 * 0 + 2 / 11 * 1
    assert found["m"].agreed == pytest.approx(2 * (0.5 + (1 - by_meaning) / 2))


def test_a_dislike_says_the_opposite_and_a_reward_counts_as_often() -> None:
    liked, disliked, twice = (credit(SHOWN, "a", ["w", "m"], reward, {}) for reward in (1.0, -1.0, 2.0))
    for search in ("w", "m"):
        assert liked[search].agreed + disliked[search].agreed == pytest.approx(liked[search].pairs)
        assert (twice[search].agreed, twice[search].pairs) == pytest.approx(
            (2 * liked[search].agreed, 2 * liked[search].pairs)
        )


def test_what_was_not_shown_or_stood_alone_teaches_nothing() -> None:
    assert credit(SHOWN, "z", ["w"], 1.0, {}) == {}
    assert credit(Shown([("a", {"w": 1.0})]), "a", ["w"], 1.0, {}) == {}
    assert Shown([("a", {})], first=20).place_of("a") == 20


@pytest.mark.parametrize("steepness", [0.5, 2.0])
def test_who_likes_by_place_alone_teaches_nothing(steepness: float) -> None:
    """However steeply looks fall, and though the first search is the ranking itself."""
    chance, places = random.Random(5), dict[int, int]()
    agreed, pairs = {"w": 0.0, "m": 0.0}, 0.0
    for number in range(4000):
        scores = [chance.random() for _ in range(10)]
        shown = Shown([(f"{n}", {"w": 10.0 - n, "m": score}) for n, score in enumerate(scores)])
        place = chance.choices(range(10), [(n + 1) ** -steepness for n in range(10)])[0]
        found = credit(shown, f"{place}", ["w", "m"], 1.0, places)
        places[place] = places.get(place, 0) + 1
        if number >= 1000:
            agreed = {search: agreed[search] + found[search].agreed for search in agreed}
            pairs += found["w"].pairs
    assert {search: value / pairs for search, value in agreed.items()} == pytest.approx({"w": 0.5, "m": 0.5}, abs=0.01)
