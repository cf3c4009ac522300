"""Where records are durable before they come to their table."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

revision = "0010"
down_revision = "0009"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

execution_inbox = Table(
    "execution_inbox",
    metadata,
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("namespace_id", TEXT, primary_key=True, nullable=False),
    Column("execution_id", TEXT, primary_key=True, nullable=False),
    Column("retriever_id", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("started_at", INTEGER, nullable=False),
    Column("header", TEXT, nullable=False),
    Column("inputs", TEXT, nullable=False),
    Column("record", LargeBinary(), nullable=False),
    Column("inputs_key", INTEGER, nullable=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    execution_inbox.create(op.get_bind())
