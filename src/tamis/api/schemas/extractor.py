"""Feature extractors and the features that they make, on the wire."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from tamis.api.schemas.fields import BucketSchemaFieldType
from tamis.api.schemas.namespace import PayloadIndexConfig
from tamis.engine.plugins.extractor_plugins import package_of_extractor
from tamis.engine.ports.extraction import Cost, Extractor
from tamis.engine.querying.features import primary_feature
from tamis.model.collection import Collection
from tamis.model.feature_uri import FeatureUri
from tamis.model.vector import FeatureSpec, VectorKind


class CostUnit(StrEnum):
    MINUTE = "minute"
    IMAGE = "image"
    KILO_TOKENS = "1k_tokens"
    PAGE = "page"
    FACE = "face"
    EXTRACTION = "extraction"


class CostRate(BaseModel):
    credits_per_unit: int = Field(..., ge=1)
    description: str | None = None
    unit: CostUnit


class CostsInfo(BaseModel):
    rates: list[CostRate]
    tier: int = Field(..., ge=1, le=4)
    tier_label: str


class VectorDataType(StrEnum):
    FLOAT32 = "float32"
    UINT8 = "uint8"


class VectorType(StrEnum):
    DENSE = "dense"
    SPARSE = "sparse"
    MULTI_DENSE = "multi_dense"


class VectorIndex(BaseModel):
    datatype: VectorDataType | None = VectorDataType.FLOAT32
    description: str = Field(..., min_length=10)
    dimensions: int | None = Field(None, ge=1)
    distance: str | None = "cosine"
    inference_name: str | None = None
    name: str = Field(..., min_length=1)
    on_disk: bool | None = None
    supported_inputs: list[BucketSchemaFieldType] | None = None
    type: VectorType


class MultiVectorIndex(BaseModel):
    description: str = Field(..., min_length=10)
    name: str = Field(..., min_length=1)
    vectors: dict[str, VectorIndex]


class VectorIndexDefinition(BaseModel):
    description: str = Field(..., min_length=10)
    index: VectorIndex | MultiVectorIndex
    name: str = Field(..., min_length=1)
    type: Literal["single", "multi"]


class ExtractorSource(StrEnum):
    BUILTIN = "builtin"
    CUSTOM = "custom"


class FeatureExtractorResponseModel(BaseModel):
    """limits: what of a source is refused or cut beyond, by what is counted.  source: Tamis', or another package's."""

    costs: CostsInfo | None = None
    default_parameters: dict[str, Any]
    description: str
    feature_extractor_id: str
    feature_extractor_name: str
    icon: str
    input_schema: dict[str, Any]
    limits: dict[str, float] = Field(default_factory=dict)
    max_inputs: dict[str, int]
    output_schema: dict[str, Any]
    parameter_schema: dict[str, Any] | None
    required_payload_indexes: list[PayloadIndexConfig] | None
    required_vector_indexes: list[VectorIndexDefinition] | None
    source: ExtractorSource = ExtractorSource.BUILTIN
    supported_input_types: list[str]
    version: str


class CollectionFeatureDescriptor(BaseModel):
    feature_address: str
    feature_extractor_name: str
    primary: bool = False
    vector_index: VectorIndex
    version: str


class DescribeCollectionFeaturesResponse(BaseModel):
    features: list[CollectionFeatureDescriptor]


def extractor_model(extractor: Extractor) -> FeatureExtractorResponseModel:
    try:
        defaults = extractor.Parameters()
    except ValidationError:
        # An extractor whose parameters have no defaults shows its schema alone.
        defaults = extractor.Parameters.model_construct()
    features = extractor.features(defaults)
    return FeatureExtractorResponseModel(
        costs=_costs(extractor),
        default_parameters=defaults.model_dump(mode="json"),
        description=extractor.description,
        feature_extractor_id=f"{extractor.name}_{extractor.version}",
        feature_extractor_name=extractor.name,
        icon=extractor.icon,
        input_schema=dict(extractor.input_schema),
        limits=dict(getattr(extractor, "limits", {})),
        max_inputs=dict(extractor.max_inputs),
        output_schema=dict(extractor.output_schema(defaults)),
        parameter_schema=extractor.Parameters.model_json_schema(),
        required_payload_indexes=[],
        required_vector_indexes=vector_definitions(
            f"{extractor.name}_{extractor.version}", features, extractor.supported_input_types
        ),
        source=ExtractorSource.CUSTOM if package_of_extractor(extractor.name) else ExtractorSource.BUILTIN,
        supported_input_types=list(extractor.supported_input_types),
        version=extractor.version,
    )


def _costs(extractor: Extractor) -> CostsInfo | None:
    cost: Cost | None = getattr(extractor, "cost", None)
    return None if cost is None else CostsInfo(rates=[], tier=cost.tier, tier_label=cost.label)


def vector_definitions(
    extractor_id: str, features: Iterable[FeatureSpec], inputs: Iterable[str] = ()
) -> list[VectorIndexDefinition]:
    """One index for each feature, named as the contract names them: `text_extractor_v1_embedding`."""
    indexes = [vector_index(extractor_id, spec, inputs) for spec in features]
    return [
        VectorIndexDefinition(description=index.description, index=index, name=index.name, type="single")
        for index in indexes
    ]


def vector_index(extractor_id: str, spec: FeatureSpec, inputs: Iterable[str] = ()) -> VectorIndex:
    name = f"{extractor_id}_{spec.name}"
    known = {kind.value for kind in BucketSchemaFieldType}
    fitting = [BucketSchemaFieldType(kind) for kind in inputs if kind in known]
    description = spec.description
    return VectorIndex(
        description=description if len(description) >= 10 else f"Feature {spec.name} of {extractor_id}",
        dimensions=spec.dimensions,
        distance=None if spec.kind is VectorKind.SPARSE else spec.distance,
        inference_name=spec.inference_name,
        name=name,
        supported_inputs=fitting or None,
        type=VectorType(spec.kind.value),
    )


def features_model(collection: Collection) -> DescribeCollectionFeaturesResponse:
    """primary: the feature that a search means where it names none."""
    extractor = collection.extractor
    primary = primary_feature(collection.features)
    return DescribeCollectionFeaturesResponse(
        features=[
            CollectionFeatureDescriptor(
                feature_address=str(FeatureUri(extractor.name, extractor.version, spec.name)),
                feature_extractor_name=extractor.name,
                primary=spec is primary,
                vector_index=vector_index(extractor.id, spec),
                version=extractor.version,
            )
            for spec in collection.features
        ]
    )
