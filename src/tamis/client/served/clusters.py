# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `clusters`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_clusters import (
        ApplyClusterEnrichmentRequest,
        ClusterArtifacts,
        ClusterDataRequest,
        ClusterExecutionResult,
        ClusteringEnrichmentResponse,
        ClusterMetadata,
        ClusterModel,
        CompareClusterExecutionsResponse,
        CreateClusterRequest,
        ListClusterExecutionsRequest,
        ListClusterExecutionsResponse,
        ListClustersRequest,
        ListClustersResponse,
        PatchClusterRequest,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse
    from tamis.client.served.types_tasks import TaskResponse


class Clusters(Noun):
    def create(self, *, idempotency_key: str | None = None, **body: Unpack[CreateClusterRequest]) -> ClusterMetadata:
        """Define how documents are clustered, by their vectors or by equal attributes; nothing runs yet."""
        return self._ask(Call("POST", "/clusters", body=body, key=idempotency_key or ""))

    def apply_enrichment(
        self, *, idempotency_key: str | None = None, **body: Unpack[ApplyClusterEnrichmentRequest]
    ) -> ClusteringEnrichmentResponse:
        """Tell the documents of a collection which cluster they are in, by each cluster's newest result."""
        return self._ask(Call("POST", "/clusters/enrich", body=body, key=idempotency_key or ""))

    def list(self, **body: Unpack[ListClustersRequest]) -> ListClustersResponse:
        """The namespace's clusters, newest first where no order is asked for."""
        return self._ask(Call("POST", "/clusters/list", body=body, is_reading=True))

    def get(self, cluster_identifier: str) -> ClusterMetadata:
        """A cluster by id or name, with how its runs went."""
        return self._ask(Call("GET", f"/clusters/{part(cluster_identifier)}"))

    def patch(self, cluster_identifier: str, **body: Unpack[PatchClusterRequest]) -> ClusterModel:
        """Change what a cluster is called and says of itself; how it clusters stays: that is another cluster."""
        return self._ask(Call("PATCH", f"/clusters/{part(cluster_identifier)}", body=body))

    def delete(self, cluster_id: str) -> GenericDeleteResponse:
        """With its runs, what they found, and its triggers. What documents were told stays in them."""
        return self._ask(Call("DELETE", f"/clusters/{part(cluster_id)}"))

    def execute_clustering(self, cluster_id: str, *, idempotency_key: str | None = None) -> TaskResponse:
        """Cluster the documents that there are now, as a task that goes on after a restart."""
        return self._ask(Call("POST", f"/clusters/{part(cluster_id)}/execute", key=idempotency_key or ""))

    def get_execution(self, cluster_id: str) -> ClusterExecutionResult:
        """The newest run."""
        return self._ask(Call("GET", f"/clusters/{part(cluster_id)}/executions"))

    def list_executions(
        self, cluster_id: str, **body: Unpack[ListClusterExecutionsRequest]
    ) -> ListClusterExecutionsResponse:
        """Its runs, newest first where no order is asked for; the newest 20 are kept."""
        return self._ask(Call("POST", f"/clusters/{part(cluster_id)}/executions/list", body=body, is_reading=True))

    def get_execution_by_run(self, cluster_id: str, run_id: str) -> ClusterExecutionResult:
        """How far it is, and what it found."""
        return self._ask(Call("GET", f"/clusters/{part(cluster_id)}/executions/{part(run_id)}"))

    def get_execution_artifacts(
        self,
        cluster_id: str,
        run_id: str,
        *,
        include_centroids: bool | None = None,
        include_members: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        projection_method: Literal["2d", "3d"] | None = None,
    ) -> ClusterArtifacts:
        """Centroids with their vectors, and members with their places on a page."""
        return self._ask(
            Call(
                "GET",
                f"/clusters/{part(cluster_id)}/executions/{part(run_id)}/artifacts",
                query={
                    "include_centroids": include_centroids,
                    "include_members": include_members,
                    "limit": limit,
                    "offset": offset,
                    "projection_method": projection_method,
                },
            )
        )

    def cancel_execution(
        self, cluster_id: str, run_id: str, *, idempotency_key: str | None = None
    ) -> ClusterExecutionResult:
        """End a run that is under way; nothing of it is kept but that it was."""
        return self._ask(
            Call("POST", f"/clusters/{part(cluster_id)}/executions/{part(run_id)}/cancel", key=idempotency_key or "")
        )

    def compare_executions(self, cluster_id: str, run_id: str, other_run_id: str) -> CompareClusterExecutionsResponse:
        """Which cluster of a run became which of another: the pairing that keeps the most documents together."""
        return self._ask(
            Call("GET", f"/clusters/{part(cluster_id)}/executions/{part(run_id)}/compare/{part(other_run_id)}")
        )

    def stream_execution_data(
        self, cluster_id: str, run_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[ClusterDataRequest]
    ) -> ClusterArtifacts:
        """Centroids and members of a run, or of one of its clusters, window by window."""
        return self._ask(
            Call(
                "POST",
                f"/clusters/{part(cluster_id)}/executions/{part(run_id)}/data",
                body=body,
                key=idempotency_key or "",
            )
        )


class AsyncClusters(AsyncNoun):
    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateClusterRequest]
    ) -> ClusterMetadata:
        """Define how documents are clustered, by their vectors or by equal attributes; nothing runs yet."""
        return await self._ask(Call("POST", "/clusters", body=body, key=idempotency_key or ""))

    async def apply_enrichment(
        self, *, idempotency_key: str | None = None, **body: Unpack[ApplyClusterEnrichmentRequest]
    ) -> ClusteringEnrichmentResponse:
        """Tell the documents of a collection which cluster they are in, by each cluster's newest result."""
        return await self._ask(Call("POST", "/clusters/enrich", body=body, key=idempotency_key or ""))

    async def list(self, **body: Unpack[ListClustersRequest]) -> ListClustersResponse:
        """The namespace's clusters, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/clusters/list", body=body, is_reading=True))

    async def get(self, cluster_identifier: str) -> ClusterMetadata:
        """A cluster by id or name, with how its runs went."""
        return await self._ask(Call("GET", f"/clusters/{part(cluster_identifier)}"))

    async def patch(self, cluster_identifier: str, **body: Unpack[PatchClusterRequest]) -> ClusterModel:
        """Change what a cluster is called and says of itself; how it clusters stays: that is another cluster."""
        return await self._ask(Call("PATCH", f"/clusters/{part(cluster_identifier)}", body=body))

    async def delete(self, cluster_id: str) -> GenericDeleteResponse:
        """With its runs, what they found, and its triggers. What documents were told stays in them."""
        return await self._ask(Call("DELETE", f"/clusters/{part(cluster_id)}"))

    async def execute_clustering(self, cluster_id: str, *, idempotency_key: str | None = None) -> TaskResponse:
        """Cluster the documents that there are now, as a task that goes on after a restart."""
        return await self._ask(Call("POST", f"/clusters/{part(cluster_id)}/execute", key=idempotency_key or ""))

    async def get_execution(self, cluster_id: str) -> ClusterExecutionResult:
        """The newest run."""
        return await self._ask(Call("GET", f"/clusters/{part(cluster_id)}/executions"))

    async def list_executions(
        self, cluster_id: str, **body: Unpack[ListClusterExecutionsRequest]
    ) -> ListClusterExecutionsResponse:
        """Its runs, newest first where no order is asked for; the newest 20 are kept."""
        return await self._ask(
            Call("POST", f"/clusters/{part(cluster_id)}/executions/list", body=body, is_reading=True)
        )

    async def get_execution_by_run(self, cluster_id: str, run_id: str) -> ClusterExecutionResult:
        """How far it is, and what it found."""
        return await self._ask(Call("GET", f"/clusters/{part(cluster_id)}/executions/{part(run_id)}"))

    async def get_execution_artifacts(
        self,
        cluster_id: str,
        run_id: str,
        *,
        include_centroids: bool | None = None,
        include_members: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
        projection_method: Literal["2d", "3d"] | None = None,
    ) -> ClusterArtifacts:
        """Centroids with their vectors, and members with their places on a page."""
        return await self._ask(
            Call(
                "GET",
                f"/clusters/{part(cluster_id)}/executions/{part(run_id)}/artifacts",
                query={
                    "include_centroids": include_centroids,
                    "include_members": include_members,
                    "limit": limit,
                    "offset": offset,
                    "projection_method": projection_method,
                },
            )
        )

    async def cancel_execution(
        self, cluster_id: str, run_id: str, *, idempotency_key: str | None = None
    ) -> ClusterExecutionResult:
        """End a run that is under way; nothing of it is kept but that it was."""
        return await self._ask(
            Call("POST", f"/clusters/{part(cluster_id)}/executions/{part(run_id)}/cancel", key=idempotency_key or "")
        )

    async def compare_executions(
        self, cluster_id: str, run_id: str, other_run_id: str
    ) -> CompareClusterExecutionsResponse:
        """Which cluster of a run became which of another: the pairing that keeps the most documents together."""
        return await self._ask(
            Call("GET", f"/clusters/{part(cluster_id)}/executions/{part(run_id)}/compare/{part(other_run_id)}")
        )

    async def stream_execution_data(
        self, cluster_id: str, run_id: str, /, *, idempotency_key: str | None = None, **body: Unpack[ClusterDataRequest]
    ) -> ClusterArtifacts:
        """Centroids and members of a run, or of one of its clusters, window by window."""
        return await self._ask(
            Call(
                "POST",
                f"/clusters/{part(cluster_id)}/executions/{part(run_id)}/data",
                body=body,
                key=idempotency_key or "",
            )
        )
