# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""What `stages` sends and gets."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict


class RetrieverStageDefinition(TypedDict):
    category: StageType
    description: str
    effects: NotRequired[list[str]]
    example: NotRequired[dict[str, Any] | None]
    icon: str
    missing: NotRequired[str | None]
    parameter_schema: NotRequired[dict[str, Any] | None]
    stage_id: str


StageType: TypeAlias = Literal["filter", "sort", "reduce", "apply", "enrich"]
