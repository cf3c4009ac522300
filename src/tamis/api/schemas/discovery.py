"""What this server can do, on the wire: shapes of the later API."""

from typing import Any

from pydantic import BaseModel, Field


class ExtractorDiscovery(BaseModel):
    description: str
    example_usage: dict[str, Any] = Field(default_factory=dict)
    input_schema: dict[str, Any] | None = None
    name: str
    output_features: list[dict[str, Any]] = Field(default_factory=list)
    supported_modalities: list[str] = Field(default_factory=list)
    version: str


class ManifestSchemaDiscovery(BaseModel):
    dependency_graph: dict[str, list[str]]
    examples: dict[str, str] = Field(default_factory=dict)
    manifest_version: str
    resource_types: list[str]
    schemas: dict[str, Any]


class StageDiscovery(BaseModel):
    category: str
    common_use_cases: list[str] = Field(default_factory=list)
    cost_tier: str = "moderate"
    description: str
    example_config: dict[str, Any] | None = None
    icon: str
    missing: str | None = None
    parameter_schema: dict[str, Any] | None = None
    requires_collections: bool = True
    stage_id: str


class Operation(BaseModel):
    method: str
    path: str


class DiscoveryResponse(BaseModel):
    """operations: every one that this server answers. version: the server's."""

    extractors: list[ExtractorDiscovery] = Field(default_factory=list)
    manifest_schema: ManifestSchemaDiscovery | None = None
    operations: list[Operation] = Field(default_factory=list)
    stages: list[StageDiscovery] = Field(default_factory=list)
    version: str
