"""What happened in each namespace, for those who follow it."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

revision = "0029"
down_revision = "0028"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

namespace_events = Table(
    "namespace_events",
    metadata,
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("namespace_id", TEXT, primary_key=True, nullable=False),
    Column("place", INTEGER, primary_key=True, autoincrement=False),
    Column("sequence", INTEGER, primary_key=True, autoincrement=False),
    Column("event_type", TEXT, nullable=False),
    Column("body", TEXT, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
