"""A clustering as it is given to a process of its own, and what comes back: files in a folder.

`rows.f32` holds float32 [count, dim], `job.json` a `Job`; `found.npz` and `found.json` are there once all is done.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tamis.engine.clustering.clustering_parameters import Algorithm, Method, method_of
from tamis.model.cluster import Centre, Projection, Quality, VectorSettings
from tamis.model.vector import FloatArray

ROWS, JOB, ARRAYS, FACTS, FAILURE = "rows.f32", "job.json", "found.npz", "found.json", "failure.json"


@dataclass(frozen=True, slots=True)
class Job:
    """count, dim: of the rows.  The rest: as `VectorSettings` has it."""

    count: int
    dim: int
    algorithm: str
    parameters: dict[str, Any]
    seed: int
    metric: str | None = None
    sample_size: int | None = None
    centre: Centre = Centre.MEAN
    projection: Projection = Projection.PCA


@dataclass(frozen=True, slots=True)
class Facts:
    """reasons: the words that `Found.reasons` counts.  sampled: on how many rows the algorithm worked."""

    quality: Quality
    sampled: int
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    silhouette: float | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    message: str


@dataclass(frozen=True, slots=True)
class Found:
    """labels: int32 [n], -1 in none.  distances: float32 [n].  centroids: float32 [k, dim].  mean: float32 [dim].

    places: float32 [n, 2 or 3], NaN where a row has none.  reasons: int8 [n], the place in `facts.reasons` or -1.
    """

    labels: NDArray[np.int32]
    distances: FloatArray
    centroids: FloatArray
    places: FloatArray
    mean: FloatArray
    reasons: NDArray[np.int8]
    facts: Facts = field(default_factory=lambda: Facts(Quality(), 0))


def method_for(settings: VectorSettings | Job) -> Method:
    """Raises: ValueError, naming the parameter."""
    metric = settings.metric
    own = dict(settings.parameters)
    if metric not in (None, "cosine", "euclidean"):
        raise ValueError(f"metric is cosine or euclidean, not {metric!r}")
    return method_of(Algorithm(settings.algorithm), own, metric="euclidean" if metric == "euclidean" else None)


def write_job(folder: Path, job: Job) -> None:
    (folder / JOB).write_bytes(msgspec.json.encode(job))


def read_job(folder: Path) -> Job:
    return msgspec.json.decode((folder / JOB).read_bytes(), type=Job)


def write_found(folder: Path, found: Found) -> None:
    """The arrays first: who finds the facts finds all."""
    partial = folder / "partial.npz"
    np.savez(
        partial, labels=found.labels, distances=found.distances, centroids=found.centroids, places=found.places,
        mean=found.mean, reasons=found.reasons,
    )  # fmt: skip
    partial.replace(folder / ARRAYS)
    (folder / FACTS).write_bytes(msgspec.json.encode(found.facts))


def read_found(folder: Path) -> Found:
    """Raises: FileNotFoundError where it was not finished."""
    facts = msgspec.json.decode((folder / FACTS).read_bytes(), type=Facts)
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        parts = {name: arrays[name] for name in ("labels", "distances", "centroids", "places", "mean", "reasons")}
    return Found(**parts, facts=facts)


def write_failure(folder: Path, failure: Failure) -> None:
    (folder / FAILURE).write_bytes(msgspec.json.encode(failure))


def read_failure(folder: Path) -> Failure | None:
    path = folder / FAILURE
    return msgspec.json.decode(path.read_bytes(), type=Failure) if path.exists() else None
