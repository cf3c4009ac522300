"""What is there: read off the running server's own registries and routes, so that it cannot be out of date."""

import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from tamis import __version__
from tamis.api.access import service
from tamis.api.bodies import JsonRoute
from tamis.api.schemas.discovery import (
    DiscoveryResponse,
    ExtractorDiscovery,
    ManifestSchemaDiscovery,
    Operation,
    StageDiscovery,
)
from tamis.api.schemas.extractor import extractor_model
from tamis.api.stages import Catalogue, RetrieverStageDefinition, definitions
from tamis.engine.ports.extraction import Extractor
from tamis.engine.spending.prices import DEFAULT_PRICES
from tamis.engine.stage import Effect
from tamis.services.data.collections import CollectionService

router = APIRouter(prefix="/v1/discovery", tags=["discovery"], route_class=JsonRoute)

Collections = Annotated[CollectionService, Depends(service(CollectionService))]

# What is created under what, in the order of creation.
_RESOURCES = {
    "namespace": ("/v1/namespaces", []),
    "bucket": ("/v1/buckets", ["namespace"]),
    "collection": ("/v1/collections", ["bucket"]),
    "retriever": ("/v1/retrievers", ["collection"]),
}
_COMPONENTS = "#/components/schemas/"
_METHODS = ("get", "post", "put", "patch", "delete")


@router.get("")
async def discover(request: Request, collections: Collections, catalogue: Catalogue) -> DiscoveryResponse:
    """Everything that this server can do. Open to all: it holds nobody's data."""
    return DiscoveryResponse(
        extractors=[_extractor(extractor) for extractor in collections.extractors()],
        manifest_schema=_manifest(request.app.openapi()),
        operations=_operations(request.app.openapi()),
        stages=[_stage(stage) for stage in definitions(catalogue)],
        version=__version__,
    )


@router.get("/extractors")
async def list_extractors(collections: Collections) -> list[ExtractorDiscovery]:
    """The feature extractors of this server."""
    return [_extractor(extractor) for extractor in collections.extractors()]


@router.get("/stages")
async def list_stages(catalogue: Catalogue) -> list[StageDiscovery]:
    """The retriever stages of this server, with parameters that are right."""
    return [_stage(stage) for stage in definitions(catalogue)]


@router.get("/schema")
async def get_schema(request: Request) -> ManifestSchemaDiscovery:
    """What each kind of resource is created from, as JSON schemas, and what has to be there before it."""
    return _manifest(request.app.openapi())


def _extractor(extractor: Extractor) -> ExtractorDiscovery:
    model = extractor_model(extractor)
    features = extractor.features(extractor.Parameters.model_validate(model.default_parameters))
    return ExtractorDiscovery(
        description=extractor.description,
        example_usage={
            "feature_extractor": {
                "feature_extractor_name": extractor.name,
                "version": extractor.version,
                "input_mappings": {name: name for name in extractor.input_schema.get("properties", {})},
            }
        },
        input_schema=dict(extractor.input_schema),
        name=extractor.name,
        output_features=[
            {"name": feature.name, "kind": feature.kind, "dimensions": feature.dimensions} for feature in features
        ],
        supported_modalities=list(extractor.supported_input_types),
        version=extractor.version,
    )


def _stage(stage: RetrieverStageDefinition) -> StageDiscovery:
    example = None if stage.example is None else {"stage_id": stage.stage_id, "parameters": stage.example}
    return StageDiscovery(
        category=stage.category,
        cost_tier=_cost_tier(stage),
        description=stage.description,
        example_config=example,
        icon=stage.icon,
        missing=stage.missing,
        parameter_schema=stage.parameter_schema,
        # Stages named so begin a pipeline: they bring documents in, the others work on what there is.
        requires_collections=stage.stage_id.endswith("_search"),
        stage_id=stage.stage_id,
    )


def _cost_tier(stage: RetrieverStageDefinition) -> str:
    if Effect.SPENDS in stage.effects:
        return "high"
    return "moderate" if stage.stage_id in DEFAULT_PRICES else "free"


def _operations(openapi: dict[str, Any]) -> list[Operation]:
    return [
        Operation(method=method.upper(), path=path)
        for path, methods in sorted(openapi["paths"].items())
        for method in _METHODS
        if method in methods
    ]


def _manifest(openapi: dict[str, Any]) -> ManifestSchemaDiscovery:
    there = {name: needs for name, (path, needs) in _RESOURCES.items() if "post" in openapi["paths"].get(path, {})}
    return ManifestSchemaDiscovery(
        dependency_graph={name: [need for need in needs if need in there] for name, needs in there.items()},
        manifest_version="1.0",
        resource_types=list(there),
        schemas={name: _schema(openapi, _RESOURCES[name][0]) for name in there},
    )


def _schema(openapi: dict[str, Any], path: str) -> dict[str, Any]:
    """The body of a POST as a JSON schema that stands alone."""
    body = openapi["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    components = openapi["components"]["schemas"]
    wanted, found = _references(body), dict[str, Any]()
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = components[name]
            wanted |= _references(components[name])
    return dict(json.loads(json.dumps({**body, "$defs": found}).replace(_COMPONENTS, "#/$defs/")))


def _references(schema: Any) -> set[str]:
    return set(re.findall(re.escape(_COMPONENTS) + r'([^"]+)', json.dumps(schema)))
