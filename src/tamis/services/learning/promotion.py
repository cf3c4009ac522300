"""What an execution may become: a saved retriever, or a query of an evaluation data set with its pool to judge."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tamis.engine.planning.definition import from_json
from tamis.engine.ports.clock import Clock
from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import ConflictError
from tamis.executions.codec import decode
from tamis.executions.record import Record
from tamis.model.dataset import Dataset, GroundTruth, Pooled
from tamis.model.execution import ExecutionStatus
from tamis.model.ids import new_id
from tamis.model.json import JSON
from tamis.model.principal import Principal
from tamis.model.retriever import Retriever
from tamis.services.learning.datasets import names_of
from tamis.services.naming import check_name
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.large_values import LargeValues
from tamis.services.runs.retrievers import RetrieverDraft, RetrieverService
from tamis.services.runs.series import final_ranking

_NAME_LOC = ("body", "dataset_name")


@dataclass(frozen=True, slots=True)
class Promoted:
    """created: whether the data set was made by this.  query: as it stands in it now."""

    dataset: Dataset
    query: GroundTruth
    created: bool


class PromotionService:
    def __init__(
        self, metadata: Metadata, records: ExecutionRecords, retrievers: RetrieverService, clock: Clock
    ) -> None:
        self._metadata = metadata
        self._records = records
        self._retrievers = retrievers
        self._clock = clock

    async def to_retriever(
        self,
        principal: Principal,
        execution_id: str,
        name: str,
        description: str | None = None,
        tags: tuple[str, ...] = (),
        retriever: str | None = None,
    ) -> Retriever:
        """Save the frozen definition as it ran: stages, collections, input schema, budget.

        Raises: NotFoundError (a collection that is gone, too), AlreadyExistsError, ConflictError, ValidationError.
        """
        record = await self._record(principal, execution_id, retriever)
        whole = await self._metadata.read(
            lambda session: LargeValues(session, principal).restored(dict(record.definition))
        )
        definition = from_json(whole)
        draft = RetrieverDraft(
            name=name,
            stages=definition.stages,
            input_schema=definition.input_schema,
            collections=definition.collection_ids,
            budget=definition.budget,
            cache_config=definition.cache_config,
            description=description,
            tags=tags,
        )
        return await self._retrievers.create(principal, draft)

    async def to_dataset(
        self, principal: Principal, execution_id: str, name: str, retriever: str | None = None
    ) -> Promoted:
        """Put the execution's inputs into the data set as a query, its documents into that query's pool.

        The data set is made where there is none of this name. The same inputs are the same query, so that a second
        time adds nothing, and another execution of the same inputs adds what it found besides.
        Raises: NotFoundError, ValidationError (the name), ConflictError where the record was kept without inputs.
        """
        check_name(name, _NAME_LOC)
        record = await self._record(principal, execution_id, retriever)
        if "inputs" in record.left_out:
            raise ConflictError("this record was kept without its inputs: there is no query to promote")
        return await self._metadata.write(lambda session: self._store(session, principal, record, name))

    async def _record(self, principal: Principal, execution_id: str, retriever: str | None) -> Record:
        stored = await self._records.find(principal, execution_id, retriever)
        if stored.header.status is ExecutionStatus.PROCESSING:
            raise ConflictError("the execution is still running; promote it when it has ended")
        return decode(stored)

    def _store(self, session: Session, principal: Principal, record: Record, name: str) -> Promoted:
        inputs: Mapping[str, JSON] = LargeValues(session, principal).restored(dict(record.inputs))
        query = GroundTruth(f"query_{(record.header.inputs_hash or '')[:16]}", inputs)
        now = self._clock.now()
        held = session.datasets.get(principal, name)
        before = held or Dataset(new_id("dset"), name, now, now)
        ids = [hit.id for hit in final_ranking(record) if hit.is_document]
        names = dict.fromkeys(names_of(session, principal, ids, before.document_field).values())
        pool = [Pooled(name, rank, record.header.execution_id) for rank, name in enumerate(names, start=1)]
        after = before.with_pool(query, pool)
        if held is None:
            after = session.datasets.insert(principal, after)
        elif after != before:
            after = session.datasets.replace(principal, replace(after, updated_at=now))
        return Promoted(after, after.asking(inputs) or query, held is None)
