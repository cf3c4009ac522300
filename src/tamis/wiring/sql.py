"""Databases that stages may ask, by the settings. Nothing is opened before the first lookup."""

from collections.abc import Mapping
from pathlib import Path

import sqlalchemy.exc
from sqlalchemy.engine import URL, make_url

from tamis.engine.outreach.sql_statement import read
from tamis.engine.ports.databases import Lookup
from tamis.errors import ConfigurationError, TamisError
from tamis.model.principal import Principal
from tamis.outside.sql.connections import Connection, Connections, Database, Limits
from tamis.outside.sql.postgres import PostgresDatabase
from tamis.outside.sql.sqlite import SqliteDatabase
from tamis.settings import Settings, SqlConnection

_SETTING = "TAMIS_SQL_CONNECTIONS"
_OPERATOR = Principal("", "", frozenset())
_TRIED = Lookup("", "SELECT 1 AS answer", {}, max_rows=1, timeout_s=5.0)


def databases_of(settings: Settings) -> Connections:
    """Raises: ConfigurationError."""
    return Connections({name: _connection(name, one, settings) for name, one in settings.sql_connections.items()})


def _connection(name: str, given: SqlConnection, settings: Settings) -> Connection:
    limits = Limits(given.max_rows, given.max_bytes, given.timeout_s)
    namespaces = None if given.namespaces is None else tuple(given.namespaces)
    return Connection(_database(name, given, settings), limits, namespaces, given.at_once)


def _database(name: str, given: SqlConnection, settings: Settings) -> Database:
    try:
        url = make_url(given.url.get_secret_value())
    except sqlalchemy.exc.ArgumentError:
        raise ConfigurationError(f"{_SETTING}: {name}.url is no URL of a database") from None
    tables = None if given.tables is None else frozenset(table.lower() for table in given.tables)
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return SqliteDatabase(Path(url.database), settings.data_dir, tables)
        case "postgresql" if tables is None:
            _check_is_not_ours(name, url, settings)
            return PostgresDatabase(url.set(drivername="postgresql").render_as_string(hide_password=False))
        case "postgresql":
            raise ConfigurationError(f"{_SETTING}: {name}.tables is for SQLite; grant the role what it may read")
    raise ConfigurationError(f"{_SETTING}: {name}.url is `sqlite:///path/to/file.db` or `postgresql://...`")


def _check_is_not_ours(name: str, url: URL, settings: Settings) -> None:
    """The system of record holds every tenant's data: no role of it is for pipelines."""
    if settings.database_url is None:
        return
    ours = make_url(settings.database_url)
    if (ours.host, ours.port or 5432, ours.database) == (url.host, url.port or 5432, url.database):
        raise ConfigurationError(f"{_SETTING}: {name} is the server's own database (TAMIS_DATABASE_URL)")


async def database_report(settings: Settings) -> Mapping[str, str]:
    """Each registered connection, with what it answers to a lookup. Raises: ConfigurationError."""
    databases = databases_of(settings)
    said: dict[str, str] = {}
    try:
        for name, one in databases.connections.items():
            try:
                await one.database.look_up(_OPERATOR, read(_TRIED.query), _TRIED, one.limits.max_bytes)
                said[name] = "answers"
            except TamisError as error:
                said[name] = error.message
    finally:
        await databases.close()
    return said
