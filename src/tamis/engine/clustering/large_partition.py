"""Clusters of very many vectors: k-means over all of them, in batches where they are more still; other algorithms on
a sample, and every other row goes with the nearest row of it.

What a stage may cluster (`clustering.partition`) is done the same way here. Beyond, rows are float32 from end to end,
one copy of them, and are the caller's to order: by document id, so that the same documents give the same clusters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tamis.engine.clustering.clustering import (
    MAX_DOCUMENTS,
    MAX_VALUES,
    NOISE,
    NOT_A_NUMBER,
    SAMPLED,
    TOO_SMALL,
    ZERO_VECTOR,
    Labels,
    Sampled,
    drawn,
    fitted,
    methods,
    numbered,
    partition,
)
from tamis.engine.clustering.clustering_parameters import COUNTED, Algorithm, Method, MiniBatchKMeansParameters
from tamis.errors import ValidationError
from tamis.model.vector import FloatArray

MAX_ROWS = 1_000_000
ROWS_AT_ONCE = 8_192
LARGE_SAMPLES: Mapping[Algorithm, Sampled] = {
    Algorithm.HDBSCAN: Sampled(3_000, 10_000),
    Algorithm.DBSCAN: Sampled(3_000, 10_000),
    Algorithm.AGGLOMERATIVE: Sampled(2_000, 8_000),
    Algorithm.SPECTRAL: Sampled(2_000, 8_000),
    Algorithm.OPTICS: Sampled(1_500, 5_000),
    Algorithm.MEAN_SHIFT: Sampled(1_000, 5_000),
    Algorithm.GAUSSIAN_MIXTURE: Sampled(10_000, 50_000),
}
"""In a process of its own an algorithm may take minutes, and a matrix of distances 800 MB."""
_LINEAR = Sampled(MAX_ROWS, MAX_ROWS)
_BATCHES_FROM = 100_000_000
"""Numbers from which on k-means goes over them in batches: 400 MB as float32."""
_COUNTED_ON = 5_000
"""Documents that the number of clusters is chosen by."""
_BATCH = 4_096


@dataclass(frozen=True, slots=True)
class LargePartition:
    """labels, reasons, sampled, notes: as `clustering.Partition` has them.

    rows: float32 [n, dim] as they were worked on, of unit length under the cosine; zero where they cannot be.
    silhouette: of the number of clusters that was chosen; None where none was.
    """

    labels: Labels
    reasons: Mapping[int, str]
    rows: FloatArray
    sampled: int
    silhouette: float | None = None
    notes: tuple[str, ...] = ()


def sample_bounds(algorithm: Algorithm) -> Sampled:
    """On how many documents a stored cluster's algorithm works, at most and where nothing is said."""
    return LARGE_SAMPLES.get(algorithm, _LINEAR)


def partition_all(rows: FloatArray, method: Method, seed: int, sample_size: int | None = None) -> LargePartition:
    """rows: float32 [n, dim], changed in place where the method measures by the cosine.

    Cost: k-means O(n * k * dim) a round; the others the square of the sample, then O(n * sample * dim).
    Memory: the rows once more at most, and what the sample takes.
    Raises: ValidationError beyond the limits, NotSetUpError without scikit-learn.
    """
    _check(rows, method, sample_size)
    if _is_small(rows, method, sample_size):
        found = partition(rows, method, seed, sample_size)
        _usable(rows, method)
        return LargePartition(found.labels, found.reasons, rows, found.sampled, found.silhouette, found.notes)
    reasons = _usable(rows, method)
    left = np.setdiff1d(np.arange(len(rows)), np.fromiter(reasons, np.int64, len(reasons)))
    chosen_seed = (seed if method.parameters.random_state is None else method.parameters.random_state) % 2**32
    usable = rows if len(left) == len(rows) else rows[left]
    found_labels, sampled, silhouette, notes = _clustered(usable, method, chosen_seed, sample_size)
    by_size, dissolved = numbered(found_labels, method.least)
    labels = np.full(len(rows), -1, dtype=np.int64)
    labels[left] = by_size
    gone = {int(left[n]): TOO_SMALL if n in dissolved else NOISE for n in np.flatnonzero(by_size < 0).tolist()}
    return LargePartition(labels, reasons | gone, rows, sampled, silhouette, tuple(notes))


def _check(rows: FloatArray, method: Method, sample_size: int | None) -> None:
    if len(rows) > MAX_ROWS:
        message = f"{len(rows)} documents are to be clustered, and {MAX_ROWS} are the most: say which by filters"
        raise ValidationError.at(["body", "filters"], message)
    most = sample_bounds(method.algorithm).most
    if sample_size is not None and sample_size > most:
        message = f"{method.algorithm} works on at most {most} documents, and {sample_size} are asked for"
        raise ValidationError.at(["body", "vector_config", "sample_size"], message)


def _is_small(rows: FloatArray, method: Method, sample_size: int | None) -> bool:
    """Whether a stage could cluster it."""
    documents, dim = rows.shape
    most = SAMPLED[method.algorithm].most if method.algorithm in SAMPLED else MAX_DOCUMENTS
    work = documents * dim * (method.parameters.count or 10)
    usual = SAMPLED.get(method.algorithm)
    all_of_it = usual is None or documents <= usual.usual
    fits = documents <= MAX_DOCUMENTS and documents * dim <= MAX_VALUES and work <= 400_000_000
    return fits and (all_of_it if sample_size is None else sample_size <= most)


def _usable(rows: FloatArray, method: Method) -> dict[int, str]:
    """Bring the rows to unit length under the cosine; which are no good, and why."""
    reasons: dict[int, str] = {}
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        bad = ~np.isfinite(part).all(axis=1)
        part[bad] = 0.0
        reasons |= {int(start + place): NOT_A_NUMBER for place in np.flatnonzero(bad)}
        if method.distance == "cosine":
            norms = np.linalg.norm(part.astype(np.float64), axis=1, keepdims=True)
            for place in np.flatnonzero(norms == 0):
                reasons.setdefault(int(start + place), ZERO_VECTOR)
            part /= np.where(norms == 0, 1.0, norms).astype(np.float32)
    return reasons


def _clustered(
    rows: FloatArray, method: Method, seed: int, sample_size: int | None
) -> tuple[Labels, int, float | None, list[str]]:
    """Arbitrary labels, on how many rows the algorithm worked, the silhouette of a chosen number, notes."""
    size = min(len(rows), sample_size or sample_bounds(method.algorithm).usual)
    method, silhouette = _counted(rows, method, seed)
    told: list[str] = []
    if method.algorithm is Algorithm.KMEANS and size * rows.shape[1] > _BATCHES_FROM:
        told = [f"k-means went over {size} documents in batches of {_BATCH}"]
        method = _in_batches(method)
    if size == len(rows):
        found = fitted(rows, method, seed)
        return found.labels, size, silhouette, [*told, *found.notes]
    places = drawn(len(rows), size, seed)
    sample = rows[places]
    found = fitted(sample.astype(np.float64), method, seed)
    labels = _with_nearest(rows, sample, found.labels, method)
    labels[places] = found.labels
    note = f"{method.algorithm} worked on {size} of {len(rows)} documents; the others went with the nearest"
    return labels, size, silhouette, [*told, *found.notes, note]


def _counted(rows: FloatArray, method: Method, seed: int) -> tuple[Method, float | None]:
    """With a number of clusters where the algorithm needs one and none is said: what suits a sample best."""
    own = method.parameters
    if method.algorithm not in COUNTED or own.count or getattr(own, "distance_threshold", None) is not None:
        return method, None
    size = min(_COUNTED_ON, sample_bounds(method.algorithm).usual, len(rows))
    found = fitted(rows[drawn(len(rows), size, seed)].astype(np.float64), method, seed)
    name = "n_components" if method.algorithm is Algorithm.GAUSSIAN_MIXTURE else "n_clusters"
    count = max(len(np.unique(found.labels)), 2)
    return replace(method, parameters=own.model_copy(update={name: count})), found.silhouette


def _in_batches(method: Method) -> Method:
    parameters = MiniBatchKMeansParameters(
        n_clusters=method.parameters.count, random_state=method.parameters.random_state, batch_size=_BATCH
    )
    return replace(method, algorithm=Algorithm.MINIBATCH_KMEANS, parameters=parameters)


def _with_nearest(rows: FloatArray, sample: FloatArray, labels: NDArray[Any], method: Method) -> Labels:
    distance = "euclidean" if method.distance == "cosine" else method.distance
    found = np.empty(len(rows), dtype=np.int64)
    for start in range(0, len(rows), ROWS_AT_ONCE):
        part = rows[start : start + ROWS_AT_ONCE]
        found[start : start + len(part)] = labels[methods().nearest(part, sample, distance)]
    return found
