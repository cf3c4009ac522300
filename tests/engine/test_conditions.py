"""The option `when`: a stage whose condition is false is passed over, and says so."""

from typing import Any

import pytest

from tamis.engine.events import StageFailed, StageFinished, StageStarted
from tamis.engine.forecasting.estimates import NoExperience
from tamis.engine.forecasting.outlook import Prospect, outlook
from tamis.engine.planning.definition import parse_stages
from tamis.engine.spending.prices import Price, PriceTable
from tamis.engine.templating.sandbox import Named
from tamis.errors import ValidationError
from tamis.model.execution import ExecutionStatus
from tamis.model.principal import Principal
from tamis.model.retriever import Budget
from tamis.model.stage_means import Means
from tests.engine.pipelines import Bench, planned, spec


def last_of(result: Any) -> StageFinished:
    end = result.stages[-1]
    assert isinstance(end, StageFinished)
    return end


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (True, True),
        (False, False),
        ("true", True),
        (" False ", False),
        ("{{ INPUT.deep }}", False),
        ("{{ not INPUT.deep }}", True),
        ("{{ INPUT.absent }}", False),
        ("{{ STAGE.emit.count > 4 }}", True),
        ("{{ STAGE.emit.count > 5 }}", False),
        ("{{ CONTEXT.document_count }}", True),
        ("{{ [] }}", False),
        ("{% if INPUT.deep %}true{% endif %}", False),
    ],
)
async def test_a_stage_runs_where_its_condition_is_true(bench: Bench, when: Any, expected: bool) -> None:
    plan = planned(
        spec("emit", count=5), spec("double", options={"when": when}), given=["deep"],
        schema={"absent": {"type": "boolean"}},
    )  # fmt: skip
    result = await bench.run(plan, deep=False)
    end = last_of(result)
    assert result.status is ExecutionStatus.COMPLETED
    assert (end.passed_over is None) is expected
    assert result.hits[0].score == (2.0 if expected else 1.0)


async def test_what_is_passed_over_costs_nothing_and_is_not_completed(bench: Bench) -> None:
    bench.prices = PriceTable({"emit": Price(1.0), "double": Price(7.0)})
    off = {"when": "{{ INPUT.deep }}", "output_alias": "doubled"}
    plan = planned(
        spec("emit", count=5), spec("double", options=off), spec("label", text="{{ CONTEXT.doubled | length }} hits"),
        given=["deep"],
    )  # fmt: skip
    result = await bench.run(plan, deep=False)
    end = result.stages[1]
    assert isinstance(end, StageFinished)
    assert end.returned is end.received
    assert (end.processed, end.credits_used, end.parameters) == (0, 0.0, None)
    assert end.metadata == {"passed_over": "its condition was false: when = {{ INPUT.deep }}"}
    assert (result.stages_completed, result.credits_used, result.total_processed) == (2, 1.0, 5)
    assert last_of(result).parameters == {"text": "5 hits"}
    assert [type(event) for event in bench.events[1:-1]] == [StageStarted, StageFinished] * 3


async def test_a_budget_does_not_save_for_what_the_inputs_rule_out(bench: Bench) -> None:
    bench.prices = PriceTable({"emit": Price(0.0, 0.1), "double": Price(7.0)})
    stages = spec("emit", count=5, candidates=5), spec("double", options={"when": "{{ INPUT.deep }}"})
    plan = planned(*stages, given=["deep"], budget=Budget(max_credits=1.0))
    result = await bench.run(plan, deep=False)
    assert (result.status, result.stages_completed, result.warnings) == (ExecutionStatus.COMPLETED, 1, ())
    assert (await bench.run(plan, deep=True)).status is ExecutionStatus.DEGRADED


async def test_a_condition_that_fails_is_the_stages_failure(bench: Bench) -> None:
    bad = {"when": "{{ INPUT.word }}"}
    stages = spec("emit", count=5), spec("double", options=bad)
    result = await bench.run(planned(*stages, given=["word"]), word="maybe")
    assert result.status is ExecutionStatus.FAILED
    assert result.error is not None
    assert "the text 'maybe'; expected true or false" in result.error.message
    skipped = planned(spec("emit", count=5), spec("double", options={**bad, "on_error": "skip"}), given=["word"])
    result = await bench.run(skipped, word="maybe")
    assert result.status is ExecutionStatus.DEGRADED
    assert isinstance(result.stages[-1], StageFailed)
    assert len(result.hits) == 5


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("maybe", "true or false, or a template"),
        (3, "true or false, or a template"),
        (["{{ INPUT.x }}"], "true or false, or a template"),
        ({"field": "brand", "operator": "eq", "value": "x"}, "a filter on documents belongs into"),
        ({"field": "brand", "operator": "eq", "value": "{{ INPUT.x }}"}, "a filter on documents belongs into"),
        ("{{ DOC.brand }}", "DOC is known only for each document"),
        ("{{ INPUT.x", "template"),
        ("{{ NOBODY.x }}", "NOBODY"),
    ],
)
def test_a_condition_that_is_none_is_refused_at_its_place(when: Any, said: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        planned(spec("emit", count=5), spec("double", options={"when": when}), given=["x"])
    problem = refusal.value.problems[0]
    assert list(problem["loc"])[:4] == ["body", "stages", 1, "when"]
    assert said in problem["msg"]


def test_an_input_that_a_condition_names_is_to_be_declared() -> None:
    with pytest.raises(ValidationError, match="deep"):
        planned(spec("emit", count=5), spec("double", options={"when": "{{ INPUT.deep }}"}))


def test_a_filter_called_when_stays_the_stages_own() -> None:
    wanted = {"field": "brand", "operator": "eq", "value": "acme"}
    flat, nested, both = parse_stages(
        [
            {"type": "llm_enrich", "when": wanted, "prompt": "x"},
            {"stage_id": "llm_enrich", "when": "{{ INPUT.deep }}", "parameters": {"when": wanted}},
            {"stage_name": "e", "config": {"stage_id": "llm_enrich", "when": False, "parameters": {}}},
        ]
    )
    assert (flat.parameters["when"], flat.options) == (wanted, {})
    assert (nested.parameters["when"], nested.options) == (wanted, {"when": "{{ INPUT.deep }}"})
    assert both.options == {"when": False}
    (wrong,) = parse_stages([{"stage_id": "llm_enrich", "when": wanted, "parameters": {}}])
    assert wrong.options == {"when": wanted}  # the plan says where it belongs


@pytest.mark.parametrize("max_credits", [None, 3.0])
def test_the_outlook_gives_on_what_a_ruled_out_stage_receives(max_credits: float | None) -> None:
    plan = planned(
        spec("emit", count=5), spec("double", options={"when": "{{ INPUT.deep }}"}), spec("keep", limit=2),
        given=["deep"],
    )  # fmt: skip
    scope = {"INPUT": Named("INPUT", {"deep": False})}
    prospects = [
        Prospect(one, None, Means(1, 0, 5, 5, 1.0) if n == 0 else None, is_passed_over=one.is_ruled_out(scope))
        for n, one in enumerate(plan.stages)
    ]
    prices = PriceTable({"emit": Price(1.0), "double": Price(9.0), "keep": Price(1.0)})
    emit, double, keep = outlook(prospects, prices, max_credits)
    assert (double.received, double.returned, double.credits, double.is_reached) == (5, 5, 0.0, True)
    assert (emit.is_reached, keep.is_reached, keep.received) == (True, True, 5)


def test_a_pipeline_of_ruled_out_stages_has_an_outlook() -> None:
    plan = planned(spec("emit", count=5, options={"when": False}), spec("double", options={"when": False}))
    prospects = [Prospect(one, one.parameters, is_passed_over=True) for one in plan.stages]
    assert [one.credits for one in outlook(prospects, PriceTable(), 1.0)] == [0.0, 0.0]


class Learned(NoExperience):
    def __init__(self) -> None:
        self.taught: list[str] = []

    def learn(self, principal: Principal, fingerprint: str, stage_id: str, run: Means) -> None:
        self.taught.append(stage_id)


async def test_nothing_is_learned_of_a_stage_that_did_not_run(bench: Bench) -> None:
    executor, learned = bench.executor(), Learned()
    executor.experience = learned
    bench.executor = lambda: executor  # type: ignore[method-assign]
    await bench.run(planned(spec("emit", count=5), spec("double", options={"when": False})))
    assert learned.taught == ["emit"]
