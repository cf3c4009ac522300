"""What the servers of one installation know together: its secret, and who has signed out."""

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

revision = "0013"
down_revision = "0012"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

installation = Table(
    "installation",
    metadata,
    Column("name", TEXT, primary_key=True, nullable=False),
    Column("value", LargeBinary(), nullable=False),
    sqlite_strict=True,
)
ended_sessions = Table(
    "ended_sessions",
    metadata,
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("session_id", TEXT, primary_key=True, nullable=False),
    Column("ends_at", INTEGER, nullable=False),
    sqlite_strict=True,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
