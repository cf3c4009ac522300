"""What is told of a partition: what stands for each cluster, how far its members are, how good it all is, and where
each row stands on a page. scikit-learn's measures and projections; imported in the process that clusters alone.
"""

import importlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from tamis.engine.clustering.clustering import Labels
from tamis.errors import NotSetUpError
from tamis.model.cluster import Centre, Projection, Quality
from tamis.model.vector import FloatArray

SILHOUETTE_ROWS = 10_000
DRAWN_ROWS = 2_000
"""That t-SNE and UMAP are worked out over; of more, the others have no place."""
_MEMORY_MB = 128
_MOST_DIMENSIONS = 3


@dataclass(frozen=True, slots=True)
class Centres:
    """centroids: float32 [k, dim].  distances: float32 [n] to the own one, 1 - cosine or euclidean; NaN in none."""

    centroids: FloatArray
    distances: FloatArray


def centres_of(rows: FloatArray, labels: Labels, centre: Centre, *, is_cosine: bool) -> Centres:
    """rows: of unit length where `is_cosine`; then centroids are, too."""
    count = int(labels.max()) + 1 if len(labels) else 0
    centroids = np.zeros((count, rows.shape[1]), dtype=np.float32)
    distances = np.full(len(labels), np.nan, dtype=np.float32)
    for number in range(count):
        own = np.flatnonzero(labels == number)
        centroids[number] = _centre(rows[own], centre, is_cosine)
        distances[own] = _distances(rows[own], centroids[number], is_cosine)
    return Centres(centroids, distances)


def _centre(rows: FloatArray, centre: Centre, is_cosine: bool) -> NDArray[np.float64]:
    if centre is Centre.MEDIAN:
        return _unit(np.median(rows, axis=0).astype(np.float64), is_cosine)
    mean = _unit(rows.mean(axis=0, dtype=np.float64), is_cosine)
    if centre is Centre.MEAN:
        return mean
    # Rounded, so that of rows that are equally near the first is taken on every machine.
    nearest = int(np.argmin(np.round(_distances(rows, mean.astype(np.float32), is_cosine), 6)))
    medoid: NDArray[np.float64] = rows[nearest].astype(np.float64)
    return medoid


def _unit(row: NDArray[np.float64], is_cosine: bool) -> NDArray[np.float64]:
    if not is_cosine:
        return row
    unit: NDArray[np.float64] = row / max(float(np.linalg.norm(row)), 1e-12)
    return unit


def _distances(rows: FloatArray, centroid: FloatArray, is_cosine: bool) -> NDArray[np.float64]:
    wide = rows.astype(np.float64)
    if is_cosine:
        return np.clip(1.0 - wide @ centroid.astype(np.float64), 0.0, 2.0)
    found: NDArray[np.float64] = np.linalg.norm(wide - centroid.astype(np.float64), axis=1)
    return found


def quality_of(rows: FloatArray, labels: Labels, metric: str, seed: int) -> Quality:
    """Of the rows that are in a cluster. metric: scikit-learn's name; the silhouette is measured by it.

    Over more than `SILHOUETTE_ROWS` the silhouette is that of so many, drawn by the seed. None but with 2 clusters or
    more, and fewer than rows.   Sources: Rousseeuw 1987; Davies & Bouldin 1979; Calinski & Harabasz 1974.
    """
    inside = np.flatnonzero(labels >= 0)
    count = len(np.unique(labels[inside]))
    if not 2 <= count < len(inside):
        return Quality()
    seen, own = (rows, labels) if len(inside) == len(rows) else (rows[inside], labels[inside])
    silhouette, size = _silhouette(seen, own, metric, seed)
    return Quality(silhouette, float(davies_bouldin_score(seen, own)), float(calinski_harabasz_score(seen, own)), size)


def _silhouette(rows: FloatArray, labels: Labels, metric: str, seed: int) -> tuple[float | None, int]:
    if len(rows) > SILHOUETTE_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), SILHOUETTE_ROWS, replace=False))
        rows, labels = rows[chosen], labels[chosen]
    if not 2 <= len(np.unique(labels)) < len(rows):
        return None, 0
    with config_context(working_memory=_MEMORY_MB):
        return float(silhouette_score(rows, labels, metric=metric)), len(rows)


def places_of(rows: FloatArray, projection: Projection, seed: int) -> tuple[FloatArray, list[str]]:
    """float32 [n, 2 or 3], NaN for rows that were not placed; and what is to be said of it.

    PCA places all, by 3 components as far as there are; t-SNE and UMAP place 2 dimensions of at most `DRAWN_ROWS`.
    Raises: NotSetUpError where UMAP is asked for and not installed.
    """
    if projection is Projection.PCA or len(rows) < 4:
        return _by_components(rows, seed), []
    chosen = np.arange(len(rows))
    if len(rows) > DRAWN_ROWS:
        chosen = np.sort(np.random.default_rng(seed).choice(len(rows), DRAWN_ROWS, replace=False))
    found = np.full((len(rows), 2), np.nan, dtype=np.float32)
    place = _by_tsne if projection is Projection.TSNE else _by_umap
    found[chosen] = place(rows[chosen], seed)
    told = [f"{projection} placed {len(chosen)} of {len(rows)} documents"] if len(chosen) < len(rows) else []
    return found, told


def _by_components(rows: FloatArray, seed: int) -> FloatArray:
    count = min(_MOST_DIMENSIONS, *rows.shape)
    found = np.zeros((len(rows), _MOST_DIMENSIONS), dtype=np.float32)
    if count and len(rows) > 1:
        found[:, :count] = PCA(count, random_state=seed).fit_transform(rows)
    return found


def _by_tsne(rows: FloatArray, seed: int) -> NDArray[np.float32]:
    perplexity = min(30.0, (len(rows) - 1) / 3)
    manifold = importlib.import_module("sklearn.manifold")  # a second to import, and seldom asked for
    model = manifold.TSNE(2, perplexity=perplexity, init="pca", random_state=seed, n_jobs=1)
    return np.asarray(model.fit_transform(rows), dtype=np.float32)


def _by_umap(rows: FloatArray, seed: int) -> NDArray[np.float32]:
    try:
        umap = importlib.import_module("umap")  # no dependency of ours: it brings a compiler along
    except ImportError as error:
        raise NotSetUpError("UMAP (pip install umap-learn; or take projection pca or tsne)") from error
    neighbours = min(15, len(rows) - 1)
    return np.asarray(umap.UMAP(n_neighbors=neighbours, random_state=seed).fit_transform(rows), dtype=np.float32)
