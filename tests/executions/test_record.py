import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis import __version__
from tamis.engine.events import Event
from tamis.engine.searching.searcher import Searcher
from tamis.errors import StorageError
from tamis.executions.codec import FORMAT, decode
from tamis.executions.columns import Columns, Rows
from tamis.executions.record import CollectionState, RecordedHit, StageOutcome
from tamis.executions.recorder import Recorded, Recorder
from tamis.executions.references import restore
from tamis.model.execution import ExecutionStatus
from tamis.model.hits import Hit
from tamis.model.retriever import Budget, StageSpec
from tamis.storage.metadata import open_sqlite
from tamis.testing.memory_index import MemoryIndex
from tests.engine.pipelines import NOW, URI, Bench, made, planned, request, spec
from tests.engine.stages.shop import ThemeModels


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    metadata = await open_sqlite(tmp_path / "metadata.db")
    models = ThemeModels()
    yield Bench(Searcher(MemoryIndex(), metadata, models), models)
    await metadata.close()


async def recorded(bench: Bench, *stages: StageSpec, budget: Budget | None = None, **inputs: Any) -> Recorded:
    plan = planned(*stages, given=list(inputs), budget=budget)
    recorder = Recorder(plan, request(**inputs), "ret_1", 4, {"themes": "1"})
    await bench.executor().run(plan, request(**inputs), recorder)
    return recorder.finish(total_returned=2, duration_ms=12.3456)


async def test_the_record_says_what_happened(bench: Bench) -> None:
    stages = (spec("emit", count=4, candidates=9), spec("double"), spec("keep", limit="{{INPUT.k}}"))
    result = (await recorded(bench, *stages, k=2, q="red shoes")).execution
    header = result.header
    assert (header.execution_id, header.status, header.mode) == ("exec_1", ExecutionStatus.COMPLETED, "anonymous")
    assert (header.started_at, header.duration_ms, header.retriever_id) == (NOW, 12.346, "ret_1")
    assert (header.total_stages, header.stages_completed) == (3, 3)
    assert (header.total_processed, header.total_returned) == (9 + 4 + 4, 2)
    assert header.credits_used == pytest.approx(1.4)
    assert (header.collection_ids, header.key_id) == (("col_1",), "key_1")
    assert header.query_summary == "k: 2, q: red shoes"
    assert header.error is None

    record = decode(result)
    assert (record.format, record.code_version, record.retriever_version) == (1, __version__, 4)
    assert record.inputs == {"k": 2, "q": "red shoes"}
    assert record.models == {"themes": "1"}
    assert record.collections == (CollectionState("col_1", "text_extractor_v1", 3, version=1_767_225_600_000_000),)
    assert record.definition_hash == planned(*stages, given=["k"]).hash
    assert [stage["stage_name"] for stage in dict[str, Any](record.definition)["stages"]] == ["emit", "double", "keep"]
    emit, double, keep = record.stages
    assert [one.outcome for one in record.stages] == [StageOutcome.COMPLETED] * 3
    assert (emit.parameters, double.parameters, keep.parameters) == ({"count": 4, "candidates": 9}, {}, {"limit": 2})
    assert (emit.processed, double.processed, keep.processed) == (9, 4, 4)
    assert emit.received == ()
    assert double.received == emit.returned
    assert keep.received == double.returned
    assert keep.metadata == {"kept": 2}
    second = f"doc_{1:032x}"
    assert emit.returned[1] == RecordedHit(second, 0.5, {URI: 0.5})
    assert keep.returned[1] == RecordedHit(second, 1.0, {URI: 0.5, "double": 1.0})
    assert len(keep.returned) == 2
    assert record.revisions[second] == 2


async def test_rows_that_no_document_stands_behind(bench: Bench) -> None:
    stages = (spec("emit", count=2), spec("label", text="{{DOC.n}}!"), spec("count"))
    label, count = decode((await recorded(bench, *stages)).execution).stages[1:]
    assert [hit.extra for hit in label.returned] == [{"label": "0!"}, {"label": "1!"}]
    assert count.returned == (RecordedHit("row", 0.0, {}, {"count": 2}, is_document=False),)


async def test_failures_skips_and_cuts_are_kept(bench: Bench) -> None:
    stages = (spec("emit", count=2), spec("break", options={"on_error": "skip"}), spec("double"), spec("break", "last"))
    failed = (await recorded(bench, *stages)).execution
    record = decode(failed)
    assert failed.header.status is ExecutionStatus.FAILED
    assert failed.header.error == "stage 'last' failed: ZeroDivisionError: division by zero"
    outcomes = [StageOutcome.COMPLETED, StageOutcome.SKIPPED, StageOutcome.COMPLETED, StageOutcome.FAILED]
    assert [one.outcome for one in record.stages] == outcomes
    assert record.error is not None
    assert record.error.code == "StageError"
    assert record.error.details["stage_index"] == 3
    assert record.stages[1].returned == record.stages[1].received == record.stages[0].returned
    assert len(record.warnings) == 1

    cut = (await recorded(bench, spec("emit", count=2), spec("double"), budget=Budget(max_credits=1.0))).execution
    assert cut.header.status is ExecutionStatus.DEGRADED
    last = decode(cut).stages[-1]
    assert (last.outcome, last.limit, last.credits_used) == (StageOutcome.CUT, "max_credits", 0.0)
    assert last.error == "costs 0.2 credits and 0 of 1 are left"


async def test_a_cancelled_execution_has_a_record_too(bench: Bench) -> None:
    plan = planned(spec("emit", count=2), spec("wait"))
    recorder, begun = Recorder(plan, request()), asyncio.Event()

    def tell(event: Event) -> None:
        recorder(event)
        if type(event).__name__ == "StageFinished":
            begun.set()

    task = asyncio.create_task(bench.executor().run(plan, request(), tell))
    await begun.wait()
    assert recorder.finish().execution.header.status is ExecutionStatus.PROCESSING
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    result = recorder.finish().execution
    assert result.header.status is ExecutionStatus.CANCELLED
    assert [one.stage_name for one in decode(result).stages] == ["emit"]


def test_nothing_is_recorded_of_what_has_not_begun() -> None:
    with pytest.raises(ValueError, match="not begun"):
        Recorder(planned(spec("emit", count=1)), request()).finish()


async def test_large_inputs_stand_once_beside_the_record(bench: Bench) -> None:
    text = "ọ̀rọ̀ " * 20_000
    vector = [0.5] * 20_000
    stages = (spec("emit", count=1), spec("label", text="{{DOC.n}}"), spec("keep", limit="{{INPUT.k}}"))
    inputs: dict[str, Any] = {"k": 1, "text": text, "inner": {"vector": vector, "small": "x"}}
    result = await recorded(bench, *stages, **inputs)
    record = decode(result.execution)
    assert len(result.execution.inputs) < 500
    assert len(result.execution.record) < 2_000
    assert len(result.blobs) == 2
    reference = dict[str, Any](record.inputs)["text"]["blob_ref"]
    assert reference == {"sha1": reference["sha1"], "size_bytes": len(text.encode()), "type": "string"}
    assert result.blobs[reference["sha1"]] == text.encode()
    assert restore(record.inputs, result.blobs.get) == inputs
    assert restore(record.inputs, lambda sha1: None) == record.inputs


async def test_two_stages_and_ten_hits_are_small(bench: Bench) -> None:
    record = (await recorded(bench, spec("emit", count=10), spec("double"), query="red shoes")).execution.record
    assert len(record) < 1_000


async def test_the_same_run_gives_the_same_bytes(bench: Bench) -> None:
    stages = (spec("emit", count=5), spec("double", factor=1.5))
    first, second = await recorded(bench, *stages), await recorded(bench, *stages)
    one, two = decode(first.execution), decode(second.execution)
    assert [stage.returned for stage in one.stages] == [stage.returned for stage in two.stages]
    assert one.seed == two.seed


async def test_bytes_of_another_format_or_none_are_refused(bench: Bench) -> None:
    good = (await recorded(bench, spec("emit", count=1))).execution
    for record, said in (
        (bytes([FORMAT + 1]) + good.record[1:], "format 2; this version of Tamis reads format 1"),
        (b"", "format 0"),
        (good.record[:-3], "damaged"),
        (bytes([FORMAT]) + b"nonsense", "damaged"),
    ):
        with pytest.raises(StorageError, match=said):
            decode(replace(good, record=record))


IDS = st.one_of(
    st.lists(st.from_regex(r"doc_[0-9a-f]{8}", fullmatch=True), unique=True, max_size=6),
    st.lists(
        st.sampled_from(["doc_AB", "doc_ab", "doc_a", "row", "", "_aa", "x_12", "doc_é1"]), unique=True, max_size=6
    ),
)
SCORES = st.floats(allow_nan=False)


@st.composite
def some_rankings(draw: st.DrawFn) -> list[list[Hit]]:
    ids = draw(IDS)
    rankings = []
    for _ in range(draw(st.integers(0, 4))):
        chosen = draw(st.lists(st.sampled_from(ids), unique=True)) if ids else []
        rankings.append(
            [
                Hit(
                    key,
                    draw(SCORES),
                    made(1) if draw(st.booleans()) else None,
                    draw(st.dictionaries(st.sampled_from(["a", "b", "c"]), SCORES)),
                    draw(st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 3))),
                )
                for key in chosen
            ]
        )
    return rankings


@given(some_rankings())
def test_columns_give_back_what_they_were_given(rankings: list[list[Hit]]) -> None:
    columns = Columns()
    written = [columns.write(ranking) for ranking in rankings]
    rows = Rows(columns.ids())
    for ranking, packed in zip(rankings, written, strict=True):
        expected = [RecordedHit(h.id, h.score, h.scores, h.extra, h.document is not None) for h in ranking]
        assert list(rows.read(packed)) == expected


def test_what_did_not_change_is_not_written_again() -> None:
    hits = [Hit(f"doc_{n:032x}", 1.0, made(n), {"a": 1.0, "b": float(n)}, {"x": n}) for n in range(50)]
    columns = Columns()
    first = columns.write(hits)
    again = columns.write(hits[:10])
    rescored = columns.write([hit.scored("b", 7.0) for hit in hits[:10]])
    assert set(first.columns) == {"a", "b"}
    assert len(first.extras) == 50
    assert (again.columns, again.extras) == ({}, {})
    assert set(rescored.columns) == {"b"}
    assert rescored.extras == {}
    assert columns.ids().packed == b"".join(bytes.fromhex(hit.id[4:]) for hit in hits)
    assert math.isclose(Rows(columns.ids()).read(first)[3].scores["b"], 3.0)


async def test_large_values_of_the_definition_stand_beside_the_record_too(bench: Bench) -> None:
    text = "y" * 100_000
    result = await recorded(bench, spec("emit", count=1), spec("label", text=text))
    record = decode(result.execution)
    assert len(result.execution.record) < 1_000
    assert restore(record.stages[1].parameters, result.blobs.get) == {"text": text}
