"""What stages did on average."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0004"
down_revision = "0003"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

stage_statistics = Table(
    "stage_statistics",
    metadata,
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("namespace_id", TEXT, primary_key=True, nullable=False),
    Column("fingerprint", TEXT, primary_key=True, nullable=False),
    Column("updated_at", INTEGER, nullable=False),
    Column("body", TEXT, nullable=False),
    sqlite_strict=True,
)
_c = stage_statistics.c
Index("stage_statistics_oldest", _c.organization_id, _c.namespace_id, _c.updated_at, _c.fingerprint)


def upgrade() -> None:
    stage_statistics.create(op.get_bind())
