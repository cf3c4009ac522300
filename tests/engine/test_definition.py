from typing import Any

import pytest

from tamis.engine.planning.definition import from_json, named_collections, parse_stages, to_json, with_filters
from tamis.errors import ValidationError
from tamis.model.json import JSON
from tamis.model.retriever import Budget, Definition, StageSpec

WANTED = StageSpec("find", "feature_search", {"searches": [], "final_top_k": 5})
PARAMETERS = {"searches": [], "final_top_k": 5}
CHEAP: dict[str, JSON] = {"field": "price", "operator": "lt", "value": 5}


@pytest.mark.parametrize(
    "raw",
    [
        {"stage_name": "find", "config": {"stage_id": "feature_search", "parameters": PARAMETERS}},
        {"stage_name": "find", "stage_id": "feature_search", "parameters": PARAMETERS},
        {"stage_name": "find", "config": {"stage_id": "feature_search", **PARAMETERS}},
        {"stage_name": "find", "version": "v1", "stage_id": "feature_search", "config": {"parameters": PARAMETERS}},
        {"stage_name": "find", "type": "feature_search", **PARAMETERS},
    ],
)
def test_every_spelling_is_the_same_stage(raw: dict[str, Any]) -> None:
    assert parse_stages([raw]) == (WANTED,)


def test_a_name_may_be_the_id_and_missing_names_are_made() -> None:
    raw = [{"stage_name": "limit", "parameters": {"limit": 3}}, {"stage_id": "limit"}, {"stage_id": "limit"}]
    assert [(one.stage_name, one.stage_id) for one in parse_stages(raw)] == [
        ("limit", "limit"),
        ("limit_2", "limit"),
        ("limit_3", "limit"),
    ]


def test_what_the_published_client_s_search_sends() -> None:
    raw = {
        "type": "feature_search",
        "feature_extractor": {"type": "text"},
        "query": "red shoes",
        "collection_ids": ["products"],
        "limit": 7,
    }
    (stage,) = parse_stages([raw])
    assert (stage.stage_name, stage.stage_id) == ("feature_search", "feature_search")
    assert stage.parameters == {
        "searches": [{"query": {"input_mode": "text", "value": "red shoes"}}],
        "final_top_k": 7,
        "collection_identifiers": ["products"],
    }
    assert named_collections([stage]) == ("products",)
    assert "collection_identifiers" not in parse_stages([{**raw, "collection_ids": []}])[0].parameters


def test_options_stand_beside_the_parameters() -> None:
    raw = {
        "stage_name": "cut",
        "stage_type": "reduce",
        "batch_size": "{{ INPUT.k }}",
        "on_error": "skip",
        "config": {"stage_id": "limit", "parameters": {}, "post_filters": CHEAP, "output_alias": "best"},
    }
    (stage,) = parse_stages([raw])
    assert stage.options == {"on_error": "skip", "output_alias": "best", "post_filters": CHEAP}
    assert (stage.stage_type, stage.batch_size) == ("reduce", "{{ INPUT.k }}")


def test_filters_before_a_search_go_into_it() -> None:
    searched, cut = parse_stages(
        [
            {"stage_id": "feature_search", "config": {"parameters": {"filters": CHEAP}, "pre_filters": {"a": 1}}},
            {"stage_id": "limit", "config": {"parameters": {"limit": 1}, "pre_filters": {"a": 1}}},
        ]
    )
    assert searched.parameters == {"filters": {"AND": [CHEAP, {"a": 1}]}}
    assert searched.options == {}
    assert cut.options == {"pre_filters": {"a": 1}}


def test_filters_of_a_request_narrow_every_search_or_else_the_first_stage() -> None:
    search, limit = StageSpec("s", "feature_search", {"searches": []}), StageSpec("l", "limit", {})
    assert with_filters([search, limit, search], CHEAP)[0].parameters["filters"] == CHEAP
    assert with_filters([search, limit, search], CHEAP)[2].parameters["filters"] == CHEAP
    assert with_filters([search, limit], CHEAP)[1] == limit
    assert with_filters([limit, search], CHEAP)[0].options == {"post_filters": CHEAP}
    assert with_filters([search, limit], None) == (search, limit)


@pytest.mark.parametrize(
    ("raw", "loc"),
    [
        (5, [0]),
        ({"config": 5, "stage_name": "x"}, [0, "config"]),
        ({"config": {}}, [0, "config", "stage_id"]),
        ({"stage_id": "limit", "parameters": [1]}, [0, "parameters"]),
        ({"stage_name": "l", "config": {"stage_id": "limit", "parameters": "x"}}, [0, "config", "parameters"]),
        ({"stage_name": 5, "stage_id": "limit"}, [0, "stage_name"]),
    ],
)
def test_what_is_no_stage_is_named(raw: Any, loc: list[Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        parse_stages([raw])
    assert caught.value.problems[0]["loc"] == ["body", "stages", *loc]


def test_a_definition_survives_json() -> None:
    stage = StageSpec("s", "limit", {"limit": 3}, "{{INPUT.k}}", "cut", "reduce", {"on_error": "skip"})
    definition = Definition(
        (stage, WANTED), {"k": {"type": "integer"}}, ("col_1",), Budget(1.5, 100), {"enabled": True}
    )
    assert from_json(to_json(definition)) == definition


@pytest.mark.parametrize(
    "raw",
    [
        {"stage_name": "f", "batch_size": "4", "config": {"stage_id": "llm_filter", "parameters": {}}},
        {"stage_name": "f", "config": {"stage_id": "llm_filter", "batch_size": "4"}},
        {"type": "llm_filter", "batch_size": "4"},
    ],
)
def test_a_batch_size_is_found_wherever_it_stands(raw: dict[str, Any]) -> None:
    (stage,) = parse_stages([raw])
    assert stage.batch_size == "4"
