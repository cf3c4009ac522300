"""Manifests over the services that make what they are of."""

from collections.abc import Callable, Mapping
from typing import Any

from tamis.api.manifest_kinds import KINDS
from tamis.engine.language.manifest_writing import Known, line_of
from tamis.engine.planning.plan import Planner
from tamis.engine.ports.extraction import Extractors
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.metadata import Metadata
from tamis.engine.ports.secrets import Secrets
from tamis.engine.reach import NOWHERE, Reach
from tamis.engine.spending.prices import Price
from tamis.engine.stages import STAGES
from tamis.model.template import TemplateType
from tamis.services.data.alerts import AlertService
from tamis.services.data.buckets import BucketService
from tamis.services.data.collections import CollectionService
from tamis.services.data.namespaces import NamespaceService
from tamis.services.data.taxonomies import TaxonomyService
from tamis.services.data.taxonomy_inference import TaxonomyInference
from tamis.services.learning.clusters import ClusterService
from tamis.services.learning.datasets import DatasetService
from tamis.services.manifests.generation import ManifestGeneration
from tamis.services.manifests.kind import Crew
from tamis.services.manifests.manifests import Aftermath, Afterwards, ManifestService, Quota
from tamis.services.manifests.shipped import shipped, text_of
from tamis.services.manifests.templates import TemplateService
from tamis.services.public.passwords import Passwords
from tamis.services.public.publishing import PublishingService
from tamis.services.runs.retrievers import RetrieverService
from tamis.services.runs.stage_catalogue import StageCatalogue
from tamis.services.runs.turns import Turns
from tamis.services.upkeep.clearing import Clearing
from tamis.services.upkeep.indexing import Indexer
from tamis.settings import Settings
from tamis.wiring.backends import Backends
from tamis.wiring.clock import SystemClock


def manifests_of(
    settings: Settings, backends: Backends, indexer: Indexer, clearing: Clearing, reach: Reach, secrets: Secrets,
    namespaces_changed: Callable[[], None], quota: Quota,
) -> ManifestService:  # fmt: skip
    """A further kind has its service here."""
    clock, passwords, most = SystemClock(), Passwords(), settings.max_published
    metadata, extractors = backends.metadata, backends.extractors
    planner = Planner(STAGES, most_stages=settings.max_stages)

    def crew_of(over: Metadata, aftermath: Aftermath) -> Crew:
        return Crew(
            (
                NamespaceService(over, aftermath, extractors, _nothing),
                BucketService(over, aftermath),
                CollectionService(over, aftermath, extractors, aftermath),
                RetrieverService(over, planner, clock, reach.code),
                PublishingService(over, clock, passwords, secrets, most),
                # A manifest has a taxonomy's nodes: to try one out asks no language model for them.
                TaxonomyService(over, TaxonomyInference(over, NOWHERE.language), clock),
                ClusterService(over, clock, reach.language),
                AlertService(over, clock),
                DatasetService(over, clock),
            )
        )

    afterwards = Afterwards(indexer.ensure, clearing.clear, namespaces_changed)
    return ManifestService(metadata, KINDS, crew_of, afterwards, quota)


def generation_of(
    manifests: ManifestService, metadata: Metadata, extractors: Extractors, catalogue: StageCatalogue,
    language: LanguageModels, price: Price, turns: Turns,
) -> ManifestGeneration:  # fmt: skip
    def known() -> Known:
        return Known(
            [
                line_of(f"{one.name}, version {one.version}", one.description, one.Parameters.model_json_schema())
                for one in extractors.all()
            ],
            [
                line_of(stage.id, stage.description, stage.Parameters.model_json_schema())
                for stage, lack in catalogue.stages()
                if lack is None
            ],
            text_of(next(one for one in shipped() if one.type is TemplateType.NAMESPACE)),
        )

    return ManifestGeneration(manifests, metadata, language, price, turns, SystemClock(), known)


def templates_of(metadata: Metadata, services: Mapping[type[Any], Any]) -> TemplateService:
    """services: all that there are, by class."""
    return TemplateService(metadata, services[ManifestService], KINDS, Crew([*services.values()]), SystemClock())


def _nothing() -> None:
    """What is remembered is forgotten once the change is durable."""
