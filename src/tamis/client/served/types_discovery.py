# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `discovery` sends and gets."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class DiscoveryResponse(TypedDict):
    extractors: NotRequired[list[ExtractorDiscovery]]
    manifest_schema: NotRequired[ManifestSchemaDiscovery | None]
    operations: NotRequired[list[Operation]]
    stages: NotRequired[list[StageDiscovery]]
    version: str


class ExtractorDiscovery(TypedDict):
    description: str
    example_usage: NotRequired[dict[str, Any]]
    input_schema: NotRequired[dict[str, Any] | None]
    name: str
    output_features: NotRequired[list[dict[str, Any]]]
    supported_modalities: NotRequired[list[str]]
    version: str


class ManifestSchemaDiscovery(TypedDict):
    dependency_graph: dict[str, list[str]]
    examples: NotRequired[dict[str, str]]
    manifest_version: str
    resource_types: list[str]
    schemas: dict[str, Any]


class Operation(TypedDict):
    method: str
    path: str


class StageDiscovery(TypedDict):
    category: str
    common_use_cases: NotRequired[list[str]]
    cost_tier: NotRequired[str]
    description: str
    example_config: NotRequired[dict[str, Any] | None]
    icon: str
    missing: NotRequired[str | None]
    parameter_schema: NotRequired[dict[str, Any] | None]
    requires_collections: NotRequired[bool]
    stage_id: str
