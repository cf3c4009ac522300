"""Templates that organisations make of their own resources."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0026"
down_revision = "0025"

TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")

templates = Table(
    "templates",
    MetaData(),
    Column("organization_id", TEXT, primary_key=True, nullable=False),
    Column("template_id", TEXT, primary_key=True, nullable=False),
    Column("created_at", INTEGER, nullable=False),
    Column("body", TEXT, nullable=False),
    sqlite_strict=True,
)
Index("templates_newest", templates.c.organization_id, templates.c.created_at)


def upgrade() -> None:
    templates.create(op.get_bind())
