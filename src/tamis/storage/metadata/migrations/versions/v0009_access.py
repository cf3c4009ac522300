"""Who changed what, how much was asked and spent, secrets, and the secrets that keys had before a rotation."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0009"
down_revision = "0008"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")


def _text(name: str, *, key: bool = False, optional: bool = False) -> Column[str]:
    return Column(name, TEXT, primary_key=key, nullable=optional)


def _integer(name: str, *, key: bool = False) -> Column[int]:
    return Column(name, INTEGER, primary_key=key, nullable=False)


rotated_keys = Table(
    "rotated_keys",
    metadata,
    _text("organization_id", key=True),
    _text("key_id", key=True),
    _text("key_hash"),
    sqlite_strict=True,
)
Index("rotated_keys_by_hash", rotated_keys.c.key_hash, unique=True)

audit_events = Table(
    "audit_events",
    metadata,
    _text("organization_id", key=True),
    _text("audit_id", key=True),
    _text("in_namespace", optional=True),
    _text("resource_type"),
    _text("resource_id"),
    _text("action"),
    _text("actor_id"),
    _integer("at"),
    _text("body"),
    sqlite_strict=True,
)
_a = audit_events.c
_AUDITED = (_a.organization_id,)
Index("audit_events_newest", *_AUDITED, _a.at, _a.audit_id)
Index("audit_events_of_resource", *_AUDITED, _a.resource_id, _a.at, _a.audit_id)
Index("audit_events_of_type", *_AUDITED, _a.resource_type, _a.at, _a.audit_id)
Index("audit_events_of_actor", *_AUDITED, _a.actor_id, _a.at, _a.audit_id)
Index("audit_events_of_action", *_AUDITED, _a.action, _a.at, _a.audit_id)

key_usage = Table(
    "key_usage",
    metadata,
    _text("organization_id", key=True),
    _text("key_id", key=True),
    Column("hour", INTEGER, primary_key=True, autoincrement=False, nullable=False),
    _text("endpoint", key=True),
    _integer("requests"),
    _integer("failed"),
    _integer("duration_us"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
Index("key_usage_by_hour", key_usage.c.organization_id, key_usage.c.hour)

key_uses = Table(
    "key_uses",
    metadata,
    _text("organization_id", key=True),
    _text("key_id", key=True),
    _integer("used_at"),
    sqlite_strict=True,
)

credits_spent = Table(
    "credits_spent",
    metadata,
    _text("organization_id", key=True),
    Column("day", INTEGER, primary_key=True, autoincrement=False, nullable=False),
    _text("operation", key=True),
    _text("in_namespace", key=True),
    Column("slot", INTEGER, primary_key=True, autoincrement=False, nullable=False),
    _integer("micro_credits"),
    _integer("executions"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

secrets = Table(
    "secrets",
    metadata,
    _text("organization_id", key=True),
    _text("name", key=True),
    _text("body"),
    sqlite_strict=True,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
