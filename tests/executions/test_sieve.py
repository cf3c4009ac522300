"""What a stage kept, dropped, brought, moved and rescored."""

from hypothesis import given
from hypothesis import strategies as st

from tamis.executions.record import RecordedHit
from tamis.executions.sieve import Group, sift
from tests.executions.records import a_hit

ids = st.lists(st.sampled_from("abcdefgh"), unique=True)


def hits(names: list[str]) -> list[RecordedHit]:
    return [a_hit(name) for name in names]


def test_what_closes_up_has_not_moved() -> None:
    sieve = sift(hits(["a", "b", "c", "d"]), hits(["b", "d"]))
    assert [(one.hit.id, one.rank_in, one.rank_out, one.climbed) for one in sieve.returned] == [
        ("b", 2, 1, 0),
        ("d", 4, 2, 0),
    ]
    assert [one.hit.id for one in sieve.dropped] == ["a", "c"]
    assert sieve.groups[Group.MOVED] == []


def test_places_are_won_and_lost_among_those_that_came_through() -> None:
    sieve = sift(hits(["a", "b", "c"]), hits(["c", "new", "a"]))
    assert [(one.hit.id, one.climbed) for one in sieve.returned] == [("c", 1), ("new", 0), ("a", -1)]
    assert [one.hit.id for one in sieve.groups[Group.BROUGHT]] == ["new"]
    assert [one.hit.id for one in sieve.groups[Group.MOVED]] == ["c", "a"]


def test_a_score_on_the_way_counts_as_rescored() -> None:
    sieve = sift([a_hit("a", 1.0), a_hit("b", 1.0, text=0.5)], [a_hit("a", 1.0, rerank=0.2), a_hit("b", 1.0, text=0.5)])
    assert [one.hit.id for one in sieve.groups[Group.RESCORED]] == ["a"]


@given(ids, ids)
def test_every_document_has_one_fate(received: list[str], returned: list[str]) -> None:
    sieve = sift(hits(received), hits(returned))
    assert [one.hit.id for one in sieve.returned] == returned
    assert {one.hit.id for one in sieve.dropped} == set(received) - set(returned)
    assert {one.hit.id for one in sieve.groups[Group.BROUGHT]} == set(returned) - set(received)
    assert sum(one.climbed for one in sieve.returned) == 0
    kept = [name for name in received if name in returned]
    assert (not sieve.groups[Group.MOVED]) == (kept == [name for name in returned if name in received])
