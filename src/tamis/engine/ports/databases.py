"""Databases that the operator registered for lookups, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tamis.model.json import JSON
from tamis.model.principal import Principal


@dataclass(frozen=True, slots=True)
class Lookup:
    """parameters: bound by name (`:name`), never pasted into the text."""

    connection: str
    query: str
    parameters: Mapping[str, JSON]
    max_rows: int = 100
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Rows:
    """rows: plain JSON, by column name.  truncated: there were more than `max_rows`."""

    rows: Sequence[Mapping[str, JSON]]
    truncated: bool = False


class Databases(Protocol):
    async def look_up(self, principal: Principal, lookup: Lookup) -> Rows:
        """In a read-only transaction. Raises: DatabaseRefusedError (not registered, not a read), DatabaseError."""
        ...
