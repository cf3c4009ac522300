"""Recorded calls read back equal to what was written, whatever shape their answers have."""

import math
from typing import Any

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from tamis.engine.raised import Raised
from tamis.engine.tape import RecordedCall
from tamis.executions.calls import CallRow, pack_calls, unpack_calls
from tamis.executions.columns import Columns, unpack_ids

_ID = st.sampled_from([f"doc_{number:032x}" for number in range(6)]) | st.text(max_size=4)
_FLOAT = st.floats(allow_nan=False) | st.floats(allow_nan=False, width=32)
_LEAF = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | _FLOAT | st.text(max_size=5)


@st.composite
def rankings(draw: st.DrawFn) -> dict[str, Any]:
    pairs = draw(st.lists(st.tuples(_ID, _FLOAT), max_size=8))
    return {"ids": [one for one, _ in pairs], "scores": [score for _, score in pairs]}


@st.composite
def versions(draw: st.DrawFn) -> dict[str, Any]:
    pairs = draw(st.lists(st.tuples(_ID, st.integers(0, 2**40)), max_size=8))
    return {"ids": [one for one, _ in pairs], "revisions": [revision for _, revision in pairs]}


ANSWERS = st.recursive(
    _LEAF | rankings() | versions() | st.lists(_FLOAT, max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ids", "scores", "revisions", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
RAISED = st.none() | st.builds(Raised, st.just("builtins:KeyError"), st.text(max_size=5))
CALLS = st.lists(
    st.builds(RecordedCall, st.just("searcher"), st.sampled_from(["search", "hydrate"]), st.just("00"), ANSWERS, RAISED)
)


def written_and_read(calls: list[RecordedCall]) -> tuple[RecordedCall, ...]:
    columns = Columns()
    data = msgspec.msgpack.encode(pack_calls(calls, columns))
    rows = msgspec.msgpack.decode(data, type=list[CallRow])
    return unpack_calls(rows, unpack_ids(columns.ids()), columns.revisions)


def seen(revision: int) -> RecordedCall:
    return RecordedCall("searcher", "hydrate", "00", {"ids": [f"doc_{0:032x}"], "revisions": [revision]})


@given(CALLS)
@example([seen(0), seen(1)])
@example([seen(1), seen(0), seen(2)])
def test_calls_read_back_as_they_were(calls: list[RecordedCall]) -> None:
    assert written_and_read(calls) == tuple(calls)


def test_numbers_that_equal_nothing_are_kept_too() -> None:
    scores = [math.nan, math.inf, -math.inf, 0.1]
    answer = {"ids": ["a", "b", "c", "d"], "scores": scores}
    (call,) = written_and_read([RecordedCall("searcher", "search", "00", answer)])
    assert repr(call.answer["scores"]) == repr(scores)


def test_a_ranking_costs_its_ids_once_and_six_bytes_a_place() -> None:
    ids = [f"doc_{number * 7919 + 2**100:032x}" for number in range(100)]
    ranking = {"ids": ids, "scores": [1 / 2 ** (number % 9) for number in range(100)]}
    columns = Columns()
    rows = pack_calls([RecordedCall("searcher", "search", "0" * 16, [ranking, ranking])], columns)
    assert len(msgspec.msgpack.encode(rows)) < 2 * 100 * 6 + 60
    assert len(columns.ids().packed) == 100 * 16
