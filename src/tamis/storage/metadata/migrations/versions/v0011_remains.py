"""What deletes have left to be done outside of the system of record."""

from alembic import op
from sqlalchemy import Column, Index, MetaData, Table, Text

revision = "0011"
down_revision = "0010"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")

remains = Table(
    "remains",
    metadata,
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("in_namespace", TEXT, primary_key=True, nullable=False),
    Column("remain_id", TEXT, primary_key=True, nullable=False),
    Column("kind", TEXT, nullable=False),
    Column("name", TEXT, nullable=False),
    sqlite_strict=True,
)
Index("remains_oldest", remains.c.remain_id)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
