"""An execution as a sieve: how much each stage let through, and what one of them kept, dropped, moved and rescored."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tamis.engine.planning.definition import from_json
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import NotFoundError
from tamis.executions.opening import OpenedRecord
from tamis.executions.record import Record
from tamis.executions.sieve import Group, Sifted, StageFlow, flows, sieve_at
from tamis.model.document import Document
from tamis.model.execution import ExecutionHeader, StoredExecution
from tamis.model.json import JSON
from tamis.model.page import Page
from tamis.model.principal import Principal
from tamis.model.retriever import Definition
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.large_values import LargeValues
from tamis.services.records.past_run import documents_of


@dataclass(frozen=True, slots=True)
class StageView:
    """place: in the record's stages.  group, page, page_size: which documents."""

    place: int
    group: Group = Group.RETURNED
    offset: int = 0
    limit: int = 10


@dataclass(frozen=True, slots=True)
class SiftedPage:
    """documents: of the page, as the run saw them where that is known, else as they are now; absent where gone.

    sizes: of every group.
    """

    view: StageView
    page: Page[Sifted]
    sizes: Mapping[Group, int]
    documents: Mapping[str, Document] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExecutionSieve:
    """record: without its hits.  flows: of the stages that began.  retriever_name: as it is called today.

    collections: names and today's revisions of those that ran, by id, as far as they are still there.
    stage: the one that was asked for, None where the run has none.
    """

    record: Record
    inputs: str
    flows: list[StageFlow]
    retriever_name: str | None
    collections: Mapping[str, tuple[str, int]]
    stage: SiftedPage | None


@dataclass(frozen=True, slots=True)
class PastRequest:
    """What an execution was asked, with its large values in place."""

    header: ExecutionHeader
    definition: Definition
    inputs: Mapping[str, JSON]


class SieveService:
    def __init__(self, metadata: Metadata, records: ExecutionRecords) -> None:
        self._metadata = metadata
        self._records = records

    async def sieve(self, principal: Principal, execution_id: str, view: StageView | None = None) -> ExecutionSieve:
        """view: None shows the last stage that began. Raises: NotFoundError, also for a stage that did not begin."""
        stored = await self._records.find_any(principal, execution_id)
        return await self._metadata.read(lambda session: _sieve(session, principal, stored, view))

    async def request(self, principal: Principal, execution_id: str) -> PastRequest:
        """To run it again, changed or not. Raises: NotFoundError."""
        stored = await self._records.find_any(principal, execution_id)

        def read(session: Session) -> PastRequest:
            record, large = OpenedRecord(stored).record, LargeValues(session, principal)
            definition = from_json(large.restored(dict(record.definition)))
            return PastRequest(stored.header, definition, large.restored(dict(record.inputs)))

        return await self._metadata.read(read)


def _sieve(session: Session, principal: Principal, stored: StoredExecution, view: StageView | None) -> ExecutionSieve:
    opened = OpenedRecord(stored)
    record, header = opened.record, stored.header
    retriever = session.retrievers.get(principal, header.retriever_id) if header.retriever_id else None
    found = [session.collections.get(principal, one.collection_id) for one in record.collections]
    return ExecutionSieve(
        record=record,
        inputs=stored.inputs,
        flows=flows(opened),
        retriever_name=retriever.name if retriever else None,
        collections={one.collection_id: (one.name, one.revision) for one in found if one is not None},
        stage=_stage(session, principal, opened, view),
    )


def _stage(session: Session, principal: Principal, opened: OpenedRecord, view: StageView | None) -> SiftedPage | None:
    count = len(opened.record.stages)
    if view is None and count == 0:
        return None
    view = view or StageView(count - 1)
    if not 0 <= view.place < count:
        raise NotFoundError(f"stage {view.place} did not begin in this execution; {count} did")
    groups = sieve_at(opened, view.place).groups
    every = groups[view.group]
    shown = every[view.offset : view.offset + view.limit]
    ids = [one.hit.id for one in shown if one.hit.is_document]
    return SiftedPage(
        view=view,
        page=Page(shown, len(every), view.limit, view.offset),
        sizes={group: len(sifted) for group, sifted in groups.items()},
        documents=_documents(session, principal, opened.record, ids),
    )


def _documents(session: Session, principal: Principal, record: Record, ids: list[str]) -> Mapping[str, Document]:
    # An imported record brings its documents along; none of this server's may be shown in their place.
    return {} if record.imported else documents_of(session, principal, record, ids)


def imported_fields(record: Record, document_id: str) -> Mapping[str, JSON]:
    """What an imported record brought along of a document's fields."""
    found = record.imported.documents.get(document_id) if record.imported else None
    content = found.get("content") if isinstance(found, dict) else None
    fields = content.get("fields") if isinstance(content, dict) else None
    return fields if isinstance(fields, dict) else {}
