"""Taxonomies: what keeps them, what applies them, what is known of their labels."""

from collections.abc import Callable, Sequence
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.language import LanguageModels
from tamis.engine.ports.metadata import Metadata
from tamis.services.data.taxonomies import TaxonomyService
from tamis.services.data.taxonomy_analytics import TaxonomyAnalytics
from tamis.services.data.taxonomy_inference import TaxonomyInference
from tamis.services.data.taxonomy_journeys import TaxonomyJourneys
from tamis.services.data.taxonomy_trials import TaxonomyTrials
from tamis.services.runs.labelling import Labelling


def taxonomies_of(
    metadata: Metadata, language: LanguageModels, labelling: Labelling, clock: Clock, walk: Callable[[], None]
) -> Sequence[Any]:
    """walk: tells the worker that walks that there is work."""
    return (
        TaxonomyService(metadata, TaxonomyInference(metadata, language), clock, walk),
        TaxonomyTrials(metadata, labelling),
        TaxonomyAnalytics(metadata, clock),
        TaxonomyJourneys(metadata),
    )
