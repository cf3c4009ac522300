"""Namespaces on the wire."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, computed_field

from tamis.api.schemas.page import PaginationResponse
from tamis.errors import ValidationError
from tamis.model.namespace import ExtractorRef, RecordPolicy
from tamis.services.data.namespaces import NamespaceDetails, NamespaceDraft


class BaseFeatureExtractorModel(BaseModel):
    """Answers carry the id that the name and the version make."""

    feature_extractor_name: str
    version: str

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own idiom; mypy has no word for it
    @property
    def feature_extractor_id(self) -> str:
        return f"{self.feature_extractor_name}_{self.version}"


class TokenizerType(StrEnum):
    WORD = "word"
    WHITESPACE = "whitespace"
    PREFIX = "prefix"
    MULTILINGUAL = "multilingual"


class TextIndexParams(BaseModel):
    lowercase: bool = True
    max_token_len: int = 15
    min_token_len: int = 2
    tokenizer: TokenizerType = TokenizerType.WORD
    type: str = "text"


class IntegerIndexParams(BaseModel):
    lookup: bool = True
    range: bool = True
    type: str = "integer"


class KeywordIndexParams(BaseModel):
    is_tenant: bool = False
    type: str = "keyword"


class FloatIndexParams(BaseModel):
    type: str = "float"


class GeoIndexParams(BaseModel):
    type: str = "geo"


class DatetimeIndexParams(BaseModel):
    type: str = "datetime"


class UuidIndexParams(BaseModel):
    is_tenant: bool = False
    type: str = "uuid"


class BoolIndexParams(BaseModel):
    type: str = "bool"


class PayloadSchemaType(StrEnum):
    KEYWORD = "keyword"
    INTEGER = "integer"
    FLOAT = "float"
    BOOL = "bool"
    GEO = "geo"
    DATETIME = "datetime"
    TEXT = "text"
    UUID = "uuid"


IndexParams = (
    TextIndexParams
    | IntegerIndexParams
    | KeywordIndexParams
    | FloatIndexParams
    | GeoIndexParams
    | DatetimeIndexParams
    | UuidIndexParams
    | BoolIndexParams
)


class PayloadIndexConfig(BaseModel):
    field_name: str = Field(..., min_length=1, max_length=255)
    field_schema: IndexParams | None = None
    is_protected: bool = False
    type: PayloadSchemaType


class RecordPart(StrEnum):
    INPUTS = "inputs"
    DOCUMENTS = "documents"


class RecordPolicyModel(BaseModel):
    """What the namespace keeps of its executions. Limits left out keep every record; of ages, one unit is sent.

    max_age_s, max_age_days: records of executions that began longer ago are removed.
    max_count: of every retriever and the anonymous ones together, the newest so many stay.
    exclude: what is never written into a record.
    """

    model_config = ConfigDict(extra="forbid")

    exclude: list[RecordPart] = Field(default_factory=list)
    max_age_days: float | None = Field(None, gt=0, le=36_500, allow_inf_nan=False)
    max_age_s: float | None = Field(None, gt=0, le=36_500 * 86_400, allow_inf_nan=False)
    max_count: int | None = Field(None, ge=0, le=2**53)

    def policy(self) -> RecordPolicy:
        """Raises: ValidationError where both ages are given, or one of less than a second."""
        if self.max_age_days is not None and self.max_age_s is not None:
            raise ValidationError.at(["body", "record_policy", "max_age_s"], "send max_age_s or max_age_days, not both")
        days = self.max_age_days
        age_s = self.max_age_s if days is None else days * 86_400
        if age_s is not None and age_s < 1:
            name = "max_age_s" if days is None else "max_age_days"
            raise ValidationError.at(["body", "record_policy", name], "records are kept for a second at least")
        return RecordPolicy(
            max_age_s=age_s,
            max_count=self.max_count,
            exclude=tuple(part.value for part in RecordPart if part in self.exclude),
        )

    @classmethod
    def of(cls, policy: RecordPolicy) -> "RecordPolicyModel":
        days = None if policy.max_age_s is None else policy.max_age_s / 86_400
        exclude = [RecordPart(part) for part in policy.exclude]
        return cls(exclude=exclude, max_age_days=days, max_age_s=policy.max_age_s, max_count=policy.max_count)


class CreateNamespaceRequest(BaseModel):
    """feature_extractors: left out, as later clients do, the namespace is open to all that the server has."""

    auto_create_indexes: bool | None = False
    description: str | None = None
    feature_extractors: list[BaseFeatureExtractorModel] | None = Field(None, min_length=1)
    namespace_name: str
    payload_indexes: list[PayloadIndexConfig] | None = None
    record_policy: RecordPolicyModel | None = None


class UpdateNamespaceRequest(BaseModel):
    """record_policy: replaces the whole policy; null goes back to keeping everything."""

    namespace_name: str | None = None
    payload_indexes: list[PayloadIndexConfig] | None = None
    record_policy: RecordPolicyModel | None = None


class PatchNamespaceRequest(UpdateNamespaceRequest):
    auto_create_indexes: bool | None = None
    description: str | None = None


class ComputeTier(StrEnum):
    SHARED = "shared"
    DEDICATED_CPU = "dedicated_cpu"
    DEDICATED_GPU = "dedicated_gpu"


class NamespaceInfrastructure(BaseModel):
    autoscaling_enabled: bool = True
    compute_tier: ComputeTier = ComputeTier.SHARED
    gpu_type: str | None = None
    gpus_per_worker: int = Field(1, ge=0, le=8)
    max_concurrent_jobs: int = Field(10, ge=1, le=1000)
    max_workers: int = Field(10, ge=1, le=100)
    min_workers: int = Field(1, ge=0, le=100)
    qdrant_api_key: str | None = None
    qdrant_collection: str = Field(..., min_length=3, max_length=128)
    qdrant_url: str | None = None
    ray_cluster_id: str | None = Field(None, pattern=r"^ray_[a-zA-Z0-9_]{3,64}$")
    ray_dashboard_url: str | None = None
    ray_head_node_url: str | None = None


class NamespaceModel(BaseModel):
    """infrastructure is null here: a namespace has no machines of its own on a self-hosted server."""

    auto_create_indexes: bool = False
    cluster_id: str | None = None
    created_at: datetime | None = None
    description: str | None = None
    document_count: int | None = None
    feature_extractors: list[BaseFeatureExtractorModel] = Field(default_factory=list)
    infrastructure: NamespaceInfrastructure | None = None
    namespace_id: str | None = None
    namespace_name: str
    payload_indexes: list[PayloadIndexConfig] | None = None
    record_policy: RecordPolicyModel = Field(default_factory=RecordPolicyModel)
    updated_at: datetime | None = None


class NamespaceListStats(BaseModel):
    avg_documents_per_namespace: float = 0.0
    avg_feature_extractors_per_namespace: float = 0.0
    avg_payload_indexes_per_namespace: float = 0.0
    total_documents: int = 0
    total_feature_extractors: int = 0
    total_payload_indexes: int = 0


class ListNamespacesResponse(BaseModel):
    pagination: PaginationResponse
    results: list[NamespaceModel]
    stats: NamespaceListStats | None = None
    total_count: int


def namespace_draft(body: CreateNamespaceRequest) -> NamespaceDraft:
    refs = body.feature_extractors
    return NamespaceDraft(
        name=body.namespace_name,
        description=body.description,
        extractors=None if refs is None else tuple(ExtractorRef(r.feature_extractor_name, r.version) for r in refs),
        payload_indexes=_stored(body.payload_indexes),
        auto_create_indexes=bool(body.auto_create_indexes),
        record_policy=_policy(body.record_policy),
    )


def namespace_changes(body: UpdateNamespaceRequest) -> dict[str, Any]:
    """What is sent, by the model's field names. A null leaves the field as it is, save those of
    `description` and of `record_policy`.
    """
    names = {"namespace_name": "name", "auto_create_indexes": "auto_create_indexes", "description": "description"}
    sent = {names[wire]: getattr(body, wire) for wire in names if wire in body.model_fields_set}
    changes = {name: value for name, value in sent.items() if value is not None or name == "description"}
    if body.payload_indexes is not None:
        changes["payload_indexes"] = _stored(body.payload_indexes)
    if "record_policy" in body.model_fields_set:
        changes["record_policy"] = _policy(body.record_policy)
    return changes


def namespace_model(details: NamespaceDetails) -> NamespaceModel:
    namespace = details.namespace
    return NamespaceModel(
        auto_create_indexes=namespace.auto_create_indexes,
        created_at=namespace.created_at,
        description=namespace.description,
        document_count=details.document_count,
        feature_extractors=[
            BaseFeatureExtractorModel(feature_extractor_name=ref.name, version=ref.version)
            for ref in namespace.feature_extractors
        ],
        namespace_id=namespace.namespace_id,
        namespace_name=namespace.name,
        payload_indexes=[PayloadIndexConfig.model_validate(index) for index in namespace.payload_indexes],
        record_policy=RecordPolicyModel.of(namespace.record_policy),
        updated_at=namespace.updated_at,
    )


def namespace_stats(page: Sequence[NamespaceDetails]) -> NamespaceListStats:
    """Over the namespaces of one page."""
    count = len(page) or 1
    documents = sum(details.document_count for details in page)
    extractors = sum(len(details.namespace.feature_extractors) for details in page)
    indexes = sum(len(details.namespace.payload_indexes) for details in page)
    return NamespaceListStats(
        avg_documents_per_namespace=documents / count,
        avg_feature_extractors_per_namespace=extractors / count,
        avg_payload_indexes_per_namespace=indexes / count,
        total_documents=documents,
        total_feature_extractors=extractors,
        total_payload_indexes=indexes,
    )


def _stored(indexes: list[PayloadIndexConfig] | None) -> tuple[dict[str, Any], ...]:
    return tuple(index.model_dump(mode="json") for index in indexes or [])


def _policy(sent: RecordPolicyModel | None) -> RecordPolicy:
    return RecordPolicy() if sent is None else sent.policy()
