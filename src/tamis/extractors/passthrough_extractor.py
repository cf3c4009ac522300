"""Nothing is computed: one document for each source, with the fields that the collection passes on."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from tamis.engine.ports.extraction import Cost, ExtractionFailure, Segment, SourceItem
from tamis.engine.ports.inference import Models
from tamis.model.json import JSON
from tamis.model.vector import FeatureSpec


class PassthroughParameters(BaseModel):
    """There are none: what is passed on is the collection's `field_passthrough`."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PassthroughExtractor:
    """passthrough_extractor@v1. Takes any source, asks for no input, makes no vectors."""

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
        return ()

    def output_schema(self, parameters: BaseModel) -> Mapping[str, JSON]:
        return {"properties": {}}

    def extract(
        self, items: Sequence[SourceItem], parameters: BaseModel, models: Models
    ) -> Sequence[Sequence[Segment] | ExtractionFailure]:
        return [[Segment(fields={})] for _ in items]
