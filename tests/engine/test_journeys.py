"""Steps, passages, paths and lifts by small numbers; trees that are worked out."""

from datetime import UTC, datetime, timedelta

from tamis.engine.taxonomies.inference import Group, Grouping, nodes_by_overlap, parents_by_fields
from tamis.engine.taxonomies.journeys import Event, bins, durations, lifts, passages, paths, sequences_of, steps

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def _events(text: str) -> list[Event]:
    """`x: a1 b3` is a sequence whose steps come on these days."""
    found = []
    for line in text.split(";"):
        name, rest = line.split(":")
        for place, one in enumerate(rest.split()):
            at = DAY + timedelta(days=int(one[1:]))
            found.append(Event(name.strip(), one[0], at, f"{name}{place}", {"who": name.strip()[0]}))
    return found


def test_the_first_of_one_step_to_the_first_of_another_after_it() -> None:
    sequences, left_out = sequences_of(_events("x: a1 b2 c5; y: c1 a2 a3 c4; z: a1 b2; w: c1 b2"))
    assert left_out == 0
    found = passages(sequences, "a", "c")
    assert [(one.path, one.duration_s / 86_400) for one in found if one.end] == [(("a", "b", "c"), 4), (("a", "c"), 2)]
    assert len(found) == 3
    assert [one.end is not None for one in passages(sequences, "a", "c", timedelta(days=3))] == [True, False]
    assert passages(sequences, "nothing", "c") == []


def test_events_stand_by_their_time_and_from_a_step_to_itself_there_are_two() -> None:
    sequences, _ = sequences_of(_events("x: a5 b3 a1"))
    (found,) = passages(sequences, "a", "a")
    assert (found.path, found.duration_s) == (("a", "b", "a"), 4 * 86_400)
    (direct,) = passages(sequences_of(_events("x: a1 a2"))[0], "a", "a")
    assert direct.path == ("a", "a")


def test_sequences_that_last_too_long_are_counted_apart() -> None:
    sequences, left_out = sequences_of(_events("x: a1 b9; y: a1 b2"), timedelta(days=5))
    assert (list(sequences), left_out) == (["y"], 1)


def test_steps_and_paths_the_most_frequent_first() -> None:
    sequences, _ = sequences_of(_events("x: a1 b2; y: a1 c2 b3; z: a4 b6"))
    assert [(one.step, one.events, one.sequences) for one in steps(sequences)] == [
        ("a", 3, 3), ("b", 3, 3), ("c", 1, 1),
    ]  # fmt: skip
    found = passages(sequences, "a", "b")
    ways = paths(found, 10, 1)
    assert [(one.path, one.count, one.mean_duration_s / 86_400) for one in ways] == [
        (("a", "b"), 2, 1.5), (("a", "c", "b"), 1, 2),
    ]  # fmt: skip
    assert [one.path for one in paths(found, 2, 1)] == [("a", "b")]
    assert [one.path for one in paths(found, 10, 2)] == [("a", "b")]


def test_durations_and_lifts_by_hand() -> None:
    sequences, _ = sequences_of(_events("p1: a1 b2; p2: a1 b4; q1: a1; q2: a1 b3"))
    found = passages(sequences, "a", "b")
    arrived = [one for one in found if one.end]
    took = durations(arrived)
    assert took is not None
    assert (took.mean, took.median, took.min, took.max) == (2 * 86_400, 2 * 86_400, 86_400, 3 * 86_400)
    assert durations([]) is None
    found_lifts = [(one.value, one.count, one.rate, round(one.lift, 6)) for one in lifts(found)]
    assert found_lifts == [("p", 2, 1.0, 1.333333), ("q", 2, 0.5, 0.666667)]
    assert lifts([one for one in found if one.end is None]) == []


def test_numbers_are_called_by_their_part() -> None:
    called = bins([1, 2, 3, 4], 4)
    assert [called(value) for value in (0, 1.75, 2, 3, 9)] == ["Q1", "Q1", "Q2", "Q3", "Q4"]
    assert bins([], 4)(3) == "Q1"


def test_who_knows_more_of_its_documents_lies_below() -> None:
    fields = {
        "all": {"title"}, "goods": {"title", "price"}, "shoes": {"title", "price", "size"},
        "books": {"title", "pages"}, "bare": set[str](), "twin": {"title", "price"},
    }  # fmt: skip
    assert parents_by_fields(fields) == {
        "all": None, "goods": "all", "shoes": "goods", "books": "all", "bare": None, "twin": "all",
    }  # fmt: skip


def test_a_finer_cluster_lies_below_the_coarser_one_that_holds_enough_of_it() -> None:
    coarse = Grouping("coarse", [Group("left", (1.0, 0.0)), Group("right", (0.0, 1.0))], dict.fromkeys("abcd", 0) | dict.fromkeys("efgh", 1))  # fmt: skip  # noqa: E501 - one table
    fine = Grouping(
        "fine", [Group("one", (1.0, 0.1)), Group("two", (0.1, 1.0), ("k",)), Group("both", (1.0, 1.0))],
        {"a": 0, "b": 0, "e": 1, "f": 1, "g": 1, "d": 1, "c": 2, "h": 2},
    )  # fmt: skip
    nodes = {str(one["label"]): one for one in nodes_by_overlap([fine, coarse], 0.7)}
    assert nodes["one"]["parent"] == "coarse.0"
    assert nodes["two"]["parent"] == "coarse.1"
    assert nodes["two"]["keywords"] == ["k"]
    assert "parent" not in nodes["both"]
    assert nodes["left"] == {"id": "coarse.0", "label": "left", "vector": [1.0, 0.0]}
