"""Every parameter of the contract's stages, with every kind of value that its schema allows: taken, or refused with
a reason in `stage_reasons.toml`; and what the published client makes of each stage's defaults."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mixpeek
import pytest
from pydantic import BaseModel

from tamis.engine.parameters import with_nulls
from tamis.engine.planning.checks import parameter_problems
from tamis.engine.stages import STAGES
from tests.shared_data import shared

Schema = dict[str, Any]
REASONS = Path(__file__).parent / "stage_reasons.toml"
DEEPEST = 3
TEXTS = {
    "location": "header",
    "sort_by": "brand",
    "shipped_at": "2026-01-31T12:00:00Z",
    "start_published_date": "2026-01-31",
    "query": "SELECT level FROM stock",
    "text": "red",
    "thinking_level": "low",
    "url": "https://example.com/{{DOC.document_id}}",
}
"""Of texts whose schema says less than its description: what may stand there."""
OBJECTS: dict[str, list[Any]] = {
    "diversity_field_weights": [{"brand": 0.5}],
    "feature_search_config": [
        {"searches": [{"feature_uri": "mixpeek://text_extractor@v1/embedding", "query": "bread"}]}
    ],
    "reward_map": [{"click": 1.0, "negative_feedback": -1}],
    "weights": [{"mixpeek://text_extractor@v1/embedding": 0.5}],
    "output_schema": [{"type": "object", "properties": {"topic": {"type": "string"}}}],
    "retriever_inputs": [{"query": "{{DOC.title}}"}],
    "additional_properties": [{}],
}
"""Of objects that the schema leaves open."""
VALUES = {"value": "red"}
"""Of parameters that take anything."""
OPERANDS: dict[str, Any] = {"in": ["red"], "nin": ["red"], "regex": "^r", "exists": True, "is_null": True}
"""Of operators that take no plain value."""
ALONE = {"query_preprocessing"}
"""Fields of objects that are refused: by themselves, so that they hide nothing of the others."""
BESIDE: dict[str, dict[str, Any]] = {
    "aggregate.aggregations": {"sort_by": None, "group_by": None},
    "attribute_filter.": {"conditions": None, "field": "brand", "operator": "eq", "value": "red"},
    "attribute_filter.natural_language": {"field": None, "operator": None, "value": None, "conditions": None},
    "attribute_filter.conditions": {"field": None, "operator": None, "value": None},
    "attribute_filter.value": {"conditions": None, "natural_language": None, "field": "brand", "operator": "eq"},
    "attribute_filter.field_hints": {
        "field": None, "operator": None, "value": None, "conditions": None, "natural_language": "red ones",
    },
    "feature_search.learning_config": {"fusion": "learned"},
    "cluster.": {"n_clusters": None},
    "cluster.algorithm": {"n_clusters": None},
    "document_enrich.retriever_id": {"target_collection_id": None, "target_field": None, "source_field": None},
    "document_enrich.retriever_inputs": {
        "retriever_id": "shelves", "target_collection_id": None, "target_field": None, "source_field": None,
    },
    "mmr.diversity_field_weights": {"diversity_fields": ["brand"]},
    "sql_lookup.parameters": {"query": "SELECT level FROM stock"},
    "taxonomy_enrich.taxonomy_id": {"taxonomy": None},
}  # fmt: skip
"""What goes along with a parameter, in place of the worked example's; null is left out."""


@dataclass(frozen=True, slots=True)
class Reason:
    parameter: str
    message: str
    reason: str
    value: str = ".*"

    def explains(self, parameter: str, value: Any, said: str) -> bool:
        return bool(
            re.fullmatch(self.parameter, parameter)
            and re.fullmatch(self.value, json.dumps(value))
            and self.message in said
        )


@pytest.fixture(scope="module")
def contract() -> dict[str, Schema]:
    found: dict[str, Schema] = json.loads(shared("contract/stages.json").read_text())
    return found


@pytest.fixture(scope="module")
def reasons() -> list[Reason]:
    return [Reason(**one) for one in tomllib.loads(REASONS.read_text())["refused"]]


def examples(name: str, schema: Schema, known: Mapping[str, Schema], depth: int = 0) -> list[Any]:
    """Values of each kind that the schema allows: every word of a list, both ends of a range, each field by itself."""
    if "$ref" in schema:
        schema = {**known[schema["$ref"].rsplit("/", 1)[-1]], **{k: v for k, v in schema.items() if k != "$ref"}}
    if name in VALUES:
        return [VALUES[name]]
    found: list[Any] = list(schema.get("enum", ()))
    for branch in schema.get("anyOf", ()):
        found += examples(name, branch, known, depth)
    default = schema.get("default")
    found += [] if default is None else [default]
    match schema.get("type"):
        case "boolean":
            found += [True, False]
        case "integer" | "number":
            found += [schema[end] for end in ("minimum", "maximum") if end in schema] or [3]
        case "string" if not schema.get("enum") and default is None:
            found += [TEXTS.get(name, "word")]
        case "array" if depth < DEEPEST:
            found += [[one] for one in examples(name, schema["items"], known, depth + 1)]
        case "object":
            found += _objects(name, schema, known, depth)
        case None if not found:
            found += [VALUES.get(name, "word")]
    return found


def _objects(name: str, schema: Schema, known: Mapping[str, Schema], depth: int) -> list[Any]:
    """One with all of its fields, and that again with each field's every value; one with what it needs alone."""
    fields: dict[str, Schema] = schema.get("properties", {})
    if not fields or depth > DEEPEST:
        return OBJECTS.get(name, [{"key": "value"}])
    each = {field: examples(field, one, known, depth + 1) for field, one in fields.items()}
    full = {field: values[0] for field, values in each.items() if values and field not in ALONE}
    needed = {field: one for field, one in full.items() if field in schema.get("required", ())}
    made = [needed, *({**full, field: value} for field, values in each.items() for value in values)]
    return [{**one, "value": OPERANDS[one["operator"]]} if one.get("operator") in OPERANDS else one for one in made]


def around(stage_id: str, name: str) -> dict[str, Any]:
    """The worked example, without other spellings of this parameter."""
    stage = STAGES[stage_id]
    given = {**getattr(stage, "example", {}), **BESIDE.get(f"{stage_id}.{name}", {})}
    return {
        other: value for other, value in given.items()
        if value is not None and _field(stage.Parameters, other) != _field(stage.Parameters, name)
    }  # fmt: skip


def _field(model: type[BaseModel], name: str) -> str:
    for field, info in model.model_fields.items():
        if name in getattr(info.validation_alias, "choices", ()):
            return field
    return name


def refused(stage_id: str, given: Mapping[str, Any]) -> str:
    """What is said of the parameters; nothing where they are taken."""
    _, problems = parameter_problems(STAGES[stage_id].Parameters, given, ["parameters"])
    return "; ".join(str(one["msg"]) for one in problems)


def refusals(contract: Mapping[str, Schema]) -> Iterator[tuple[str, Any, str]]:
    for stage_id, schema in contract.items():
        if stage_id not in STAGES:
            continue
        for name, one in schema["properties"].items():
            for value in examples(name, one, schema.get("$defs", {})):
                if said := refused(stage_id, {**around(stage_id, name), name: value}):
                    yield f"{stage_id}.{name}", value, said


def test_every_stage_of_the_contract_is_here(contract: Mapping[str, Schema]) -> None:
    assert contract.keys() <= STAGES.keys()


def test_every_parameter_is_known(contract: Mapping[str, Schema]) -> None:
    unknown = [
        f"{stage_id}.{name}"
        for stage_id, schema in contract.items() if stage_id in STAGES
        for name in schema["properties"]
        if _field(model := STAGES[stage_id].Parameters, name) not in model.model_fields
    ]  # fmt: skip
    assert unknown == []


def test_every_refusal_has_a_reason(contract: Mapping[str, Schema], reasons: list[Reason]) -> None:
    found = list(refusals(contract))
    unexplained = [one for one in found if not any(reason.explains(*one) for reason in reasons)]
    assert unexplained == []
    idle = [reason.parameter for reason in reasons if not any(reason.explains(*one) for one in found)]
    assert idle == []


def test_null_is_the_default_of_every_parameter(contract: Mapping[str, Schema]) -> None:
    for stage_id, schema in contract.items():
        for name in schema["properties"] if stage_id in STAGES else ():
            given = around(stage_id, name)
            if name not in schema.get("required", ()) and name != "value":  # what equals null is asked by null
                assert refused(stage_id, {**given, name: None}) == refused(stage_id, given), f"{stage_id}.{name}"


def client_models() -> Iterator[tuple[str, Any]]:
    for stage_id in sorted(STAGES):
        name = "StageParams" + "".join(part.capitalize() for part in stage_id.split("_"))
        if hasattr(mixpeek, name):
            yield stage_id, getattr(mixpeek, name)


@pytest.mark.parametrize(("stage_id", "model"), [*client_models()])
def test_what_the_published_client_sends_by_default_is_taken(stage_id: str, model: Any) -> None:
    """It writes the text `null` for null in places: that names no model, field or retriever."""
    sent = model.model_construct().to_dict()
    beside = {name: value for name, value in around(stage_id, "").items() if name not in sent}
    if stage_id == "taxonomy_enrich":
        sent.pop("taxonomy_id")  # a placeholder, which the client's user replaces
    read = with_nulls({**beside, **sent})  # as a definition is
    assert refused(stage_id, read) == ""
    parameters = STAGES[stage_id].Parameters.model_validate(read)
    words = {name for name, value in parameters.model_dump().items() if value == "null"}
    assert words <= {"on_no_results"}  # a word of sql_lookup's


def test_two_spellings_of_one_parameter_say_the_same() -> None:
    same = {"model": "m", "model_name": "m", "criteria": "red"}
    assert refused("llm_filter", same) == ""
    said = refused("llm_filter", {**same, "inference_name": "n"})
    assert "two spellings of one parameter" in said
    assert "inference_name" in said


@pytest.mark.parametrize("reference", ["{{secrets.openai_key}}", "{{ SECRET.openai_key }}", "openai_key"])
def test_a_secret_is_referred_to_as_the_pages_do(reference: str) -> None:
    assert refused("llm_filter", {"criteria": "red", "api_key": reference}) == ""
