"""The algorithms themselves, scikit-learn's all of them: rows in, a label for each row out, -1 for noise.

Imported with the first clustering alone: scikit-learn and SciPy take more than a second and some 100 MB.
"""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import cluster
from sklearn.metrics import pairwise_distances_argmin, silhouette_score
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from tamis.engine.clustering.clustering_parameters import Algorithm, Method

Rows = NDArray[np.float64]
Labels = NDArray[np.int64]
_MOST_TRIED = 10
_SILHOUETTE_ROWS = 1_000
_FULL_UP_TO = 32
_FEW = 1_000
"""Up to so many rows k-means begins ten times."""


@dataclass(frozen=True, slots=True)
class Work:
    """rows: float64 [n, dim], of unit length for the cosine.  given: the method's parameters."""

    rows: Rows
    method: Method
    seed: int

    @property
    def given(self) -> Any:
        return self.method.parameters

    @property
    def distance(self) -> str:
        """As scikit-learn is told it: of unit rows the euclidean orders as the cosine does."""
        return "euclidean" if self.method.distance == "cosine" else self.method.distance

    def length(self, value: float) -> float:
        """A distance in the metric's measure as one between rows. Of unit rows: |a - b|^2 = 2 (1 - cosine)."""
        return math.sqrt(2.0 * value) if self.method.distance == "cosine" else value

    def within(self, documents: int) -> int:
        """No more than there are: scikit-learn refuses what is beyond."""
        return min(documents, len(self.rows))


def on_one_core() -> AbstractContextManager[Any]:
    """While it lasts, BLAS and OpenMP begin no threads."""
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def labels_of(work: Work, count: int) -> Labels:
    """count: of clusters, for the algorithms that are told it."""
    found: Labels = _FITS[work.method.algorithm](work, count).astype(np.int64)
    return found


def best_labels(work: Work, most: int) -> tuple[Labels, float]:
    """Labels for the number of clusters, from 2 to 10 and at most `most`, that suits best; their silhouette.

    By the mean silhouette (Rousseeuw 1987) over at most 1,000 rows; ties to fewer.
    """
    tried = {count: labels_of(work, count) for count in range(2, min(most, _MOST_TRIED) + 1)}
    suits = {count: silhouette(work, labels) for count, labels in tried.items()}
    best = max(tried, key=lambda count: (round(suits[count], 9), -count))
    return tried[best], suits[best]


def silhouette(work: Work, labels: Labels) -> float:
    """-1..1; -1 where there is only one cluster, or none but single rows."""
    chosen = np.arange(len(labels))
    if len(labels) > _SILHOUETTE_ROWS:
        chosen = np.random.default_rng(work.seed).choice(len(labels), _SILHOUETTE_ROWS, replace=False)
    seen = len(np.unique(labels[chosen]))
    if not 2 <= seen < len(chosen):
        return -1.0
    return float(silhouette_score(work.rows[chosen], labels[chosen], metric=work.distance))


def nearest(rows: Rows, to: Rows, distance: str) -> Labels:
    """For each row the place of the nearest in `to`; ties to the first."""
    found: Labels = pairwise_distances_argmin(rows, to, metric=distance)
    return found


def _kmeans(work: Work, count: int) -> NDArray[Any]:
    own = work.given
    inits = own.n_init or (10 if len(work.rows) <= _FEW else 1)
    model = cluster.KMeans(
        count, init=own.init, n_init=inits, max_iter=own.max_iter, tol=own.tol, algorithm=own.algorithm,
        random_state=work.seed,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


def _minibatch(work: Work, count: int) -> NDArray[Any]:
    own = work.given
    model = cluster.MiniBatchKMeans(
        count, init=own.init, n_init=own.n_init, max_iter=own.max_iter, batch_size=own.batch_size,
        reassignment_ratio=own.reassignment_ratio, random_state=work.seed,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


def _bisecting(work: Work, count: int) -> NDArray[Any]:
    own = work.given
    model = cluster.BisectingKMeans(
        count, init=own.init, n_init=own.n_init, max_iter=own.max_iter, tol=own.tol, algorithm=own.algorithm,
        bisecting_strategy=own.bisecting_strategy, random_state=work.seed,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


def _hdbscan(work: Work, _count: int) -> NDArray[Any]:
    own = work.given
    least = work.method.least
    if len(work.rows) < least:
        return np.full(len(work.rows), -1)
    model = cluster.HDBSCAN(
        min_cluster_size=least, min_samples=work.within(own.min_samples or least),
        max_cluster_size=own.max_cluster_size,
        cluster_selection_epsilon=work.length(own.cluster_selection_epsilon),
        cluster_selection_method=own.cluster_selection_method, allow_single_cluster=own.allow_single_cluster,
        alpha=own.alpha, metric=work.distance, metric_params={"p": 2} if work.distance == "minkowski" else None,
        # The trees hold the interpreter's lock for as long as they are walked; this way only for moments.
        algorithm="brute", copy=True,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


def _dbscan(work: Work, _count: int) -> NDArray[Any]:
    own = work.given
    model = cluster.DBSCAN(
        eps=work.length(own.eps), min_samples=own.min_samples, metric=work.distance, p=own.p,
        algorithm=own.algorithm, leaf_size=own.leaf_size, n_jobs=1,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


def _agglomerative(work: Work, count: int) -> NDArray[Any]:
    own = work.given
    # Ward's needs the plain distance; the others merge by the cosine itself, so that a threshold is one of cosines.
    distance = work.distance if own.linkage == "ward" else work.method.distance
    threshold = own.distance_threshold
    model = cluster.AgglomerativeClustering(
        None if threshold is not None else count, metric=distance, linkage=own.linkage, distance_threshold=threshold
    )
    return np.asarray(model.fit_predict(work.rows))


def _spectral(work: Work, count: int) -> NDArray[Any]:
    own = work.given
    most = len(work.rows) - 1
    model = cluster.SpectralClustering(
        min(count, most), affinity=own.affinity, gamma=own.gamma, degree=own.degree, coef0=own.coef0,
        n_neighbors=min(own.n_neighbors, len(work.rows)), n_init=own.n_init, eigen_solver=own.eigen_solver,
        n_components=None if own.n_components is None else min(own.n_components, most),
        eigen_tol=own.eigen_tol, assign_labels=own.assign_labels, random_state=work.seed, n_jobs=1,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


def _gaussian_mixture(work: Work, count: int) -> NDArray[Any]:
    own = work.given
    shape = own.covariance_type or ("full" if work.rows.shape[1] <= _FULL_UP_TO else "diag")
    model = GaussianMixture(
        count, covariance_type=shape, init_params=own.init_params, n_init=own.n_init, max_iter=own.max_iter,
        tol=own.tol, reg_covar=own.reg_covar, random_state=work.seed,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


def _mean_shift(work: Work, _count: int) -> NDArray[Any]:
    own = work.given
    width = work.length(own.bandwidth) if own.bandwidth else float(cluster.estimate_bandwidth(work.rows, n_jobs=1))
    model = cluster.MeanShift(
        # Of rows that are nearly all the same the estimate is 0, and a mean must reach somewhere.
        bandwidth=max(width, 1e-9), bin_seeding=own.bin_seeding, min_bin_freq=own.min_bin_freq,
        cluster_all=own.cluster_all, max_iter=own.max_iter, n_jobs=1,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


def _optics(work: Work, _count: int) -> NDArray[Any]:
    own = work.given
    if len(work.rows) < max(own.min_samples, 2):
        return np.full(len(work.rows), -1)
    share = own.min_cluster_size is not None and own.min_cluster_size <= 1
    size = own.min_cluster_size if share else work.within(int(own.min_cluster_size or work.method.least))
    model = cluster.OPTICS(
        min_samples=work.within(own.min_samples), min_cluster_size=size, cluster_method=own.cluster_method, xi=own.xi,
        eps=None if own.eps is None else work.length(own.eps),
        max_eps=np.inf if own.max_eps is None else work.length(own.max_eps),
        metric=work.distance, p=own.p, predecessor_correction=own.predecessor_correction, algorithm=own.algorithm,
        leaf_size=own.leaf_size, n_jobs=1,
    )  # fmt: skip
    return np.asarray(model.fit_predict(work.rows))


_FITS: dict[Algorithm, Callable[[Work, int], NDArray[Any]]] = {
    Algorithm.KMEANS: _kmeans,
    Algorithm.MINIBATCH_KMEANS: _minibatch,
    Algorithm.BISECTING_KMEANS: _bisecting,
    Algorithm.HDBSCAN: _hdbscan,
    Algorithm.DBSCAN: _dbscan,
    Algorithm.AGGLOMERATIVE: _agglomerative,
    Algorithm.SPECTRAL: _spectral,
    Algorithm.GAUSSIAN_MIXTURE: _gaussian_mixture,
    Algorithm.MEAN_SHIFT: _mean_shift,
    Algorithm.OPTICS: _optics,
}
