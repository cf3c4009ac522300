from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.executions.causes import Cause, same_inputs
from tamis.executions.diff import Placed, RankingDiff, Rescored, aligned, compare, compare_rankings
from tamis.executions.record import CollectionState, Record, RecordedCall, RecordedError, RecordedHit, StageOutcome
from tests.executions.records import NAMES, a_hit, a_record, a_stage, rankings, records


@given(records())
def test_a_record_is_identical_to_itself(record: Record) -> None:
    found = compare(record, replace(record))
    assert (found.identical, found.cause, found.grounds) == (True, None, ())
    assert [stage.place_a for stage in found.stages] == list(range(record.header.total_stages))
    assert all(stage.is_identical for stage in found.stages)


@given(records(), records())
def test_the_other_way_round_is_the_mirror_image(a: Record, b: Record) -> None:
    there, back = compare(a, b), compare(b, a)
    assert (there.identical, there.cause) == (back.identical, back.cause)
    assert [g.cause for g in there.grounds] == [g.cause for g in back.grounds]
    assert len(there.stages) == len(back.stages)
    for one, other in zip(there.stages, back.stages, strict=True):
        assert (one.stage_name, one.place_a, one.place_b) == (other.stage_name, other.place_b, other.place_a)
        assert {p.id: p.rank for p in one.returned.entered} == {p.id: p.rank for p in other.returned.left}
        assert {(m.id, m.rank_a, m.rank_b) for m in one.returned.moved} == {
            (m.id, m.rank_b, m.rank_a) for m in other.returned.moved
        }
        assert {(r.id, r.score_a, r.score_b) for r in one.returned.rescored} == {
            (r.id, r.score_b, r.score_a) for r in other.returned.rescored
        }


def applied(ranking: Sequence[RecordedHit], diff: RankingDiff) -> list[tuple[str, float]]:
    """The ranking that the difference makes of this one."""
    left = {one.id for one in diff.left}
    ranks = {hit.id: rank for rank, hit in enumerate(ranking, start=1) if hit.id not in left}
    scores = {hit.id: hit.score for hit in ranking}
    ranks.update({one.id: one.rank_b for one in diff.moved})
    ranks.update({one.id: one.rank for one in diff.entered})
    scores.update({one.id: one.score_b for one in diff.rescored})
    scores.update({one.id: one.score for one in diff.entered})
    return [(key, scores[key]) for key in sorted(ranks, key=ranks.__getitem__)]


@given(rankings(), rankings())
def test_what_entered_left_moved_and_was_rescored_makes_the_one_ranking_of_the_other(
    a: tuple[RecordedHit, ...], b: tuple[RecordedHit, ...]
) -> None:
    diff = compare_rankings(a, b)
    assert applied(a, diff) == [(hit.id, hit.score) for hit in b]
    assert diff.is_identical == (a == b)


def test_a_ranking_compared_by_hand() -> None:
    a = [a_hit("x", 3.0, dense=3.0), a_hit("y", 2.0), a_hit("z", 1.0)]
    b = [a_hit("y", 2.0), a_hit("new", 1.5), a_hit("x", 0.5, dense=0.5, rerank=0.5)]
    diff = compare_rankings(a, b)
    assert diff.entered == (Placed("new", 2, 1.5),)
    assert diff.left == (Placed("z", 3, 1.0),)
    assert [(one.id, one.rank_a, one.rank_b) for one in diff.moved] == [("y", 2, 1), ("x", 1, 3)]
    assert diff.rescored == (Rescored("x", 3.0, 0.5, {"dense": (3.0, 0.5), "rerank": (None, 0.5)}),)
    grouped = [replace(hit, extra={"group": 1}) for hit in a]
    assert compare_rankings(a, grouped).altered == ("x", "y", "z")


@given(NAMES, NAMES)
def test_stages_are_aligned_in_the_order_of_both(a: list[str], b: list[str]) -> None:
    rows = list(aligned(a, b))
    assert [one for _, one, _ in rows if one is not None] == list(range(len(a)))
    assert [other for _, _, other in rows if other is not None] == list(range(len(b)))
    assert all(a[one] == b[other] == name for name, one, other in rows if one is not None and other is not None)
    assert [(name, other, one) for name, one, other in rows] == list(aligned(b, a))


def test_a_stage_put_in_between_leaves_the_others_aligned() -> None:
    rows = list(aligned(["search", "rerank", "cut"], ["search", "dedupe", "rerank", "cut"]))
    assert rows == [("search", 0, 0), ("dedupe", None, 1), ("rerank", 1, 2), ("cut", 2, 3)]


HITS = (a_hit("doc_a", 2.0), a_hit("doc_b", 1.0))


def pair(b: Record, **of_a: Any) -> tuple[Record, Record]:
    return a_record(a_stage(0, "search", (), HITS), a_stage(1, "cut", HITS, HITS[:1]), **of_a), b


def changed(
    returned: Sequence[RecordedHit] = HITS[1:], names: Sequence[str] = ("search", "cut"), **more: Any
) -> Record:
    return a_record(a_stage(0, names[0], (), HITS), a_stage(1, names[1], HITS, returned), **more)


@pytest.mark.parametrize(
    ("b", "cause", "says"),
    [
        (changed(parameters={"cut": {"limit": 2}}), Cause.DEFINITION, "the stage is written differently: parameters"),
        (changed(names=("search", "trim")), Cause.DEFINITION, "only the first pipeline has this stage"),
        (changed(inputs={"q": 1}), Cause.INPUTS, "the inputs differ: q"),
        (changed(code_version="0.2.0"), Cause.CODE, "Tamis 0.1.0, then 0.2.0"),
        (
            changed(collections=(CollectionState("col_1", "text_extractor_v1", 5),)),
            Cause.DATA,
            "collection col_1: revision 3, then 5",
        ),
        (changed(models={"m": "2"}), Cause.MODEL, "model m: version 1, then 2"),
        (
            changed(error=RecordedError("StageUnavailableError", "no answer")),
            Cause.OUTSIDE,
            "the second execution met something that did not answer",
        ),
        (changed(seed=8), Cause.NONDETERMINISM, "seed 7, then 8"),
        (changed(), Cause.NONDETERMINISM, "nothing that the records hold differs before this stage"),
    ],
    ids=lambda value: value.value if isinstance(value, Cause) else "",
)
def test_what_differs_is_the_cause(b: Record, cause: Cause, says: str) -> None:
    found = compare(*pair(b))
    assert (found.identical, found.cause, found.grounds[0].says) == (False, cause, says)
    assert found.first_divergence is not None
    assert found.first_divergence.place_a == 1


def test_what_only_a_later_stage_differs_in_explains_nothing() -> None:
    """The definition differs in the second stage, yet they part at the first: it is the data that changed."""
    b = changed(parameters={"cut": {"limit": 2}}, collections=(CollectionState("col_1", "text_extractor_v1", 4),))
    b = replace(b, stages=(replace(b.stages[0], returned=HITS[:1]), b.stages[1]))
    found = compare(*pair(b))
    assert found.first_divergence is not None
    assert (found.first_divergence.stage_name, found.cause) == ("search", Cause.DATA)


def test_inputs_that_no_record_holds_are_no_cause() -> None:
    a, b = pair(changed())
    b = replace(b, header=replace(b.header, inputs_hash=None))
    assert (same_inputs(a, b), same_inputs(a, a), compare(a, b).cause) == (None, True, Cause.NONDETERMINISM)


def test_differences_without_consequence_are_identical() -> None:
    b = changed(HITS[:1], inputs={"q": 1}, code_version="0.2.0", models={"m": "2"})
    assert compare(*pair(b)).identical


def test_the_same_question_answered_differently_names_who_answered() -> None:
    def with_call(port: str, answer: int) -> Record:
        record = changed(HITS[:answer])
        call = RecordedCall(port, "ask", "00", answer)
        return replace(record, stages=(record.stages[0], replace(record.stages[1], calls=(call,))))

    causes = {port: compare(with_call(port, 0), with_call(port, 1)).cause for port in ("web", "models", "searcher")}
    assert causes == {"web": Cause.OUTSIDE, "models": Cause.MODEL, "searcher": Cause.DATA}


def test_a_cache_on_one_side_is_the_cause_where_nothing_else_is() -> None:
    b = changed()
    b = replace(b, stages=(b.stages[0], replace(b.stages[1], cache_hit=True)))
    found = compare(*pair(b))
    assert (found.cause, found.grounds[0].says) == (
        Cause.CACHE, "only the second execution's stage was answered from a cache"
    )  # fmt: skip


def test_a_stage_that_did_not_run_is_no_stage_that_is_missing() -> None:
    a, b = pair(a_record(a_stage(0, "search", (), HITS), names=("search", "cut")))
    found = compare(a, b)
    last = found.stages[-1]
    assert (last.place_a, last.place_b, last.a is None, last.b) == (1, 1, False, None)
    assert not found.identical
    assert last.returned == RankingDiff()


def test_time_that_ran_out_is_chance() -> None:
    b = changed(HITS[:1])
    cut = replace(b.stages[1], outcome=StageOutcome.CUT, limit="max_time_ms")
    found = compare(*pair(replace(b, stages=(b.stages[0], cut))))
    assert found.cause is Cause.NONDETERMINISM
    assert "time ran out" in found.grounds[0].says


@given(st.lists(rankings(), min_size=1, max_size=3))
def test_equal_hits_of_another_reading_are_identical(read: list[tuple[RecordedHit, ...]]) -> None:
    for ranking in read:
        assert compare_rankings(ranking, tuple(replace(hit) for hit in ranking)).is_identical
