"""Webhooks, and the outbox of what they tell."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0017"
down_revision = "0016"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=False)


def _number(name: str) -> Column[int]:
    return Column(name, INTEGER, nullable=False)


webhooks = Table(
    "webhooks",
    metadata,
    _text("organization_id", key=True),
    _text("webhook_id", key=True),
    _text("name"),
    _number("is_active"),
    _number("created_at"),
    _text("body"),
    sqlite_strict=True,
)
Index("webhooks_by_name", webhooks.c.organization_id, webhooks.c.name, unique=True)
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("sequence", INTEGER, primary_key=True, autoincrement=True),
    *(_text(name) for name in ("organization_id", "webhook_id", "delivery_id", "resource_id", "status")),
    _number("due_at"),
    _text("body"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)
_OF_WEBHOOK = ("organization_id", "webhook_id")
for name, columns in {
    "by_id": (*_OF_WEBHOOK, "delivery_id"),
    "newest": (*_OF_WEBHOOK, "sequence"),
    "of_status": (*_OF_WEBHOOK, "status", "sequence"),
    "due": ("status", "due_at", "sequence"),
    "of_resource": (*_OF_WEBHOOK, "resource_id", "status", "sequence"),
}.items():
    Index(f"webhook_deliveries_{name}", *(webhook_deliveries.c[column] for column in columns), unique=name == "by_id")


def upgrade() -> None:
    metadata.create_all(op.get_bind())
