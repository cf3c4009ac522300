# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `analytics`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun

if TYPE_CHECKING:
    from tamis.client.served.types_analytics import (
        CachePerformanceResponse,
        RetrieverPerformanceResponse,
        RetrieverSignal,
        SlowQuery,
        StageBreakdownResponse,
        UsageSummaryResponse,
    )


class Analytics(Noun):
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

    def get_usage_summary(self, *, start_date: str | None = None, end_date: str | None = None) -> UsageSummaryResponse:
        """What executions of the whole organisation cost, whole days of UTC; the last 30 where nothing is said."""
        return self._ask(
            Call("GET", "/analytics/usage/summary", query={"start_date": start_date, "end_date": end_date})
        )


class AsyncAnalytics(AsyncNoun):
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

    async def get_usage_summary(
        self, *, start_date: str | None = None, end_date: str | None = None
    ) -> UsageSummaryResponse:
        """What executions of the whole organisation cost, whole days of UTC; the last 30 where nothing is said."""
        return await self._ask(
            Call("GET", "/analytics/usage/summary", query={"start_date": start_date, "end_date": end_date})
        )
