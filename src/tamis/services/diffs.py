"""Two executions set side by side."""

from dataclasses import dataclass

from tamis.engine.ports.metadata import Metadata
from tamis.executions.codec import decode
from tamis.executions.diff import RecordDiff, compare
from tamis.model.execution import StoredExecution
from tamis.model.principal import Principal
from tamis.services.execution_records import ExecutionRecords


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
