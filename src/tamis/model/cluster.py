"""Clusters over collections: how they are made, what a run of them found, and what starts one by itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tamis.model.json import JSON

NOISE = -1
"""The number of the cluster that is none."""


class ClusterType(StrEnum):
    VECTOR = "vector"
    ATTRIBUTE = "attribute"


class Centre(StrEnum):
    """What stands for a cluster."""

    MEAN = "mean"
    MEDIAN = "median"
    MEDOID = "medoid"


class Projection(StrEnum):
    """How vectors come to places on a page. UMAP is somebody else's package, and may be missing."""

    PCA = "pca"
    TSNE = "tsne"
    UMAP = "umap"


@dataclass(frozen=True, slots=True)
class VectorSettings:
    """features: URIs or output names; none is the collections' only dense feature.  parameters: the algorithm's own.

    weights: of each feature; none weigh alike.  normalizes: each feature's rows are of unit length before they are
    put side by side.  sample_size: on how many documents the algorithm works; None is its own choice.
    sent: the contract's fields as they came, to be shown again.
    """

    algorithm: str
    features: tuple[str, ...] = ()
    parameters: Mapping[str, JSON] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    normalizes: bool = True
    sample_size: int | None = None
    centre: Centre = Centre.MEAN
    projection: Projection = Projection.PCA
    metric: str | None = None
    sent: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttributeSettings:
    """Documents of equal values are one cluster. nests: clusters of the first attribute hold those of the next."""

    attributes: tuple[str, ...]
    nests: bool = False
    aggregation_method: str | None = None


@dataclass(frozen=True, slots=True)
class Labelling:
    """How a language model names clusters. content: the field it is shown.  sent: the contract's, to be shown again."""

    provider: str | None = None
    model: str | None = None
    prompt: str | None = None
    content: tuple[str, ...] = ()
    samples: int = 10
    sample_chars: int = 200
    with_summary: bool = True
    with_keywords: bool = True
    sent: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cluster:
    """filters: of the wire; which documents are clustered.  mappings: (what is known of a document, its new field).

    enriches: each run writes its findings into the documents.
    """

    cluster_id: str
    name: str
    type: ClusterType
    collection_ids: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    vector: VectorSettings | None = None
    attribute: AttributeSettings | None = None
    filters: Mapping[str, JSON] | None = None
    labelling: Labelling | None = None
    content_field: str = "content"
    mappings: tuple[tuple[str, str], ...] = ()
    enriches: bool = False
    description: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)
    last_run_id: str | None = None


class RunStatus(StrEnum):
    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return self in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED)


class Phase(StrEnum):
    """What a run is at. ENRICHING: all was found and stands in the record."""

    WAITING = "waiting"
    GATHERING = "gathering"
    COMPUTING = "computing"
    LABELLING = "labelling"
    STORING = "storing"
    ENRICHING = "enriching"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Quality:
    """silhouette: -1 to 1, higher is better.  davies_bouldin: from 0, lower is.  calinski_harabasz: higher is.

    None where there are not two clusters.  silhouette_rows: over how many documents it was worked out.
    """

    silhouette: float | None = None
    davies_bouldin: float | None = None
    calinski_harabasz: float | None = None
    silhouette_rows: int = 0


@dataclass(frozen=True, slots=True)
class ClusterRun:
    """points: documents that were looked at.  clustered: of them in a cluster.  count: of clusters.

    mean: of all vectors, which later documents are held against.  dimensions: of the places that members have.
    notes: what whoever reads the result should know.
    """

    run_id: str
    cluster_id: str
    task_id: str
    created_at: datetime
    updated_at: datetime
    seed: int
    status: RunStatus = RunStatus.PENDING
    phase: Phase = Phase.WAITING
    trigger_id: str | None = None
    requested_by: tuple[str, str] = ("", "")
    started_at: datetime | None = None
    completed_at: datetime | None = None
    points: int = 0
    clustered: int = 0
    count: int = 0
    enriched: int = 0
    quality: Quality | None = None
    mean: tuple[float, ...] = ()
    dimensions: int = 0
    notes: tuple[str, ...] = ()
    naming_errors: tuple[str, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class FoundCluster:
    """One cluster of a run, numbered from 0 by size. values: of the attributes that its documents share.

    parent: the number of the cluster that holds it, in attributes that nest.  representatives: documents nearest to
    the centroid, the nearest first.  mean_distance: of its members to the centroid.
    """

    number: int
    size: int
    label: str
    keywords: tuple[str, ...] = ()
    summary: str | None = None
    centroid: tuple[float, ...] = ()
    representatives: tuple[str, ...] = ()
    mean_distance: float | None = None
    values: Mapping[str, JSON] = field(default_factory=dict)
    parent: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A document in a cluster of a run. number: the cluster's, or NOISE, and then the reason why.

    at: where it stands on a page; empty where it was not drawn.
    """

    document_id: str
    collection_id: str
    number: int
    place: int
    distance: float | None = None
    at: tuple[float, ...] = ()
    reason: str | None = None
