"""The isolation unit of an organisation's data."""

from dataclasses import dataclass, field
from datetime import datetime

from tamis.model.json import JSON


@dataclass(frozen=True, slots=True)
class ExtractorRef:
    name: str
    version: str

    @property
    def id(self) -> str:
        return f"{self.name}_{self.version}"


@dataclass(frozen=True, slots=True)
class Namespace:
    namespace_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    feature_extractors: tuple[ExtractorRef, ...] = ()
    payload_indexes: tuple[dict[str, JSON], ...] = ()
    auto_create_indexes: bool = False
    metadata: dict[str, JSON] = field(default_factory=dict)
