"""Connections that the operator registered, by name: who may use which, and within what."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from tamis.engine.outreach.sql_statement import Statement, read
from tamis.engine.ports.databases import Lookup, Rows
from tamis.errors import LookupTimeoutError, ValidationError
from tamis.model.principal import Principal

_GRACE_S = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one lookup. max_bytes: of all its rows as JSON."""

    max_rows: int = 1000
    max_bytes: int = 1 << 20
    timeout_s: float = 30.0


class Database(Protocol):
    """One registered database. statement: has passed `read`; what is asked is within `limits`."""

    async def look_up(self, principal: Principal, statement: Statement, lookup: Lookup, max_bytes: int) -> Rows: ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class Connection:
    """namespaces: ids; None lets every namespace use it.  at_once: lookups."""

    database: Database
    limits: Limits = field(default_factory=Limits)
    namespaces: tuple[str, ...] | None = None
    at_once: int = 4
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.at_once)

    def serves(self, principal: Principal) -> bool:
        return self.namespaces is None or principal.namespace_id in self.namespaces

    async def look_up(self, principal: Principal, lookup: Lookup) -> Rows:
        limits = self.limits
        statement = read(lookup.query)
        within = replace(
            lookup,
            max_rows=min(lookup.max_rows, limits.max_rows),
            timeout_s=min(lookup.timeout_s, limits.timeout_s),
        )
        missing = [name for name in statement.parameters if name not in lookup.parameters]
        if missing:
            raise ValidationError.at(["parameters", "parameters"], f"the query names :{missing[0]}, which has no value")
        try:
            # The database ends it by itself; this is for one that has stopped answering.
            async with asyncio.timeout(within.timeout_s + _GRACE_S), self._places:
                return await self.database.look_up(principal, statement, within, limits.max_bytes)
        except TimeoutError:
            raise LookupTimeoutError(f"no answer within {within.timeout_s:g} s") from None


class Connections:
    """The engine's `Databases`."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self.connections = dict(connections)

    async def look_up(self, principal: Principal, lookup: Lookup) -> Rows:
        found = self.connections.get(lookup.connection)
        if found is None or not found.serves(principal):
            names = ", ".join(sorted(name for name, one in self.connections.items() if one.serves(principal)))
            message = f"there is no connection {lookup.connection!r} for this namespace; there are: {names or 'none'}"
            raise ValidationError.at(["parameters", "connection_id"], message)
        return await found.look_up(principal, lookup)

    async def close(self) -> None:
        for one in self.connections.values():
            await one.database.close()
