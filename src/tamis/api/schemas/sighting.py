"""A document's executions on the wire; the contract has nothing of the kind."""

from datetime import datetime

from pydantic import BaseModel, Field

from tamis.services.records.sightings import Seen, Sightings


class DocumentExecution(BaseModel):
    """One execution that saw the document."""

    execution_id: str
    retriever_id: str | None = Field(description="Whose execution it is; null for an anonymous one.")
    status: str
    timestamp: datetime
    query_summary: str | None
    rank: int | None = Field(description="Its place in what the last stage let through, from 1; null if it stopped.")
    stopped_at: str | None = Field(description="Else the stage that did not let it through, by name.")


class DocumentExecutionsResponse(BaseModel):
    executions: list[DocumentExecution] = Field(description="Newest first.")
    looked_at: int = Field(description="How many records were looked through for this answer.")
    next_cursor: str | None = Field(description="Where to look on, as `after`; null where every record was read.")


def sightings_model(found: Sightings) -> DocumentExecutionsResponse:
    return DocumentExecutionsResponse(
        executions=[_execution(one) for one in found.items],
        looked_at=found.looked_at,
        next_cursor=found.more.text if found.more else None,
    )


def _execution(one: Seen) -> DocumentExecution:
    header, sighting = one.header, one.sighting
    return DocumentExecution(
        execution_id=header.execution_id,
        retriever_id=header.retriever_id,
        status=header.status.value,
        timestamp=header.started_at,
        query_summary=header.query_summary,
        rank=sighting.rank,
        stopped_at=sighting.stage,
    )
