"""What a manifest has of taxonomies, clusters, alerts and data sets: how they are made, never what they found."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from tamis.api.manifest_wire import WireKind, counted
from tamis.api.schemas.alert import CreateAlertRequest, alert_draft
from tamis.api.schemas.cluster import CreateClusterRequest
from tamis.api.schemas.cluster_wire import read_cluster
from tamis.api.schemas.dataset import CreateDatasetRequest, dataset_draft
from tamis.api.schemas.taxonomy import CreateTaxonomyRequest, taxonomy_draft
from tamis.engine.ports.metadata import Session
from tamis.model.alert import Alert
from tamis.model.cluster import AttributeSettings, Cluster
from tamis.model.dataset import Dataset, GroundTruth
from tamis.model.principal import NamespaceOperation, Principal
from tamis.services.data.alerts import AlertService
from tamis.services.data.taxonomies import TaxonomyChange, TaxonomyService
from tamis.services.learning.cluster_design import DEFAULT_MAPPINGS
from tamis.services.learning.clusters import ClusterService, triggers_of
from tamis.services.learning.datasets import DatasetService
from tamis.services.manifests.kind import Body, Crew, Stored, pruned


class Taxonomies(WireKind):
    section, label = "taxonomies", "taxonomy"
    model = CreateTaxonomyRequest
    spellings: ClassVar[Mapping[str, str]] = {"taxonomy_name": "name"}

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        return [
            Stored(
                one.taxonomy_id,
                one.name,
                {
                    "name": one.name,
                    **pruned({"description": one.description, "metadata": dict(one.metadata)}),
                    "config": dict(one.config),
                },
            )
            for one in session.taxonomies.list(principal)
        ]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        return (await crew.get(TaxonomyService).create(principal, taxonomy_draft(self.read(body)))).taxonomy_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        """What it says itself is changed by its next version."""
        service, draft = crew.get(TaxonomyService), taxonomy_draft(self.read(body))
        said = {name: getattr(draft, name) for name in fields if name != "config"}
        if said:
            await service.patch(principal, stored.resource_id, TaxonomyChange(**said))
        if "config" in fields:
            await service.add_version(principal, stored.resource_id, draft.config)

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        await crew.get(TaxonomyService).delete(principal, stored.resource_id)


class Alerts(WireKind):
    """Webhooks are the organisation's: an alert names them, and a manifest has none."""

    section, label = "alerts", "alert"
    model = CreateAlertRequest

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        return [
            Stored(one.alert_id, one.name, _alert(session, principal, one)) for one in session.alerts.list(principal)
        ]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        return (await crew.get(AlertService).create(principal, alert_draft(self.read(body)))).alert_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        draft = alert_draft(self.read(body))
        told = {"webhooks", "with_matches", "with_scores"} if "notification_config" in fields else set()
        names = {"retriever" if name == "retriever_id" else name for name in fields - {"notification_config"}} | told
        await crew.get(AlertService).patch(
            principal, stored.resource_id, {name: getattr(draft, name) for name in names}
        )

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        await crew.get(AlertService).delete(principal, stored.resource_id)


def _alert(session: Session, principal: Principal, one: Alert) -> Body:
    webhooks = {each.webhook_id: each.name for each in session.webhooks.list(principal)}
    channels = [{"channel_type": "webhook", "channel_id": webhooks.get(each, each)} for each in one.webhook_ids]
    told = pruned(
        {
            "include_matches": None if one.with_matches else False,
            "include_scores": None if one.with_scores else False,
        }
    )
    more = {
        "description": one.description,
        "enabled": None if one.enabled else False,
        "max_credits": one.max_credits,
        "metadata": dict(one.metadata),
    }
    return {
        "name": one.name, **pruned(more), "retriever_id": one.retriever_id,
        "notification_config": {"channels": channels, **told},
    }  # fmt: skip


class Clusters(WireKind):
    section, label = "clusters", "cluster"
    model = CreateClusterRequest
    spellings: ClassVar[Mapping[str, str]] = {"cluster_name": "name"}
    fixed = frozenset(CreateClusterRequest.model_fields) - {"cluster_name", "description", "metadata"}
    operation = NamespaceOperation.CREATE_CLUSTER

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        return [
            Stored(one.cluster_id, one.name, _cluster(one), holds=_held(session, principal, one))
            for one in session.clusters.list(principal)
        ]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        made = await crew.get(ClusterService).create(principal, read_cluster(self.read(body)))
        return made.cluster.cluster_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        draft = read_cluster(self.read(body))
        description = (draft.description or "") if "description" in fields else None
        metadata = draft.metadata if "metadata" in fields else None
        await crew.get(ClusterService).patch(principal, stored.resource_id, None, description, metadata)

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        await crew.get(ClusterService).delete(principal, stored.resource_id)


def _held(session: Session, principal: Principal, one: Cluster) -> str:
    runs = len(session.cluster_runs.list(principal, one.cluster_id))
    triggers = len(triggers_of(session, principal, one.cluster_id))
    return " and ".join(filter(None, (counted(runs, "run"), counted(triggers, "trigger"))))


def _cluster(one: Cluster) -> Body:
    mappings = None
    if one.mappings != DEFAULT_MAPPINGS:
        mappings = {"field_mappings": [{"source_field": of, "target_field": to} for of, to in one.mappings]}
    more = {
        "cluster_type": one.type.value,
        "description": one.description,
        "metadata": dict(one.metadata),
        "filters": dict(one.filters) if one.filters else None,
        "vector_config": dict(one.vector.sent) if one.vector else None,
        "attribute_config": _attributes(one.attribute) if one.attribute else None,
        "llm_labeling": dict(one.labelling.sent) if one.labelling else None,
        "content_field": None if one.content_field == "content" else one.content_field,
        "source_enrichment_config": mappings,
        "enrich_source_collection": one.enriches or None,
    }
    return {"name": one.name, "collection_ids": list(one.collection_ids), **pruned(more)}


def _attributes(settings: AttributeSettings) -> Body:
    more = {"hierarchical_grouping": settings.nests or None, "aggregation_method": settings.aggregation_method}
    return {"attributes": list(settings.attributes), **pruned(more)}


class Datasets(WireKind):
    section, label = "datasets", "evaluation data set"
    model = CreateDatasetRequest
    spellings: ClassVar[Mapping[str, str]] = {"dataset_name": "name"}
    operation = NamespaceOperation.WRITE_DATA

    def full(self, body: Body) -> Body:
        """No scores are as good as none said."""
        whole = super().full(body)
        return {**whole, "queries": [pruned(one) for one in whole["queries"]]}

    def stored(self, session: Session, principal: Principal) -> Sequence[Stored]:
        """Of judgements those that people made: what was worked out of clicks or by a model is found again."""
        return [_dataset(one) for one in session.datasets.list(principal)]

    async def create(self, crew: Crew, principal: Principal, body: Body) -> str:
        return (await crew.get(DatasetService).create(principal, dataset_draft(self.read(body)))).dataset_id

    async def change(
        self, crew: Crew, principal: Principal, stored: Stored, body: Body, fields: frozenset[str]
    ) -> None:
        await crew.get(DatasetService).restate(principal, stored.resource_id, dataset_draft(self.read(body)), fields)

    async def delete(self, crew: Crew, principal: Principal, stored: Stored) -> None:
        await crew.get(DatasetService).delete(principal, stored.resource_id)


def _dataset(one: Dataset) -> Stored:
    more = {"description": one.description, "metadata": one.metadata, "document_field": one.document_field}
    body = {"name": one.name, **pruned(more), "queries": [_query(each) for each in one.queries]}
    return Stored(one.dataset_id, one.name, body, holds=counted(len(one.queries), "query"))


def _query(one: GroundTruth) -> Body:
    said = one.said
    scores = {"relevance_scores": dict(said.relevance_scores)} if said.relevance_scores else {}
    return {
        "query_id": said.query_id,
        "query_input": dict(said.query_input),
        "relevant_documents": list(said.relevant_documents),
        **scores,
    }
