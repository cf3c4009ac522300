"""Sessions with agents, and what was said in them."""

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

revision = "0022"
down_revision = "0021"

metadata = MetaData()
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
INTEGER = BigInteger().with_variant(Integer(), "sqlite")
_NAMESPACE = ("organization_id", "namespace_id")


def _texts(*names: str, key: bool = False) -> list[Column[str]]:
    return [Column(name, TEXT, primary_key=key, nullable=False) for name in names]


def _numbers(*names: str) -> list[Column[int]]:
    return [Column(name, INTEGER, nullable=False) for name in names]


agent_sessions = Table(
    "agent_sessions",
    metadata,
    *_texts(*_NAMESPACE, "session_id", key=True),
    *_texts("state"),
    *_numbers("created_at", "expires_at"),
    *_texts("body"),
    sqlite_strict=True,
)
agent_messages = Table(
    "agent_messages",
    metadata,
    *_texts(*_NAMESPACE, "session_id", key=True),
    Column("place", INTEGER, primary_key=True, autoincrement=False),
    *_texts("message_id", "body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_s, _m = agent_sessions.c, agent_messages.c
Index("agent_sessions_newest", _s.organization_id, _s.namespace_id, _s.created_at, _s.session_id)
Index("agent_sessions_by_state", _s.state, _s.created_at)
Index("agent_sessions_by_end", _s.expires_at)
Index("agent_messages_by_id", _m.organization_id, _m.namespace_id, _m.session_id, _m.message_id, unique=True)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
