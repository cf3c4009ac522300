"""Between clusters on the wire and clusters as the services know them."""

from collections.abc import Mapping, Sequence
from typing import Any

from tamis.api.schemas.cluster import (
    AttributeBasedConfig,
    ClusterListStats,
    ClusterMetadata,
    ClusterModel,
    ClusterStats,
    CreateClusterRequest,
    EnrichmentFieldMapping,
    LLMLabeling,
    SourceEnrichmentConfig,
    VectorBasedConfig,
)
from tamis.api.schemas.collection import InputSourceType
from tamis.api.schemas.task import TaskStatusEnum
from tamis.engine.language.prompting import checked_prompt
from tamis.errors import ValidationError
from tamis.model.cluster import AttributeSettings, Cluster, ClusterRun, Labelling, VectorSettings
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.services.learning.cluster_design import ClusterDraft
from tamis.services.learning.clusters import ClusterDetails

_VECTOR: list[str | int] = ["body", "vector_config"]
_LABELLING: list[str | int] = ["body", "llm_labeling"]


def read_cluster(body: CreateClusterRequest) -> ClusterDraft:
    """Raises: ValidationError naming what cannot be honoured."""
    config = body.source_enrichment_config or SourceEnrichmentConfig()
    vector, attribute = body.vector_config, body.attribute_config
    return ClusterDraft(
        body.cluster_type,
        tuple(body.collection_ids),
        body.cluster_name,
        read_vector(vector) if vector is not None else None,
        _attribute(attribute) if attribute is not None else None,
        body.filters,
        _labelling(body.llm_labeling),
        body.content_field,
        tuple((one.source_field, one.target_field) for one in config.field_mappings),
        body.enrich_source_collection or bool(vector and vector.enrich_source),
        body.description,
        body.metadata or {},
    )


def read_vector(config: VectorBasedConfig) -> VectorSettings:
    algorithm = config.clustering_method.algorithm
    if algorithm is None:
        message = "documents of equal attributes are a cluster of cluster_type attribute, with an attribute_config"
        raise ValidationError.at([*_VECTOR, "clustering_method"], message)
    features = config.feature_uris or ([config.feature_uri] if config.feature_uri else [])
    _check_strategy(config, features)
    return VectorSettings(
        algorithm.value,
        tuple(dict.fromkeys(features)),
        _parameters(config),
        config.feature_weights or {},
        config.normalize_features,
        config.sample_size,
        config.effective_feature_method,
        config.projection,
        config.metric,
        config.model_dump(mode="json", exclude_unset=True),
    )


def _check_strategy(config: VectorBasedConfig, features: Sequence[str]) -> None:
    if config.multi_feature_strategy == "independent" and len(features) > 1:
        message = "each feature by itself is a cluster of its own: make one for each, and compare or enrich by them"
        raise ValidationError.at([*_VECTOR, "multi_feature_strategy"], message)
    if config.output_strategy == "per_feature":
        message = "a run's result stands in its execution, and makes no collections: leave it out, or say single"
        raise ValidationError.at([*_VECTOR, "output_strategy"], message)
    if config.weight_learning_config is not None:
        message = "weights are not learned here: leave it out, and say them as feature_weights"
        raise ValidationError.at([*_VECTOR, "weight_learning_config"], message)
    if config.multi_feature_strategy == "weighted" and not config.feature_weights:
        raise ValidationError.at(
            [*_VECTOR, "feature_weights"], "weights are not learned here: say one for each feature"
        )


def _parameters(config: VectorBasedConfig) -> dict[str, JSON]:
    """The algorithm's own, wherever they were put. Raises: ValidationError where they are another algorithm's."""
    found: dict[str, JSON] = dict(config.algorithm_params or {})
    for name in ("kmeans", "dbscan", "hdbscan"):
        given: dict[str, JSON] | None = getattr(config, f"{name}_parameters")
        if given is None:
            continue
        if name != config.clustering_method.value:
            message = f"the clustering_method is {config.clustering_method.value}"
            raise ValidationError.at([*_VECTOR, f"{name}_parameters"], message)
        found |= given
    return found


def _attribute(config: AttributeBasedConfig) -> AttributeSettings:
    if len(set(config.attributes)) < len(config.attributes):
        raise ValidationError.at(["body", "attribute_config", "attributes"], "an attribute is named twice")
    return AttributeSettings(tuple(config.attributes), config.hierarchical_grouping, config.aggregation_method)


def _labelling(given: LLMLabeling | None) -> Labelling | None:
    if given is None or not given.enabled:
        return None
    refused = {
        "use_embedding_dedup": (given.use_embedding_dedup, "labels are not compared with each other here"),
        "response_shape": (given.response_shape is not None, "a label, a summary and keywords are what is asked for"),
        "parameters": (bool(given.parameters), "the model is asked with the server's own"),
    }
    for name, (is_given, why) in refused.items():
        if is_given:
            raise ValidationError.at([*_LABELLING, name], f"{why}: leave it out")
    if given.custom_prompt is not None:
        try:
            checked_prompt(given.custom_prompt)
        except ValueError as error:
            raise ValidationError.at([*_LABELLING, "custom_prompt"], str(error)) from None
    return Labelling(
        given.provider, given.model_name, given.custom_prompt, _content(given), given.max_samples_per_cluster,
        given.sample_text_max_length, given.include_summary, given.include_keywords, given.model_dump(mode="json"),
    )  # fmt: skip


def _content(given: LLMLabeling) -> tuple[str, ...]:
    """The fields of documents that the model is shown."""
    mappings = given.labeling_inputs.input_mappings if given.labeling_inputs else []
    for place, one in enumerate(mappings):
        if one.source_type not in (None, InputSourceType.PAYLOAD) or not one.path or one.override is not None:
            loc = [*_LABELLING, "labeling_inputs", "input_mappings", place]
            raise ValidationError.at(loc, "a field of the documents: source_type payload, and its path")
    return tuple(one.path for one in mappings if one.path)


def show_cluster(details: ClusterDetails, principal: Principal) -> ClusterMetadata:
    cluster, newest, result = details.cluster, details.newest, details.result
    vector, attribute = cluster.vector, cluster.attribute
    return ClusterMetadata(
        aggregation_method=attribute.aggregation_method if attribute else None,
        algorithm=vector.algorithm if vector else "attribute_based",
        algorithm_params=dict(vector.parameters) if vector else None,
        cluster_id=cluster.cluster_id,
        cluster_name=cluster.name,
        cluster_type=cluster.type.value,
        clustered_attributes=[*attribute.attributes] if attribute else None,
        completed_at=result.completed_at if result else None,
        created_at=cluster.created_at,
        description=cluster.description,
        effective_feature_method=vector.centre.value if vector else None,
        enrich_source=cluster.enriches,
        execution_time_seconds=duration_s(result) if result else None,
        feature_uris=[*vector.features] if vector else None,
        filters=dict(cluster.filters) if cluster.filters is not None else None,
        hierarchical_grouping=attribute.nests if attribute else None,
        hierarchy_detected=bool(attribute and attribute.nests and result),
        input_collections=[*cluster.collection_ids],
        last_executed_at=newest.created_at if newest else None,
        last_execution_task_id=newest.task_id if newest else None,
        llm_labeling=_shown_labelling(cluster),
        llm_labeling_errors=[*result.naming_errors] if result and result.naming_errors else None,
        metadata=dict(cluster.metadata),
        multi_feature_strategy=_strategy(vector.sent) if vector else None,
        namespace_id=principal.namespace_id,
        num_clusters=result.count if result else None,
        num_documents_clustered=result.clustered if result else None,
        organization_id=principal.organization_id,
        source_enrichment_config=_shown_mappings(cluster),
        status=TaskStatusEnum(details.status.value),
        updated_at=cluster.updated_at,
    )


def show_definition(details: ClusterDetails) -> ClusterModel:
    cluster, result = details.cluster, details.result
    vector = VectorBasedConfig.model_validate(cluster.vector.sent) if cluster.vector else None
    attribute = cluster.attribute
    return ClusterModel(
        attribute_config=_shown_attribute(attribute) if attribute else None,
        cluster_id=cluster.cluster_id,
        cluster_name=cluster.name,
        cluster_stats=_stats(result) if result else None,
        cluster_type=cluster.type,
        collection_ids=[*cluster.collection_ids],
        created_at=cluster.created_at,
        description=cluster.description,
        enrich_source_collection=cluster.enriches,
        filters=dict(cluster.filters) if cluster.filters is not None else None,
        last_run_id=cluster.last_run_id,
        llm_labeling=_shown_labelling(cluster),
        metadata=dict(cluster.metadata),
        num_clusters=result.count if result else None,
        source_enrichment_config=_shown_mappings(cluster),
        status=TaskStatusEnum(details.status.value),
        task_id=details.newest.task_id if details.newest else None,
        updated_at=cluster.updated_at,
        vector_config=vector,
    )


def list_stats(every: Sequence[ClusterDetails]) -> ClusterListStats:
    """Of all that a list's query lets in."""
    by_status: dict[str, int] = {}
    for one in every:
        by_status[one.status.value] = by_status.get(one.status.value, 0) + 1
    results = [one.result for one in every if one.result is not None]
    documents, clusters = sum(one.clustered for one in results), sum(one.count for one in results)
    return ClusterListStats(
        avg_documents_per_cluster=documents / clusters if clusters else 0.0,
        clusters_by_status=by_status,
        total_clusters=len(every),
        total_documents=documents,
    )


def duration_s(run: ClusterRun) -> float | None:
    if run.started_at is None or run.completed_at is None:
        return None
    return (run.completed_at - run.started_at).total_seconds()


def _stats(run: ClusterRun) -> ClusterStats:
    silhouette = run.quality.silhouette if run.quality else None
    return ClusterStats(noise_points=run.points - run.clustered, num_clusters=run.count, silhouette_score=silhouette)


def _shown_labelling(cluster: Cluster) -> LLMLabeling | None:
    return LLMLabeling.model_validate(cluster.labelling.sent) if cluster.labelling else None


def _shown_mappings(cluster: Cluster) -> SourceEnrichmentConfig:
    pairs = [EnrichmentFieldMapping(source_field=source, target_field=target) for source, target in cluster.mappings]
    return SourceEnrichmentConfig(field_mappings=pairs)


def _shown_attribute(attribute: AttributeSettings) -> AttributeBasedConfig:
    return AttributeBasedConfig.model_validate(
        {
            "attributes": attribute.attributes,
            "hierarchical_grouping": attribute.nests,
            "aggregation_method": attribute.aggregation_method,
        }
    )


def _strategy(sent: Mapping[str, Any]) -> str:
    return str(sent.get("multi_feature_strategy", "concatenate"))
