"""What tables are made of, alike on SQLite and PostgreSQL."""

from sqlalchemy import BigInteger, Column, ForeignKeyConstraint, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.sql.elements import ColumnElement

metadata = MetaData()

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")
BYTES = LargeBinary()


def text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=optional)


def integer(name: str, *, key: bool = False, optional: bool = False) -> Column[int]:
    """key: one that the row is given, not one that the database counts up."""
    return (
        Column(name, INTEGER, primary_key=True, autoincrement=False)
        if key
        else Column(name, INTEGER, nullable=optional)
    )


def scope() -> tuple[Column[str], Column[str]]:
    return text("organization_id", key=True), text("namespace_id", key=True)


def table(name: str, *columns: Column[str] | Column[int] | Column[bytes] | ForeignKeyConstraint) -> Table:
    return Table(name, metadata, *columns, sqlite_strict=True)


def index(
    name: str,
    table: Table,
    *columns: str | ColumnElement[int],
    unique: bool = False,
    only: ColumnElement[bool] | None = None,
) -> None:
    """only: the rows that are in it; None takes all."""
    parts = (table.c[part] if isinstance(part, str) else part for part in columns)
    Index(name, *parts, unique=unique, sqlite_where=only, postgresql_where=only)
