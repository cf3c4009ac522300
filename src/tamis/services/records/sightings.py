"""From a document to the executions that saw it.

No index leads there: a row for each document of each record would cost its writing many times what a reader saves (see
docs/decisions/0046). The newest records are looked through instead, some microseconds each, and a page says how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from tamis.engine.ports.metadata import Metadata, Session
from tamis.errors import StorageError
from tamis.executions.sighting import Sighting, may_mention, sighting
from tamis.model.execution import ExecutionHeader, StoredExecution
from tamis.model.principal import Principal
from tamis.services.records.execution_overviews import Cursor, Wanted, newest, owners_of

MOST_LOOKED_AT = 10_000
_AT_ONCE = 500
"""Records to a reading, so that other readers and the event loop come in between."""


@dataclass(frozen=True, slots=True)
class Seen:
    header: ExecutionHeader
    sighting: Sighting


@dataclass(frozen=True, slots=True)
class Sightings:
    """items: newest first.  looked_at: how many records.  more: where to go on; None where every record was read."""

    items: Sequence[Seen]
    looked_at: int
    more: Cursor | None


class SightingService:
    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata

    async def find(self, principal: Principal, document_id: str, limit: int, after: Cursor | None = None) -> Sightings:
        """At most `limit`, of the next `MOST_LOOKED_AT` records. The document itself may be gone.

        Cost: some microseconds for a record, a tenth of a millisecond for one that saw the document.
        """
        items: list[Seen] = []
        looked_at = 0
        while looked_at < MOST_LOOKED_AT:
            look = partial(_look, principal=principal, document_id=document_id, after=after, limit=limit - len(items))
            read, seen = await self._metadata.read(look)
            items += seen
            looked_at += len(read)
            is_full = len(items) == limit
            if len(read) < _AT_ONCE and not is_full:
                return Sightings(items, looked_at, None)
            after = Cursor(read[-1].started_at, read[-1].execution_id)
            if is_full:
                break
        return Sightings(items, looked_at, after)


def _look(
    session: Session, principal: Principal, document_id: str, after: Cursor | None, limit: int
) -> tuple[list[ExecutionHeader], list[Seen]]:
    """The headers that were read, up to the last that was wanted, and those of them that saw the document."""
    owners = owners_of(session, principal, Wanted())
    headers = list(islice(newest(session, principal, Wanted(), owners, after), _AT_ONCE))
    bodies = session.executions.bodies(principal, [one.execution_id for one in headers])
    seen: list[Seen] = []
    for place, header in enumerate(headers):
        found = _sighted(header, bodies.get(header.execution_id), document_id)
        seen += [Seen(header, found)] if found else []
        if len(seen) == limit:
            return headers[: place + 1], seen
    return headers, seen


def _sighted(header: ExecutionHeader, body: bytes | None, document_id: str) -> Sighting | None:
    if body is None:  # deleted meanwhile
        return None
    stored = StoredExecution(header, "", body)
    try:
        return sighting(stored, document_id) if may_mention(stored, document_id) else None
    except StorageError:  # A damaged record is told on its own page, and hides no other.
        return None
