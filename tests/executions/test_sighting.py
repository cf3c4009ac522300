from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.executions.record import Record, StageOutcome
from tamis.executions.sighting import Sighting, may_mention, sighting
from tamis.executions.writing import stored_of
from tests.executions.records import KEYS, a_hit, a_record, a_stage, records

A, B, C = (a_hit(f"doc_{name}") for name in "abc")


@settings(suppress_health_check=[HealthCheck.too_slow])  # of a loaded machine
@given(records(), KEYS)
def test_it_is_what_reading_the_whole_record_says(record: Record, key: str) -> None:
    stored = stored_of(record).execution
    sides = [[hit.id for hit in side] for stage in record.stages for side in (stage.received, stage.returned)]
    found = sighting(stored, key)
    assert (found is not None) == any(key in side for side in sides)
    if found is not None:
        assert may_mention(stored, key)
        came_out = sides[-1] if record.stages[-1].outcome is not StageOutcome.FAILED else []
        assert found.rank == (came_out.index(key) + 1 if key in came_out else None)
        assert (found.stage is None) == (found.rank is not None)


@given(st.text(st.sampled_from("0123456789abcdef"), min_size=1, max_size=32))
def test_ids_that_are_packed_are_told_apart(digits: str) -> None:
    known = [f"doc_{n:032x}" for n in range(3)]
    stored = stored_of(a_record(a_stage(0, "search", (), [a_hit(one) for one in known]))).execution
    assert [sighting(stored, one) for one in known] == [Sighting(1), Sighting(2), Sighting(3)]
    if f"doc_{digits}" not in known:
        assert sighting(stored, f"doc_{digits}") is None
    assert not may_mention(stored, f"row_{0:032x}")


def test_where_it_stopped() -> None:
    stages = [
        a_stage(0, "search", (), [A, B, C]),
        a_stage(1, "cheap", [A, B, C], [B, A]),
        a_stage(2, "best", [B, A], [B]),
    ]
    stored = stored_of(a_record(*stages)).execution
    assert sighting(stored, "doc_b") == Sighting(1)
    assert sighting(stored, "doc_a") == Sighting(None, "best")
    assert sighting(stored, "doc_c") == Sighting(None, "cheap")
    assert sighting(stored, "doc_d") is None


def test_what_a_failed_stage_was_given_came_out_nowhere() -> None:
    stages = [a_stage(0, "search", (), [A]), a_stage(1, "rerank", [A], [A], outcome=StageOutcome.FAILED)]
    assert sighting(stored_of(a_record(*stages)).execution, "doc_a") == Sighting(None, "rerank")


def test_nothing_ran() -> None:
    assert sighting(stored_of(a_record(names=["search"])).execution, "doc_a") is None
