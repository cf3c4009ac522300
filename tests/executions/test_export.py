from dataclasses import replace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamis.api.bodies import parse
from tamis.engine.raised import Raised
from tamis.errors import BadRequestError, ValidationError
from tamis.executions.codec import decode
from tamis.executions.export import file_of
from tamis.executions.export_format import DocumentPart
from tamis.executions.importing import documents_of, read_file
from tamis.executions.record import Record, RecordedCall, Replay
from tamis.executions.writing import stored_of
from tests.executions.records import a_hit, a_record, a_stage, records

DOCUMENTS = {
    "doc_a": DocumentPart(2, {"collection_id": "col_1", "fields": {"text": "running shoes"}}),
    "doc_b": DocumentPart(2, absent="deleted"),
}


def sample() -> Record:
    hits = [a_hit("doc_a", 2.0, dense=2.0), a_hit("doc_b", float("inf"))]
    calls = (
        RecordedCall("searcher", "search", "0f", {"$bytes": 1, "vector": b"\x00\xff", "$more": [{"$bytes": b""}]}),
        RecordedCall("web", "get", "aa", None, Raised("httpx:ConnectError", "refused", {"a": 1}, [{"loc": []}])),
    )
    return a_record(
        a_stage(0, "search", (), hits, calls=calls, cache_key="k", cache_hit=False, tokens_used=3),
        a_stage(1, "cut", hits, hits[:1], shrunk={"limit": [5, 1]}, warnings=("w",)),
        inputs={"q": "running shoes", "n": 2**70},
        replay=Replay("exec_before", "live"),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )


def written(record: Record, documents: dict[str, DocumentPart] | None = None) -> Any:
    """As the file is read by whoever opens it."""
    return parse(msgspec.json.encode(file_of(record, documents or {})), levels=250)


def again(record: Record, documents: dict[str, DocumentPart]) -> Any:
    """Exported, imported, stored, read back and exported once more."""
    stored = stored_of(read_file(written(record, documents))).execution
    back = decode(stored)
    return written(back, documents_of(back))


def test_a_file_goes_round_unchanged() -> None:
    assert again(sample(), DOCUMENTS) == written(sample(), DOCUMENTS)


@given(records())
def test_every_record_goes_round_unchanged(record: Record) -> None:
    assert again(record, DOCUMENTS) == written(record, DOCUMENTS)
    read = read_file(written(record))
    assert (read.stages, read.header.mode) == (record.stages, "imported")
    assert replace(read, header=record.header, imported=None) == record


def test_the_file_says_the_same_once_only() -> None:
    file = written(sample(), DOCUMENTS)
    assert file["format"] == "tamis.execution/1"
    search, cut = file["stages"]
    assert search["received"] is None
    assert search["returned"][1] == {"id": "doc_b", "score": "Infinity"}
    assert cut["received"] is None
    assert [hit["id"] for hit in cut["returned"]] == ["doc_a"]
    assert search["calls"][0]["answer"]["vector"] == {"$bytes": "AP8="}
    assert "key_id" not in file["execution"]


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (["format"], "tamis.execution/2", ["format"]),
        (["more"], 1, []),
        (["execution", "execution_id"], "exec_../../etc", ["execution", "execution_id"]),
        (["execution", "execution_id"], "doc_0193a1b2c3d4a1b2c3d4e5f60718", ["execution", "execution_id"]),
        (["execution", "status"], "processing", ["execution", "status"]),
        (["execution", "started_at"], "yesterday", ["execution", "started_at"]),
        (["execution", "started_at"], "2026-01-01T00:00:00", ["execution", "started_at"]),
        (["execution", "started_at"], "0001-01-01T00:00:00+23:00", ["execution", "started_at"]),
        (["execution", "duration_ms"], -1, ["execution", "duration_ms"]),
        (["execution", "duration_ms"], "12", ["execution", "duration_ms"]),
        (["execution", "total_stages"], 3, ["definition", "stages"]),
        (["execution", "stages_completed"], 3, ["execution", "stages_completed"]),
        (["execution", "inputs_hash"], "0" * 40, ["execution", "inputs_hash"]),
        (["execution", "query_summary"], "x" * 121, ["execution", "query_summary"]),
        (["inputs", "q"], "other words", ["execution", "inputs_hash"]),
        (["definition", "stages", 0, "parameters"], {"k": 1}, ["definition_hash"]),
        (["definition", "stages", 1, "stage_name"], "search", ["definition", "stages"]),
        (["definition", "stages", 1, "stage_name"], None, ["definition", "stages", 1, "stage_name"]),
        (["definition", "budget"], [], ["definition", "budget"]),
        (["stages", 1, "index"], 0, ["stages", 1, "index"]),
        (["stages", 1, "index"], 2, ["stages", 1, "index"]),
        (["stages", 0, "outcome"], "fine", ["stages", 0, "outcome"]),
        (["stages", 0, "returned", 1, "id"], "doc_a", ["stages", 0, "returned"]),
        (["stages", 0, "returned", 1, "id"], "", ["stages", 0, "returned", 1, "id"]),
        (["stages", 0, "returned", 1, "score"], "1", ["stages", 0, "returned", 1, "score"]),
        (["stages", 0, "returned", 1, "score"], True, ["stages", 0, "returned", 1, "score"]),
        (["stages", 0, "calls", 0, "asked"], "../", ["stages", 0, "calls", 0, "asked"]),
        (["stages", 0, "calls", 1, "raised", "type"], "os.system", ["stages", 0, "calls", 1, "raised", "type"]),
        (["stages", 0, "calls", 0, "answer", "vector"], {"$bytes": "%%"}, ["stages", 0, "calls", 0, "answer"]),
        (["documents", "doc_a", "revision"], 1.5, ["documents", "...", "revision"]),
        (["documents", "doc_b", "absent"], "lost", ["documents", "...", "absent"]),
        (["revisions"], {"doc_a": 2**60}, ["revisions", "..."]),
        (["context", "seed"], 2**63, ["context", "seed"]),
    ],
)
def test_what_no_export_could_have_written_is_refused_with_its_place(
    path: list[str | int], value: Any, place: list[str | int]
) -> None:
    file = written(sample(), DOCUMENTS)
    at = file
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    with pytest.raises(ValidationError) as caught:
        read_file(file)
    assert caught.value.problems[0]["loc"] == ["body", *place]


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(ANY_JSON)
def test_any_json_is_refused_plainly(value: Any) -> None:
    with pytest.raises(ValidationError):
        read_file(value)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_file_changed_anywhere_is_read_or_refused_plainly(data: st.DataObject) -> None:
    file = written(sample(), DOCUMENTS)
    for _ in range(data.draw(st.integers(1, 3))):
        change(file, data)
    try:
        record = read_file(file)
    except ValidationError:
        return
    assert decode(stored_of(record).execution).stages == record.stages


def change(file: Any, data: st.DataObject) -> None:
    """Something somewhere becomes something else, goes or comes."""
    at = file
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if not isinstance(at[key], dict | list) or data.draw(st.integers(0, 4)) == 0:
            break
        at = at[key]
    kind = data.draw(st.sampled_from(["other", "gone", "more"]))
    if kind == "gone":
        del at[key]
    elif kind == "more" and isinstance(at, dict):
        at[data.draw(st.text(max_size=5))] = data.draw(ANY_JSON)
    else:
        at[key] = data.draw(ANY_JSON)


def test_text_that_is_no_json_or_too_deep_is_refused() -> None:
    for text in (b"[" * 300 + b"]" * 300, b'{"a": NaN}', b'{"a": "\\ud800"}', b"\xff"):
        with pytest.raises(BadRequestError):
            parse(text, levels=250)
