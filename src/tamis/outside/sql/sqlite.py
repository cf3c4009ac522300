"""Lookups in an SQLite file: opened for reading alone, each statement under an authorizer and a clock."""

import asyncio
import json
import math
import sqlite3
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tamis.engine.outreach.sql_statement import Statement
from tamis.engine.ports.databases import Lookup, Rows
from tamis.errors import LookupTimeoutError, OutsideError, OutsideRefusedError
from tamis.model.json import JSON
from tamis.model.principal import Principal

_STEPS = 1000
"""Of SQLite's machine between two looks at the clock."""
_FORBIDDEN = frozenset({"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "sqlite_log"})
_CATALOGUE = frozenset({"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"})


class _Deadline:
    """Over once the time is up, or nobody waits any more."""

    def __init__(self, timeout_s: float) -> None:
        self._until = time.monotonic() + timeout_s
        self._left = threading.Event()

    def leave(self) -> None:
        self._left.set()

    def is_over(self) -> bool:
        return self._left.is_set() or time.monotonic() > self._until


@dataclass(frozen=True, slots=True)
class SqliteDatabase:
    """away: a directory of which no file is opened, under whatever name.  tables: the only ones read; None for all."""

    path: Path
    away: Path
    tables: frozenset[str] | None = None

    async def look_up(self, _principal: Principal, statement: Statement, lookup: Lookup, max_bytes: int) -> Rows:
        deadline = _Deadline(lookup.timeout_s)
        try:
            return await asyncio.to_thread(self._read, statement, lookup, max_bytes, deadline)
        finally:
            deadline.leave()

    async def close(self) -> None:
        """Nothing stays open."""

    def _read(self, statement: Statement, lookup: Lookup, max_bytes: int, deadline: _Deadline) -> Rows:
        given = {name: _bound(lookup.parameters[name]) for name in statement.parameters}
        try:
            with closing(self._open(lookup.timeout_s, max_bytes, deadline)) as connection:
                cursor = connection.execute(statement.written(lambda name: f":{name}"), given)
                return _rows(cursor, lookup.max_rows, max_bytes)
        except sqlite3.Error as error:
            if deadline.is_over():
                raise LookupTimeoutError(f"no answer within {lookup.timeout_s:g} s") from None
            raise _failure(error) from None
        except OverflowError:
            raise OutsideError("a parameter is a number of more than 64 bits") from None

    def _open(self, timeout_s: float, max_bytes: int, deadline: _Deadline) -> sqlite3.Connection:
        path = self.path.resolve()
        if is_within(path, self.away):
            raise OutsideRefusedError("the server's own data directory is not read")
        uri = f"file:{quote(str(path))}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=timeout_s, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, max(max_bytes, 100_000))
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1000)
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.execute("BEGIN")
        connection.set_authorizer(self._authorize)
        connection.set_progress_handler(deadline.is_over, _STEPS)
        return connection

    def _authorize(
        self, action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None
    ) -> int:
        allowed = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE)
        if action == sqlite3.SQLITE_READ:
            allowed = self._may_read(str(first).lower())
        elif action == sqlite3.SQLITE_FUNCTION:
            allowed = str(second).lower() not in _FORBIDDEN
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    def _may_read(self, table: str) -> bool:
        # The names of views and of WITH are the query's to choose, so only the tables themselves count.
        return table not in _CATALOGUE if self.tables is None else table in self.tables


def is_within(path: Path, directory: Path) -> bool:
    """Also where a link of either kind leads there. Files directly in the directory are told by their identity."""
    home = directory.resolve()
    if path.resolve().is_relative_to(home):
        return True
    if not path.exists() or not home.is_dir():
        return False
    return any(one.is_file() and one.samefile(path) for one in home.iterdir())


def _bound(value: JSON) -> str | int | float | None:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _rows(cursor: sqlite3.Cursor, max_rows: int, max_bytes: int) -> Rows:
    names = [column[0] for column in cursor.description or ()]
    found: list[Mapping[str, JSON]] = []
    size = 0
    for row in cursor:
        if len(found) == max_rows:
            return Rows(tuple(found), truncated=True)
        made = dict(zip(names, map(_plain, row), strict=True))
        size += len(json.dumps(made, ensure_ascii=False).encode("utf-8", "replace"))
        if size > max_bytes:
            raise OutsideError(f"the answer is larger than {max_bytes} bytes")
        found.append(made)
    return Rows(tuple(found))


def _plain(value: str | int | float | bytes | None) -> JSON:
    """As PostgreSQL writes them in JSON: bytes in hex, what is no finite number as text."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, float) and not math.isfinite(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _failure(error: sqlite3.Error) -> OutsideError | OutsideRefusedError:
    code = getattr(error, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_AUTH or "prohibited" in str(error) or "not authorized" in str(error):
        return OutsideRefusedError(f"not allowed on this connection: {error}")
    if code == sqlite3.SQLITE_CANTOPEN:
        return OutsideError("the database cannot be opened")
    return OutsideError(f"the database refused the query: {error}")
