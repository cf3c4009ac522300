"""From the wire's many spellings of a pipeline to one, and to the JSON that is hashed and kept."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from tamis.engine.parameters import with_nulls
from tamis.errors import ValidationError
from tamis.model.json import JSON
from tamis.model.retriever import Budget, Definition, StageSpec

SEARCH = "feature_search"
_STAGE_KEYS = frozenset(
    {"stage_name", "stage_id", "stage_type", "type", "config", "parameters", "version", "batch_size", "description"}
)
_OPTIONS = ("when", "on_error", "output_alias", "pre_filters", "post_filters")
_CONFIG_KEYS = frozenset({*_STAGE_KEYS, *_OPTIONS, "stats"})


def parse_stages(raw: Sequence[Any], loc: list[str | int] | None = None) -> tuple[StageSpec, ...]:
    """Stages as any client spells them. A stage without a name is called as its id, numbered where that is taken.

    Understood: `config` with `stage_id` and `parameters`; `stage_id` and `parameters` at the top; parameters written
    straight into `config`, or beside `type`; a known stage's id as `stage_name` alone.
    Raises: ValidationError at the place.
    """
    here = loc or ["body", "stages"]
    given = {item["stage_name"] for item in raw if isinstance(item, dict) and isinstance(item.get("stage_name"), str)}
    specs: list[StageSpec] = []
    for position, item in enumerate(raw):
        if not isinstance(item, dict):
            raise ValidationError.at([*here, position], "a stage is an object with stage_name and config")
        spec = _parse(item, [*here, position])
        if not spec.stage_name:
            spec = replace(spec, stage_name=_free_name(spec.stage_id, given))
            given.add(spec.stage_name)
        specs.append(spec)
    return tuple(specs)


def named_collections(stages: Sequence[StageSpec]) -> tuple[str, ...]:
    """Collections that the stages themselves name, in order: what a request without any of its own is about."""
    found = dict.fromkeys(name for stage in stages for name in _identifiers(stage.parameters))
    return tuple(found)


def with_filters(stages: Sequence[StageSpec], filters: JSON) -> tuple[StageSpec, ...]:
    """The pipeline on the part of the corpus that matches: what `filters` beside the inputs means to later clients.

    Each search is narrowed; a pipeline that does not begin with one has its first stage's output filtered.
    """
    if not filters or not stages:
        return tuple(stages)
    narrowed = [_narrowed(stage, filters) if stage.stage_id == SEARCH else stage for stage in stages]
    if stages[0].stage_id != SEARCH:
        first = narrowed[0]
        merged = _both(first.options.get("post_filters"), filters)
        narrowed[0] = replace(first, options={**first.options, "post_filters": merged})
    return tuple(narrowed)


def to_json(definition: Definition) -> dict[str, JSON]:
    """The definition as plain JSON; `from_json` reads it back."""
    return {
        "stages": [_stage_json(stage) for stage in definition.stages],
        "input_schema": definition.input_schema,
        "collection_ids": list(definition.collection_ids),
        "budget": {"max_credits": definition.budget.max_credits, "max_time_ms": definition.budget.max_time_ms},
        "cache_config": definition.cache_config,
    }


def from_json(raw: Mapping[str, Any]) -> Definition:
    return Definition(
        stages=tuple(StageSpec(**stage) for stage in raw["stages"]),
        input_schema=raw["input_schema"],
        collection_ids=tuple(raw["collection_ids"]),
        budget=Budget(**raw["budget"]),
        cache_config=raw["cache_config"],
    )


def _stage_json(stage: StageSpec) -> JSON:
    optional: dict[str, JSON] = {
        "batch_size": stage.batch_size,
        "description": stage.description,
        "stage_type": stage.stage_type,
        "options": stage.options or None,
    }
    kept = {name: value for name, value in optional.items() if value is not None}
    return {"stage_name": stage.stage_name, "stage_id": stage.stage_id, "parameters": stage.parameters, **kept}


def _parse(raw: Mapping[str, Any], loc: list[str | int]) -> StageSpec:
    config = raw.get("config") or {}
    if not isinstance(config, dict):
        raise ValidationError.at([*loc, "config"], "an object with stage_id and parameters")
    stage_id = config.get("stage_id") or raw.get("stage_id") or raw.get("type") or raw.get("stage_name")
    if not isinstance(stage_id, str):
        raise ValidationError.at([*loc, "config", "stage_id"], "name the stage to run, such as 'feature_search'")
    parameters = with_nulls(_parameters(raw, config, loc))
    given = {name: raw.get(name, config.get(name)) for name in _OPTIONS}
    options = {
        name: value
        for name, value in given.items()
        if value is not None and not (_is_of_documents(name, value) and parameters.get(name) is value)
    }
    if stage_id == SEARCH:
        parameters = _spelt_out_search(parameters)
    spec = StageSpec(
        stage_name=_text(raw.get("stage_name"), [*loc, "stage_name"]) or "",
        stage_id=stage_id,
        parameters=parameters,
        batch_size=raw.get("batch_size", config.get("batch_size")),
        description=_text(raw.get("description"), [*loc, "description"]),
        stage_type=_text(raw.get("stage_type"), [*loc, "stage_type"]),
        options=options,
    )
    if stage_id == SEARCH and "pre_filters" in options:
        rest = {name: value for name, value in options.items() if name != "pre_filters"}
        spec = _narrowed(replace(spec, options=rest), options["pre_filters"])
    return spec


def _parameters(raw: Mapping[str, Any], config: Mapping[str, Any], loc: list[str | int]) -> dict[str, JSON]:
    for holder, place in ((config, [*loc, "config"]), (raw, loc)):
        parameters = holder.get("parameters")
        if parameters is not None:
            if not isinstance(parameters, dict):
                raise ValidationError.at([*place, "parameters"], "an object of the stage's parameters")
            return dict(parameters)
    if config:
        return _own(config, _CONFIG_KEYS)
    return _own(raw, frozenset({*_STAGE_KEYS, *_OPTIONS}))


def _own(written: Mapping[str, Any], of_every_stage: frozenset[str]) -> dict[str, JSON]:
    """Parameters that were written straight beside what every stage has."""
    return {
        name: value for name, value in written.items() if name not in of_every_stage or _is_of_documents(name, value)
    }


def _is_of_documents(name: str, value: Any) -> bool:
    """`when` is also a parameter of stages that choose among documents: there it is a filter."""
    return name == "when" and isinstance(value, dict)


def _text(value: Any, loc: list[str | int]) -> str | None:
    if value is not None and not isinstance(value, str):
        raise ValidationError.at(loc, "expected a text")
    return value


def _free_name(stage_id: str, taken: set[str]) -> str:
    if stage_id not in taken:
        return stage_id
    number = next(number for number in range(2, len(taken) + 3) if f"{stage_id}_{number}" not in taken)
    return f"{stage_id}_{number}"


def _spelt_out_search(parameters: dict[str, JSON]) -> dict[str, JSON]:
    """`Mixpeek.search` of the published client sends one query where the stage takes a list of searches."""
    if "searches" in parameters or "query" not in parameters:
        return parameters
    rest = dict(parameters)
    query, limit = rest.pop("query"), rest.pop("limit", None)
    collections = rest.pop("collection_ids", None) or rest.pop("collection_identifiers", None)
    rest.pop("feature_extractor", None)
    search: dict[str, JSON] = {"query": query if isinstance(query, dict) else {"input_mode": "text", "value": query}}
    for name in ("feature_uri", "top_k", "min_score", "lexical"):
        if name in rest:
            search[name] = rest.pop(name)
    if isinstance(limit, int):
        rest.setdefault("final_top_k", limit)
    if collections:
        rest["collection_identifiers"] = collections
    return {"searches": [search], **rest}


def _narrowed(stage: StageSpec, filters: JSON) -> StageSpec:
    merged = _both(stage.parameters.get("filters"), filters)
    return replace(stage, parameters={**stage.parameters, "filters": merged})


def _both(first: JSON, second: JSON) -> JSON:
    return {"AND": [first, second]} if first else second


def _identifiers(parameters: Mapping[str, Any]) -> Iterator[str]:
    for name in ("collection_identifiers", "collection_ids"):
        value = parameters.get(name)
        yield from (one for one in (value if isinstance(value, list) else []) if isinstance(one, str))
    searches = parameters.get("searches")
    for search in searches if isinstance(searches, list) else []:
        if isinstance(search, dict):
            yield from _identifiers(search)
