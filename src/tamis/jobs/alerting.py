"""The walk that executes an alert: its retriever is asked for each document, and what it finds is told once."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import CreditsSpentError, ForbiddenError, TamisError, TooManyRequestsError
from tamis.jobs.walking import Change, Step
from tamis.model.alert import Alert, AlertExecution, AlertMatch
from tamis.model.batch import TaskStatus
from tamis.model.collection import Collection
from tamis.model.document import Document
from tamis.model.hits import Hit
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.vector import Vector
from tamis.model.walk import Walk
from tamis.services.data.alert_applications import inputs_of, needs_vectors
from tamis.services.data.alerts import find_alert
from tamis.services.runs.execution_runs import RunOptions
from tamis.services.runs.executions import ExecutionService
from tamis.services.runs.result_pages import PageMethod, PageRequest
from tamis.services.runs.retrievers import find_retriever

KEPT = 10_000
"""Executions of one alert, the newest."""
_MATCHES = 10
_AT_ONCE = 4
_ATTEMPTS = 5
_UNAVAILABLE = 503
_SPENT = "spent_millicredits"


@dataclass(frozen=True, slots=True)
class _Case:
    """What every document of a walk is asked with. cause: as `AlertExecution` has it."""

    principal: Principal
    alert: Alert
    mappings: Sequence[Mapping[str, Any]]
    cause: str


class AlertWalker:
    """What an alert came to, and the events that tell of it, are stored with the way that the walk took: a chunk that
    is done twice is told of once.
    """

    def __init__(self, metadata: Metadata, executions: ExecutionService, clock: Clock) -> None:
        self._metadata = metadata
        self._executions = executions
        self._clock = clock

    async def begin(self, principal: Principal, walk: Walk, collection: Collection) -> Step:
        """Raises: NotFoundError where the alert or its retriever is gone."""

        def find(session: Session) -> Alert:
            alert = find_alert(session, principal, str(walk.parameters["alert_id"]))
            find_retriever(session, principal, alert.retriever_id)
            return alert

        alert = await self._metadata.read(find)
        mappings: Any = walk.parameters["input_mappings"]
        case = _Case(principal, alert, mappings, walk.batch_id or walk.task_id)
        left = _Allowance(alert.max_credits, walk.counts.get(_SPENT, 0) / 1000)

        async def step(documents: Sequence[Document]) -> Change:
            return await self._chunk(case, documents, left)

        return step

    def end(self, session: Session, principal: Principal, walk: Walk, status: TaskStatus, reason: str | None) -> None:
        alert = session.alerts.get(principal, str(walk.parameters["alert_id"]))
        if alert is not None:
            told: dict[str, JSON] = {
                "task_id": walk.task_id, "collection_id": walk.collection_id, "batch_id": walk.batch_id,
                "status": status.value, **walk.counts,
            }  # fmt: skip
            session.alert_executions.ended(principal, alert, told, reason)

    async def _chunk(self, case: _Case, documents: Sequence[Document], left: "_Allowance") -> Change:
        ids = [one.document_id for one in documents]

        def read(session: Session) -> tuple[frozenset[str], Mapping[str, Mapping[str, Vector]]]:
            done = session.alert_executions.done(case.principal, case.alert.alert_id, case.cause, ids)
            vectors = session.documents.vectors(case.principal, ids) if needs_vectors(case.mappings) else {}
            return done, vectors

        done, vectors = await self._metadata.read(read)
        waiting = [one for one in documents if one.document_id not in done]
        # With a budget, one at a time: what the ones beside it will cost nobody knows.
        room = asyncio.Semaphore(_AT_ONCE if case.alert.max_credits is None else 1)

        async def ask(document: Document) -> AlertExecution | None:
            async with room:
                if left.is_spent:
                    return None
                found = await self._execute(case, document, vectors.get(document.document_id, {}))
                left.spent += found.credits_used
                return found

        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(ask(one)) for one in waiting]
        return self._change(case, [one.result() for one in asked])

    def _change(self, case: _Case, asked: Sequence[AlertExecution | None]) -> Change:
        executions = [one for one in asked if one is not None]
        counts = Counter(
            triggered_documents=sum(one.triggered for one in executions),
            failed_documents=sum(one.error is not None for one in executions),
            over_budget_documents=len(asked) - len(executions),
        )
        counts[_SPENT] = round(sum(one.credits_used for one in executions) * 1000)

        def also(session: Session) -> None:
            session.alert_executions.put(case.principal, case.alert, executions)
            session.alert_executions.trim(case.principal, case.alert.alert_id, KEPT)

        return Change((), counts, also)

    async def _execute(self, case: _Case, document: Document, vectors: Mapping[str, Vector]) -> AlertExecution:
        started_ms = self._clock.monotonic_ms()
        inputs = inputs_of(case.mappings, document, vectors)
        found: dict[str, Any] = {"error": inputs} if isinstance(inputs, str) else await self._ask(case, inputs)
        took_ms = self._clock.monotonic_ms() - started_ms
        return AlertExecution(
            case.alert.alert_id, case.cause, document.document_id, document.collection_id, self._clock.now(), took_ms,
            **found,
        )  # fmt: skip

    async def _ask(self, case: _Case, inputs: Mapping[str, JSON]) -> dict[str, Any]:
        """Fields of `AlertExecution`. Raises: what is no fault of this document's."""
        options = RunOptions(inputs=inputs, page=PageRequest(PageMethod.OFFSET, _MATCHES))
        for attempt in range(_ATTEMPTS):
            try:
                executed = await self._executions.execute_saved(case.principal, case.alert.retriever_id, options)
            except (CreditsSpentError, ForbiddenError):
                raise
            except TooManyRequestsError as error:
                if attempt == _ATTEMPTS - 1:
                    raise
                await asyncio.sleep(error.retry_after_s)
            except TamisError as error:
                if error.status == _UNAVAILABLE:
                    raise
                return {"error": error.message, **await self._spent(case, error.details.get("execution_id"))}
            else:
                total = executed.pagination["total"]
                return {
                    "execution_id": executed.execution_id,
                    "match_count": total if isinstance(total, int) else len(executed.documents),
                    "matches": tuple(_match(hit) for hit in executed.documents),
                    "credits_used": executed.credits_used,
                }
        raise AssertionError("every attempt returns or raises")

    async def _spent(self, case: _Case, execution_id: Any) -> dict[str, Any]:
        """What an execution that failed is told by; its stages before the fault have cost what they cost."""
        if execution_id is None:
            return {}
        stored = await self._metadata.read(lambda session: session.executions.get(case.principal, execution_id))
        return {"execution_id": execution_id, "credits_used": stored.header.credits_used if stored else 0.0}


@dataclass(slots=True)
class _Allowance:
    """What a walk may spend, and has spent so far."""

    most: float | None
    spent: float

    @property
    def is_spent(self) -> bool:
        return self.most is not None and self.spent >= self.most


def _match(hit: Hit) -> AlertMatch:
    document = hit.document
    if document is None:
        return AlertMatch(hit.id, "", hit.score)
    return AlertMatch(hit.id, document.collection_id, hit.score, document.lineage.root_object_id)
