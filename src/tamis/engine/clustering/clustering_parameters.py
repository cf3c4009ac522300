"""The clustering algorithms by name, and what each takes: scikit-learn's words, and no more than can be honoured."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, ValidationError, model_validator

from tamis.engine.parameters import StageParameters

Metric: TypeAlias = Literal["cosine", "euclidean"]
Distance: TypeAlias = Literal[
    "cosine", "euclidean", "l2", "manhattan", "l1", "cityblock", "chebyshev", "minkowski"
]  # fmt: skip
_EUCLIDEAN = ("euclidean", "l2")


class Algorithm(StrEnum):
    KMEANS = "kmeans"
    MINIBATCH_KMEANS = "minibatch_kmeans"
    BISECTING_KMEANS = "bisecting_kmeans"
    HDBSCAN = "hdbscan"
    DBSCAN = "dbscan"
    AGGLOMERATIVE = "agglomerative"
    SPECTRAL = "spectral"
    GAUSSIAN_MIXTURE = "gaussian_mixture"
    MEAN_SHIFT = "mean_shift"
    OPTICS = "optics"


class MethodParameters(StageParameters):
    """only: names that are understood at these values alone, for the server decides them or cannot honour others."""

    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    random_state: int | None = Field(
        None, ge=0, lt=2**32, description="What decides chance, instead of the run's seed."
    )

    @model_validator(mode="before")
    @classmethod
    def _only_these(cls, raw: Any) -> Any:
        if not isinstance(raw, dict):
            return raw
        for name, accepted in cls.only.items():
            if raw.get(name) is not None and raw[name] not in accepted:
                one = " or ".join(map(repr, accepted)) if accepted else "nothing"
                raise ValueError(f"{name} is not supported here; leave it out ({one} is what applies)")
        return {name: value for name, value in raw.items() if name not in cls.only}

    @property
    def count(self) -> int | None:
        """How many clusters are asked for."""
        return getattr(self, "n_clusters", None)

    @property
    def distance(self) -> str | None:
        """The distance asked for by this algorithm's own parameter."""
        return getattr(self, "metric", None)


_QUIET: Mapping[str, tuple[Any, ...]] = {"verbose": (0,), "n_jobs": (1,)}
_COUNT = "How many clusters; by silhouette where not given."
_INITS = "How often to begin anew, the best kept; 10 for up to 1,000 documents, else 1."
_ITERATIONS = "After how many rounds to end."
_TOLERANCE = "What change ends it."
_SAME_AS = "Distance, instead of the stage's `metric`."
_IN_METRIC = "in the metric's own measure (of cosine: 1 - cosine)"


class KMeansParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {**_QUIET, "copy_x": (True,)}
    n_clusters: int | None = Field(None, ge=2, le=1000, description=_COUNT)
    init: Literal["k-means++", "random"] = Field("k-means++", description="How the first centroids are chosen.")
    n_init: int | None = Field(None, ge=1, le=100, description=_INITS)
    max_iter: int = Field(300, ge=1, le=10_000, description=_ITERATIONS)
    tol: float = Field(1e-4, gt=0, description=_TOLERANCE)
    algorithm: Literal["lloyd", "elkan"] = Field("lloyd", description="Which of the two ways to the same clusters.")


class MiniBatchKMeansParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = _QUIET
    n_clusters: int | None = Field(None, ge=2, le=1000, description=_COUNT)
    init: Literal["k-means++", "random"] = Field("k-means++", description="How the first centroids are chosen.")
    n_init: int = Field(3, ge=1, le=100, description="How many beginnings are tried on a part of the documents.")
    max_iter: int = Field(100, ge=1, le=10_000, description=_ITERATIONS)
    batch_size: int = Field(1024, ge=16, le=10_000, description="Documents in one batch.")
    reassignment_ratio: float = Field(0.01, ge=0, le=1, description="How readily small clusters are begun anew.")


class BisectingKMeansParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {**_QUIET, "copy_x": (True,)}
    n_clusters: int | None = Field(None, ge=2, le=1000, description=_COUNT)
    init: Literal["k-means++", "random"] = Field("k-means++", description="How the first centroids are chosen.")
    n_init: int = Field(5, ge=1, le=100, description="How often each split is tried.")
    max_iter: int = Field(300, ge=1, le=10_000, description=_ITERATIONS)
    tol: float = Field(1e-4, gt=0, description=_TOLERANCE)
    algorithm: Literal["lloyd", "elkan"] = Field("lloyd", description="Which of the two ways to the same clusters.")
    bisecting_strategy: Literal["biggest_inertia", "largest_cluster"] = Field(
        "biggest_inertia", description="Which cluster is split next."
    )


class HdbscanParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "n_jobs": (1,), "match_reference_implementation": (False,), "prediction_data": (False,),
    }  # fmt: skip
    min_cluster_size: int | None = Field(None, ge=2, description="Fewer documents are no cluster.")
    min_samples: int | None = Field(None, ge=1, description="How dense a core is; as min_cluster_size if not given.")
    max_cluster_size: int | None = Field(None, ge=1, description="More documents are no cluster.")
    cluster_selection_epsilon: float = Field(0.0, ge=0, description=f"Clusters nearer than this are one, {_IN_METRIC}.")
    cluster_selection_method: Literal["eom", "leaf"] = Field("eom", description="The most stable clusters, or leaves.")
    allow_single_cluster: bool = Field(False, description="Whether all documents may be one cluster.")
    alpha: float = Field(1.0, gt=0, description="Scales distances, as for robust single linkage.")
    metric: Distance | None = Field(None, description=_SAME_AS)


class DbscanParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {"n_jobs": (1,), "metric_params": ({},)}
    eps: float = Field(0.5, gt=0, description=f"How far neighbours are, {_IN_METRIC}.")
    min_samples: int = Field(5, ge=1, description="Neighbours, itself included, that make a core.")
    metric: Distance | None = Field(None, description=_SAME_AS)
    p: float = Field(2, gt=0, description="The power of minkowski.")
    algorithm: Literal["auto", "ball_tree", "kd_tree", "brute"] = Field("auto", description="How neighbours are found.")
    leaf_size: int = Field(30, ge=1, le=1000, description="Of the trees.")


class AgglomerativeParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "connectivity": (), "memory": (), "compute_distances": (False,), "compute_full_tree": ("auto",),
    }  # fmt: skip
    n_clusters: int | None = Field(None, ge=2, le=1000, description=_COUNT)
    linkage: Literal["ward", "complete", "average", "single"] = Field("ward", description="What is merged next.")
    distance_threshold: float | None = Field(
        None, gt=0, description="No merge beyond it, instead of a number of clusters; for ward in Ward's own measure."
    )
    affinity: Distance | None = Field(None, description=_SAME_AS)

    @model_validator(mode="after")
    def _one_end(self) -> "AgglomerativeParameters":
        if self.n_clusters is not None and self.distance_threshold is not None:
            raise ValueError("give n_clusters or distance_threshold, not both")
        if self.linkage == "ward" and self.affinity not in (None, "cosine", *_EUCLIDEAN):
            raise ValueError("linkage ward works with euclidean or cosine alone")
        return self

    @property
    def distance(self) -> str | None:
        return self.affinity


class SpectralParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {"n_jobs": (1,), "verbose": (False,), "kernel_params": ()}
    n_clusters: int | None = Field(None, ge=2, le=1000, description=_COUNT)
    affinity: Literal["rbf", "nearest_neighbors", "cosine", "laplacian", "polynomial", "poly", "sigmoid", "linear"] = (
        Field("rbf", description="What makes documents alike.")
    )
    gamma: float = Field(1.0, gt=0, description="Of rbf, laplacian, polynomial and sigmoid.")
    degree: float = Field(3, ge=0, le=10, description="Of polynomial.")
    coef0: float = Field(1, description="Of polynomial and sigmoid.")
    n_neighbors: int = Field(10, ge=1, description="Of nearest_neighbors.")
    n_components: int | None = Field(None, ge=1, le=1000, description="Eigenvectors; as many as clusters if not given.")
    n_init: int = Field(10, ge=1, le=100, description="How often k-means begins anew on the eigenvectors.")
    eigen_solver: Literal["arpack", "lobpcg"] | None = Field(None, description="How the eigenvectors are found.")
    eigen_tol: float = Field(0.0, ge=0, description="When they are near enough; 0 is as near as can be.")
    assign_labels: Literal["kmeans", "discretize", "cluster_qr"] = Field("kmeans", description="How they are read.")


class GaussianMixtureParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "verbose": (0,), "verbose_interval": (10,), "warm_start": (False,),
        "weights_init": (), "means_init": (), "precisions_init": (),
    }  # fmt: skip
    n_components: int | None = Field(None, ge=1, le=1000, description=_COUNT)
    covariance_type: Literal["full", "tied", "diag", "spherical"] | None = Field(
        None, description="The shape of clusters: full for up to 32 dimensions, else diag."
    )
    init_params: Literal["kmeans", "k-means++", "random", "random_from_data"] = Field(
        "kmeans", description="Beginning."
    )
    n_init: int = Field(1, ge=1, le=100, description="How often to begin anew, the best kept.")
    max_iter: int = Field(100, ge=1, le=10_000, description=_ITERATIONS)
    tol: float = Field(1e-3, gt=0, description=_TOLERANCE)
    reg_covar: float = Field(1e-6, ge=0, description="Added to variances.")

    @property
    def count(self) -> int | None:
        return self.n_components


class MeanShiftParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {"n_jobs": (1,), "seeds": ()}
    bandwidth: float | None = Field(None, gt=0, description=f"How far a mean reaches, {_IN_METRIC}; else estimated.")
    bin_seeding: bool = Field(False, description="Begin from a grid instead of every document.")
    min_bin_freq: int = Field(1, ge=1, description="Documents in a bin that is begun from.")
    cluster_all: bool = Field(True, description="Whether what is near no mean belongs to the nearest all the same.")
    max_iter: int = Field(300, ge=1, le=10_000, description=_ITERATIONS)


class OpticsParameters(MethodParameters):
    only: ClassVar[Mapping[str, tuple[Any, ...]]] = {"n_jobs": (1,), "metric_params": ({},), "memory": ()}
    min_samples: int = Field(5, ge=2, description="Neighbours, itself included, that make a core.")
    min_cluster_size: float | None = Field(None, gt=0, description="Documents, or up to 1 a share of them.")
    cluster_method: Literal["xi", "dbscan"] = Field("xi", description="How clusters are read off the reachability.")
    xi: float = Field(0.05, ge=0, lt=1, description="How steep a cluster's edge is.")
    eps: float | None = Field(None, gt=0, description=f"Of cluster_method dbscan, {_IN_METRIC}.")
    max_eps: float | None = Field(None, gt=0, description=f"How far neighbours are looked for, {_IN_METRIC}.")
    metric: Distance | None = Field(None, description=_SAME_AS)
    p: float = Field(2, ge=1, description="The power of minkowski.")
    predecessor_correction: bool = Field(True, description="Whether predecessors correct clusters of xi.")
    algorithm: Literal["auto", "ball_tree", "kd_tree", "brute"] = Field("auto", description="How neighbours are found.")
    leaf_size: int = Field(30, ge=1, le=1000, description="Of the trees.")


PARAMETERS: Mapping[Algorithm, type[MethodParameters]] = {
    Algorithm.KMEANS: KMeansParameters,
    Algorithm.MINIBATCH_KMEANS: MiniBatchKMeansParameters,
    Algorithm.BISECTING_KMEANS: BisectingKMeansParameters,
    Algorithm.HDBSCAN: HdbscanParameters,
    Algorithm.DBSCAN: DbscanParameters,
    Algorithm.AGGLOMERATIVE: AgglomerativeParameters,
    Algorithm.SPECTRAL: SpectralParameters,
    Algorithm.GAUSSIAN_MIXTURE: GaussianMixtureParameters,
    Algorithm.MEAN_SHIFT: MeanShiftParameters,
    Algorithm.OPTICS: OpticsParameters,
}
COUNTED = frozenset(Algorithm) - {Algorithm.HDBSCAN, Algorithm.DBSCAN, Algorithm.MEAN_SHIFT, Algorithm.OPTICS}
"""Those that are told how many clusters to make; the others find it out."""


@dataclass(frozen=True, slots=True)
class Method:
    """distance: `cosine` works on unit rows.  least: clusters of fewer documents are dissolved."""

    algorithm: Algorithm
    parameters: MethodParameters
    distance: str
    least: int


def method_of(
    algorithm: Algorithm,
    own: Mapping[str, Any],
    *,
    count: int | None = None,
    least: int | None = None,
    metric: Metric | None = None,
) -> Method:
    """An algorithm with its own parameters and what is said beside them. None: nothing is said.

    least: 5 for hdbscan and optics, 2 for the others, where nowhere said.
    Raises: ValueError, naming the parameter.
    """
    own = dict(own)
    if count is not None:
        _put(own, _counted_by(algorithm), count, "n_clusters")
    if algorithm is Algorithm.HDBSCAN and least is not None:
        _put(own, "min_cluster_size", least, "min_cluster_size")
    parameters = _parsed(algorithm, own)
    if metric is not None and parameters.distance not in (None, metric):
        raise ValueError(f"algorithm_params says {parameters.distance}, and metric {metric}: give one of them")
    return Method(algorithm, parameters, parameters.distance or metric or "cosine", least or _least(parameters))


def _counted_by(algorithm: Algorithm) -> str:
    if algorithm not in COUNTED:
        able = ", ".join(sorted(COUNTED))
        raise ValueError(f"{algorithm} finds the number of clusters by itself: leave n_clusters out, or take {able}")
    return "n_components" if algorithm is Algorithm.GAUSSIAN_MIXTURE else "n_clusters"


def _put(own: dict[str, Any], name: str, value: int, said: str) -> None:
    if own.get(name) not in (None, value):
        raise ValueError(f"algorithm_params.{name} is {own[name]!r}, and {said} {value}: give one of them")
    own[name] = value


def _parsed(algorithm: Algorithm, own: Mapping[str, Any]) -> MethodParameters:
    model = PARAMETERS[algorithm]
    try:
        return model.model_validate(own)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(map(str, ("algorithm_params", *first["loc"])))
        known = f"; {algorithm} takes {', '.join(sorted(model.model_fields))}" if "extra" in first["type"] else ""
        raise ValueError(f"{name}: {first['msg'].removeprefix('Value error, ')}{known}") from None


def _least(parameters: MethodParameters) -> int:
    if isinstance(parameters, HdbscanParameters):
        return parameters.min_cluster_size or 5
    return 5 if isinstance(parameters, OpticsParameters) else 2
