"""The records of what ran, and of what runs: found, listed, read back."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tamis.engine.ports.executions import ExecutionQuery
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.executions.codec import decode
from tamis.executions.record import PAGINATION, Record, RecordedHit
from tamis.model.execution import ExecutionHeader, StoredExecution
from tamis.model.hits import Hit, Hits
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.runs.inflight import InFlight
from tamis.services.runs.retrievers import find_retriever
from tamis.services.runs.series import final_ranking


class _AnyRetriever(str):
    __slots__ = ()


ANY_RETRIEVER = _AnyRetriever("any")
"""For `ExecutionRecords.find`: compared by identity, so that no name that a caller sends is taken for it."""


@dataclass(frozen=True, slots=True)
class SavedExecution:
    """A saved retriever's execution, read back."""

    record: Record
    documents: Hits


class ExecutionRecords:
    """Reads records; a retriever named with a look-up is the one whose executions are meant, none the anonymous."""

    def __init__(self, metadata: Metadata, in_flight: InFlight) -> None:
        self._metadata = metadata
        self._in_flight = in_flight

    async def find(self, principal: Principal, execution_id: str, retriever: str | None = None) -> StoredExecution:
        """One that runs, or its record. retriever: id or name; None means an anonymous execution, ANY_RETRIEVER any.

        Raises: NotFoundError, also for one that is another retriever's.
        """
        if retriever is ANY_RETRIEVER:
            return await self.find_any(principal, execution_id)
        if retriever is None:
            return await self.get_anonymous(principal, execution_id)
        return await self._of_saved(principal, retriever, execution_id)

    async def find_any(self, principal: Principal, execution_id: str) -> StoredExecution:
        """Anonymous or of any saved retriever. Raises: NotFoundError."""
        found = self._in_flight.get(principal, execution_id) or await self._metadata.read_now(
            lambda session: session.executions.get(principal, execution_id)
        )
        if found is None or not principal.may_retriever(found.header.retriever_id or ""):
            raise NotFoundError.of("execution", execution_id)
        return found

    async def get_anonymous(self, principal: Principal, execution_id: str) -> StoredExecution:
        """One that runs, or its record. Raises: NotFoundError, for a saved retriever's run too."""
        found = await self.find_any(principal, execution_id)
        if found.header.retriever_id is not None:
            raise await self._elsewhere(principal, execution_id, found.header.retriever_id)
        return found

    async def _elsewhere(self, principal: Principal, execution_id: str, retriever_id: str) -> NotFoundError:
        """An error that names the saved retriever whose execution it is, where that is still there."""
        try:
            owner = await self._metadata.read(lambda session: find_retriever(session, principal, retriever_id))
        except NotFoundError:
            return NotFoundError.of("execution", execution_id)
        told = f"execution {execution_id!r} is not an anonymous one but one of retriever {owner.name!r}; name it, too"
        return NotFoundError(told, resource="execution", id=execution_id, retriever_id=retriever_id)

    async def get_saved(self, principal: Principal, retriever: str, execution_id: str) -> SavedExecution:
        """A saved retriever's execution with the documents that it returned, as they are now. Raises: NotFoundError."""
        record = decode(await self._of_saved(principal, retriever, execution_id))
        return SavedExecution(record, await self._returned(principal, record))

    async def _of_saved(self, principal: Principal, retriever: str, execution_id: str) -> StoredExecution:
        def read(session: Session) -> tuple[Retriever, StoredExecution | None]:
            return find_retriever(session, principal, retriever), session.executions.get(principal, execution_id)

        owner, stored = await self._metadata.read(read)
        found = self._in_flight.get(principal, execution_id) or stored
        if found is None or found.header.retriever_id != owner.retriever_id:
            raise NotFoundError.of("execution", execution_id)
        return found

    async def list_anonymous(
        self, principal: Principal, query: ExecutionQuery, count_only: bool = False
    ) -> Page[ExecutionHeader]:
        """Newest first; those that run now are among them."""
        return await self._list(principal, query, count_only)

    async def list_saved(
        self, principal: Principal, retriever: str, query: ExecutionQuery, count_only: bool = False
    ) -> Page[ExecutionHeader]:
        """As `list_anonymous`, of one saved retriever. Raises: NotFoundError."""
        owner = await self._metadata.read(lambda session: find_retriever(session, principal, retriever))
        return await self._list(principal, replace(query, retriever_id=owner.retriever_id), count_only)

    async def _list(self, principal: Principal, query: ExecutionQuery, count_only: bool) -> Page[ExecutionHeader]:
        running = [] if query.filter is not None else self._in_flight.matching(principal, query)
        if count_only:
            total = await self._metadata.read(lambda session: session.executions.count(principal, query))
            return Page([], total + len(running), query.limit, query.offset)
        return await self._page(principal, query, running)

    async def _page(
        self, principal: Principal, query: ExecutionQuery, running: list[ExecutionHeader]
    ) -> Page[ExecutionHeader]:
        """The window over what runs and what is stored, in the order of time."""
        ahead = [] if query.oldest_first else running[query.offset : query.offset + query.limit]
        before = 0 if query.oldest_first else len(running)
        rest = replace(query, offset=max(0, query.offset - before), limit=query.limit - len(ahead))
        page = await self._metadata.read(lambda session: session.executions.page(principal, rest))
        # One that ended between the two readings is in both.
        known = {header.execution_id for header in running}
        stored = [header for header in page.items if header.execution_id not in known]
        total = page.total + len(running) - (len(page.items) - len(stored))
        behind = [*reversed(running)][max(0, query.offset - page.total) :] if query.oldest_first else []
        items = [*ahead, *stored, *behind][: query.limit]
        return Page(items, total, query.limit, query.offset)

    async def _returned(self, principal: Principal, record: Record) -> Hits:
        """The documents that the answer showed; what has been deleted since is left out."""
        shown = shown_hits(record)
        ids = [hit.id for hit in shown if hit.is_document]
        found = await self._metadata.read(lambda session: session.documents.get_many(principal, ids))
        return Hits.of(
            Hit(hit.id, hit.score, found.get(hit.id), hit.scores, hit.extra)
            for hit in shown
            if hit.id in found or not hit.is_document
        )


def shown_hits(record: Record) -> tuple[RecordedHit, ...]:
    """Of its last ranking, the page that the answer showed."""
    first = shown_from(record)
    return final_ranking(record)[first : first + record.header.total_returned]


def shown_from(record: Record) -> int:
    """The place of that page in it, from 0."""
    start = shown_pagination(record).get("start")
    return start if isinstance(start, int) else 0


def shown_pagination(record: Record) -> Mapping[str, JSON]:
    """What the answer said about its pages."""
    for stage in reversed(record.stages):
        pagination = stage.metadata.get(PAGINATION)
        if isinstance(pagination, dict):
            return pagination
    return {}
