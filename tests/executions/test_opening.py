from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import StorageError
from tamis.executions.codec import decode
from tamis.executions.opening import OpenedRecord, Side, Window
from tamis.executions.record import Imported, Record, RecordedHit
from tamis.executions.writing import stored_of
from tests.executions.records import a_hit, a_record, a_stage, records


@given(records())
def test_a_record_written_again_reads_as_it_was(record: Record) -> None:
    assert decode(stored_of(record).execution) == record


@given(records(), st.data())
def test_windows_are_what_reading_the_whole_record_gives(record: Record, data: st.DataObject) -> None:
    opened = OpenedRecord(stored_of(record).execution)
    sides = [Side(position, is_out) for position in range(len(record.stages)) for is_out in (False, True)]
    windows = data.draw(
        st.lists(st.builds(Window, st.sampled_from(sides), st.integers(0, 4), st.integers(0, 4)))
        if sides
        else st.just([])
    )
    found = opened.read(windows)
    for window, hits in zip(windows, found, strict=True):
        whole = ranking(record, window.side)
        assert hits == whole[window.offset : window.offset + window.limit]
    for side in sides:
        assert opened.count(side) == len(ranking(record, side))
        assert [opened.rank(side, hit.id) for hit in ranking(record, side)] == list(range(1, opened.count(side) + 1))
        assert opened.rank(side, "doc_nowhere") is None
    assert [replace(stage, received=(), returned=(), calls=()) for stage in record.stages] == list(opened.record.stages)
    assert opened.call_counts == tuple(len(stage.calls) for stage in record.stages)
    assert opened.record == replace(record, stages=opened.record.stages)


def ranking(record: Record, side: Side) -> tuple[RecordedHit, ...]:
    stage = record.stages[side.position]
    return stage.returned if side.is_out else stage.received


def test_where_it_came_from_is_kept_with_large_documents_beside_it() -> None:
    documents: dict[str, Any] = {"doc_a": {"revision": 2, "content": {"fields": {"text": "x" * 100_000}}}}
    record = a_record(a_stage(0, "search", (), [a_hit("doc_a")]), imported=Imported("ret_1", "saved", documents))
    written = stored_of(record)
    assert len(written.execution.record) < 1_000
    assert len(written.blobs) == 1
    imported = decode(written.execution).imported
    assert imported is not None
    assert (imported.retriever_id, imported.mode) == ("ret_1", "saved")


def test_a_damaged_record_is_refused() -> None:
    stored = stored_of(a_record(a_stage(0, "search", (), [a_hit("doc_a")]))).execution
    for record in (b"", b"\x02", stored.record[:-4], stored.record[:1] + b"nonsense"):
        with pytest.raises(StorageError):
            OpenedRecord(replace(stored, record=record))
