"""Two executions set side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tamis.engine.ports.metadata import Metadata, Session
from tamis.executions.codec import decode
from tamis.executions.diff import RecordDiff, compare
from tamis.model.document import Document
from tamis.model.execution import StoredExecution
from tamis.model.principal import Principal
from tamis.services.records.execution_records import ExecutionRecords
from tamis.services.records.past_run import documents_of


class DiffService:
    def __init__(self, metadata: Metadata, records: ExecutionRecords) -> None:
        self._metadata = metadata
        self._records = records

    async def diff(
        self, principal: Principal, execution_id: str, other: str, retriever: str | None = None
    ) -> RecordDiff:
        """retriever: of the first one; the other may be any that the caller sees. Raises: NotFoundError."""
        a = await self._records.find(principal, execution_id, retriever)
        b = await self._records.find_any(principal, other)
        # Away from the event loop: a large record takes some tenths of a second to read.
        return await self._metadata.read(lambda session: compared(a, b))

    async def documents(self, principal: Principal, found: RecordDiff, ids: Sequence[str]) -> Mapping[str, Document]:
        """By id, as one of the two runs saw them where that is known, else as they are now; absent where gone."""

        def read(session: Session) -> Mapping[str, Document]:
            each = [
                documents_of(session, principal, record, ids) for record in (found.a, found.b) if not record.imported
            ]
            return {key: document for one in each for key, document in one.items()}

        return await self._metadata.read(read)


def compared(a: StoredExecution, b: StoredExecution) -> RecordDiff:
    """Raises: StorageError where one cannot be read."""
    found = compare(decode(a), decode(b))
    # Looked at here, so that it is worked out on the same thread.
    _ = found.grounds
    return found


@dataclass(frozen=True, slots=True)
class DiffView:
    """stage: a name, or a place in either pipeline from 0; None for every stage. The window is over each list."""

    stage: str | None = None
    offset: int = 0
    limit: int = 20
