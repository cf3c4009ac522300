"""Vectors to clusters: a partition that is the same for the same vectors and seed, whatever order they come in.

Rows are worked on in the order of their own bytes, so that neither ties nor chance follow the order of the input.
Clusters are numbered by size. What no algorithm can work on (a row that is no number, a zero row under the cosine) is
in no cluster, with a reason.
"""

import importlib
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tamis.engine.clustering.clustering_parameters import COUNTED, Algorithm, GaussianMixtureParameters, Method
from tamis.errors import NotSetUpError, ValidationError
from tamis.model.vector import FloatArray

T = TypeVar("T")
Labels = NDArray[np.int64]

MAX_DOCUMENTS = 10_000
MAX_VALUES = 10_000_000
"""Documents times dimensions: 80 MB as they are worked on."""
_MAX_WORK = 400_000_000
"""Documents times clusters times dimensions (squared where covariances are full): tenths of a second a round."""
_MAX_FULL_DIMENSIONS = 256

NOISE, TOO_SMALL, NO_VECTOR = "noise", "cluster_too_small", "no_vector"
NOT_A_NUMBER, ZERO_VECTOR = "not_a_number", "zero_vector"


@dataclass(frozen=True, slots=True)
class Sampled:
    """On how many documents an algorithm works that needs their square or more. usual: where nothing else is said."""

    usual: int
    most: int


SAMPLED: Mapping[Algorithm, Sampled] = {
    Algorithm.HDBSCAN: Sampled(1_000, 3_000),
    Algorithm.DBSCAN: Sampled(1_000, 3_000),
    Algorithm.AGGLOMERATIVE: Sampled(1_000, 2_000),
    Algorithm.SPECTRAL: Sampled(1_000, 2_000),
    Algorithm.OPTICS: Sampled(1_000, 1_500),
    Algorithm.MEAN_SHIFT: Sampled(500, 1_000),
}
_LINEAR = Sampled(MAX_DOCUMENTS, MAX_DOCUMENTS)


@dataclass(frozen=True, slots=True)
class Partition:
    """Each row in one cluster or in none.

    labels: int64 [n], clusters from 0 on by size, ties to the one with the least row; -1 is none.
    reasons: why a row is in none, by its place.
    centroids: float64 [k, dim]; under the cosine the mean direction, of unit length.
    distances: float64 [n] to the own centroid: 1 - cosine, else euclidean; NaN where in none.
    sampled: on how many rows the algorithm worked; the others went with the nearest of them.
    silhouette: of the number of clusters that was chosen; None where none was.
    notes: what the caller should know.
    """

    labels: Labels
    reasons: Mapping[int, str]
    centroids: NDArray[np.float64]
    distances: NDArray[np.float64]
    sampled: int
    silhouette: float | None = None
    notes: tuple[str, ...] = ()

    @property
    def sizes(self) -> Labels:
        return np.bincount(self.labels[self.labels >= 0], minlength=len(self.centroids)).astype(np.int64)


@dataclass(slots=True)
class _Found:
    labels: Labels
    sampled: int
    silhouette: float | None = None
    notes: list[str] = field(default_factory=list)


def partition(rows: FloatArray, method: Method, seed: int, sample_size: int | None = None) -> Partition:
    """Cluster the rows. rows: [n, dim].  sample_size: on how many the algorithm works; None is its own choice.

    Cost: k-means O(n * k * dim) a round; the others the square of the sample, and then O(n * sample * dim).
    Raises: ValidationError beyond the limits, NotSetUpError without scikit-learn.
    """
    check_limits(rows.shape, method, sample_size)
    values, reasons = _usable(rows, method)
    left = np.array([place for place in range(len(rows)) if place not in reasons], dtype=np.int64)
    order = np.array(sorted(range(len(left)), key=lambda n: values[left[n]].tobytes()), dtype=np.int64)
    canonical = left[order]
    chosen_seed = seed if method.parameters.random_state is None else method.parameters.random_state
    found = _clustered(values[canonical], method, chosen_seed % 2**32, sample_size)
    by_size, dissolved = numbered(found.labels, method.least)
    labels = np.full(len(rows), -1, dtype=np.int64)
    labels[canonical] = by_size
    gone = {int(canonical[n]): TOO_SMALL if n in dissolved else NOISE for n in np.flatnonzero(by_size < 0)}
    centroids, distances = _centres(values, labels, is_cosine=method.distance == "cosine")
    seen = reasons | gone
    return Partition(labels, seen, centroids, distances, found.sampled, found.silhouette, tuple(found.notes))


def check_limits(shape: Sequence[int], method: Method, sample_size: int | None) -> None:
    """Raises: ValidationError, which names the parameter and the limit."""
    documents, dim = shape
    bounds = SAMPLED.get(method.algorithm, _LINEAR)
    if documents > MAX_DOCUMENTS:
        message = (
            f"{documents} documents came in, and at most {MAX_DOCUMENTS} are clustered: limit or sample them first"
        )
        raise ValidationError.at(["parameters", "algorithm"], message)
    if documents * dim > MAX_VALUES:
        message = (
            f"{documents} vectors of {dim} dimensions are more than {MAX_VALUES} numbers: "
            f"{MAX_VALUES // dim} documents of this feature can be clustered"
        )
        raise ValidationError.at(["parameters", "feature_uri"], message)
    if sample_size is not None and sample_size > bounds.most:
        message = f"{method.algorithm} works on at most {bounds.most} documents, and {sample_size} are asked for"
        raise ValidationError.at(["parameters", "sample_size"], message)
    _check_work(documents, dim, method)


def _check_work(documents: int, dim: int, method: Method) -> None:
    count = method.parameters.count or 10
    own, squared = method.parameters, 1
    if isinstance(own, GaussianMixtureParameters) and own.covariance_type in ("full", "tied"):
        squared = dim
        if dim > _MAX_FULL_DIMENSIONS:
            message = f"covariances of {dim} dimensions are too large, {_MAX_FULL_DIMENSIONS} is the most: choose diag"
            raise ValidationError.at(["parameters", "algorithm_params", "covariance_type"], message)
    if method.algorithm in COUNTED - SAMPLED.keys() and documents * count * dim * squared > _MAX_WORK:
        most = max(_MAX_WORK // (documents * dim * squared), 1)
        message = f"{documents} documents of {dim} dimensions make at most {most} clusters here"
        raise ValidationError.at(["parameters", "n_clusters"], message)


def _usable(rows: FloatArray, method: Method) -> tuple[NDArray[np.float64], dict[int, str]]:
    """The rows as they are worked on, and which cannot be."""
    values = rows.astype(np.float64)
    reasons = {int(place): NOT_A_NUMBER for place in np.flatnonzero(~np.isfinite(values).all(axis=1))}
    if method.distance != "cosine":
        return values + 0.0, reasons  # of two zeros of unlike sign one is made
    values[list(reasons)] = 0.0
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    reasons |= {int(place): ZERO_VECTOR for place in np.flatnonzero(norms == 0) if int(place) not in reasons}
    return values / np.where(norms == 0, 1.0, norms) + 0.0, reasons


def _clustered(rows: NDArray[np.float64], method: Method, seed: int, sample_size: int | None) -> _Found:
    """rows: in their canonical order. Labels are arbitrary numbers."""
    bounds = SAMPLED.get(method.algorithm, _LINEAR)
    size = min(len(rows), bounds.usual if sample_size is None else sample_size)
    everything = size == len(rows)
    places = np.arange(size) if everything else drawn(len(rows), size, seed)
    found = fitted(rows[places], method, seed)
    if everything:
        return found
    rest = np.setdiff1d(np.arange(len(rows)), places)
    labels = np.full(len(rows), -1, dtype=np.int64)
    labels[places] = found.labels
    distance = "euclidean" if method.distance == "cosine" else method.distance
    labels[rest] = found.labels[methods().nearest(rows[rest], rows[places], distance)]
    found.labels = labels
    found.notes.append(
        f"{method.algorithm} worked on {size} of {len(rows)} documents; the others went with the nearest"
    )
    return found


def drawn(count: int, size: int, seed: int) -> Labels:
    return np.sort(np.random.default_rng(seed).choice(count, size, replace=False)).astype(np.int64)


def fitted(rows: NDArray[Any], method: Method, seed: int) -> _Found:
    size = len(rows)
    distinct = len({hash(row.tobytes()) for row in rows})
    if distinct <= 1:
        return _Found(np.zeros(size, dtype=np.int64), size)
    known = methods()
    work = known.Work(rows, method, seed)
    if method.algorithm not in COUNTED or getattr(method.parameters, "distance_threshold", None) is not None:
        labels, notes = _quietly(lambda: known.labels_of(work, 0))
        return _Found(labels, size, None, notes)
    wanted = method.parameters.count
    most = min(distinct, max(size // method.least, 1))
    if wanted is None and most >= 2:
        (labels, suits), notes = _quietly(lambda: known.best_labels(work, most))
        return _Found(labels, size, suits, notes)
    count = min(wanted or 1, most)
    fewer = [f"{size} documents make {count} clusters, and not {wanted}"] if wanted and count < wanted else []
    if count == 1:
        return _Found(np.zeros(size, dtype=np.int64), size, None, fewer)
    labels, notes = _quietly(lambda: known.labels_of(work, count))
    return _Found(labels, size, None, [*fewer, *notes])


def numbered(labels: Labels, least: int) -> tuple[Labels, frozenset[int]]:
    """Clusters by size down, ties to the least row; and the places of rows whose cluster was too small."""
    members: dict[int, list[int]] = {}
    for place, label in enumerate(labels.tolist()):
        if label >= 0:
            members.setdefault(label, []).append(place)
    dissolved = frozenset(place for rows in members.values() if len(rows) < least for place in rows)
    kept = sorted((rows for rows in members.values() if len(rows) >= least), key=lambda rows: (-len(rows), rows[0]))
    by_size = np.full(len(labels), -1, dtype=np.int64)
    for number, rows in enumerate(kept):
        by_size[rows] = number
    return by_size, dissolved


def _centres(
    values: NDArray[np.float64], labels: Labels, *, is_cosine: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = int(labels.max()) + 1 if len(labels) else 0
    centroids = np.zeros((count, values.shape[1]))
    distances = np.full(len(labels), np.nan)
    for number in range(count):
        own = np.flatnonzero(labels == number)
        mean = values[own].mean(axis=0)
        if is_cosine:
            mean = mean / max(float(np.linalg.norm(mean)), 1e-12)
            distances[own] = np.clip(1.0 - values[own] @ mean, 0.0, 2.0)
        else:
            distances[own] = np.linalg.norm(values[own] - mean, axis=1)
        centroids[number] = mean
    return centroids, distances


def _quietly(work: Callable[[], T]) -> tuple[T, list[str]]:
    """What it gives back; what scikit-learn warns of becomes a note, for nobody reads its standard error."""
    with warnings.catch_warnings(record=True) as told, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        given = work()
    restless = any(one.category.__name__ == "ConvergenceWarning" for one in told)
    return given, ["the clusters had not come to rest when it ended"] if restless else []


def methods() -> Any:
    """scikit-learn's, imported with the first clustering. Raises: NotSetUpError."""
    try:
        return importlib.import_module("tamis.engine.clustering.clustering_methods")
    except ImportError as error:
        raise NotSetUpError("clustering (pip install 'tamis[cluster]')") from error


class Worker:
    """One thread for all clusterings of a process, on one core: others wait for their turn.

    So clustering never takes more of a server than a core, and the limits that are set while it works (of BLAS, of
    OpenMP, of what is warned of: all of them belong to the process) are set by one thread at a time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pool: ThreadPoolExecutor | None = None

    @property
    def pool(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="tamis-clustering")
            return self._pool

    def alone(self, work: Callable[[], T]) -> T:
        """For the pool's thread."""
        with methods().on_one_core():
            return work()


WORKER = Worker()
