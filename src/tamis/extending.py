"""What an extractor of your own is written with. These names stay; docs/own-extractors.md has a worked example."""

from tamis.engine.ports.extraction import (
    Cost,
    ExtractionFailure,
    Extractor,
    ExtractorParameters,
    MadeFile,
    Segment,
    SourceFile,
    SourceItem,
)
from tamis.engine.ports.inference import Models
from tamis.errors import TamisError
from tamis.model.json import JSON
from tamis.model.vector import Dense, FeatureSpec, MultiDense, Space, Sparse, VectorKind

__all__ = [
    "JSON",
    "Cost",
    "Dense",
    "ExtractionFailure",
    "Extractor",
    "ExtractorParameters",
    "FeatureSpec",
    "MadeFile",
    "Models",
    "MultiDense",
    "Segment",
    "SourceFile",
    "SourceItem",
    "Space",
    "Sparse",
    "TamisError",
    "VectorKind",
]
