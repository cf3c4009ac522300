# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `evaluations`, for one that waits and for one that awaits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_evaluations import (
        ComparisonResponse,
        CreateDatasetRequest,
        DatasetListResponse,
        EvaluationDataset,
        EvaluationListResponse,
        EvaluationRecord,
        EvaluationStatus,
        JudgeRequest,
        ModelJudgingRequest,
        ModelJudgingResponse,
        PoolRequest,
        QueryRunsResponse,
        StartEvaluationRequest,
        StartEvaluationResponse,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Evaluations(Noun):
    def compare(
        self,
        *,
        baseline: str | None = None,
        candidate: str | None = None,
        metric: str | None = None,
        limit: int | None = None,
    ) -> ComparisonResponse:
        """Whether the candidate is better, metric by metric with its significance, and the queries that it lost
        most on.
        """
        return self._ask(
            Call(
                "GET",
                "/retrievers/evaluations/compare",
                query={"baseline": baseline, "candidate": candidate, "metric": metric, "limit": limit},
            )
        )

    def list_datasets(self, *, page: int | None = None, page_size: int | None = None) -> DatasetListResponse:
        """Evaluation data sets, newest first."""
        return self._ask(Call("GET", "/retrievers/evaluations/datasets", query={"page": page, "page_size": page_size}))

    def create_dataset(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateDatasetRequest]
    ) -> EvaluationDataset:
        """Queries, each with the documents that are relevant to it."""
        return self._ask(Call("POST", "/retrievers/evaluations/datasets", body=body, key=idempotency_key or ""))

    def delete_dataset(self, dataset_identifier: str) -> GenericDeleteResponse:
        """Its evaluations stay."""
        return self._ask(Call("DELETE", f"/retrievers/evaluations/datasets/{part(dataset_identifier)}"))

    def get_dataset(self, dataset_identifier: str) -> EvaluationDataset:
        """By id or name."""
        return self._ask(Call("GET", f"/retrievers/evaluations/datasets/{part(dataset_identifier)}"))

    def judge_by_model(
        self, dataset_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[ModelJudgingRequest]
    ) -> ModelJudgingResponse:
        """Have a language model grade what waits in the pools, and some that people judged, to tell how far both
        agree.
        """
        return self._ask(
            Call(
                "POST",
                f"/retrievers/evaluations/datasets/{part(dataset_identifier)}/judge-by-model",
                body=body,
                key=idempotency_key or "",
            )
        )

    def judge_documents(
        self, dataset_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[JudgeRequest]
    ) -> EvaluationDataset:
        """Say how relevant documents are to queries; of what was judged before, the last word counts."""
        return self._ask(
            Call(
                "POST",
                f"/retrievers/evaluations/datasets/{part(dataset_identifier)}/judgements",
                body=body,
                key=idempotency_key or "",
            )
        )

    def pool_documents(
        self, dataset_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[PoolRequest]
    ) -> EvaluationDataset:
        """Put the first documents that evaluations of it found into its queries' pools, to be judged."""
        return self._ask(
            Call(
                "POST",
                f"/retrievers/evaluations/datasets/{part(dataset_identifier)}/pool",
                body=body,
                key=idempotency_key or "",
            )
        )

    def list(
        self,
        retriever_id: str,
        *,
        status: EvaluationStatus | None = None,
        dataset_name: str | None = None,
        page: int | None = None,
        page_size: int | None = None,
    ) -> EvaluationListResponse:
        """Its evaluations, newest first."""
        return self._ask(
            Call(
                "GET",
                f"/retrievers/{part(retriever_id)}/evaluations",
                query={"status": status, "dataset_name": dataset_name, "page": page, "page_size": page_size},
            )
        )

    def start(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[StartEvaluationRequest]
    ) -> StartEvaluationResponse:
        """Ask the retriever every query of a data set, as a task that goes on after a restart."""
        return self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/evaluations", body=body, key=idempotency_key or "")
        )

    def delete(self, retriever_id: str, evaluation_id: str) -> GenericDeleteResponse:
        """One that has ended, with what it measured; the executions of its queries stay."""
        return self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}/evaluations/{part(evaluation_id)}"))

    def get(self, retriever_id: str, evaluation_id: str) -> EvaluationRecord:
        """How far it is, and what it came to."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/evaluations/{part(evaluation_id)}"))

    def list_queries(
        self, retriever_id: str, evaluation_id: str, *, page: int | None = None, page_size: int | None = None
    ) -> QueryRunsResponse:
        """Each query with its ranking, its metrics and its execution, in the data set's order."""
        return self._ask(
            Call(
                "GET",
                f"/retrievers/{part(retriever_id)}/evaluations/{part(evaluation_id)}/queries",
                query={"page": page, "page_size": page_size},
            )
        )


class AsyncEvaluations(AsyncNoun):
    async def compare(
        self,
        *,
        baseline: str | None = None,
        candidate: str | None = None,
        metric: str | None = None,
        limit: int | None = None,
    ) -> ComparisonResponse:
        """Whether the candidate is better, metric by metric with its significance, and the queries that it lost
        most on.
        """
        return await self._ask(
            Call(
                "GET",
                "/retrievers/evaluations/compare",
                query={"baseline": baseline, "candidate": candidate, "metric": metric, "limit": limit},
            )
        )

    async def list_datasets(self, *, page: int | None = None, page_size: int | None = None) -> DatasetListResponse:
        """Evaluation data sets, newest first."""
        return await self._ask(
            Call("GET", "/retrievers/evaluations/datasets", query={"page": page, "page_size": page_size})
        )

    async def create_dataset(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateDatasetRequest]
    ) -> EvaluationDataset:
        """Queries, each with the documents that are relevant to it."""
        return await self._ask(Call("POST", "/retrievers/evaluations/datasets", body=body, key=idempotency_key or ""))

    async def delete_dataset(self, dataset_identifier: str) -> GenericDeleteResponse:
        """Its evaluations stay."""
        return await self._ask(Call("DELETE", f"/retrievers/evaluations/datasets/{part(dataset_identifier)}"))

    async def get_dataset(self, dataset_identifier: str) -> EvaluationDataset:
        """By id or name."""
        return await self._ask(Call("GET", f"/retrievers/evaluations/datasets/{part(dataset_identifier)}"))

    async def judge_by_model(
        self, dataset_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[ModelJudgingRequest]
    ) -> ModelJudgingResponse:
        """Have a language model grade what waits in the pools, and some that people judged, to tell how far both
        agree.
        """
        return await self._ask(
            Call(
                "POST",
                f"/retrievers/evaluations/datasets/{part(dataset_identifier)}/judge-by-model",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def judge_documents(
        self, dataset_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[JudgeRequest]
    ) -> EvaluationDataset:
        """Say how relevant documents are to queries; of what was judged before, the last word counts."""
        return await self._ask(
            Call(
                "POST",
                f"/retrievers/evaluations/datasets/{part(dataset_identifier)}/judgements",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def pool_documents(
        self, dataset_identifier: str, *, idempotency_key: str | None = None, **body: Unpack[PoolRequest]
    ) -> EvaluationDataset:
        """Put the first documents that evaluations of it found into its queries' pools, to be judged."""
        return await self._ask(
            Call(
                "POST",
                f"/retrievers/evaluations/datasets/{part(dataset_identifier)}/pool",
                body=body,
                key=idempotency_key or "",
            )
        )

    async def list(
        self,
        retriever_id: str,
        *,
        status: EvaluationStatus | None = None,
        dataset_name: str | None = None,
        page: int | None = None,
        page_size: int | None = None,
    ) -> EvaluationListResponse:
        """Its evaluations, newest first."""
        return await self._ask(
            Call(
                "GET",
                f"/retrievers/{part(retriever_id)}/evaluations",
                query={"status": status, "dataset_name": dataset_name, "page": page, "page_size": page_size},
            )
        )

    async def start(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[StartEvaluationRequest]
    ) -> StartEvaluationResponse:
        """Ask the retriever every query of a data set, as a task that goes on after a restart."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/evaluations", body=body, key=idempotency_key or "")
        )

    async def delete(self, retriever_id: str, evaluation_id: str) -> GenericDeleteResponse:
        """One that has ended, with what it measured; the executions of its queries stay."""
        return await self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}/evaluations/{part(evaluation_id)}"))

    async def get(self, retriever_id: str, evaluation_id: str) -> EvaluationRecord:
        """How far it is, and what it came to."""
        return await self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/evaluations/{part(evaluation_id)}"))

    async def list_queries(
        self, retriever_id: str, evaluation_id: str, *, page: int | None = None, page_size: int | None = None
    ) -> QueryRunsResponse:
        """Each query with its ranking, its metrics and its execution, in the data set's order."""
        return await self._ask(
            Call(
                "GET",
                f"/retrievers/{part(retriever_id)}/evaluations/{part(evaluation_id)}/queries",
                query={"page": page, "page_size": page_size},
            )
        )
