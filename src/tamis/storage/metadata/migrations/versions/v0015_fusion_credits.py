"""What interactions taught the weights of a fusion, one by one and in sums."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0015"
down_revision = "0014"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _key(name: str) -> Column[str]:
    return Column(name, TEXT, primary_key=True, nullable=False)


fusion_credits = Table(
    "fusion_credits",
    metadata,
    _key("organization_id"),
    _key("namespace_id"),
    _key("interaction_id"),
    Column("retriever_id", TEXT, nullable=False),
    Column("person", TEXT, nullable=True),
    Column("body", TEXT, nullable=False),
    sqlite_strict=True,
)
_c = fusion_credits.c
_mine = (_c.organization_id, _c.namespace_id)
Index("fusion_credits_of_retriever", *_mine, _c.retriever_id, _c.interaction_id)
Index("fusion_credits_of_person", *_mine, _c.person, _c.interaction_id)
fusion_days = Table(
    "fusion_days",
    metadata,
    _key("organization_id"),
    _key("namespace_id"),
    _key("retriever_id"),
    _key("stage_name"),
    _key("context"),
    _key("kind"),
    Column("day", INTEGER, primary_key=True, autoincrement=False),
    _key("item"),
    Column("count", INTEGER, nullable=False),
    Column("agreed", INTEGER, nullable=False),
    Column("pairs", INTEGER, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
