import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tamis.engine.events import (
    Event,
    ExecutionFinished,
    ExecutionStarted,
    StageCut,
    StageFailed,
    StageFinished,
    StageStarted,
    fan_out,
)
from tamis.engine.run import efficiency
from tamis.engine.running.executor import seed_of
from tamis.errors import NotFoundError, StageError, StageUnavailableError, ValidationError
from tamis.model.canonical import sha1_of
from tamis.model.execution import ExecutionStatus
from tamis.model.retriever import Budget
from tests.engine.pipelines import Bench, planned, request, spec

SIEVE = (spec("emit", count=20, candidates=50), spec("double"), spec("keep", limit="{{INPUT.k}}"))


async def test_stages_run_in_order_and_are_counted(bench: Bench) -> None:
    plan = planned(*SIEVE, given=["k"])
    result = await bench.run(plan, k=5)
    assert result.status is ExecutionStatus.COMPLETED
    assert [hit.document.fields["n"] for hit in result.hits if hit.document] == [0, 1, 2, 3, 4]
    assert [hit.score for hit in result.hits[:3]] == [2.0, 1.0, pytest.approx(2 / 3)]
    assert result.hits[0].scores == {"mixpeek://text_extractor@v1/embedding": 1.0, "double": 2.0}
    assert result.total_processed == 50 + 20 + 20
    assert result.stages_completed == 3
    assert result.credits_used == pytest.approx(1.0 + 20 * 0.1)
    assert result.cache_hit_rate is None
    assert result.inputs_hash == sha1_of({"k": 5})
    assert [efficiency(end) for end in result.stages] == [1.0, 1.0, 0.25]


async def test_every_step_is_told(bench: Bench) -> None:
    plan = planned(*SIEVE, given=["k"])
    result = await bench.run(plan, k=5)
    started, *steps, finished = bench.events
    assert isinstance(started, ExecutionStarted)
    assert (started.definition_hash, started.total_stages, started.inputs) == (plan.hash, 3, {"k": 5})
    assert [type(step) for step in steps] == [StageStarted, StageFinished] * 3
    first, _, last = result.stages
    assert isinstance(first, StageFinished)
    assert isinstance(last, StageFinished)
    assert first.parameters is None
    assert last.parameters == {"limit": 5}
    assert (len(last.received), len(last.returned), last.processed, last.metadata) == (20, 5, 20, {"kept": 5})
    assert isinstance(finished, ExecutionFinished)
    assert finished.status is ExecutionStatus.COMPLETED
    assert finished.total_processed == result.total_processed


async def test_observing_changes_nothing(bench: Bench) -> None:
    plan = planned(*SIEVE, given=["k"])
    seen: list[Any] = []
    watched = await bench.executor().run(plan, request(k=5), fan_out(seen.append, bench.events.append))
    alone = await bench.executor().run(plan, request(k=5))
    assert watched.hits == alone.hits
    assert watched.seed == alone.seed
    assert len(seen) == len(bench.events) == 8


async def test_the_seed_is_the_request_s_unless_given(bench: Bench) -> None:
    plan = planned(*SIEVE, given=["k"])
    one, two = await bench.run(plan, k=5), await bench.run(plan, k=6)
    assert one.seed == seed_of(sha1_of({"k": 5}), plan.hash) != two.seed
    assert 0 <= one.seed < 2**48
    assert (await bench.run(plan, seed=7, k=5)).seed == 7


async def test_documents_are_rendered_one_by_one_and_never_twice(bench: Bench) -> None:
    text = "{{DOC.metadata.n}}: {{INPUT.q}} of {{STAGE.emit.count}} in {{CONTEXT.namespace_id}}"
    plan = planned(spec("emit", count=2), spec("label", text=text), given=["q"])
    result = await bench.run(plan, q="{{DOC.document_id}}")
    assert [hit.extra["label"] for hit in result.hits] == [
        "0: {{DOC.document_id}} of 2 in ns_1",
        "1: {{DOC.document_id}} of 2 in ns_1",
    ]
    plan = planned(spec("emit", count=1), spec("label", text="{{INPUT.q}}"), given=["q"])
    assert (await bench.run(plan, q="{{DOC.n}}")).hits[0].extra == {"label": "{{DOC.n}}"}


async def test_a_declared_input_that_is_not_given_is_null_in_a_template(bench: Bench) -> None:
    plan = planned(spec("emit", count=1, candidates="{{INPUT.c}}"), schema={"c": {"type": "integer"}})
    assert (await bench.run(plan)).total_processed == 0
    assert (await bench.run(plan, c=9)).total_processed == 9


async def test_an_alias_keeps_a_stage_s_hits_for_later_templates(bench: Bench) -> None:
    first = spec("emit", options={"output_alias": "found"}, count=3)
    label = spec("label", text="{{ CONTEXT.found | map(attribute='n') | join('+') }}")
    assert (await bench.run(planned(first, label))).hits[0].extra == {"label": "0+1+2"}


async def test_an_alias_also_names_what_the_stage_came_to(bench: Bench) -> None:
    first = spec("emit", options={"output_alias": "found"}, count=3)
    label = spec("label", text="{{ STAGE.found.count }} of {{ STAGE.emit.count }}")
    assert (await bench.run(planned(first, label))).hits[0].extra == {"label": "3 of 3"}


async def test_a_stage_without_batches_says_so(bench: Bench) -> None:
    result = await bench.run(planned(replace(spec("emit", count=1), batch_size="{{ INPUT.size }}")))
    assert result.status is ExecutionStatus.COMPLETED
    assert result.warnings == ("stage 'emit' works without batches: its batch_size changes nothing",)


async def test_filters_before_and_after_a_stage(bench: Bench) -> None:
    few = {"field": "n", "operator": "lt", "value": "{{INPUT.below}}"}
    low = {"field": "score", "operator": "gte", "value": 0.5}
    stages = (
        spec("emit", count=9, options={"post_filters": low}),
        spec("double", options={"pre_filters": few}),
    )
    result = await bench.run(planned(*stages, given=["below"]), below=1)
    assert [len(end.returned) for end in result.stages if isinstance(end, StageFinished)] == [2, 1]
    broken = await bench.run(planned(*stages, given=["below"]), below=[1])
    assert broken.status is ExecutionStatus.COMPLETED
    assert not broken.hits


async def test_a_failure_is_wrapped_once_and_told(bench: Bench) -> None:
    result = await bench.run(planned(spec("emit", count=4), spec("break"), spec("keep")))
    assert result.status is ExecutionStatus.FAILED
    assert not result.hits
    assert isinstance(result.error, StageError)
    assert result.error.status == 500
    assert isinstance(result.error.__cause__, ZeroDivisionError)
    assert result.error.details == {
        "stage_name": "break", "stage_index": 1, "input_count": 4, "cause": "ZeroDivisionError",
    }  # fmt: skip
    assert (result.stages_completed, result.total_processed) == (1, 0)
    assert isinstance(bench.events[-2], StageFailed)
    assert isinstance(bench.events[-1], ExecutionFinished)
    assert bench.events[-1].error is result.error


@pytest.mark.parametrize(
    ("how", "kind", "status"),
    [("index", StageUnavailableError, 503), ("caller", NotFoundError, 404), ("timeout", StageError, 500)],
)
async def test_a_cause_keeps_what_it_means(bench: Bench, how: str, kind: type[Exception], status: int) -> None:
    error = (await bench.run(planned(spec("emit", count=1), spec("break", how=how)))).error
    assert error is not None
    assert type(error) is kind
    assert error.status == status
    assert error.details["stage_name"] == "break"
    assert error.__cause__ is not error


async def test_an_input_that_does_not_fit_where_it_goes_is_the_caller_s_fault(bench: Bench) -> None:
    error = (await bench.run(planned(*SIEVE, given=["k"]), k="many")).error
    assert isinstance(error, ValidationError)
    assert error.problems[0]["loc"] == ["body", "stages", 2, "config", "parameters", "limit"]
    assert error.details == {"stage_name": "keep", "stage_index": 2, "input_count": 20}


async def test_an_optional_stage_that_fails_is_skipped(bench: Bench) -> None:
    stages = (spec("emit", count=3), spec("break", options={"on_error": "skip"}), spec("double"))
    result = await bench.run(planned(*stages))
    assert result.status is ExecutionStatus.DEGRADED
    assert len(result.hits) == 3
    assert result.stages_completed == 2
    assert result.warnings == ("stage 'break' was skipped: stage 'break' failed: ZeroDivisionError: division by zero",)
    failed = result.stages[1]
    assert isinstance(failed, StageFailed)
    assert failed.skipped


async def test_a_stage_past_its_own_time_limit_degrades_the_run(bench: Bench) -> None:
    result = await bench.run(planned(spec("emit", count=3), spec("break", how="own limit"), spec("keep", limit=1)))
    assert result.status is ExecutionStatus.DEGRADED
    assert (len(result.hits), result.stages_completed) == (1, 2)
    assert result.warnings == ("stage 'break' was skipped: stage 'break' failed: ran past its limit",)


async def test_credits_stop_the_run_before_what_it_cannot_pay(bench: Bench) -> None:
    plan = planned(*SIEVE, given=["k"], budget=Budget(max_credits=2.5))
    result = await bench.run(plan, k=5)
    assert result.status is ExecutionStatus.DEGRADED
    assert result.credits_used == 1.0
    assert len(result.hits) == 20
    assert result.warnings == (
        "budget max_credits: stage 'double' costs 2 credits and 1.5 of 2.5 are left; 1 more not run",
    )
    cut = result.stages[-1]
    assert isinstance(cut, StageCut)
    assert (cut.index, cut.limit) == (1, "max_credits")
    exactly = await bench.run(planned(*SIEVE, given=["k"], budget=Budget(max_credits=3.0)), k=5)
    assert exactly.status is ExecutionStatus.COMPLETED


async def test_time_stops_a_stage_that_does_not_come_back(bench: Bench) -> None:
    plan = planned(spec("emit", count=2), spec("wait"), budget=Budget(max_time_ms=60))
    result = await bench.run(plan)
    assert result.status is ExecutionStatus.DEGRADED
    assert len(result.hits) == 2
    assert result.warnings == ("budget max_time_ms: stage 'wait' ran out of time",)
    assert isinstance(result.stages[-1], StageCut)


async def test_time_that_is_up_begins_nothing(bench: Bench) -> None:
    result = await bench.run(planned(*SIEVE, given=["k"], budget=Budget(max_time_ms=0)), k=5)
    assert result.status is ExecutionStatus.DEGRADED
    assert not result.hits
    assert result.warnings == ("budget max_time_ms: stage 'emit' was not begun, the time was up; 2 more not run",)


async def test_a_client_that_leaves_is_told_and_goes_its_way(bench: Bench) -> None:
    waiting = asyncio.Event()

    def tell(event: Event) -> None:
        bench.events.append(event)
        if isinstance(event, StageStarted) and event.stage_id == "wait":
            waiting.set()

    plan = planned(spec("emit", count=2), spec("wait"))
    task = asyncio.create_task(bench.executor().run(plan, request(), tell))
    await waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    finished = bench.events[-1]
    assert isinstance(finished, ExecutionFinished)
    assert finished.status is ExecutionStatus.CANCELLED
    assert finished.stages_completed == 1
