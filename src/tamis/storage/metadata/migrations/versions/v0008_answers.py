"""Answers that are kept for requests that come again."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

revision = "0008"
down_revision = "0007"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

answers = Table(
    "answers",
    metadata,
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("key_id", TEXT, primary_key=True, nullable=False),
    Column("token", TEXT, primary_key=True, nullable=False),
    Column("fingerprint", TEXT, nullable=False),
    Column("created_at", INTEGER, nullable=False),
    Column("created_id", TEXT, nullable=True),
    Column("status", INTEGER, nullable=True),
    Column("body", LargeBinary(), nullable=True),
    sqlite_strict=True,
)
_c = answers.c
Index("answers_oldest", _c.organization_id, _c.key_id, _c.created_at, _c.token)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
