"""Lookups in PostgreSQL: a read-only transaction, a cursor on the server, a word that no query may hold.

The first fence is the role in the connection's URL: what it may not read, nobody reads. What stands here is for the
functions that PostgreSQL lets every role call.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tamis.engine.outreach.sql_statement import Statement
from tamis.engine.ports.databases import Lookup, Rows
from tamis.errors import LookupTimeoutError, NotSetUpError, OutsideError, OutsideRefusedError
from tamis.model.json import JSON
from tamis.model.principal import Principal

if TYPE_CHECKING:
    from psycopg import AsyncConnection

_CONNECT_S = 5
_FORBIDDEN = re.compile(
    r"""set_config | setseed | pg_sleep.* | pg_read_.*file | pg_ls_.* | pg_stat_file | lo_.* | loread | lowrite
      | dblink.* | postgres_fdw.* | pg_(terminate|cancel)_backend | pg_reload_conf | pg_rotate_logfile.* | pg_notify
      | pg_(try_)?advisory_.* | .*_to_xml.* | ts_stat | ts_rewrite | pg_logical_.* | pg_promote | pg_switch_wal
      | pg_create_.* | pg_drop_.* | pg_export_snapshot | pg_current_logfile | pg_hba_file_rules | pg_file_settings""",
    re.VERBOSE,
)
_SESSION = "-c standard_conforming_strings=on -c client_encoding=UTF8 -c idle_in_transaction_session_timeout=600000"
_WRAPPED = """
SELECT CASE WHEN octet_length(made.j) > {most} THEN NULL ELSE made.j END
FROM (SELECT row_to_json(asked)::text AS j FROM (
{query}
) AS asked) AS made
"""


@dataclass(frozen=True, slots=True)
class PostgresDatabase:
    """url: as libpq takes it.  idle: connections that were given back, at most as many as lookups run at once."""

    url: str
    _idle: list["AsyncConnection[Any]"] = field(default_factory=list)

    async def look_up(self, _principal: Principal, statement: Statement, lookup: Lookup, max_bytes: int) -> Rows:
        _check(statement)
        try:
            from psycopg import Error, OperationalError, errors
        except ModuleNotFoundError:
            raise NotSetUpError("lookups in PostgreSQL (pip install 'tamis[postgres]')") from None
        try:
            async with self._connection() as connection:
                return await _rows(connection, statement, lookup, max_bytes)
        except (errors.QueryCanceled, errors.LockNotAvailable):
            raise LookupTimeoutError(f"no answer within {lookup.timeout_s:g} s") from None
        except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction) as error:
            raise OutsideRefusedError(f"not allowed on this connection: {error.diag.message_primary}") from None
        except Error as error:
            if isinstance(error, OperationalError) and error.sqlstate is None:
                # Its text holds the address and the user's name.
                raise OutsideError("the database does not answer") from None
            raise OutsideError(f"the database refused the query: {error.diag.message_primary or 'no reason'}") from None

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator["AsyncConnection[Any]"]:
        """One at rest, else a new one. What failed in any way is closed and never used again."""
        connection = await self._rested() or await self._new()
        try:
            yield connection
        except BaseException:
            await connection.close()
            raise
        self._idle.append(connection)

    async def _rested(self) -> "AsyncConnection[Any] | None":
        from psycopg import Error

        while self._idle:
            connection = self._idle.pop()
            try:
                await connection.execute("SELECT 1")
                await connection.rollback()
            except Error:
                await connection.close()
            else:
                return connection
        return None

    async def _new(self) -> "AsyncConnection[Any]":
        from psycopg import AsyncConnection, IsolationLevel

        connection = await AsyncConnection.connect(
            self.url, connect_timeout=_CONNECT_S, application_name="tamis", options=_SESSION, prepare_threshold=None
        )
        await connection.set_read_only(True)
        await connection.set_isolation_level(IsolationLevel.READ_COMMITTED)
        return connection


def _check(statement: Statement) -> None:
    """Raises: OutsideRefusedError."""
    for word in statement.words():
        if _FORBIDDEN.fullmatch(word):
            raise OutsideRefusedError(f"{word} is not called in a lookup")


async def _rows(connection: "AsyncConnection[Any]", statement: Statement, lookup: Lookup, max_bytes: int) -> Rows:
    limit_ms = max(1, int(lookup.timeout_s * 1000))
    found: list[Mapping[str, JSON]] = []
    size = 0
    async with connection.transaction(force_rollback=True):
        # Numbers of our own; SET takes no parameters.
        limits = f"SET LOCAL statement_timeout = {limit_ms}; SET LOCAL lock_timeout = {limit_ms}"
        await connection.execute(limits)
        async with connection.cursor("lookup") as cursor:
            await cursor.execute(_written(statement, max_bytes), _bound(statement, lookup))
            for (text,) in await cursor.fetchmany(lookup.max_rows + 1):
                if len(found) == lookup.max_rows:
                    return Rows(tuple(found), truncated=True)
                size += max_bytes + 1 if text is None else len(text.encode())
                if size > max_bytes:
                    raise OutsideError(f"the answer is larger than {max_bytes} bytes")
                found.append(json.loads(text))
    return Rows(tuple(found))


def _written(statement: Statement, max_bytes: int) -> str:
    """As a subquery, which a statement that writes cannot be; its text is the pipeline's, its values are bound."""
    doubled = Statement(
        tuple(
            one if one.kind == "parameter" else one.with_text(one.text.replace("%", "%%")) for one in statement.tokens
        ),
        statement.parameters,
    )
    query = doubled.written(lambda name: f"%({name})s")
    return _WRAPPED.format(most=max_bytes, query=query)


def _bound(statement: Statement, lookup: Lookup) -> dict[str, Any]:
    from psycopg.types.json import Jsonb

    given = {name: lookup.parameters[name] for name in statement.parameters}
    return {name: Jsonb(value) if isinstance(value, dict) else value for name, value in given.items()}
