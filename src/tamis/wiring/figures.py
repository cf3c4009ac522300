"""What tells how things do: retrievers, fields, buckets, collections, clusters, batches, the engine."""

from collections.abc import Sequence
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.index import VectorIndex
from tamis.engine.ports.metadata import Metadata
from tamis.services.learning.cluster_analytics import ClusterAnalytics
from tamis.services.records.analytics import AnalyticsService
from tamis.services.records.batch_diagnostics import BatchDiagnostics
from tamis.services.records.bucket_analytics import BucketAnalytics
from tamis.services.records.collection_analytics import CollectionAnalytics
from tamis.services.records.engine_analytics import EngineAnalytics
from tamis.services.records.field_analytics import FieldAnalytics
from tamis.services.records.index_suggestions import IndexSuggestions
from tamis.services.records.inference_analytics import InferenceAnalytics
from tamis.services.records.sync_analytics import SyncAnalytics


def figures_of(metadata: Metadata, index: VectorIndex, clock: Clock) -> Sequence[Any]:
    return (
        AnalyticsService(metadata, clock),
        FieldAnalytics(metadata, clock),
        EngineAnalytics(metadata, clock),
        InferenceAnalytics(metadata, clock),
        BatchDiagnostics(metadata, clock),
        BucketAnalytics(metadata, clock),
        SyncAnalytics(metadata, clock),
        CollectionAnalytics(metadata, clock),
        ClusterAnalytics(metadata, clock),
        IndexSuggestions(metadata, index, clock),
    )
