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
class RecordPolicy:
    """What a namespace keeps of its executions; the default keeps everything.

    max_age_s, max_count: records older than that, and those beyond the newest so many, are removed.
    exclude: what is kept out of records, of `inputs`, `documents`, in this order.
    """

    max_age_s: float | None = None
    max_count: int | None = None
    exclude: tuple[str, ...] = ()

    @property
    def retains_all(self) -> bool:
        return self.max_age_s is None and self.max_count is None


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
    record_policy: RecordPolicy = field(default_factory=RecordPolicy)
