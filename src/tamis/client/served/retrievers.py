# Generated from docs/openapi.json by `make contract`; a test fails where it is stale.
"""The operations of `retrievers`, for one that waits and for one that awaits."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from tamis.client.calls import Call, part
from tamis.client.noun import AsyncNoun, Noun
from tamis.client.shown import Execution

if TYPE_CHECKING:
    from tamis.client.served.types_retrievers import (
        AnonymousExecuteRequest,
        CheckRequest,
        CloneRetrieverRequest,
        CreateRetrieverRequest,
        ExecuteBatchRequest,
        ExecuteRetrieverRequest,
        ExplainRetrieverRequest,
        ListRetrieversRequest,
        PatchRetrieverRequest,
        RolloutRequest,
        TuneRequest,
    )
    from tamis.client.served.types_retrievers_answers import (
        CheckResponse,
        CloneRetrieverResponse,
        CreateRetrieverResponse,
        DroppedCache,
        ExplainRetrieverResponse,
        InteractionTuningResponse,
        LearntFusionsResponse,
        ListRetrieversResponse,
        PatchRetrieverResponse,
        PriceList,
        RetrieverModel,
        RetrieverVersionsResponse,
        RolloutEnd,
        RolloutModel,
        RolloutStanding,
        ShadowRunModel,
        StreamEvent,
        TuningListResponse,
        TuningResponse,
    )
    from tamis.client.served.types_shared import GenericDeleteResponse


class Retrievers(Noun):
    def analyze_for_tuning(
        self, retriever_id: str, *, days: int | None = None, idempotency_key: str | None = None
    ) -> InteractionTuningResponse:
        """What interactions of the last days say about weights and depths; nothing below twenty liked documents."""
        return self._ask(
            Call(
                "POST",
                f"/analytics/retrievers/{part(retriever_id)}/analyze-tuning",
                query={"days": days},
                key=idempotency_key or "",
            )
        )

    def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateRetrieverRequest]
    ) -> CreateRetrieverResponse:
        """Save a pipeline, checked as it would be before a run."""
        return self._ask(Call("POST", "/retrievers", body=body, key=idempotency_key or ""))

    def execute_anonymous(
        self, *, idempotency_key: str | None = None, **body: Unpack[AnonymousExecuteRequest]
    ) -> Execution:
        """Run a pipeline sent whole. It is not stored; its record is."""
        return Execution(
            self._ask(Call("POST", "/retrievers/execute", body={**body, "stream": False}, key=idempotency_key or ""))
        )

    def stream_anonymous(self, **body: Unpack[AnonymousExecuteRequest]) -> Generator[StreamEvent, None, None]:
        """As `execute_anonymous`, event by event as it happens; closing it cancels the work."""
        return self._events(Call("POST", "/retrievers/execute", body={**body, "stream": True}))

    def explain_anonymous(self, **body: Unpack[AnonymousExecuteRequest]) -> ExplainRetrieverResponse:
        """Plan a pipeline that is sent whole, as executing it would; nothing runs and no record is left."""
        return self._ask(Call("POST", "/retrievers/execute/explain", body=body, is_reading=True))

    def list(self, **body: Unpack[ListRetrieversRequest]) -> ListRetrieversResponse:
        """The namespace's retrievers, newest first where no order is asked for."""
        return self._ask(Call("POST", "/retrievers/list", body=body, is_reading=True))

    def list_prices(self) -> PriceList:
        """What each stage costs here. Open to all: it holds nobody's data."""
        return self._ask(Call("GET", "/retrievers/prices"))

    def delete(self, retriever_id: str) -> GenericDeleteResponse:
        """Delete a retriever; its executions' records stay."""
        return self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}"))

    def get(self, retriever_id: str) -> RetrieverModel:
        """A retriever by id or name."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}"))

    def patch(self, retriever_id: str, **body: Unpack[PatchRetrieverRequest]) -> PatchRetrieverResponse:
        """Change what is sent; a change to what is run makes the next version."""
        return self._ask(Call("PATCH", f"/retrievers/{part(retriever_id)}", body=body))

    def drop_cache(self, retriever_id: str) -> DroppedCache:
        """Let no answer that was kept for this retriever be given again. A write of documents needs no such call."""
        return self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}/cache"))

    def check(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[CheckRequest]
    ) -> CheckResponse:
        """Ask two versions what was last asked, on today's data and without effects, and say what became worse."""
        return self._ask(Call("POST", f"/retrievers/{part(retriever_id)}/check", body=body, key=idempotency_key or ""))

    def clone(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[CloneRetrieverRequest]
    ) -> CloneRetrieverResponse:
        """Copy a retriever under a new name; what is sent stands over the source's."""
        return self._ask(Call("POST", f"/retrievers/{part(retriever_id)}/clone", body=body, key=idempotency_key or ""))

    def execute(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[ExecuteRetrieverRequest]
    ) -> Execution:
        """Run a saved retriever."""
        return Execution(
            self._ask(
                Call(
                    "POST",
                    f"/retrievers/{part(retriever_id)}/execute",
                    body={**body, "stream": False},
                    key=idempotency_key or "",
                )
            )
        )

    def stream(self, retriever_id: str, **body: Unpack[ExecuteRetrieverRequest]) -> Generator[StreamEvent, None, None]:
        """As `execute`, event by event as it happens; closing it cancels the work."""
        return self._events(Call("POST", f"/retrievers/{part(retriever_id)}/execute", body={**body, "stream": True}))

    def execute_batch(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[ExecuteBatchRequest]
    ) -> Any:
        """Run a saved retriever for each of the queries; each is an execution with a record, and fails alone."""
        return self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/execute/batch", body=body, key=idempotency_key or "")
        )

    def explain(self, retriever_id: str, **body: Unpack[ExplainRetrieverRequest]) -> ExplainRetrieverResponse:
        """Plan a saved retriever, as executing it would; nothing runs and no record is left."""
        return self._ask(Call("POST", f"/retrievers/{part(retriever_id)}/execute/explain", body=body, is_reading=True))

    def forget_learned_fusion(self, retriever_id: str) -> GenericDeleteResponse:
        """Begin anew with the weights as written; interactions stay, and teach nothing again."""
        return self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}/learned-fusion"))

    def show_learned_fusion(
        self, retriever_id: str, *, user_id: str | None = None, segment: str | None = None
    ) -> LearntFusionsResponse:
        """What interactions taught the fusions that learn, as it counts today."""
        return self._ask(
            Call(
                "GET",
                f"/retrievers/{part(retriever_id)}/learned-fusion",
                query={"user_id": user_id, "segment": segment},
            )
        )

    def get_rollout(self, retriever_id: str, *, dataset: str | None = None) -> RolloutStanding:
        """How both versions compare on what was asked of them so far."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/rollout", query={"dataset": dataset}))

    def start_rollout(self, retriever_id: str, **body: Unpack[RolloutRequest]) -> RolloutModel:
        """Begin a roll-out, or change its shares and bounds. Until it ends the baseline answers the rest, and a
        change to the retriever is live for nobody.
        """
        return self._ask(Call("PUT", f"/retrievers/{part(retriever_id)}/rollout", body=body))

    def promote_rollout(self, retriever_id: str, *, idempotency_key: str | None = None) -> RolloutEnd:
        """End it with the candidate: it answers everything from now on."""
        return self._ask(Call("POST", f"/retrievers/{part(retriever_id)}/rollout/promote", key=idempotency_key or ""))

    def roll_back_rollout(self, retriever_id: str, *, idempotency_key: str | None = None) -> RolloutEnd:
        """End it with the baseline: where that is not the newest version, it becomes it."""
        return self._ask(Call("POST", f"/retrievers/{part(retriever_id)}/rollout/roll-back", key=idempotency_key or ""))

    def list_shadow_runs(self, retriever_id: str, *, limit: int | None = None) -> Sequence[ShadowRunModel]:
        """Executions with what the candidate answered, those that both agree on least first."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/rollout/runs", query={"limit": limit}))

    def tune(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[TuneRequest]
    ) -> TuningResponse:
        """Try other fusions, weights, passages, fields, depths and reranking by a data set, within time and
        credits.
        """
        return self._ask(Call("POST", f"/retrievers/{part(retriever_id)}/tune", body=body, key=idempotency_key or ""))

    def list_tunings(self, retriever_id: str) -> TuningListResponse:
        """Newest first."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/tunings"))

    def get_tuning(self, retriever_id: str, task_id: str) -> TuningResponse:
        """How far it is, and what it came to."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/tunings/{part(task_id)}"))

    def list_versions(self, retriever_id: str) -> RetrieverVersionsResponse:
        """What it runs and what it ran before, newest first."""
        return self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/versions"))


class AsyncRetrievers(AsyncNoun):
    async def analyze_for_tuning(
        self, retriever_id: str, *, days: int | None = None, idempotency_key: str | None = None
    ) -> InteractionTuningResponse:
        """What interactions of the last days say about weights and depths; nothing below twenty liked documents."""
        return await self._ask(
            Call(
                "POST",
                f"/analytics/retrievers/{part(retriever_id)}/analyze-tuning",
                query={"days": days},
                key=idempotency_key or "",
            )
        )

    async def create(
        self, *, idempotency_key: str | None = None, **body: Unpack[CreateRetrieverRequest]
    ) -> CreateRetrieverResponse:
        """Save a pipeline, checked as it would be before a run."""
        return await self._ask(Call("POST", "/retrievers", body=body, key=idempotency_key or ""))

    async def execute_anonymous(
        self, *, idempotency_key: str | None = None, **body: Unpack[AnonymousExecuteRequest]
    ) -> Execution:
        """Run a pipeline sent whole. It is not stored; its record is."""
        return Execution(
            await self._ask(
                Call("POST", "/retrievers/execute", body={**body, "stream": False}, key=idempotency_key or "")
            )
        )

    def stream_anonymous(self, **body: Unpack[AnonymousExecuteRequest]) -> AsyncGenerator[StreamEvent, None]:
        """As `execute_anonymous`, event by event as it happens; closing it cancels the work."""
        return self._events(Call("POST", "/retrievers/execute", body={**body, "stream": True}))

    async def explain_anonymous(self, **body: Unpack[AnonymousExecuteRequest]) -> ExplainRetrieverResponse:
        """Plan a pipeline that is sent whole, as executing it would; nothing runs and no record is left."""
        return await self._ask(Call("POST", "/retrievers/execute/explain", body=body, is_reading=True))

    async def list(self, **body: Unpack[ListRetrieversRequest]) -> ListRetrieversResponse:
        """The namespace's retrievers, newest first where no order is asked for."""
        return await self._ask(Call("POST", "/retrievers/list", body=body, is_reading=True))

    async def list_prices(self) -> PriceList:
        """What each stage costs here. Open to all: it holds nobody's data."""
        return await self._ask(Call("GET", "/retrievers/prices"))

    async def delete(self, retriever_id: str) -> GenericDeleteResponse:
        """Delete a retriever; its executions' records stay."""
        return await self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}"))

    async def get(self, retriever_id: str) -> RetrieverModel:
        """A retriever by id or name."""
        return await self._ask(Call("GET", f"/retrievers/{part(retriever_id)}"))

    async def patch(self, retriever_id: str, **body: Unpack[PatchRetrieverRequest]) -> PatchRetrieverResponse:
        """Change what is sent; a change to what is run makes the next version."""
        return await self._ask(Call("PATCH", f"/retrievers/{part(retriever_id)}", body=body))

    async def drop_cache(self, retriever_id: str) -> DroppedCache:
        """Let no answer that was kept for this retriever be given again. A write of documents needs no such call."""
        return await self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}/cache"))

    async def check(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[CheckRequest]
    ) -> CheckResponse:
        """Ask two versions what was last asked, on today's data and without effects, and say what became worse."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/check", body=body, key=idempotency_key or "")
        )

    async def clone(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[CloneRetrieverRequest]
    ) -> CloneRetrieverResponse:
        """Copy a retriever under a new name; what is sent stands over the source's."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/clone", body=body, key=idempotency_key or "")
        )

    async def execute(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[ExecuteRetrieverRequest]
    ) -> Execution:
        """Run a saved retriever."""
        return Execution(
            await self._ask(
                Call(
                    "POST",
                    f"/retrievers/{part(retriever_id)}/execute",
                    body={**body, "stream": False},
                    key=idempotency_key or "",
                )
            )
        )

    def stream(self, retriever_id: str, **body: Unpack[ExecuteRetrieverRequest]) -> AsyncGenerator[StreamEvent, None]:
        """As `execute`, event by event as it happens; closing it cancels the work."""
        return self._events(Call("POST", f"/retrievers/{part(retriever_id)}/execute", body={**body, "stream": True}))

    async def execute_batch(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[ExecuteBatchRequest]
    ) -> Any:
        """Run a saved retriever for each of the queries; each is an execution with a record, and fails alone."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/execute/batch", body=body, key=idempotency_key or "")
        )

    async def explain(self, retriever_id: str, **body: Unpack[ExplainRetrieverRequest]) -> ExplainRetrieverResponse:
        """Plan a saved retriever, as executing it would; nothing runs and no record is left."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/execute/explain", body=body, is_reading=True)
        )

    async def forget_learned_fusion(self, retriever_id: str) -> GenericDeleteResponse:
        """Begin anew with the weights as written; interactions stay, and teach nothing again."""
        return await self._ask(Call("DELETE", f"/retrievers/{part(retriever_id)}/learned-fusion"))

    async def show_learned_fusion(
        self, retriever_id: str, *, user_id: str | None = None, segment: str | None = None
    ) -> LearntFusionsResponse:
        """What interactions taught the fusions that learn, as it counts today."""
        return await self._ask(
            Call(
                "GET",
                f"/retrievers/{part(retriever_id)}/learned-fusion",
                query={"user_id": user_id, "segment": segment},
            )
        )

    async def get_rollout(self, retriever_id: str, *, dataset: str | None = None) -> RolloutStanding:
        """How both versions compare on what was asked of them so far."""
        return await self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/rollout", query={"dataset": dataset}))

    async def start_rollout(self, retriever_id: str, **body: Unpack[RolloutRequest]) -> RolloutModel:
        """Begin a roll-out, or change its shares and bounds. Until it ends the baseline answers the rest, and a
        change to the retriever is live for nobody.
        """
        return await self._ask(Call("PUT", f"/retrievers/{part(retriever_id)}/rollout", body=body))

    async def promote_rollout(self, retriever_id: str, *, idempotency_key: str | None = None) -> RolloutEnd:
        """End it with the candidate: it answers everything from now on."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/rollout/promote", key=idempotency_key or "")
        )

    async def roll_back_rollout(self, retriever_id: str, *, idempotency_key: str | None = None) -> RolloutEnd:
        """End it with the baseline: where that is not the newest version, it becomes it."""
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/rollout/roll-back", key=idempotency_key or "")
        )

    async def list_shadow_runs(self, retriever_id: str, *, limit: int | None = None) -> Sequence[ShadowRunModel]:
        """Executions with what the candidate answered, those that both agree on least first."""
        return await self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/rollout/runs", query={"limit": limit}))

    async def tune(
        self, retriever_id: str, *, idempotency_key: str | None = None, **body: Unpack[TuneRequest]
    ) -> TuningResponse:
        """Try other fusions, weights, passages, fields, depths and reranking by a data set, within time and
        credits.
        """
        return await self._ask(
            Call("POST", f"/retrievers/{part(retriever_id)}/tune", body=body, key=idempotency_key or "")
        )

    async def list_tunings(self, retriever_id: str) -> TuningListResponse:
        """Newest first."""
        return await self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/tunings"))

    async def get_tuning(self, retriever_id: str, task_id: str) -> TuningResponse:
        """How far it is, and what it came to."""
        return await self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/tunings/{part(task_id)}"))

    async def list_versions(self, retriever_id: str) -> RetrieverVersionsResponse:
        """What it runs and what it ran before, newest first."""
        return await self._ask(Call("GET", f"/retrievers/{part(retriever_id)}/versions"))
