# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `analytics`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_analytics import (
        ApplySuggestionRequest,
        ApplySuggestionResponse,
        AssignmentMetricsResponse,
        AvailableStepsResponse,
        BatchDiagnosticsResponse,
        BottleneckResponse,
        BucketHealthResponse,
        BucketStorageResponse,
        BucketUsageResponse,
        CachePerformanceResponse,
        ClusterFailureAnalysisResponse,
        CollectionFailureAnalysisResponse,
        CollectionOverviewResponse,
        CompoundIndexResponse,
        ConfidenceResponse,
        EnginePerformanceResponse,
        EngineStageBreakdownResponse,
        EnrichmentHistoryResponse,
        ExecutionHistoryResponse,
        ExtractorBreakdownResponse,
        ExtractorPerformanceResponse,
        FieldPerformanceResponse,
        FieldUsageResponse,
        GrowthMetricsResponse,
        IndexRecommendationsResponse,
        IndexSuggestionsResponse,
        LabelDistributionResponse,
        LatencyResponse,
        MostQueriedFieldsResponse,
        NamespaceSummaryResponse,
        NodeDistributionResponse,
        PathAnalysisRequest,
        PathAnalysisResponse,
        RetrieverPerformanceResponse,
        RetrieverSignal,
        SlowOperationsResponse,
        SlowQueriesResponse,
        SlowQuery,
        StageBreakdownResponse,
        StepTransitionRequest,
        StepTransitionResponse,
        SyncComparisonResponse,
        SyncPerformanceResponse,
        UploadPerformanceResponse,
        UsageSummaryResponse,
    )


class Analytics(Noun):
    def get_bucket_health(self, bucket_id: str, *, hours: int | None = None) -> BucketHealthResponse:
        """What failed of the batches made in the time, by kind, and how the bucket's syncs are."""
        return self._ask(Call("GET", f"/analytics/buckets/{part(bucket_id)}/health", query={"hours": hours}))

    def get_bucket_storage(
        self, bucket_id: str, *, start_date: str | None = None, end_date: str | None = None, group_by: str | None = None
    ) -> BucketStorageResponse:
        """How many objects lay there, and how large, of those that are there today."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/buckets/{part(bucket_id)}/storage",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    def get_sync_comparison(self, bucket_id: str, *, hours: int | None = None) -> SyncComparisonResponse:
        """How its syncs do beside each other."""
        return self._ask(Call("GET", f"/analytics/buckets/{part(bucket_id)}/sync-comparison", query={"hours": hours}))

    def get_sync_performance(
        self, bucket_id: str, *, sync_config_id: str | None = None, hours: int | None = None, limit: int | None = None
    ) -> SyncPerformanceResponse:
        """How single runs of its syncs went, newest first, and all of them together; of one sync where that is
        named.
        """
        return self._ask(
            Call(
                "GET",
                f"/analytics/buckets/{part(bucket_id)}/sync-performance",
                query={"sync_config_id": sync_config_id, "hours": hours, "limit": limit},
            )
        )

    def get_upload_performance(
        self, bucket_id: str, *, hours: int | None = None, group_by: str | None = None
    ) -> UploadPerformanceResponse:
        """How long uploads took, of the newest 10,000 of the time."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/buckets/{part(bucket_id)}/upload-performance",
                query={"hours": hours, "group_by": group_by},
            )
        )

    def get_bucket_usage(
        self, bucket_id: str, *, start_date: str | None = None, end_date: str | None = None, group_by: str | None = None
    ) -> BucketUsageResponse:
        """What lay there and what was uploaded. Neither costs anything. Runs of syncs are not counted by time."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/buckets/{part(bucket_id)}/usage",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    def get_cluster_execution_history(
        self, cluster_id: str, *, hours: int | None = None, limit: int | None = None
    ) -> ExecutionHistoryResponse:
        """Its runs, the newest first."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/clusters/{part(cluster_id)}/execution-history",
                query={"hours": hours, "limit": limit},
            )
        )

    def get_cluster_failures(self, cluster_id: str, *, hours: int | None = None) -> ClusterFailureAnalysisResponse:
        """Its runs that failed, the newest first."""
        return self._ask(Call("GET", f"/analytics/clusters/{part(cluster_id)}/failures", query={"hours": hours}))

    def get_collection_extractors(
        self, collection_id: str, *, hours: int | None = None
    ) -> ExtractorPerformanceResponse:
        """How often its extractor was asked, how that ended and how long it took."""
        return self._ask(
            Call("GET", f"/analytics/collections/{part(collection_id)}/extractors", query={"hours": hours})
        )

    def get_collection_failures(
        self, collection_id: str, *, hours: int | None = None
    ) -> CollectionFailureAnalysisResponse:
        """Why sources failed, of the batches made in the time, with the newest message of each kind."""
        return self._ask(Call("GET", f"/analytics/collections/{part(collection_id)}/failures", query={"hours": hours}))

    def get_document_growth(
        self,
        collection_id: str,
        *,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> GrowthMetricsResponse:
        """Documents by when they were first made, and what became of sources meanwhile."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/collections/{part(collection_id)}/growth",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    def get_collection_latency(
        self, collection_id: str, *, hours: int | None = None, group_by: str | None = None
    ) -> LatencyResponse:
        """What the extractor took for a source: of a call for several, each has its equal part."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/collections/{part(collection_id)}/latency",
                query={"hours": hours, "group_by": group_by},
            )
        )

    def get_collection_overview(self, collection_id: str) -> CollectionOverviewResponse:
        """How large it is, how fast it grows, how its extractor does."""
        return self._ask(Call("GET", f"/analytics/collections/{part(collection_id)}/overview"))

    def get_extractor_performance(
        self, *, extractor_name: str | None = None, hours: int | None = None
    ) -> Sequence[dict[str, Any]]:
        """How often extractors were asked, how that ended and how long it took, over all collections."""
        return self._ask(
            Call("GET", "/analytics/extractors/performance", query={"extractor_name": extractor_name, "hours": hours})
        )

    def get_index_suggestions(
        self, *, hours: int | None = None, min_count: int | None = None
    ) -> IndexSuggestionsResponse:
        """Fields that were filtered by ranges so often, in collections whose index has none for them."""
        return self._ask(Call("GET", "/analytics/indexes/suggestions", query={"hours": hours, "min_count": min_count}))

    def apply_index_suggestion(
        self, *, idempotency_key: str | None = None, **body: Unpack[ApplySuggestionRequest]
    ) -> ApplySuggestionResponse:
        """Make the index of a field's ranges in every collection that has it; what a range took before and after."""
        return self._ask(Call("POST", "/analytics/indexes/suggestions/apply", body=body, key=idempotency_key or ""))

    def get_field_usage(self, *, period: str | None = None, min_count: int | None = None) -> FieldUsageResponse:
        """Fields that were filtered by, and whether an index serves all of these filters."""
        return self._ask(Call("GET", "/analytics/indexes/usage", query={"period": period, "min_count": min_count}))

    def get_inference_performance(
        self, *, model_name: str | None = None, hours: int | None = None
    ) -> Sequence[dict[str, Any]]:
        """Which models stages asked, and how long these stages took: of the newest 500 executions of these hours."""
        return self._ask(
            Call("GET", "/analytics/inference/performance", query={"model_name": model_name, "hours": hours})
        )

    def get_most_queried_fields(
        self, *, days: int | None = None, limit: int | None = None
    ) -> MostQueriedFieldsResponse:
        """Fields by how often stages of saved retrievers filtered by them."""
        return self._ask(Call("GET", "/analytics/namespaces/fields/most-queried", query={"days": days, "limit": limit}))

    def get_field_performance(self, *, days: int | None = None, limit: int | None = None) -> FieldPerformanceResponse:
        """Fields by how much time the stages took that filtered by them."""
        return self._ask(Call("GET", "/analytics/namespaces/fields/performance", query={"days": days, "limit": limit}))

    def get_compound_patterns(self, *, days: int | None = None, limit: int | None = None) -> CompoundIndexResponse:
        """Fields that stages filtered by together."""
        return self._ask(
            Call("GET", "/analytics/namespaces/indexes/compound-patterns", query={"days": days, "limit": limit})
        )

    def get_index_recommendations(
        self, *, days: int | None = None, min_usage_count: int | None = None, limit: int | None = None
    ) -> IndexRecommendationsResponse:
        """Fields with filters that no index serves, those that took the most time first."""
        return self._ask(
            Call(
                "GET",
                "/analytics/namespaces/indexes/recommendations",
                query={"days": days, "min_usage_count": min_usage_count, "limit": limit},
            )
        )

    def get_slow_queries(
        self, *, days: int | None = None, latency_threshold_ms: float | None = None, limit: int | None = None
    ) -> SlowQueriesResponse:
        """Executions of saved retrievers that took at least so long, the slowest first; at most 100 of each."""
        return self._ask(
            Call(
                "GET",
                "/analytics/namespaces/queries/slow",
                query={"days": days, "latency_threshold_ms": latency_threshold_ms, "limit": limit},
            )
        )

    def get_namespace_summary(self, *, days: int | None = None) -> NamespaceSummaryResponse:
        """What is filtered by, how that goes and what would help, in one answer."""
        return self._ask(Call("GET", "/analytics/namespaces/summary", query={"days": days}))

    def get_batch_diagnostics(self, batch_id: str) -> BatchDiagnosticsResponse:
        """What became of a batch so far, and what may be done about it."""
        return self._ask(Call("GET", f"/analytics/performance/batches/{part(batch_id)}/diagnostics"))

    def get_engine_performance(
        self,
        *,
        hours: int | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> EnginePerformanceResponse:
        """How often retrievers and extractors ran, and how long that took; the longest within 2.2%."""
        return self._ask(
            Call(
                "GET",
                "/analytics/performance/engine",
                query={"hours": hours, "start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    def get_engine_bottlenecks(self, *, hours: int | None = None, limit: int | None = None) -> BottleneckResponse:
        """The stages and extractors that took most of the time."""
        return self._ask(
            Call("GET", "/analytics/performance/engine/bottlenecks", query={"hours": hours, "limit": limit})
        )

    def get_engine_extractors(
        self, *, hours: int | None = None, start_date: str | None = None, end_date: str | None = None
    ) -> ExtractorBreakdownResponse:
        """What extractors took, collection by collection: sources that they were asked for."""
        return self._ask(
            Call(
                "GET",
                "/analytics/performance/engine/extractors",
                query={"hours": hours, "start_date": start_date, "end_date": end_date},
            )
        )

    def get_slow_operations(
        self, *, hours: int | None = None, limit: int | None = None, threshold_ms: float | None = None
    ) -> SlowOperationsResponse:
        """Single executions that took at least so long, slowest first. Calls of extractors are not kept one by one."""
        return self._ask(
            Call(
                "GET",
                "/analytics/performance/engine/slow-operations",
                query={"hours": hours, "limit": limit, "threshold_ms": threshold_ms},
            )
        )

    def get_engine_stages(
        self, *, hours: int | None = None, start_date: str | None = None, end_date: str | None = None
    ) -> EngineStageBreakdownResponse:
        """What each stage of each retriever took, and each collection's extractor; what took most comes first."""
        return self._ask(
            Call(
                "GET",
                "/analytics/performance/engine/stages",
                query={"hours": hours, "start_date": start_date, "end_date": end_date},
            )
        )

    def get_cache_performance(self, retriever_id: str, *, hours: int | None = None) -> CachePerformanceResponse:
        """How often caches answered, and how long that took."""
        return self._ask(
            Call("GET", f"/analytics/retrievers/{part(retriever_id)}/cache-performance", query={"hours": hours})
        )

    def get_retriever_performance(
        self,
        retriever_id: str,
        *,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> RetrieverPerformanceResponse:
        """How many executions there were, how long they took, how many failed. Counts and means are exact."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/retrievers/{part(retriever_id)}/performance",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    def get_retriever_signals(
        self, retriever_id: str, *, signal_type: str | None = None, limit: int | None = None, hours: int | None = None
    ) -> Sequence[RetrieverSignal]:
        """What single executions say, the newest first: of the newest 2,000 that began within these hours."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/retrievers/{part(retriever_id)}/signals",
                query={"signal_type": signal_type, "limit": limit, "hours": hours},
            )
        )

    def get_slowest_queries(
        self, retriever_id: str, *, limit: int | None = None, hours: int | None = None
    ) -> Sequence[SlowQuery]:
        """The executions that took longest, with what was asked and what each stage took."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/retrievers/{part(retriever_id)}/slow-queries",
                query={"limit": limit, "hours": hours},
            )
        )

    def get_stage_breakdown(self, retriever_id: str, *, hours: int | None = None) -> StageBreakdownResponse:
        """What each stage took, and how many documents went in and came out."""
        return self._ask(Call("GET", f"/analytics/retrievers/{part(retriever_id)}/stages", query={"hours": hours}))

    def get_assignment_metrics(
        self,
        taxonomy_id: str,
        *,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> AssignmentMetricsResponse:
        """The labels that documents have today, by when they were given."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/taxonomies/{part(taxonomy_id)}/assignments",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    def get_confidence_distribution(self, taxonomy_id: str, *, hours: int | None = None) -> ConfidenceResponse:
        """How sure it was of labels given in the last hours, by tenths; below 0.5 is low."""
        return self._ask(Call("GET", f"/analytics/taxonomies/{part(taxonomy_id)}/confidence", query={"hours": hours}))

    def get_enrichment_history(
        self,
        taxonomy_id: str,
        *,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> EnrichmentHistoryResponse:
        """How many documents it was applied to, how many got a label, and how long that took."""
        return self._ask(
            Call(
                "GET",
                f"/analytics/taxonomies/{part(taxonomy_id)}/enrichments",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    def get_label_distribution(
        self, taxonomy_id: str, *, hours: int | None = None, limit: int | None = None
    ) -> LabelDistributionResponse:
        """Labels given in the last hours, the most frequent first."""
        return self._ask(
            Call("GET", f"/analytics/taxonomies/{part(taxonomy_id)}/labels", query={"hours": hours, "limit": limit})
        )

    def get_node_distribution(self, taxonomy_id: str) -> NodeDistributionResponse:
        """The tree, each node with the labels that documents have of it today; not in the contract."""
        return self._ask(Call("GET", f"/analytics/taxonomies/{part(taxonomy_id)}/nodes"))

    def get_usage_summary(self, *, start_date: str | None = None, end_date: str | None = None) -> UsageSummaryResponse:
        """What executions of the whole organisation cost, whole days of UTC; the last 30 where nothing is said."""
        return self._ask(
            Call("GET", "/analytics/usage/summary", query={"start_date": start_date, "end_date": end_date})
        )

    def get_available_steps(self, taxonomy_id: str, *, collection_id: str | None = None) -> AvailableStepsResponse:
        """The steps that a collection's documents are, as the taxonomy's step_analytics makes sequences of them."""
        return self._ask(
            Call(
                "GET",
                f"/taxonomies/{part(taxonomy_id)}/analytics/available-steps",
                query={"collection_id": collection_id},
            )
        )

    def analyze_transition_paths(
        self, taxonomy_id: str, *, idempotency_key: str | None = None, **body: Unpack[PathAnalysisRequest]
    ) -> PathAnalysisResponse:
        """The ways from one step to another, the most frequent first."""
        return self._ask(
            Call("POST", f"/taxonomies/{part(taxonomy_id)}/analytics/paths", body=body, key=idempotency_key or "")
        )

    def compute_step_transitions(
        self, taxonomy_id: str, *, idempotency_key: str | None = None, **body: Unpack[StepTransitionRequest]
    ) -> StepTransitionResponse:
        """How many sequences come from one step to another, how soon, and which of their values go with it."""
        return self._ask(
            Call("POST", f"/taxonomies/{part(taxonomy_id)}/analytics/transitions", body=body, key=idempotency_key or "")
        )


class AsyncAnalytics(AsyncNoun):
    async def get_bucket_health(self, bucket_id: str, *, hours: int | None = None) -> BucketHealthResponse:
        """What failed of the batches made in the time, by kind, and how the bucket's syncs are."""
        return await self._ask(Call("GET", f"/analytics/buckets/{part(bucket_id)}/health", query={"hours": hours}))

    async def get_bucket_storage(
        self, bucket_id: str, *, start_date: str | None = None, end_date: str | None = None, group_by: str | None = None
    ) -> BucketStorageResponse:
        """How many objects lay there, and how large, of those that are there today."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/buckets/{part(bucket_id)}/storage",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    async def get_sync_comparison(self, bucket_id: str, *, hours: int | None = None) -> SyncComparisonResponse:
        """How its syncs do beside each other."""
        return await self._ask(
            Call("GET", f"/analytics/buckets/{part(bucket_id)}/sync-comparison", query={"hours": hours})
        )

    async def get_sync_performance(
        self, bucket_id: str, *, sync_config_id: str | None = None, hours: int | None = None, limit: int | None = None
    ) -> SyncPerformanceResponse:
        """How single runs of its syncs went, newest first, and all of them together; of one sync where that is
        named.
        """
        return await self._ask(
            Call(
                "GET",
                f"/analytics/buckets/{part(bucket_id)}/sync-performance",
                query={"sync_config_id": sync_config_id, "hours": hours, "limit": limit},
            )
        )

    async def get_upload_performance(
        self, bucket_id: str, *, hours: int | None = None, group_by: str | None = None
    ) -> UploadPerformanceResponse:
        """How long uploads took, of the newest 10,000 of the time."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/buckets/{part(bucket_id)}/upload-performance",
                query={"hours": hours, "group_by": group_by},
            )
        )

    async def get_bucket_usage(
        self, bucket_id: str, *, start_date: str | None = None, end_date: str | None = None, group_by: str | None = None
    ) -> BucketUsageResponse:
        """What lay there and what was uploaded. Neither costs anything. Runs of syncs are not counted by time."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/buckets/{part(bucket_id)}/usage",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    async def get_cluster_execution_history(
        self, cluster_id: str, *, hours: int | None = None, limit: int | None = None
    ) -> ExecutionHistoryResponse:
        """Its runs, the newest first."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/clusters/{part(cluster_id)}/execution-history",
                query={"hours": hours, "limit": limit},
            )
        )

    async def get_cluster_failures(
        self, cluster_id: str, *, hours: int | None = None
    ) -> ClusterFailureAnalysisResponse:
        """Its runs that failed, the newest first."""
        return await self._ask(Call("GET", f"/analytics/clusters/{part(cluster_id)}/failures", query={"hours": hours}))

    async def get_collection_extractors(
        self, collection_id: str, *, hours: int | None = None
    ) -> ExtractorPerformanceResponse:
        """How often its extractor was asked, how that ended and how long it took."""
        return await self._ask(
            Call("GET", f"/analytics/collections/{part(collection_id)}/extractors", query={"hours": hours})
        )

    async def get_collection_failures(
        self, collection_id: str, *, hours: int | None = None
    ) -> CollectionFailureAnalysisResponse:
        """Why sources failed, of the batches made in the time, with the newest message of each kind."""
        return await self._ask(
            Call("GET", f"/analytics/collections/{part(collection_id)}/failures", query={"hours": hours})
        )

    async def get_document_growth(
        self,
        collection_id: str,
        *,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> GrowthMetricsResponse:
        """Documents by when they were first made, and what became of sources meanwhile."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/collections/{part(collection_id)}/growth",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    async def get_collection_latency(
        self, collection_id: str, *, hours: int | None = None, group_by: str | None = None
    ) -> LatencyResponse:
        """What the extractor took for a source: of a call for several, each has its equal part."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/collections/{part(collection_id)}/latency",
                query={"hours": hours, "group_by": group_by},
            )
        )

    async def get_collection_overview(self, collection_id: str) -> CollectionOverviewResponse:
        """How large it is, how fast it grows, how its extractor does."""
        return await self._ask(Call("GET", f"/analytics/collections/{part(collection_id)}/overview"))

    async def get_extractor_performance(
        self, *, extractor_name: str | None = None, hours: int | None = None
    ) -> Sequence[dict[str, Any]]:
        """How often extractors were asked, how that ended and how long it took, over all collections."""
        return await self._ask(
            Call("GET", "/analytics/extractors/performance", query={"extractor_name": extractor_name, "hours": hours})
        )

    async def get_index_suggestions(
        self, *, hours: int | None = None, min_count: int | None = None
    ) -> IndexSuggestionsResponse:
        """Fields that were filtered by ranges so often, in collections whose index has none for them."""
        return await self._ask(
            Call("GET", "/analytics/indexes/suggestions", query={"hours": hours, "min_count": min_count})
        )

    async def apply_index_suggestion(
        self, *, idempotency_key: str | None = None, **body: Unpack[ApplySuggestionRequest]
    ) -> ApplySuggestionResponse:
        """Make the index of a field's ranges in every collection that has it; what a range took before and after."""
        return await self._ask(
            Call("POST", "/analytics/indexes/suggestions/apply", body=body, key=idempotency_key or "")
        )

    async def get_field_usage(self, *, period: str | None = None, min_count: int | None = None) -> FieldUsageResponse:
        """Fields that were filtered by, and whether an index serves all of these filters."""
        return await self._ask(
            Call("GET", "/analytics/indexes/usage", query={"period": period, "min_count": min_count})
        )

    async def get_inference_performance(
        self, *, model_name: str | None = None, hours: int | None = None
    ) -> Sequence[dict[str, Any]]:
        """Which models stages asked, and how long these stages took: of the newest 500 executions of these hours."""
        return await self._ask(
            Call("GET", "/analytics/inference/performance", query={"model_name": model_name, "hours": hours})
        )

    async def get_most_queried_fields(
        self, *, days: int | None = None, limit: int | None = None
    ) -> MostQueriedFieldsResponse:
        """Fields by how often stages of saved retrievers filtered by them."""
        return await self._ask(
            Call("GET", "/analytics/namespaces/fields/most-queried", query={"days": days, "limit": limit})
        )

    async def get_field_performance(
        self, *, days: int | None = None, limit: int | None = None
    ) -> FieldPerformanceResponse:
        """Fields by how much time the stages took that filtered by them."""
        return await self._ask(
            Call("GET", "/analytics/namespaces/fields/performance", query={"days": days, "limit": limit})
        )

    async def get_compound_patterns(
        self, *, days: int | None = None, limit: int | None = None
    ) -> CompoundIndexResponse:
        """Fields that stages filtered by together."""
        return await self._ask(
            Call("GET", "/analytics/namespaces/indexes/compound-patterns", query={"days": days, "limit": limit})
        )

    async def get_index_recommendations(
        self, *, days: int | None = None, min_usage_count: int | None = None, limit: int | None = None
    ) -> IndexRecommendationsResponse:
        """Fields with filters that no index serves, those that took the most time first."""
        return await self._ask(
            Call(
                "GET",
                "/analytics/namespaces/indexes/recommendations",
                query={"days": days, "min_usage_count": min_usage_count, "limit": limit},
            )
        )

    async def get_slow_queries(
        self, *, days: int | None = None, latency_threshold_ms: float | None = None, limit: int | None = None
    ) -> SlowQueriesResponse:
        """Executions of saved retrievers that took at least so long, the slowest first; at most 100 of each."""
        return await self._ask(
            Call(
                "GET",
                "/analytics/namespaces/queries/slow",
                query={"days": days, "latency_threshold_ms": latency_threshold_ms, "limit": limit},
            )
        )

    async def get_namespace_summary(self, *, days: int | None = None) -> NamespaceSummaryResponse:
        """What is filtered by, how that goes and what would help, in one answer."""
        return await self._ask(Call("GET", "/analytics/namespaces/summary", query={"days": days}))

    async def get_batch_diagnostics(self, batch_id: str) -> BatchDiagnosticsResponse:
        """What became of a batch so far, and what may be done about it."""
        return await self._ask(Call("GET", f"/analytics/performance/batches/{part(batch_id)}/diagnostics"))

    async def get_engine_performance(
        self,
        *,
        hours: int | None = None,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> EnginePerformanceResponse:
        """How often retrievers and extractors ran, and how long that took; the longest within 2.2%."""
        return await self._ask(
            Call(
                "GET",
                "/analytics/performance/engine",
                query={"hours": hours, "start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    async def get_engine_bottlenecks(self, *, hours: int | None = None, limit: int | None = None) -> BottleneckResponse:
        """The stages and extractors that took most of the time."""
        return await self._ask(
            Call("GET", "/analytics/performance/engine/bottlenecks", query={"hours": hours, "limit": limit})
        )

    async def get_engine_extractors(
        self, *, hours: int | None = None, start_date: str | None = None, end_date: str | None = None
    ) -> ExtractorBreakdownResponse:
        """What extractors took, collection by collection: sources that they were asked for."""
        return await self._ask(
            Call(
                "GET",
                "/analytics/performance/engine/extractors",
                query={"hours": hours, "start_date": start_date, "end_date": end_date},
            )
        )

    async def get_slow_operations(
        self, *, hours: int | None = None, limit: int | None = None, threshold_ms: float | None = None
    ) -> SlowOperationsResponse:
        """Single executions that took at least so long, slowest first. Calls of extractors are not kept one by one."""
        return await self._ask(
            Call(
                "GET",
                "/analytics/performance/engine/slow-operations",
                query={"hours": hours, "limit": limit, "threshold_ms": threshold_ms},
            )
        )

    async def get_engine_stages(
        self, *, hours: int | None = None, start_date: str | None = None, end_date: str | None = None
    ) -> EngineStageBreakdownResponse:
        """What each stage of each retriever took, and each collection's extractor; what took most comes first."""
        return await self._ask(
            Call(
                "GET",
                "/analytics/performance/engine/stages",
                query={"hours": hours, "start_date": start_date, "end_date": end_date},
            )
        )

    async def get_cache_performance(self, retriever_id: str, *, hours: int | None = None) -> CachePerformanceResponse:
        """How often caches answered, and how long that took."""
        return await self._ask(
            Call("GET", f"/analytics/retrievers/{part(retriever_id)}/cache-performance", query={"hours": hours})
        )

    async def get_retriever_performance(
        self,
        retriever_id: str,
        *,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> RetrieverPerformanceResponse:
        """How many executions there were, how long they took, how many failed. Counts and means are exact."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/retrievers/{part(retriever_id)}/performance",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    async def get_retriever_signals(
        self, retriever_id: str, *, signal_type: str | None = None, limit: int | None = None, hours: int | None = None
    ) -> Sequence[RetrieverSignal]:
        """What single executions say, the newest first: of the newest 2,000 that began within these hours."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/retrievers/{part(retriever_id)}/signals",
                query={"signal_type": signal_type, "limit": limit, "hours": hours},
            )
        )

    async def get_slowest_queries(
        self, retriever_id: str, *, limit: int | None = None, hours: int | None = None
    ) -> Sequence[SlowQuery]:
        """The executions that took longest, with what was asked and what each stage took."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/retrievers/{part(retriever_id)}/slow-queries",
                query={"limit": limit, "hours": hours},
            )
        )

    async def get_stage_breakdown(self, retriever_id: str, *, hours: int | None = None) -> StageBreakdownResponse:
        """What each stage took, and how many documents went in and came out."""
        return await self._ask(
            Call("GET", f"/analytics/retrievers/{part(retriever_id)}/stages", query={"hours": hours})
        )

    async def get_assignment_metrics(
        self,
        taxonomy_id: str,
        *,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> AssignmentMetricsResponse:
        """The labels that documents have today, by when they were given."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/taxonomies/{part(taxonomy_id)}/assignments",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    async def get_confidence_distribution(self, taxonomy_id: str, *, hours: int | None = None) -> ConfidenceResponse:
        """How sure it was of labels given in the last hours, by tenths; below 0.5 is low."""
        return await self._ask(
            Call("GET", f"/analytics/taxonomies/{part(taxonomy_id)}/confidence", query={"hours": hours})
        )

    async def get_enrichment_history(
        self,
        taxonomy_id: str,
        *,
        start_date: str | None = None,
        end_date: str | None = None,
        group_by: str | None = None,
    ) -> EnrichmentHistoryResponse:
        """How many documents it was applied to, how many got a label, and how long that took."""
        return await self._ask(
            Call(
                "GET",
                f"/analytics/taxonomies/{part(taxonomy_id)}/enrichments",
                query={"start_date": start_date, "end_date": end_date, "group_by": group_by},
            )
        )

    async def get_label_distribution(
        self, taxonomy_id: str, *, hours: int | None = None, limit: int | None = None
    ) -> LabelDistributionResponse:
        """Labels given in the last hours, the most frequent first."""
        return await self._ask(
            Call("GET", f"/analytics/taxonomies/{part(taxonomy_id)}/labels", query={"hours": hours, "limit": limit})
        )

    async def get_node_distribution(self, taxonomy_id: str) -> NodeDistributionResponse:
        """The tree, each node with the labels that documents have of it today; not in the contract."""
        return await self._ask(Call("GET", f"/analytics/taxonomies/{part(taxonomy_id)}/nodes"))

    async def get_usage_summary(
        self, *, start_date: str | None = None, end_date: str | None = None
    ) -> UsageSummaryResponse:
        """What executions of the whole organisation cost, whole days of UTC; the last 30 where nothing is said."""
        return await self._ask(
            Call("GET", "/analytics/usage/summary", query={"start_date": start_date, "end_date": end_date})
        )

    async def get_available_steps(
        self, taxonomy_id: str, *, collection_id: str | None = None
    ) -> AvailableStepsResponse:
        """The steps that a collection's documents are, as the taxonomy's step_analytics makes sequences of them."""
        return await self._ask(
            Call(
                "GET",
                f"/taxonomies/{part(taxonomy_id)}/analytics/available-steps",
                query={"collection_id": collection_id},
            )
        )

    async def analyze_transition_paths(
        self, taxonomy_id: str, *, idempotency_key: str | None = None, **body: Unpack[PathAnalysisRequest]
    ) -> PathAnalysisResponse:
        """The ways from one step to another, the most frequent first."""
        return await self._ask(
            Call("POST", f"/taxonomies/{part(taxonomy_id)}/analytics/paths", body=body, key=idempotency_key or "")
        )

    async def compute_step_transitions(
        self, taxonomy_id: str, *, idempotency_key: str | None = None, **body: Unpack[StepTransitionRequest]
    ) -> StepTransitionResponse:
        """How many sequences come from one step to another, how soon, and which of their values go with it."""
        return await self._ask(
            Call("POST", f"/taxonomies/{part(taxonomy_id)}/analytics/transitions", body=body, key=idempotency_key or "")
        )
