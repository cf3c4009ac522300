import numpy as np
import pytest

from tamis.evaluation.clicks import Showing, fit, times_shown

EXAMINATION = (1.0, 0.5, 0.25, 0.12)
LIKING = {"a": 0.2, "b": 0.9, "c": 0.5, "d": 0.05}


def simulated(showings: int, seed: int = 3) -> list[Showing]:
    """Visitors who look by place and like by document; the worse of the two best mostly stands first."""
    chance, found = np.random.default_rng(seed), list[Showing]()
    for number in range(showings):
        order = ["a", "c", "b", "d"] if number % 4 else [str(one) for one in chance.permutation([*LIKING])]
        clicked = {
            document
            for look, document in zip(EXAMINATION, order, strict=True)
            if chance.random() < look * LIKING[document]
        }
        found.append(Showing("q", tuple(order), frozenset(clicked)))
    return found


def test_where_a_document_stood_is_taken_out() -> None:
    """Counted plainly, `a` would be clicked about as often as `b`, which is liked more than four times as much."""
    showings = simulated(6000)
    model = fit(showings)
    clicks = {one: sum(one in each.clicked for each in showings) for one in LIKING}
    assert clicks["b"] < 2.5 * clicks["a"]
    found = model.attraction["q"]
    assert sorted(found, key=lambda one: -found[one]) == ["b", "c", "a", "d"]
    assert model.examination == pytest.approx(EXAMINATION, abs=0.08)
    assert found == pytest.approx(LIKING, abs=0.12)
    assert model.grades("q") == {"a": 0, "b": 3, "c": 2, "d": 0}


def test_one_click_proves_little_and_what_was_hardly_shown_is_left_out() -> None:
    showings = [Showing("q", ("a", "b"), frozenset("a"))]
    model = fit(showings)
    assert 0.3 < model.attraction["q"]["a"] < 0.9
    assert model.grades("q", 2, times_shown(showings)["q"]) == {}
    assert model.grades("other") == {}
    assert fit([]).attraction == {}


def test_the_same_showings_in_another_order_say_the_same() -> None:
    showings = simulated(200)
    assert fit(showings[::-1]).attraction["q"] == pytest.approx(fit(showings).attraction["q"])
