"""What every extractor must hold to. Inherit, give the fixtures, and pytest runs it on yours."""

# ruff: noqa: S101 - this is a suite of tests, for plug-in authors too

from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import BaseModel

from tamis.engine.ports.extraction import ExtractionFailure, Extractor, Segment, SourceItem
from tamis.engine.ports.inference import ModelInfo, Models
from tamis.model.vector import Dense, FeatureSpec, MultiDense, Sparse, Vector, VectorKind


class ExtractorContract:
    """Give the fixtures `extractor`, `models`, `good` (items that give documents) and, where some are, `bad`."""

    @pytest.fixture
    def bad(self) -> Sequence[SourceItem]:
        return ()

    @pytest.fixture
    def parameters(self, extractor: Extractor) -> BaseModel:
        return extractor.Parameters()

    def test_says_what_it_is(self, extractor: Extractor) -> None:
        assert extractor.name.endswith("_extractor")
        assert extractor.version.startswith("v")
        assert extractor.description.endswith(".")
        assert extractor.icon
        assert extractor.input_schema["type"] == "object"
        assert extractor.Parameters.model_json_schema()["additionalProperties"] is False

    def test_unknown_parameters_are_refused(self, extractor: Extractor) -> None:
        with pytest.raises(ValueError, match="no_such_parameter"):
            extractor.Parameters.model_validate({"no_such_parameter": 1})

    def test_one_answer_for_each_item_in_order(
        self, extractor: Extractor, parameters: BaseModel, models: Models, good: Sequence[SourceItem]
    ) -> None:
        together = extractor.extract(good, parameters, models)
        backwards = extractor.extract(good[::-1], parameters, models)
        assert len(together) == len(good)
        for one, other in zip(together, reversed(backwards), strict=True):
            assert _fields(one) == _fields(other)

    def test_vectors_are_those_that_it_declares(
        self, extractor: Extractor, parameters: BaseModel, models: Models, good: Sequence[SourceItem]
    ) -> None:
        declared = {spec.name: spec for spec in extractor.features(parameters)}
        for segments in extractor.extract(good, parameters, models):
            assert not isinstance(segments, ExtractionFailure)
            for segment in segments:
                assert set(segment.vectors) <= set(declared)
                for name, vector in segment.vectors.items():
                    check_vector(declared[name], vector)

    def test_fields_are_those_that_it_declares(
        self, extractor: Extractor, parameters: BaseModel, models: Models, good: Sequence[SourceItem]
    ) -> None:
        properties = extractor.output_schema(parameters)["properties"]
        assert isinstance(properties, dict)
        for segments in extractor.extract(good, parameters, models):
            assert not isinstance(segments, ExtractionFailure)
            for segment in segments:
                assert set(segment.fields) <= set(properties)

    def test_a_bad_item_fails_alone(
        self,
        extractor: Extractor,
        parameters: BaseModel,
        models: Models,
        good: Sequence[SourceItem],
        bad: Sequence[SourceItem],
    ) -> None:
        mixed = [item for pair in zip(bad, good, strict=False) for item in pair]
        outcomes = extractor.extract(mixed, parameters, models)
        assert [isinstance(outcome, ExtractionFailure) for outcome in outcomes] == [item in bad for item in mixed]
        alone = extractor.extract(good, parameters, models)
        for outcome, expected in zip(outcomes[1::2], alone, strict=False):
            assert _fields(outcome) == _fields(expected)

    def test_the_models_behind_it_have_versions(
        self, extractor: Extractor, parameters: BaseModel, models: Models
    ) -> None:
        told = getattr(extractor, "made_with", None)
        for model in told(parameters, models) if told is not None else ():
            assert isinstance(model, ModelInfo)
            assert model.version

    def test_nothing_in_nothing_out(self, extractor: Extractor, parameters: BaseModel, models: Models) -> None:
        assert list(extractor.extract([], parameters, models)) == []


def check_vector(spec: FeatureSpec, vector: Vector) -> None:
    """Kind, length and form are as declared, and every number is finite."""
    kinds = {VectorKind.DENSE: Dense, VectorKind.SPARSE: Sparse, VectorKind.MULTI_DENSE: MultiDense}
    assert isinstance(vector, kinds[spec.kind])
    assert vector.values.dtype == np.float32
    assert np.isfinite(vector.values).all()
    if isinstance(vector, Sparse):
        assert vector.indices.dtype == np.uint32
        assert (np.diff(vector.indices.astype(np.int64)) > 0).all()
    else:
        assert vector.values.shape[-1] == spec.dimensions


def _fields(outcome: Sequence[Segment] | ExtractionFailure) -> list[object]:
    assert not isinstance(outcome, ExtractionFailure), outcome.message
    return [segment.fields for segment in outcome]
