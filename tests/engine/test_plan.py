from typing import Any

import pytest

from tamis.engine.planning.plan import Planner
from tamis.engine.stages import STAGES
from tamis.errors import ValidationError
from tamis.model.retriever import Definition, StageSpec
from tests.engine.pipelines import DOCS, REGISTRY, URI, EmitParameters, planned, spec


def problems(*stages: StageSpec, schema: dict[str, Any] | None = None, registry: Any = REGISTRY) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        Planner(registry).plan(Definition(stages, schema or {}), [DOCS])
    return {".".join(map(str, one["loc"][1:])): one["msg"] for one in caught.value.problems}


def search(uri: Any = URI, **more: Any) -> StageSpec:
    return spec(
        "feature_search", searches=[{"feature_uri": uri, "query": {"input_mode": "text", "value": "x"}, **more}]
    )


def test_a_plan_is_ready_to_run() -> None:
    plan = planned(spec("emit", count=3), spec("keep", limit="{{INPUT.k}}"), schema={"k": {"type": "integer"}})
    first, second = plan.stages
    assert first.parameters == EmitParameters(count=3)
    assert second.parameters is None
    assert second.roots == {"INPUT"}
    assert len(plan.hash) == 64


def test_everything_that_is_wrong_is_told_at_once() -> None:
    told = problems(
        spec("emitt"),
        spec("keep", limt=3),
        spec("keep", "keep", limit="many"),
        spec("double", factor="{{INPUT.facter}}"),
        search("mixpeek://image_extractor@v1/embedding"),
        spec("keep", "e", {"on_error": "retry", "post_filters": {"field": "a", "operator": "is", "value": 1}}),
        schema={"factor": {"type": "nmber"}},
    )
    assert told == {
        "input_schema.factor.type": told["input_schema.factor.type"],
        "stages.0.config.stage_id": "there is no stage 'emitt'; did you mean 'emit'?",
        "stages.1.config.parameters.limt": "unknown parameter; did you mean 'limit'?",
        "stages.2.stage_name": "the name 'keep' is taken by stage 1; names are unique in a pipeline",
        "stages.2.config.parameters.limit": told["stages.2.config.parameters.limit"],
        "stages.4.config.parameters.searches.0.feature_uri": told["stages.4.config.parameters.searches.0.feature_uri"],
        "stages.5.on_error": "'error' fails the run, 'skip' goes on with what the stage was given",
        "stages.5.config.post_filters.operator": told["stages.5.config.post_filters.operator"],
    }
    assert "valid integer" in told["stages.2.config.parameters.limit"]
    assert URI in told["stages.4.config.parameters.searches.0.feature_uri"]


@pytest.mark.parametrize(
    ("size", "own", "taken"),
    [(5, None, 5), ("5", None, 5), (None, 7, 7), (7, 7, 7), ("{{INPUT.k}}", None, "{{INPUT.k}}")],
)
def test_the_option_batch_size_is_the_stages_parameter(size: Any, own: Any, taken: Any) -> None:
    parameters = {"criteria": "red", **({} if own is None else {"batch_size": own})}
    definition = Definition((StageSpec("f", "llm_filter", parameters, batch_size=size),), {"k": {"type": "integer"}})
    (stage,) = Planner(STAGES).plan(definition, [DOCS]).stages
    assert stage.resolve({"INPUT": {"k": 3}})[1].model_dump()["batch_size"] == (3 if isinstance(taken, str) else taken)


@pytest.mark.parametrize(
    ("size", "own", "said"),
    [
        (0, None, "a whole number"),
        ("many", None, "a whole number"),
        ("{{DOC.n}}", None, "before any document"),
        ("{{INPUT.", None, "template"),
        (5, 6, "give one of them"),
    ],
)
def test_batch_sizes_that_cannot_be(size: Any, own: Any, said: str) -> None:
    parameters = {} if own is None else {"batch_size": own}
    told = problems(StageSpec("f", "llm_filter", parameters, batch_size=size), registry=STAGES)
    assert said in " ".join(told.values())


def test_an_alias_hides_nothing_of_the_context() -> None:
    told = problems(spec("emit", options={"output_alias": "document_count"}, count=1))
    assert "has a meaning already" in told["stages.0.output_alias"]


def test_a_pipeline_has_a_stage() -> None:
    assert problems() == {"stages": "a pipeline has at least one stage"}


def test_an_input_that_a_template_names_must_be_declared_or_given() -> None:
    stages = (spec("emit", count=1), spec("keep", limit="{{INPUT.k}}"))
    with pytest.raises(ValidationError, match="did you mean 'kk'") as caught:
        planned(*stages, schema={"kk": {"type": "integer"}})
    assert caught.value.problems[0]["loc"] == ["body", "stages", 1, "config", "parameters", "limit"]
    assert planned(*stages, given=["k"])
    assert planned(*stages, schema={"k": {"type": "integer"}})
    assert planned(spec("keep", limit="{{ INPUT.k | default(3) }}"))


def test_a_template_that_cannot_be_read_is_told() -> None:
    assert "end of template" in problems(spec("label", text="{{ DOC.title"))["stages.0.config.parameters.text"]
    assert "unknown name" in problems(spec("label", text="{{ title }}"))["stages.0.config.parameters.text"]


def test_a_template_hides_its_own_fault_and_no_other() -> None:
    open_search = {"feature_uri": URI, "query": {"input_mode": "text", "value": "x"}, "top_k": "{{INPUT.k}}"}
    stage = spec("feature_search", searches=[open_search], final_top_k="{{INPUT.k}}")
    registry = STAGES
    assert Planner(registry).plan(Definition((stage,)), [DOCS], ["k"]).stages[0].parameters is None
    wrong = spec("feature_search", searches=[{**open_search, "top_kk": 3}], final_top_k="{{INPUT.k}}")
    place = "stages.0.config.parameters.searches.0.top_kk"
    assert problems(wrong, registry=registry) == {place: "unknown parameter; did you mean 'top_k'?"}
    missing = spec("feature_search", searches=[{"feature_uri": URI, "top_k": "{{INPUT.k}}"}])
    assert set(problems(missing, registry=registry)) == {"stages.0.config.parameters.searches.0.query"}


def test_a_text_for_each_document_does_not_fit_a_number() -> None:
    assert set(problems(spec("keep", limit="{{DOC.n}}"))) == {"stages.0.config.parameters.limit"}


@pytest.mark.parametrize(
    "uri", [URI, "mixpeek://text@v1/multilingual_e5", "mixpeek://text_extractor@v1", "{{INPUT.u}}"]
)
def test_features_by_any_of_their_names(uri: str) -> None:
    assert planned(search(uri), given=["u"])


def test_a_search_without_a_feature_means_the_only_dense_one() -> None:
    plan = planned(spec("feature_search", searches=[{"query": "x"}]))
    assert plan.definition.stages[0].parameters["searches"] == [
        {"feature_uri": "mixpeek://text_extractor@v1", "query": "x"}
    ]


def test_a_pattern_is_judged_before_the_run() -> None:
    bad = spec("keep", options={"pre_filters": {"field": "a", "operator": "regex", "value": "("}})
    assert "RE2" in problems(bad)["stages.0.config.pre_filters"]
    bad = spec("attribute_filter", field="a", operator="regex", value="(")
    assert any("RE2" in message for message in problems(bad, registry=STAGES).values())


def test_a_plan_is_compiled_once_and_the_hash_is_of_the_meaning() -> None:
    planner = Planner(REGISTRY, capacity=2)

    def plan(**parameters: Any) -> Any:
        return planner.plan(Definition((spec("emit", **parameters),)), [DOCS])

    first = plan(count=3, candidates=9)
    assert plan(count=3, candidates=9) is first
    assert plan(candidates=9, count=3).hash == first.hash
    assert plan(count=4, candidates=9).hash != first.hash
    plan(count=5)
    again = plan(count=3, candidates=9)
    assert again is not first
    assert again.hash == first.hash


def test_numbers_beyond_64_bits_do_not_stop_a_plan() -> None:
    assert planned(spec("label", text="x"), schema={"n": {"type": "integer", "default": 2**70}})


def test_a_large_definition_is_planned_but_not_kept() -> None:
    planner = Planner(REGISTRY)
    definition = Definition((spec("label", text="x" * 100_000),))
    first, second = planner.plan(definition, [DOCS]), planner.plan(definition, [DOCS])
    assert first is not second
    assert first.hash == second.hash
    assert not first.is_kept
