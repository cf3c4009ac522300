"""Vectors on their way into an index: checked against the feature they belong to, brought to unit length."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from tamis.engine.ports.index import Point
from tamis.errors import DimensionMismatch, ValidationError
from tamis.model.vector import Dense, FeatureSpec, FloatArray, MultiDense, Sparse, Vector, VectorKind

_SHAPES: dict[VectorKind, type[Dense] | type[MultiDense] | type[Sparse]] = {
    VectorKind.DENSE: Dense,
    VectorKind.MULTI_DENSE: MultiDense,
    VectorKind.SPARSE: Sparse,
}


def check_features(features: Sequence[FeatureSpec]) -> None:
    """Raises: ValidationError for a distance that is not the cosine, or a dense feature without dimensions."""
    for feature in features:
        if feature.kind is VectorKind.SPARSE:
            continue
        if feature.distance != "cosine":
            raise ValidationError.at(["features", feature.name, "distance"], "the index compares by 'cosine'")
        if not feature.dimensions:
            raise ValidationError.at(["features", feature.name, "dimensions"], "a dense feature needs its dimensions")


def check_vector(feature: FeatureSpec, vector: Vector) -> None:
    """Raises: DimensionMismatch, ValidationError (another kind of vector, or a value that is no number)."""
    if not isinstance(vector, _SHAPES[feature.kind]):
        raise ValidationError.at(["vectors", feature.name], f"this feature is {feature.kind}")
    if not np.isfinite(vector.values).all():
        raise ValidationError.at(["vectors", feature.name], "every value must be a finite number")
    if isinstance(vector, Sparse):
        return
    length = vector.values.shape[-1] if vector.values.size else feature.dimensions
    if length != feature.dimensions or vector.values.ndim != (1 if isinstance(vector, Dense) else 2):
        message = f"has {length} dimensions, the feature {feature.dimensions}"
        raise DimensionMismatch.at(["vectors", feature.name], message)


def check_points(features: Mapping[str, FeatureSpec], points: Sequence[Point]) -> None:
    """All of them before any is written. Raises: DimensionMismatch, ValidationError."""
    for point in points:
        for name, vector in point.vectors.items():
            check_vector(feature_of(features, name), vector)


def feature_of(features: Mapping[str, FeatureSpec], name: str) -> FeatureSpec:
    feature = features.get(name)
    if feature is None:
        known = ", ".join(sorted(features)) or "none"
        raise ValidationError.at(["feature"], f"{name!r} is no feature of this collection; it has: {known}")
    return feature


def unit(values: FloatArray) -> FloatArray:
    """float32 [..., dim] -> the same with rows of length 1; a zero row stays zero."""
    wide = np.asarray(values, dtype=np.float64)
    if wide.ndim == 1:
        # Every search and every document comes through here: a third of the time that the general way takes.
        norm = math.sqrt(wide.dot(wide))
        return np.asarray(wide / norm if norm > 0 else wide, np.float32)
    norms = np.linalg.norm(wide, axis=-1, keepdims=True)
    scaled: FloatArray = np.divide(wide, norms, out=np.zeros_like(wide), where=norms > 0).astype(np.float32)
    return scaled


def is_empty(vector: Vector) -> bool:
    return vector.values.size == 0
