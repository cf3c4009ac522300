"""Clusters over vectors that stay where they are: a record keeps who belongs where, and not megabytes of numbers."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tamis.engine.clustering.clustering import NO_VECTOR, WORKER, check_limits, partition
from tamis.engine.clustering.clustering_parameters import Method
from tamis.engine.ports.metadata import Metadata
from tamis.engine.searching.stored_vectors import dense, dense_names
from tamis.errors import DimensionMismatch
from tamis.model.collection import Collection
from tamis.model.principal import Principal
from tamis.model.vector import FloatArray, Vector


@dataclass(frozen=True, slots=True)
class Clustering:
    """feature: URI or output name; None is the collections' only dense feature.  seed: of all chance.

    sample_size: on how many documents the algorithm works; None is its own choice.
    """

    document_ids: tuple[str, ...]
    collections: tuple[Collection, ...]
    feature: str | None
    method: Method
    seed: int
    sample_size: int | None = None
    with_centroids: bool = False


@dataclass(frozen=True, slots=True)
class Clustered:
    """labels: of each document, in the order asked, its cluster from 0 by size, or -1.  distances: to its centroid.

    reasons: by document id, of those in no cluster.  centroids: of each cluster, where they were asked for.
    """

    labels: tuple[int, ...]
    distances: tuple[float | None, ...]
    reasons: Mapping[str, str]
    centroids: tuple[tuple[float, ...], ...] = ()
    sampled: int = 0
    silhouette: float | None = None
    notes: tuple[str, ...] = ()


async def cluster_stored(metadata: Metadata, principal: Principal, asked: Clustering) -> Clustered:
    """Raises: ValidationError (no such feature, beyond a limit), DimensionMismatch, NotSetUpError."""
    check_limits((len(asked.document_ids), 1), asked.method, asked.sample_size)
    names = dense_names(asked.collections, asked.feature, "feature_uri")
    ids = sorted(set(asked.document_ids))
    stored = await metadata.read(lambda session: session.documents.vectors(principal, ids))
    found = asyncio.get_running_loop().run_in_executor(
        WORKER.pool, WORKER.alone, lambda: _cluster(asked, ids, names, stored)
    )
    return await found


def _cluster(
    asked: Clustering, ids: Sequence[str], names: frozenset[str], stored: Mapping[str, Mapping[str, Vector]]
) -> Clustered:
    """Rows go in by id, so that documents of equal vectors are told apart by their ids alone."""
    rows = {one: row for one in ids if (row := dense(stored.get(one, {}), names)) is not None}
    found = partition(_stacked(list(rows.values())), asked.method, asked.seed, asked.sample_size)
    place = {one: number for number, one in enumerate(rows)}
    reasons = {one: NO_VECTOR for one in ids if one not in place}
    reasons |= {one: found.reasons[place[one]] for one in rows if place[one] in found.reasons}
    labels = found.labels.tolist()
    # To nine digits: what differs by rounding alone is at one distance, and then ids decide.
    distances = [None if np.isnan(one) else one for one in np.round(found.distances, 9).tolist()]
    return Clustered(
        tuple(labels[place[one]] if one in place else -1 for one in asked.document_ids),
        tuple(distances[place[one]] if one in place else None for one in asked.document_ids),
        reasons,
        tuple(tuple(map(float, row)) for row in found.centroids.astype(np.float32)) if asked.with_centroids else (),
        found.sampled,
        found.silhouette,
        found.notes,
    )


def _stacked(rows: Sequence[FloatArray]) -> FloatArray:
    if len({len(row) for row in rows}) > 1:
        raise DimensionMismatch.at(
            ["parameters", "feature_uri"],
            "the documents' vectors are not of one length: they come from different models; name one of the features",
        )
    return np.stack(rows) if rows else np.zeros((0, 1), dtype=np.float32)
