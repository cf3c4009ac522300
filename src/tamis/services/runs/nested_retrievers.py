"""Saved retrievers that a stage of another pipeline runs: within the stage, its budget and its record."""

import math
from dataclasses import replace

from tamis.engine.events import StageFinished
from tamis.engine.planning.inputs import check_inputs
from tamis.engine.planning.plan import Plan, Planner
from tamis.engine.ports.metadata import Metadata, Session
from tamis.engine.ports.retrieving import Retrieve, Retrieved
from tamis.engine.run import RunRequest, RunResult
from tamis.engine.running.executor import Executor
from tamis.engine.spending.allowance import Allowance
from tamis.engine.tape import untaped
from tamis.errors import AllowanceSpentError, ValidationError
from tamis.model.collection import Collection
from tamis.model.hits import Hit
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Budget, Retriever
from tamis.services.runs.retrievers import find_collections, find_retriever


class NestedRetrievers:
    """The engine's `Retrievers`. A run is no execution of its own: the stage that asked keeps its answer."""

    def __init__(self, metadata: Metadata, planner: Planner, executor: Executor) -> None:
        """executor: over an environment without retrievers, so that no run starts another."""
        self._metadata = metadata
        self._planner = planner
        environment = executor.environment
        inner = replace(environment, reach=replace(environment.reach, retrievers=_NoneWithin()))
        self._executor = Executor(inner, executor.prices, executor.experience)

    async def retrieve(self, principal: Principal, asked: Retrieve, allowance: Allowance) -> Retrieved:
        if allowance.left <= 0:
            raise AllowanceSpentError

        def find(session: Session) -> tuple[Retriever, tuple[Collection, ...]]:
            retriever = find_retriever(session, principal.unscoped(), asked.retriever)
            definition = retriever.definition
            return retriever, find_collections(session, principal, definition.collection_ids, definition.stages)

        retriever, collections = await self._metadata.read_now(find)
        inputs = check_inputs(retriever.definition.input_schema, asked.inputs)
        plan = self._planner.plan(retriever.definition, collections, inputs)
        request = RunRequest(
            principal,
            new_id("exec"),
            inputs,
            collections,
            budget=_within(plan, allowance),
            tapes=untaped,
            mode="nested",
            retriever_id=retriever.retriever_id,
        )
        result = await self._executor.run(plan, request)
        allowance.pay(result.credits_used)
        if result.error is not None:
            raise result.error
        return _retrieved(retriever, result, asked.limit)


class _NoneWithin:
    async def retrieve(self, principal: Principal, asked: Retrieve, allowance: Allowance) -> Retrieved:
        raise ValidationError.at(["retriever_id"], "a retriever that a stage runs does not run further retrievers")


def _within(plan: Plan, allowance: Allowance) -> Budget:
    """The retriever's own budget, and no more than the stage that runs it may spend."""
    own = plan.definition.budget
    left = min(allowance.left, math.inf if own.max_credits is None else own.max_credits)
    return Budget(None if math.isinf(left) else left, own.max_time_ms)


def _retrieved(retriever: Retriever, result: RunResult, limit: int) -> Retrieved:
    ends = [end for end in result.stages if isinstance(end, StageFinished)]
    return Retrieved(
        tuple(_shown(hit) for hit in result.hits[:limit]),
        sum(end.llm_calls or 0 for end in ends),
        sum(end.tokens_used or 0 for end in ends),
        tuple(f"retriever {retriever.name!r}: {warning}" for warning in result.warnings),
    )


def _shown(hit: Hit) -> dict[str, JSON]:
    document = hit.document
    known: dict[str, JSON] = {"document_id": hit.id, "score": hit.score}
    if document is not None:
        known["collection_id"] = document.collection_id
    return {**(document.fields if document else {}), **hit.extra, **known}
