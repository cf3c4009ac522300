"""Migrations of namespaces, and snapshots."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0023"
down_revision = "0022"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _named(name: str, id_column: str) -> None:
    made = Table(
        name,
        metadata,
        *(
            Column(column, TEXT, primary_key=True, nullable=False)
            for column in ("organization_id", "namespace_id", id_column)
        ),
        Column("name", TEXT, nullable=False),
        Column("created_at", INTEGER, nullable=False),
        Column("body", TEXT, nullable=False),
        sqlite_strict=True,
    )
    Index(f"{name}_by_name", made.c.organization_id, made.c.namespace_id, made.c.name, unique=True)


_named("namespace_migrations", "migration_id")
_named("snapshots", "snapshot_id")


def upgrade() -> None:
    metadata.create_all(op.get_bind())
