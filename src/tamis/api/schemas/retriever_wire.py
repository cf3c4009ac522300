"""Between retrievers on the wire and retrievers as values."""

from typing import Any

from tamis.api.schemas.fields import BucketSchemaField
from tamis.api.schemas.retriever import (
    BudgetLimits,
    CloneRetrieverRequest,
    CreateRetrieverRequest,
    FeatureAddress,
    PatchRetrieverRequest,
    RetrieverConfig,
    RetrieverModel,
    StageConfig,
    StageConfigAnswer,
    StageType,
)
from tamis.engine.planning.definition import parse_stages
from tamis.engine.stage import StageKind
from tamis.engine.stages import STAGES
from tamis.errors import ValidationError
from tamis.model.feature_uri import FeatureUri
from tamis.model.retriever import Budget, Retriever, StageSpec
from tamis.services.runs.retrievers import RetrieverChanges, RetrieverDraft

_WIRE_NAMES = {
    "retriever_name": "name",
    "collection_identifiers": "collections",
    "budget_limits": "budget",
}
_NULL_CLEARS = frozenset({"description", "display_config"})


def read_stages(stages: list[StageConfig]) -> tuple[StageSpec, ...]:
    return parse_stages([stage.model_dump(exclude_unset=True) for stage in stages])


def read_budget(limits: BudgetLimits | None) -> Budget:
    return Budget(limits.max_credits, limits.max_time_ms) if limits else Budget()


def read_draft(request: CreateRetrieverRequest) -> RetrieverDraft:
    return RetrieverDraft(**_values(request, frozenset(_fields(request))))


def read_changes(request: PatchRetrieverRequest | CloneRetrieverRequest) -> RetrieverChanges:
    """What was sent; null clears where there is something to clear in a patch, and copies in a clone."""
    clears = _NULL_CLEARS if isinstance(request, PatchRetrieverRequest) else frozenset()
    sent = {name for name in request.model_fields_set if getattr(request, name) is not None or name in clears}
    values = _values(request, frozenset(sent))
    return RetrieverChanges(changed=frozenset(values), **values)


def _fields(request: CreateRetrieverRequest) -> list[str]:
    return [name for name in type(request).model_fields if getattr(request, name) is not None]


def _values(
    request: CreateRetrieverRequest | PatchRetrieverRequest | CloneRetrieverRequest, names: frozenset[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {_WIRE_NAMES.get(name, name): getattr(request, name) for name in names}
    if values.get("stages"):
        values["stages"] = read_stages(values["stages"])
    if "budget" in values:
        values["budget"] = read_budget(values["budget"])
    for name in ("tags", "collections"):
        if name in values:
            values[name] = tuple(values[name])
    if values.get("display_config") is not None:
        values["display_config"] = values["display_config"].model_dump(mode="json")
    if "input_schema" in values:
        values["input_schema"] = read_fields(values["input_schema"])
    return values


def read_fields(fields: dict[str, BucketSchemaField]) -> dict[str, Any]:
    """An input schema as it was sent."""
    return {name: one.model_dump(mode="json", exclude_unset=True) for name, one in fields.items()}


def show_retriever(retriever: Retriever, is_published: bool = False) -> RetrieverModel:
    return RetrieverModel(**_shown(retriever), is_published=is_published)


def show_config(retriever: Retriever) -> RetrieverConfig:
    return RetrieverConfig(**_shown(retriever))


def _shown(retriever: Retriever) -> dict[str, Any]:
    definition = retriever.definition
    collection_ids = list(definition.collection_ids)
    return {
        "retriever_id": retriever.retriever_id,
        "retriever_name": retriever.name,
        "description": retriever.description,
        "collection_ids": collection_ids,
        "collection_identifiers": collection_ids,
        "stages": [_show_stage(stage) for stage in definition.stages],
        "input_schema": definition.input_schema,
        "budget_limits": BudgetLimits(
            max_credits=definition.budget.max_credits, max_time_ms=definition.budget.max_time_ms
        ),
        "cache_config": definition.cache_config,
        "feature_dependencies": feature_dependencies(definition.stages),
        "tags": list(retriever.tags),
        "display_config": retriever.display_config,
        "version": retriever.version,
        "created_at": retriever.created_at,
        "updated_at": retriever.updated_at,
        "created_by": retriever.created_by,
        "updated_by": retriever.updated_by,
    }


# Kinds that clients of the contract's day would not read.
_WIRE = {StageKind.GROUP: StageType.REDUCE, StageKind.ENRICH: StageType.APPLY}


def stage_type(stage_id: str) -> StageType | None:
    """The kind that a stage goes out as; groups are reduces there."""
    stage = STAGES.get(stage_id)
    if stage is None:
        return None
    return _WIRE.get(stage.kind) or StageType(stage.kind.value)


def _show_stage(stage: StageSpec) -> StageConfigAnswer:
    config = {"stage_id": stage.stage_id, "parameters": stage.parameters, **stage.options}
    return StageConfigAnswer.model_validate(
        {
            "stage_name": stage.stage_name,
            "stage_type": stage_type(stage.stage_id),
            "config": config,
            "parameters": stage.parameters,
            "batch_size": stage.batch_size,
            "description": stage.description,
        }
    )


def feature_dependencies(stages: tuple[StageSpec, ...]) -> list[FeatureAddress]:
    """The features that the pipeline's searches name, each once."""
    uris: dict[str, None] = {}
    for stage in stages:
        searches = stage.parameters.get("searches")
        for search in searches if isinstance(searches, list) else []:
            uri = search.get("feature_uri") if isinstance(search, dict) else None
            if isinstance(uri, str):
                uris[uri] = None
    return [address for uri in uris if (address := _address(uri)) is not None]


def _address(uri: str) -> FeatureAddress | None:
    try:
        parsed = FeatureUri.parse(uri)
    except ValidationError:
        return None
    return FeatureAddress(extractor=parsed.extractor, version=parsed.version, output=parsed.output)
