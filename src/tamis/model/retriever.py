"""A retriever: named stages over collections, with an input schema. Saved, or sent whole and never stored."""

from dataclasses import dataclass, field
from datetime import datetime

from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class StageSpec:
    """One step as it was sent. stage_id picks the stage, parameters are its own, still with templates."""

    stage_name: str
    stage_id: str
    parameters: dict[str, JSON] = field(default_factory=dict)
    batch_size: JSON = None
    description: str | None = None
    stage_type: str | None = None
    options: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    max_credits: float | None = None
    max_time_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """What is run: everything of a retriever but its name. Frozen into each execution's record with its hash.

    input_schema: field -> the contract's BucketSchemaField.
    """

    stages: tuple[StageSpec, ...]
    input_schema: dict[str, JSON] = field(default_factory=dict)
    collection_ids: tuple[str, ...] = ()
    budget: Budget = field(default_factory=Budget)
    cache_config: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retriever:
    retriever_id: str
    name: str
    definition: Definition
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    tags: tuple[str, ...] = ()
    display_config: dict[str, JSON] | None = None
    version: int = 1
    created_by: str | None = None
    updated_by: str | None = None


@dataclass(frozen=True, slots=True)
class RetrieverVersion:
    """What a retriever ran while it had this version."""

    retriever_id: str
    version: int
    definition: Definition
    created_at: datetime
    created_by: str | None = None


def version_of(retriever: Retriever) -> RetrieverVersion:
    """Its newest."""
    return RetrieverVersion(
        retriever.retriever_id, retriever.version, retriever.definition, retriever.updated_at, retriever.updated_by
    )
