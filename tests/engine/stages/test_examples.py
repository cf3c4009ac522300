"""Every stage's own example runs, and the catalogue is complete and honest."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tamis.engine import stages
from tamis.engine.stage import Stage
from tamis.engine.stages import STAGES
from tamis.model.hits import Hits
from tests.engine.stages.agents import FINISH, call, theatre
from tests.engine.stages.shop import Shop

ISSUE = {
    "api_call", "web_scrape", "external_web_search", "external_reverse_image",
    "llm_filter", "llm_enrich", "summarize", "query_expand",
    "rerank", "maxsim_rerank", "mmr",
    "feature_search", "attribute_filter", "sort_attribute", "sort_relevance", "score_normalize", "limit", "sample",
    "deduplicate", "group_by", "cluster", "aggregate", "cross_compare", "agent_search", "agentic_enrich",
    "code_execution", "json_transform", "rag_prepare", "unwind", "document_enrich", "taxonomy_enrich",
    "sql_lookup",
}  # fmt: skip

# What a language model says, where the plainest answer that fits would do nothing.
SCRIPTS = {"agent_search": [call("feature_search", query="shoes"), FINISH]}


# They bring documents of their own, from providers that their tests stand in for.
SEARCHING_ELSEWHERE = ("external_web_search", "external_reverse_image")


def example_of(stage: type[Stage]) -> dict[str, Any]:
    example: dict[str, Any] = getattr(stage, "example")  # noqa: B009 - the protocol does not ask for one
    return example


def test_the_registry_has_every_stage_under_its_own_name() -> None:
    assert set(STAGES) == ISSUE
    files = {path.stem for path in Path(stages.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == ISSUE
    assert all(stage.id == name for name, stage in STAGES.items())


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES.keys())
async def test_the_example_does_something(stage: type[Stage], shop: Shop) -> None:
    if stage.id in ("api_call", "web_scrape", "code_execution", "sql_lookup", *SEARCHING_ELSEWHERE):
        return  # in their own tests, against a server, an interpreter or a database
    found = await shop.run("attribute_filter", {"field": "text", "operator": "exists", "value": True})
    hits = Hits() if stage.id in ("feature_search", "agent_search") else found.hits
    async with theatre(shop) as opened:
        opened.server.script.extend(SCRIPTS.get(stage.id, ()))
        outcome = await stage(stage.Parameters.model_validate(example_of(stage))).run(hits, opened.context())
    assert outcome.hits
    assert outcome.hits != hits or stage.id == "score_normalize"


@pytest.mark.parametrize("stage", [one for name, one in STAGES.items() if name not in SEARCHING_ELSEWHERE])
async def test_nothing_in_is_nothing_out(stage: type[Stage], shop: Shop) -> None:
    context = shop.context(stage_index=1)
    outcome = await stage(stage.Parameters.model_validate(example_of(stage))).run(Hits(), context)
    assert not outcome.hits


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES.keys())
def test_unknown_parameters_are_refused(stage: type[Stage]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        stage.Parameters.model_validate({**example_of(stage), "no_such_parameter": 1})


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES.keys())
def test_the_catalogue_describes_every_parameter(stage: type[Stage]) -> None:
    schema = stage.Parameters.model_json_schema()
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", stage.icon)
    assert len(stage.description) > 40
    assert schema["additionalProperties"] is False
    for name, field in stage.Parameters.model_fields.items():
        assert field.description, name
        assert name in schema["properties"], f"the contract's spelling of {name} comes first"


@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES.keys())
def test_null_means_the_default(stage: type[Stage]) -> None:
    given = example_of(stage)
    nulls = {name: None for name in stage.Parameters.model_fields if name not in given and name != "value"}
    assert stage.Parameters.model_validate({**given, **nulls}) == stage.Parameters.model_validate(given)
