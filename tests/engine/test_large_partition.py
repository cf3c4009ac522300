"""Clusterings beyond a stage's limits, their measures, places and correspondence, against scikit-learn directly."""

import importlib.util
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA

from tamis.engine.clustering import large_partition
from tamis.engine.clustering.clustering import NOT_A_NUMBER, ZERO_VECTOR, methods, partition
from tamis.engine.clustering.clustering_findings import centres_of, places_of, quality_of
from tamis.engine.clustering.clustering_parameters import Algorithm, Method, method_of
from tamis.engine.clustering.correspondence import Pair, correspond
from tamis.engine.clustering.large_partition import partition_all
from tamis.errors import NotSetUpError, ValidationError
from tamis.model.cluster import Centre, Projection
from tests.cluster_samples import rows

THREE = {"n_clusters": 3, "random_state": 42}


@pytest.fixture(autouse=True)
def on_one_core() -> Iterator[None]:
    """As the process that clusters works."""
    with methods().on_one_core():
        yield


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage's limit at 50 documents, so that 300 are many."""
    monkeypatch.setattr(large_partition, "MAX_DOCUMENTS", 50)


def kmeans(**own: object) -> Method:
    return method_of(Algorithm.KMEANS, {**THREE, **own})


def same_groups(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(metrics.adjusted_rand_score(a, b) == 1.0)


def test_what_a_stage_can_cluster_is_clustered_alike() -> None:
    vectors = rows(60)
    found = partition_all(vectors.copy(), kmeans(), 42)
    assert np.array_equal(found.labels, partition(vectors, kmeans(), 42).labels)


@pytest.mark.usefixtures("small_limits")
def test_k_means_over_all_is_scikit_learns() -> None:
    vectors = rows(300)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    direct = KMeans(3, n_init=10, random_state=42).fit_predict(unit)
    found = partition_all(vectors.copy(), kmeans(), 42)
    assert found.sampled == 300
    assert same_groups(found.labels, direct)
    assert np.allclose(found.rows, unit, atol=1e-6)
    euclidean = method_of(Algorithm.KMEANS, THREE, metric="euclidean")
    direct = KMeans(3, n_init=10, random_state=42).fit_predict(vectors)
    assert same_groups(partition_all(vectors.copy(), euclidean, 42).labels, direct)


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize("algorithm", sorted(set(Algorithm)))
def test_every_algorithm_finds_the_groups_of_a_sample_and_takes_the_rest_along(algorithm: Algorithm) -> None:
    vectors = rows(300)
    special: dict[Algorithm, dict[str, Any]] = {
        Algorithm.DBSCAN: {"eps": 0.1},
        Algorithm.OPTICS: {"cluster_method": "dbscan", "eps": 0.1},
        Algorithm.AGGLOMERATIVE: {"n_clusters": 3},
        Algorithm.GAUSSIAN_MIXTURE: {"n_components": 3},
        Algorithm.HDBSCAN: {},
        Algorithm.MEAN_SHIFT: {},
    }
    own = special.get(algorithm, {"n_clusters": 3})
    found = partition_all(vectors, method_of(algorithm, own), 42, sample_size=90)
    expected = np.arange(300) % 3
    inside = found.labels >= 0
    assert found.sampled == 90
    assert inside.mean() > 0.95
    assert metrics.adjusted_rand_score(expected[inside], found.labels[inside]) > 0.95
    assert any("90 of 300" in note for note in found.notes)
    assert sorted(np.bincount(found.labels[inside]), reverse=True) == list(np.bincount(found.labels[inside]))


@pytest.mark.usefixtures("small_limits")
def test_how_many_clusters_is_chosen_on_a_sample_and_the_same_each_time() -> None:
    method = method_of(Algorithm.KMEANS, {})
    first, again = (partition_all(rows(300), method, 42) for _ in range(2))
    assert len(set(first.labels.tolist())) == 3
    assert first.silhouette is not None
    assert first.silhouette > 0.7
    assert np.array_equal(first.labels, again.labels)


@pytest.mark.usefixtures("small_limits")
def test_very_many_go_in_batches_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_partition, "_BATCHES_FROM", 1_000)
    found = partition_all(rows(300), kmeans(), 42)
    assert same_groups(found.labels, np.arange(300) % 3)
    assert any("in batches" in note for note in found.notes)


@pytest.mark.usefixtures("small_limits")
def test_what_cannot_be_compared_is_in_no_cluster() -> None:
    vectors = rows(120)
    vectors[5], vectors[9, 0] = 0.0, np.nan
    found = partition_all(vectors, kmeans(), 42)
    assert dict(found.reasons) == {5: ZERO_VECTOR, 9: NOT_A_NUMBER}
    assert found.labels[[5, 9]].tolist() == [-1, -1]
    assert same_groups(np.delete(found.labels, [5, 9]), np.delete(np.arange(120) % 3, [5, 9]))


def test_limits_name_the_parameter(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError) as refused:
        partition_all(rows(30), method_of(Algorithm.OPTICS, {}), 1, sample_size=5_001)
    assert refused.value.problems[0]["loc"] == ["body", "vector_config", "sample_size"]
    monkeypatch.setattr(large_partition, "MAX_ROWS", 20)
    with pytest.raises(ValidationError, match="20 are the most"):
        partition_all(rows(30), kmeans(), 1)


def test_the_measures_are_scikit_learns() -> None:
    vectors = rows(90)
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    labels = np.arange(90) % 3
    labels[:6] = -1
    found = quality_of(unit, labels, "cosine", 42)
    inside = labels >= 0
    assert found.silhouette == pytest.approx(metrics.silhouette_score(unit[inside], labels[inside], metric="cosine"))
    assert found.davies_bouldin == pytest.approx(metrics.davies_bouldin_score(unit[inside], labels[inside]))
    assert found.calinski_harabasz == pytest.approx(metrics.calinski_harabasz_score(unit[inside], labels[inside]))
    assert found.silhouette_rows == 84
    assert quality_of(unit, np.zeros(90, dtype=np.int64), "cosine", 42).silhouette is None


def test_the_silhouette_of_many_is_that_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tamis.engine.clustering.clustering_findings.SILHOUETTE_ROWS", 60)
    vectors, labels = rows(300), np.arange(300) % 3
    found = quality_of(vectors, labels, "euclidean", 42)
    assert found.silhouette_rows == 60
    assert found.silhouette == pytest.approx(metrics.silhouette_score(vectors, labels), abs=0.05)


def test_what_stands_for_a_cluster() -> None:
    vectors = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 9]], dtype=np.float32)
    labels = np.array([0, 0, 0, -1])
    mean, median, medoid = (centres_of(vectors, labels, one, is_cosine=False) for one in Centre)
    assert mean.centroids[0] == pytest.approx([0.8, 1.4 / 3])
    assert median.centroids[0] == pytest.approx([0.8, 0.6])
    assert medoid.centroids[0] == pytest.approx([0.8, 0.6])
    assert median.distances[:3] == pytest.approx([np.hypot(0.2, 0.6), 0.0, np.hypot(0.2, 0.2)])
    assert np.isnan(median.distances[3])
    cosine = centres_of(vectors, labels, Centre.MEAN, is_cosine=True)
    assert np.linalg.norm(cosine.centroids[0]) == pytest.approx(1.0)
    assert cosine.distances[0] == pytest.approx(1 - float(cosine.centroids[0] @ vectors[0]))


def test_places_on_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = rows(60)
    places, told = places_of(vectors, Projection.PCA, 42)
    assert places == pytest.approx(PCA(3, random_state=42).fit_transform(vectors), abs=1e-4)
    assert told == []
    monkeypatch.setattr("tamis.engine.clustering.clustering_findings.DRAWN_ROWS", 30)
    places, told = places_of(vectors, Projection.TSNE, 42)
    placed = ~np.isnan(places).any(axis=1)
    assert (places.shape, int(placed.sum()), told) == ((60, 2), 30, ["tsne placed 30 of 60 documents"])
    assert places_of(rows(2), Projection.TSNE, 42)[0].shape == (2, 3)


@pytest.mark.skipif(importlib.util.find_spec("umap") is not None, reason="UMAP is installed")
def test_without_umap_it_is_said_how_to_get_it() -> None:
    with pytest.raises(NotSetUpError, match="umap-learn"):
        places_of(rows(10), Projection.UMAP, 42)


def test_which_cluster_became_which() -> None:
    before = {"a": 0, "b": 0, "c": 0, "d": 1, "e": 1, "gone": 2}
    after = {"a": 1, "b": 1, "c": 0, "d": 0, "e": 0, "new": 2}
    found = correspond(before, after)
    assert found.pairs == (Pair(0, 1, 2, 2 / 3), Pair(1, 0, 2, 2 / 3), Pair(2, None, 0, 0.0), Pair(None, 2, 0, 0.0))
    assert (found.documents, found.kept) == (5, 4)
    shared = [one for one in before if one in after]
    expected = metrics.adjusted_rand_score([before[one] for one in shared], [after[one] for one in shared])
    assert found.agreement == pytest.approx(expected)
    assert correspond({}, {"a": 0}).pairs == (Pair(None, 0, 0, 0.0),)


NUMBERS = st.dictionaries(st.integers(0, 30).map(str), st.integers(0, 4), max_size=25)


@given(NUMBERS, NUMBERS)
def test_no_other_pairing_keeps_more_together(before: dict[str, int], after: dict[str, int]) -> None:
    shared = np.zeros((5, 5), dtype=int)
    for one in before.keys() & after.keys():
        shared[before[one], after[one]] += 1
    best = max(sum(shared[row, column] for row, column in enumerate(order)) for order in permutations(range(5)))
    assert correspond(before, after).kept == best
