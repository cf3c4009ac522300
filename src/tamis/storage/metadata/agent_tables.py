"""The tables of sessions with agents, and of what was said in them."""

from sqlalchemy import Column, Table

from tamis.storage.metadata.columns import INTEGER, index, integer, metadata, scope, table, text

_NAMESPACE = ("organization_id", "namespace_id")

agent_sessions = table(
    "agent_sessions",
    *scope(),
    text("session_id", key=True),
    text("state"),
    integer("created_at"),
    integer("expires_at"),
    text("body"),
)
index("agent_sessions_newest", agent_sessions, *_NAMESPACE, "created_at", "session_id")
index("agent_sessions_by_state", agent_sessions, "state", "created_at")
index("agent_sessions_by_end", agent_sessions, "expires_at")

agent_messages = Table(
    "agent_messages",
    metadata,
    *scope(),
    text("session_id", key=True),
    Column("place", INTEGER, primary_key=True, autoincrement=False),
    text("message_id"),
    text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
index("agent_messages_by_id", agent_messages, *_NAMESPACE, "session_id", "message_id", unique=True)
