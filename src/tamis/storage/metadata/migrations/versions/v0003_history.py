"""Documents and collections as they were before they were replaced or deleted: what a frozen replay reads."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0003"
down_revision = "0002"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

history = Table(
    "history",
    metadata,
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("namespace_id", TEXT, primary_key=True, nullable=False),
    Column("kind", TEXT, primary_key=True, nullable=False),
    Column("version", TEXT, primary_key=True, nullable=False),
    Column("replaced_at", INTEGER, nullable=False),
    Column("body", TEXT, nullable=False),
    sqlite_strict=True,
)
Index("history_oldest", *(history.c[name] for name in ("organization_id", "namespace_id", "replaced_at")))


def upgrade() -> None:
    history.create(op.get_bind())


def downgrade() -> None:
    history.drop(op.get_bind())
