"""Partitions of vectors: by hand where that can be done, by scikit-learn itself, and by laws that any of them holds."""

import math
import sys
from collections.abc import Sequence
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import cluster as scikit
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture

from tamis.engine.clustering.clustering import (
    MAX_DOCUMENTS,
    NOISE,
    NOT_A_NUMBER,
    SAMPLED,
    TOO_SMALL,
    WORKER,
    ZERO_VECTOR,
    Partition,
    partition,
)
from tamis.engine.clustering.clustering_parameters import COUNTED, PARAMETERS, Algorithm, method_of
from tamis.errors import NotSetUpError, ValidationError
from tamis.model.vector import FloatArray

ALL = sorted(Algorithm)


def floats(rows: Sequence[Sequence[float]] | NDArray[Any]) -> FloatArray:
    return np.array(rows, dtype=np.float32)


def blobs(sizes: Sequence[int] = (20, 15, 10), dim: int = 6, spread: float = 0.2, seed: int = 0) -> FloatArray:
    """Around the axes, far apart; the i-th blob has sizes[i] rows."""
    chance = np.random.default_rng(seed)
    centres = np.eye(dim)[: len(sizes)] * 5
    return floats(np.concatenate([centres[n] + chance.normal(size=(s, dim)) * spread for n, s in enumerate(sizes)]))


def clustered(
    rows: FloatArray, algorithm: Algorithm, metric: Any = "euclidean", seed: int = 7, **own: Any
) -> Partition:
    if algorithm is Algorithm.DBSCAN and "eps" not in own:
        own["eps"] = 0.1 if metric == "cosine" else 0.9
    return partition(rows, method_of(algorithm, own, metric=metric), seed)


def test_two_pairs_on_a_line_by_hand() -> None:
    """0 and 2 around 1, 10 and 12 around 11: each a unit from its centroid."""
    found = clustered(floats([[10], [0], [12], [2]]), Algorithm.KMEANS, n_clusters=2)
    assert found.labels.tolist() == [1, 0, 1, 0], "of two clusters of one size the one with the least row comes first"
    assert found.centroids.tolist() == [[1.0], [11.0]]
    assert found.distances.tolist() == [1.0, 1.0, 1.0, 1.0]


def test_under_the_cosine_length_does_not_count() -> None:
    """Two directions, a right angle apart; a centroid is the mean direction."""
    rows = floats([[1, 0], [100, 0], [0, 3], [0, 0.01], [0, 7]])
    found = clustered(rows, Algorithm.KMEANS, "cosine", n_clusters=2)
    assert found.labels.tolist() == [1, 1, 0, 0, 0]
    assert found.centroids == pytest.approx(np.array([[0, 1], [1, 0]]))
    assert found.distances == pytest.approx(np.zeros(5), abs=1e-12)
    by_length = clustered(rows, Algorithm.KMEANS, "euclidean", n_clusters=2)
    assert by_length.reasons == {1: TOO_SMALL}, "the long one is alone, and one is no cluster"


def test_a_centroid_of_unlike_directions_by_hand() -> None:
    """Of (1, 0) and (0.6, 0.8) the mean is (0.8, 0.4): (2, 1) / sqrt 5, each 1 - 2 / sqrt 5 away."""
    found = clustered(floats([[2, 0], [3, 4]]), Algorithm.KMEANS, "cosine", n_clusters=2)
    assert found.notes == ("2 documents make 1 clusters, and not 2",)
    assert found.centroids == pytest.approx(np.array([[2, 1]]) / math.sqrt(5))
    assert found.distances == pytest.approx(np.full(2, 1 - 2 / math.sqrt(5)))


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("algorithm", ALL)
def test_every_algorithm_finds_what_is_far_apart(algorithm: Algorithm, metric: str) -> None:
    rows = blobs()
    found = clustered(rows, algorithm, metric)
    truth = np.repeat([0, 1, 2], [20, 15, 10])
    if algorithm in COUNTED:
        assert found.silhouette is not None, "nobody said how many there are"
        found = clustered(rows, algorithm, metric, **{_count(algorithm): 3})
    assert found.labels.tolist() == truth.tolist()
    assert found.sizes.tolist() == [20, 15, 10]


def _count(algorithm: Algorithm) -> str:
    return "n_components" if algorithm is Algorithm.GAUSSIAN_MIXTURE else "n_clusters"


_THEIRS: dict[Algorithm, Any] = {
    Algorithm.KMEANS: scikit.KMeans(4, n_init=10, random_state=7),
    Algorithm.MINIBATCH_KMEANS: scikit.MiniBatchKMeans(4, n_init=3, random_state=7),
    Algorithm.BISECTING_KMEANS: scikit.BisectingKMeans(4, init="k-means++", n_init=5, random_state=7),
    Algorithm.HDBSCAN: scikit.HDBSCAN(min_cluster_size=4, copy=True),
    Algorithm.DBSCAN: scikit.DBSCAN(eps=1.6),
    Algorithm.AGGLOMERATIVE: scikit.AgglomerativeClustering(4),
    Algorithm.SPECTRAL: scikit.SpectralClustering(4, random_state=7, eigen_tol=0.0),
    Algorithm.GAUSSIAN_MIXTURE: GaussianMixture(4, random_state=7),
    Algorithm.MEAN_SHIFT: scikit.MeanShift(),
    Algorithm.OPTICS: scikit.OPTICS(min_samples=5, min_cluster_size=5, metric="euclidean"),
}


@pytest.mark.parametrize("algorithm", ALL)
def test_the_clusters_are_scikit_learns_own(algorithm: Algorithm) -> None:
    """On overlapping rows, in the order in which we hand them over: label for label but for the numbers."""
    rows = blobs((30, 25, 20, 15), dim=4, spread=1.1, seed=3)
    rows = floats(rows[sorted(range(len(rows)), key=lambda n: rows[n].astype(np.float64).tobytes())])
    own: dict[str, float] = {_count(algorithm): 4} if algorithm in COUNTED else {}
    least = 4 if algorithm is Algorithm.HDBSCAN else None
    if algorithm is Algorithm.DBSCAN:
        own["eps"] = 1.6
    ours = partition(rows, method_of(algorithm, own, least=least, metric="euclidean"), 7)
    theirs = _THEIRS[algorithm].fit_predict(rows.astype(np.float64))
    kept = ours.labels >= 0
    assert kept.sum() > 20
    assert adjusted_rand_score(theirs[kept], ours.labels[kept]) == 1.0
    assert all(reason in (NOISE, TOO_SMALL) for reason in ours.reasons.values())
    assert [n for n in ours.reasons if ours.reasons[n] == NOISE] == np.flatnonzero(theirs < 0).tolist()


def test_the_number_of_clusters_is_the_best_silhouettes() -> None:
    rows = blobs((12, 12, 12, 12, 12), dim=6)
    found = clustered(rows, Algorithm.KMEANS)
    tried = {k: scikit.KMeans(k, n_init=10, random_state=7).fit_predict(rows) for k in range(2, 11)}
    best = max(tried, key=lambda k: silhouette_score(rows, tried[k]))
    assert len(found.sizes) == best == 5
    assert found.silhouette == pytest.approx(silhouette_score(rows, tried[5]), abs=1e-6)


_NUMBERS = st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 3.0, 1e-30, 1e20, math.nan, math.inf])
_ROWS = st.lists(st.lists(_NUMBERS, min_size=2, max_size=2), min_size=0, max_size=14).map(
    lambda rows: floats(rows) if rows else np.zeros((0, 2), dtype=np.float32)
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    _ROWS, st.sampled_from(ALL), st.sampled_from(["cosine", "euclidean"]), st.integers(2, 4) | st.none(), st.randoms()
)
@example(floats([[1, 1]] * 6), Algorithm.HDBSCAN, "cosine", None, Random(1))
@example(floats([[0, 0], [0, 0]]), Algorithm.KMEANS, "cosine", 2, Random(1))
def test_whatever_comes_in_is_partitioned(
    rows: FloatArray, algorithm: Algorithm, metric: Any, count: int | None, chance: Any
) -> None:
    """Each row in one cluster or in none with a reason; by size; the same in whatever order the rows come."""
    method = method_of(algorithm, {}, count=count if algorithm in COUNTED else None, metric=metric)
    found = partition(rows, method, 7)
    assert found.labels.shape == (len(rows),)
    assert {n for n, label in enumerate(found.labels) if label < 0} == set(found.reasons)
    sizes = found.sizes.tolist()
    assert sizes == sorted(sizes, reverse=True)
    assert all(size >= method.least for size in sizes)
    assert np.isnan(found.distances).tolist() == (found.labels < 0).tolist()
    assert np.isfinite(found.centroids).all()
    for n, row in enumerate(rows):
        reason = found.reasons.get(n)
        assert (reason == NOT_A_NUMBER) == (not np.isfinite(row).all())
        assert (reason == ZERO_VECTOR) == (metric == "cosine" and bool(np.isfinite(row).all()) and not row.any())
    order = list(range(len(rows)))
    chance.shuffle(order)
    again = partition(rows[order], method, 7)
    # Of equal rows the place decides, so what is compared is how many of each row are where.
    assert _placed(rows, found) == _placed(rows[order], again)


def _placed(rows: FloatArray, found: Partition) -> list[tuple[bytes, int]]:
    return sorted((row.tobytes(), int(label)) for row, label in zip(rows, found.labels, strict=True))


def test_the_same_seed_gives_the_same_and_another_may_not() -> None:
    rows = floats(np.random.default_rng(5).normal(size=(200, 3)))
    own = {"n_clusters": 12, "n_init": 1}
    first, again, other = (clustered(rows, Algorithm.KMEANS, seed=seed, **own) for seed in (1, 1, 2))
    assert first.labels.tolist() == again.labels.tolist() != other.labels.tolist()
    fixed = clustered(rows, Algorithm.KMEANS, seed=2, random_state=1, **own)
    assert fixed.labels.tolist() == first.labels.tolist(), "a random_state of its own stands over the run's seed"


def test_one_row_is_no_cluster_and_equal_rows_are_one() -> None:
    for algorithm in ALL:
        alone = clustered(blobs((1,)), algorithm)
        assert (alone.labels.tolist(), alone.reasons) == ([-1], {0: TOO_SMALL})
        alike = clustered(floats([[1.0, 2.0]] * 7), algorithm)
        assert (alike.labels.tolist(), alike.distances.tolist()) == ([0] * 7, [0.0] * 7)


def test_beyond_the_sample_a_row_goes_with_its_nearest() -> None:
    rows = blobs((60, 50, 40))
    found = partition(rows, method_of(Algorithm.HDBSCAN, {}, metric="euclidean"), 7, sample_size=45)
    assert found.sampled == 45
    assert found.sizes.tolist() == [60, 50, 40], "far apart, all of them"
    assert found.notes == ("hdbscan worked on 45 of 150 documents; the others went with the nearest",)


@pytest.mark.parametrize(
    ("algorithm", "shape", "sample_size", "own", "where"),
    [
        (Algorithm.KMEANS, (MAX_DOCUMENTS + 1, 2), None, {}, "algorithm"),
        (Algorithm.KMEANS, (5_000, 2_048), None, {}, "feature_uri"),
        (Algorithm.HDBSCAN, (10, 2), 3_001, {}, "sample_size"),
        (Algorithm.MEAN_SHIFT, (10, 2), 1_001, {}, "sample_size"),
        (Algorithm.KMEANS, (9_000, 1_000), None, {"n_clusters": 100}, "n_clusters"),
        (Algorithm.GAUSSIAN_MIXTURE, (300, 300), None, {"covariance_type": "full"}, "covariance_type"),
        (Algorithm.GAUSSIAN_MIXTURE, (9_000, 200), None, {"covariance_type": "tied"}, "n_clusters"),
    ],
)
def test_what_would_take_the_server_is_refused(
    algorithm: Algorithm, shape: tuple[int, int], sample_size: int | None, own: dict[str, Any], where: str
) -> None:
    rows = np.lib.stride_tricks.as_strided(np.ones(1, np.float32), shape, (0, 0))
    with pytest.raises(ValidationError, match=r"\d{3,}|at most \d") as refused:
        partition(rows, method_of(algorithm, own), 7, sample_size)
    assert refused.value.problems[0]["loc"][-1] == where


@pytest.mark.parametrize(
    ("algorithm", "own", "said"),
    [
        (Algorithm.KMEANS, {"n_jobs": 4}, "n_jobs is not supported"),
        (Algorithm.KMEANS, {"clusters": 4}, r"algorithm_params.clusters: .*kmeans takes algorithm, init, max_iter"),
        (Algorithm.KMEANS, {"n_clusters": 1}, "algorithm_params.n_clusters: .*greater than or equal to 2"),
        (Algorithm.DBSCAN, {"metric": "precomputed"}, r"algorithm_params.metric: .*'cosine', 'euclidean'"),
        (Algorithm.AGGLOMERATIVE, {"connectivity": [[1]]}, "connectivity is not supported"),
        (Algorithm.AGGLOMERATIVE, {"n_clusters": 2, "distance_threshold": 1.0}, "not both"),
        (Algorithm.AGGLOMERATIVE, {"affinity": "l1"}, "ward works with"),
        (Algorithm.GAUSSIAN_MIXTURE, {"means_init": [[0.0]]}, "means_init is not supported"),
        (Algorithm.HDBSCAN, {"prediction_data": True}, "prediction_data is not supported"),
    ],
)
def test_what_cannot_be_honoured_is_refused_by_name(algorithm: Algorithm, own: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        method_of(algorithm, own)


def test_a_thing_said_twice_is_said_alike() -> None:
    with pytest.raises(ValueError, match="give one of them"):
        method_of(Algorithm.KMEANS, {"n_clusters": 3}, count=4)
    with pytest.raises(ValueError, match="give one of them"):
        method_of(Algorithm.DBSCAN, {"metric": "l1"}, metric="cosine")
    with pytest.raises(ValueError, match="finds the number of clusters by itself"):
        method_of(Algorithm.HDBSCAN, {}, count=4)
    assert method_of(Algorithm.KMEANS, {"n_clusters": 4}, count=4).parameters.count == 4


@pytest.mark.parametrize("algorithm", ALL)
def test_the_contracts_own_defaults_are_understood(algorithm: Algorithm) -> None:
    """What a client of the contract sends that fills in every default."""
    quiet: dict[str, Any] = {
        "n_jobs": 1,
        "verbose": 0,
        "copy_x": True,
        "memory": None,
        "connectivity": None,
        "metric_params": {},
    }
    accepted = {name: value for name, value in quiet.items() if name in PARAMETERS[algorithm].only}
    defaults = PARAMETERS[algorithm]().model_dump()
    assert method_of(algorithm, {**accepted, **defaults, "random_state": 42}).algorithm is algorithm


@pytest.mark.parametrize(
    ("algorithm", "own"),
    [
        *(
            (Algorithm.DBSCAN, {"metric": one, "eps": 1.2})
            for one in ("l1", "l2", "manhattan", "chebyshev", "minkowski")
        ),
        *((Algorithm.HDBSCAN, {"metric": one}) for one in ("cosine", "cityblock", "chebyshev", "minkowski")),
        *((Algorithm.OPTICS, {"metric": one}) for one in ("cosine", "minkowski")),
        (Algorithm.OPTICS, {"cluster_method": "dbscan", "eps": 0.05, "max_eps": 1.0}),
        *((Algorithm.AGGLOMERATIVE, {"linkage": one, "n_clusters": 3}) for one in ("complete", "average", "single")),
        (Algorithm.AGGLOMERATIVE, {"linkage": "average", "distance_threshold": 0.3}),
        (Algorithm.AGGLOMERATIVE, {"linkage": "average", "affinity": "cosine", "distance_threshold": 0.3}),
        *(
            (Algorithm.SPECTRAL, {"affinity": one, "n_clusters": 3})
            for one in ("nearest_neighbors", "laplacian", "poly")
        ),
        *((Algorithm.SPECTRAL, {"assign_labels": one, "n_clusters": 3}) for one in ("discretize", "cluster_qr")),
        *((Algorithm.GAUSSIAN_MIXTURE, {"covariance_type": one, "n_components": 3}) for one in ("tied", "spherical")),
        (Algorithm.MEAN_SHIFT, {"bandwidth": 0.3}),
        (Algorithm.MEAN_SHIFT, {"bin_seeding": True, "bandwidth": 0.3, "cluster_all": False}),
        (Algorithm.KMEANS, {"algorithm": "elkan", "init": "random", "n_clusters": 3}),
        (Algorithm.BISECTING_KMEANS, {"bisecting_strategy": "largest_cluster", "n_clusters": 3}),
        (Algorithm.HDBSCAN, {"cluster_selection_method": "leaf", "allow_single_cluster": True, "max_cluster_size": 40}),
    ],
)
def test_the_algorithms_own_parameters_do_what_they_say(algorithm: Algorithm, own: dict[str, Any]) -> None:
    found = partition(blobs((20, 15, 10), spread=0.1), method_of(algorithm, own), 7)
    assert {20, 15, 10} == set(found.sizes.tolist()) or algorithm in (Algorithm.HDBSCAN, Algorithm.BISECTING_KMEANS)
    assert len(found.sizes) >= 3


def test_without_scikit_learn_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tamis.engine.clustering.clustering_methods", None)
    with pytest.raises(NotSetUpError, match=r"pip install 'tamis\[cluster\]'"):
        clustered(blobs(), Algorithm.KMEANS)


def test_one_thread_works_for_all_and_on_one_core() -> None:
    from threadpoolctl import threadpool_info

    def threads() -> set[int]:
        return {int(one["num_threads"]) for one in threadpool_info()}

    before = threads()
    assert WORKER.pool.submit(WORKER.alone, threads).result() == {1}
    assert WORKER.pool.submit(threads).result() == before == threads()
    assert WORKER.pool is WORKER.pool
    assert SAMPLED.keys().isdisjoint({Algorithm.KMEANS, Algorithm.MINIBATCH_KMEANS})
