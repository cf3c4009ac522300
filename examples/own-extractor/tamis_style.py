"""An extractor of one's own: how often a text uses small words, by which texts of one author are alike."""

from typing import ClassVar

import numpy as np
from pydantic import Field

from tamis.extending import Dense, ExtractionFailure, ExtractorParameters, FeatureSpec, Segment, Space, VectorKind

SMALL = ("the", "of", "and", "to", "a", "in", "that", "it", "is", "was", "i", "for", "on", "you", "he", "with", "as")


class StyleParameters(ExtractorParameters):
    least: int = Field(1, ge=1, description="How many small words a text has at least.")


class StyleExtractor:
    name = "style_extractor"
    version = "v1"
    description = "How often a text uses each of seventeen small words."
    icon = "feather"
    supported_input_types = ("text", "string")
    max_inputs: ClassVar = {"text": 1}
    input_schema: ClassVar = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    Parameters = StyleParameters

    def features(self, parameters):
        return [FeatureSpec("style", VectorKind.DENSE, len(SMALL), space=Space.OWN)]

    def output_schema(self, parameters):
        return {"properties": {"small_words": {"type": "integer"}}}

    def extract(self, items, parameters, models):
        return [self._read(str(item.inputs["text"]).lower().split(), parameters.least) for item in items]

    def _read(self, words, least):
        counts = np.array([words.count(word) for word in SMALL], np.float32)
        if counts.sum() < least:
            return ExtractionFailure(f"the text has fewer than {least} small words")
        return [Segment({"small_words": int(counts.sum())}, {"style": Dense(counts / np.linalg.norm(counts))})]
