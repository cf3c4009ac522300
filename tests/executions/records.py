"""Records made by hand and by chance, for the tests of what reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from tamis.executions.record import CollectionState, Record, RecordedCall, RecordedHit, RecordedStage, StageOutcome
from tamis.model.canonical import sha1_of, sha256_of
from tamis.model.execution import ExecutionHeader, ExecutionStatus

AT = datetime(2026, 1, 1, tzinfo=UTC)
ID = "exec_0193a1b2c3d4a1b2c3d4e5f60718"


def a_hit(key: str, score: float = 1.0, **scores: float) -> RecordedHit:
    return RecordedHit(key, score, scores)


def a_stage(
    index: int, name: str, received: Sequence[RecordedHit] = (), returned: Sequence[RecordedHit] = (), **more: Any
) -> RecordedStage:
    stage = RecordedStage(
        index, name, "limit", StageOutcome.COMPLETED, {}, tuple(received), tuple(returned), len(received), 1.5
    )
    return replace(stage, **more)


def a_record(
    *stages: RecordedStage,
    inputs: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    names: Sequence[str] | None = None,
    **more: Any,
) -> Record:
    """parameters: of stages, by name.  names: of the whole pipeline, where it is longer than what ran."""
    parameters = parameters or {}
    inputs = dict(inputs or {})
    names = [stage.stage_name for stage in stages] if names is None else names
    definition: dict[str, Any] = {
        "stages": [{"stage_name": n, "stage_id": "limit", "parameters": parameters.get(n, {})} for n in names],
        "input_schema": {},
        "collection_ids": ["col_1"],
        "budget": {"max_credits": None, "max_time_ms": None},
        "cache_config": {},
    }
    header = ExecutionHeader(
        ID, "anonymous", ExecutionStatus.COMPLETED, AT, 12.5, 0.01, 9, 2, len(names), len(stages), ("col_1",),
        inputs_hash=sha1_of(inputs),
    )  # fmt: skip
    ids = {hit.id for stage in stages for hit in (*stage.received, *stage.returned) if hit.is_document}
    record = Record(
        1, header, inputs, definition, sha256_of(definition), None, 7, "0.1.0", {"m": "1"},
        (CollectionState("col_1", "text_extractor_v1", 3),), dict.fromkeys(sorted(ids), 2), stages,
    )  # fmt: skip
    return replace(record, **more)


KEYS = st.sampled_from(["doc_a", "doc_b", "doc_c", "doc_d", "doc_e", "row"])
SCORES = st.sampled_from([0.0, 0.25, 1.0, 2.5, float("inf")])
NAMES = st.lists(st.sampled_from(["search", "filter", "rerank", "group", "cut"]), unique=True, min_size=1)


@st.composite
def rankings(draw: st.DrawFn) -> tuple[RecordedHit, ...]:
    return tuple(
        RecordedHit(
            key,
            draw(SCORES),
            draw(st.dictionaries(st.sampled_from(["lexical", "dense"]), SCORES)),
            draw(st.dictionaries(st.sampled_from(["group", "n"]), st.integers(0, 2))),
            is_document=key != "row",
        )
        for key in draw(st.lists(KEYS, unique=True))
    )


CALLS = st.builds(
    RecordedCall,
    st.sampled_from(["searcher", "models", "clock", "web"]),
    st.just("ask"),
    st.sampled_from(["00", "01"]),
    st.integers(0, 1) | st.binary(max_size=2),
)


@st.composite
def records(draw: st.DrawFn) -> Record:
    names = draw(NAMES)
    ran = draw(st.integers(0, len(names)))
    stages: list[RecordedStage] = []
    for index, name in enumerate(names[:ran]):
        before = stages[-1].returned if stages else ()
        stage = a_stage(
            index,
            name,
            before,
            draw(rankings()),
            outcome=draw(st.sampled_from(StageOutcome)),
            cache_hit=draw(st.none() | st.booleans()),
            limit=draw(st.none() | st.just("max_time_ms")),
            calls=tuple(draw(st.lists(CALLS, max_size=3))),
        )
        stages.append(replace(stage, returned=before) if stage.outcome is not StageOutcome.COMPLETED else stage)
    revision, version = draw(st.integers(3, 4)), draw(st.sampled_from(["1", "2"]))
    return a_record(
        *stages,
        names=names,
        inputs=draw(st.dictionaries(st.sampled_from(["q", "k"]), st.integers(0, 1))),
        parameters=draw(st.dictionaries(st.sampled_from(names), st.just({"limit": 2}))),
        models={"m": version},
        code_version=draw(st.sampled_from(["0.1.0", "0.2.0"])),
        collections=(CollectionState("col_1", "text_extractor_v1", revision),),
        seed=draw(st.integers(0, 2)),
        is_taped=draw(st.booleans()),
    )
