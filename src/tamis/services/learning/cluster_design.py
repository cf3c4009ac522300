"""What a cluster may be made of: checked when it is defined, so that a run fails of nothing that was known before."""

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tamis.engine.clustering.clustering_job import method_for
from tamis.engine.clustering.clustering_parameters import Algorithm
from tamis.engine.clustering.large_partition import sample_bounds
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.metadata import Session
from tamis.engine.searching.stored_vectors import dense_names
from tamis.errors import NotSetUpError, ValidationError
from tamis.model.cluster import (
    AttributeSettings,
    Cluster,
    ClusterType,
    Labelling,
    Projection,
    VectorSettings,
)
from tamis.model.collection import Collection
from tamis.model.filters import parse_filter
from tamis.model.json import JSON
from tamis.model.matching import check_filter
from tamis.model.principal import Principal
from tamis.services.data.collections import require_collection
from tamis.services.data.sources import SYSTEM_FIELDS
from tamis.services.naming import check_name

DEFAULT_MAPPINGS = (("cluster_id", "cluster_id"), ("cluster_label", "cluster_label"))
KNOWN_OF_A_MEMBER = (
    "cluster_id", "cluster_label", "distance_to_centroid", "member_count", "keywords", "summary", "x", "y", "z",
)  # fmt: skip
RESERVED = frozenset({"enrich", "list", "triggers"})


@dataclass(frozen=True, slots=True)
class ClusterDraft:
    """collections: by id or name.  The rest: as `Cluster` has it."""

    type: ClusterType
    collections: tuple[str, ...]
    name: str | None = None
    vector: VectorSettings | None = None
    attribute: AttributeSettings | None = None
    filters: Mapping[str, JSON] | None = None
    labelling: Labelling | None = None
    content_field: str = "content"
    mappings: tuple[tuple[str, str], ...] = DEFAULT_MAPPINGS
    enriches: bool = False
    description: str | None = None
    metadata: Mapping[str, JSON] = field(default_factory=dict)


def check_draft(draft: ClusterDraft, language: LanguageModels) -> None:
    """All that needs no look at the record. Raises: ValidationError naming the place, NotSetUpError."""
    if draft.name is not None:
        check_name(draft.name, ["body", "cluster_name"], RESERVED)
    check_filter(parse_filter(draft.filters, ["body", "filters"]), ["body", "filters"])
    _check_mappings(draft.mappings)
    if draft.type is ClusterType.VECTOR:
        if draft.vector is None:
            raise ValidationError.at(["body", "vector_config"], "a cluster of type vector needs a vector_config")
        _check_vector(draft.vector)
    elif draft.attribute is None:
        raise ValidationError.at(["body", "attribute_config"], "a cluster of type attribute needs an attribute_config")
    if draft.labelling is not None:
        language.resolve(draft.labelling.provider, draft.labelling.model)


def _check_vector(settings: VectorSettings) -> None:
    if importlib.util.find_spec("sklearn") is None:
        raise NotSetUpError("clustering (pip install 'tamis[cluster]')")
    if settings.projection is Projection.UMAP and importlib.util.find_spec("umap") is None:
        raise NotSetUpError("UMAP (pip install umap-learn; or take projection pca or tsne)")
    place = ["body", "vector_config"]
    try:
        method_for(settings)
    except ValueError as error:
        raise ValidationError.at([*place, "algorithm_params"], str(error)) from None
    most = sample_bounds(Algorithm(settings.algorithm)).most
    if settings.sample_size is not None and settings.sample_size > most:
        raise ValidationError.at([*place, "sample_size"], f"{settings.algorithm} works on at most {most} documents")
    unknown = sorted(set(settings.weights) - set(settings.features))
    if unknown:
        raise ValidationError.at([*place, "feature_weights", unknown[0]], "is none of the feature_uris")


def _check_mappings(mappings: Sequence[tuple[str, str]]) -> None:
    targets: set[str] = set()
    for place, (source, target) in enumerate(mappings):
        loc: list[str | int] = ["body", "source_enrichment_config", "field_mappings", place]
        if source not in KNOWN_OF_A_MEMBER and not source.startswith("metadata."):
            known = ", ".join(KNOWN_OF_A_MEMBER)
            raise ValidationError.at([*loc, "source_field"], f"one of {known}, or metadata.… of the cluster")
        if target.partition(".")[0] in SYSTEM_FIELDS or target in targets:
            reason = "is written twice" if target in targets else "is the system's own"
            raise ValidationError.at([*loc, "target_field"], f"{target!r} {reason}; choose another field")
        targets.add(target)


def collections_of(session: Session, principal: Principal, draft: ClusterDraft) -> tuple[Collection, ...]:
    """Those that it names, each once. Raises: NotFoundError, ValidationError (no such feature)."""
    found = {one.collection_id: one for one in (require_collection(session, principal, n) for n in draft.collections)}
    if draft.vector is not None:
        feature_names(tuple(found.values()), draft.vector)
    return tuple(found.values())


def feature_names(collections: Sequence[Collection], settings: VectorSettings) -> list[frozenset[str]]:
    """Under which names documents keep each feature. Raises: ValidationError."""
    try:
        return [dense_names(collections, one, "feature_uris") for one in settings.features or (None,)]
    except ValidationError as error:
        raise ValidationError.at(["body", "vector_config", "feature_uris"], error.message) from None


def known_of(cluster: Cluster, source: str) -> JSON:
    """What a mapping takes from the cluster's own metadata; None where there is no such value."""
    value: JSON = dict(cluster.metadata)
    for name in source.split(".")[1:]:
        value = value.get(name) if isinstance(value, dict) else None
    return value
