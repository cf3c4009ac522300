"""Databases that the operator registered for lookups, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tamis.model.json import JSON
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class Lookup:
    """connection: as the operator calls it.  query: one SELECT.  parameters: bound by name (`:name`), never pasted.

    max_rows, timeout_s: within the connection's own.
    """

    connection: str
    query: str
    parameters: Mapping[str, JSON]
    max_rows: int
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Rows:
    """rows: plain JSON, by column name.  truncated: there were more than `max_rows`."""

    rows: Sequence[Mapping[str, JSON]]
    truncated: bool = False


class Databases(Protocol):
    async def look_up(self, principal: Principal, lookup: Lookup) -> Rows:
        """In a read-only transaction.

        Raises: ValidationError (no such connection, names those of this namespace), OutsideRefusedError (not a read),
        LookupTimeoutError, OutsideError (no answer, an error, more bytes than the connection allows).
        """
        ...
