"""Nothing is computed: one document for each source, with the fields that the collection passes on."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, cast

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tamis.engine.ports.extraction import Cost, ExtractionFailure, Segment, SourceItem
from tamis.engine.ports.inference import Models
from tamis.model.json import JSON
from tamis.model.vector import FeatureSpec, Space, VectorKind


class OwnVector(BaseModel):
    """A vector that documents bring along. dimensions: of a dense one, or of each row of several.

    idf: weigh the terms of a sparse query by how few documents have them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: VectorKind = VectorKind.DENSE
    dimensions: Annotated[int | None, Field(ge=1, le=65_536)] = None
    idf: bool = False

    @model_validator(mode="after")
    def _is_whole(self) -> "OwnVector":
        if (self.kind is VectorKind.SPARSE) != (self.dimensions is None):
            raise ValueError("a dense vector says its dimensions, a sparse one has none")
        if self.idf and self.kind is not VectorKind.SPARSE:
            raise ValueError("idf is for sparse vectors")
        return self

    def feature(self, name: str) -> FeatureSpec:
        return FeatureSpec(
            name=name,
            kind=self.kind,
            dimensions=self.dimensions,
            distance="dot" if self.kind is VectorKind.SPARSE else "cosine",
            idf=self.idf,
            description="Vectors that documents bring along.",
            space=Space.OWN,
        )


class PassthroughParameters(BaseModel):
    """What is passed on is the collection's `field_passthrough`. vectors: by feature name, what documents may bring."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    vectors: dict[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,62}$")], OwnVector] = Field(
        default_factory=dict, max_length=16
    )


class PassthroughExtractor:
    """passthrough_extractor@v1. Takes any source, asks for no input, makes no vectors; documents may bring some."""

    name: ClassVar[str] = "passthrough_extractor"
    version: ClassVar[str] = "v1"
    description: ClassVar[str] = "Copies fields of the source as they are; no model runs."
    icon: ClassVar[str] = "arrow-right"
    supported_input_types: ClassVar[tuple[str, ...]] = (
        "text", "string", "number", "integer", "float", "boolean", "object", "array", "date", "datetime", "json",
        "file", "image", "audio", "video", "pdf", "document", "spreadsheet", "presentation",
    )  # fmt: skip
    max_inputs: ClassVar[Mapping[str, int]] = {}
    limits: ClassVar[Mapping[str, float]] = {}
    cost: ClassVar[Cost] = Cost(1, "no model: fields are copied")
    input_schema: ClassVar[Mapping[str, Any]] = {"type": "object", "properties": {}}
    Parameters: ClassVar[type[BaseModel]] = PassthroughParameters

    def features(self, parameters: BaseModel) -> Sequence[FeatureSpec]:
        return tuple(each.feature(name) for name, each in cast(PassthroughParameters, parameters).vectors.items())

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        return {"properties": {}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        return [[Segment(fields={})] for _ in items]
