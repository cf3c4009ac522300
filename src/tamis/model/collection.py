"""A collection: objects (or another collection's documents) turned into documents by one extractor."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tamis.model.json import JSON
from tamis.model.vector import FeatureSpec, Quantization, VectorKind

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Passthrough:
    source_path: str
    target_path: str | None = None
    default: JSON = None
    required: bool = False


@dataclass(frozen=True, slots=True)
class ExtractorConfig:
    """parameters are kept as the caller wrote them; `features` is what they resolve to, frozen at creation.

    input_mappings: extractor input -> path in the source's view.
    """

    name: str
    version: str
    parameters: dict[str, JSON] = field(default_factory=dict)
    input_mappings: dict[str, JSON] = field(default_factory=dict)
    passthrough: tuple[Passthrough, ...] = ()
    include_all_source_fields: bool = False

    @property
    def id(self) -> str:
        return f"{self.name}_{self.version}"


@dataclass(frozen=True, slots=True)
class Source:
    """type `bucket` with bucket_ids, or `collection` with collection_ids. filters: the contract's LogicalOperator."""

    type: str
    bucket_ids: tuple[str, ...] = ()
    collection_ids: tuple[str, ...] = ()
    filters: dict[str, JSON] | None = None

    @property
    def ids(self) -> tuple[str, ...]:
        return self.bucket_ids if self.type == "bucket" else self.collection_ids


@dataclass(frozen=True, slots=True)
class Collection:
    """revision: grows with every committed write to its documents; the index signature that caches build on.

    schema_version: grows with the output schema.  synced_at: when its documents were last looked at for new fields.
    is_standby: it stands beside another one that it is to replace or that replaced it, and is searched by name alone.
    """

    collection_id: str
    name: str
    source: Source
    extractor: ExtractorConfig
    features: tuple[FeatureSpec, ...]
    input_schema: dict[str, JSON]
    output_schema: dict[str, JSON]
    created_at: datetime
    updated_at: datetime
    description: str | None = None
    enabled: bool = True
    metadata: dict[str, JSON] = field(default_factory=dict)
    taxonomy_applications: tuple[dict[str, JSON], ...] = ()
    cluster_applications: tuple[dict[str, JSON], ...] = ()
    alert_applications: tuple[dict[str, JSON], ...] = ()
    schema_version: int = 1
    revision: int = 0
    synced_at: datetime | None = None
    is_standby: bool = False

    @property
    def quantization(self) -> Quantization:
        """Of its dense features, which are all alike in it."""
        dense = (feature.quantization for feature in self.features if feature.kind is VectorKind.DENSE)
        return next(dense, Quantization.INT8)

    @property
    def version(self) -> int:
        """When its design was last changed, in microseconds since 1970: with its id, one state of it."""
        return (self.updated_at - _EPOCH) // timedelta(microseconds=1)
