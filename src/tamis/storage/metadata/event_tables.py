"""Who is told of changes, the outbox of what they are told, and what is kept for those who follow."""

from sqlalchemy import Column, Table

from tamis.storage.metadata.columns import INTEGER, index, integer, metadata, scope, table, text

# Kept when a namespace is gone.
webhooks = table(
    "webhooks",
    text("organization_id", key=True),
    text("webhook_id", key=True),
    text("name"),
    integer("is_active"),
    integer("created_at"),
    text("body"),
)
index("webhooks_by_name", webhooks, "organization_id", "name", unique=True)
webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("sequence", INTEGER, primary_key=True, autoincrement=True),
    text("organization_id"),
    text("webhook_id"),
    text("delivery_id"),
    text("resource_id"),
    text("status"),
    integer("due_at"),
    text("body"),
    sqlite_strict=True,
    sqlite_autoincrement=True,
)
index("webhook_deliveries_by_id", webhook_deliveries, "organization_id", "webhook_id", "delivery_id", unique=True)
index("webhook_deliveries_newest", webhook_deliveries, "organization_id", "webhook_id", "sequence")
index("webhook_deliveries_of_status", webhook_deliveries, "organization_id", "webhook_id", "status", "sequence")
index("webhook_deliveries_due", webhook_deliveries, "status", "due_at", "sequence")
index(
    "webhook_deliveries_of_resource",
    webhook_deliveries,
    "organization_id", "webhook_id", "resource_id", "status", "sequence",
)  # fmt: skip

# The newest of each namespace. place: what orders transactions (`namespace_events.py`).
namespace_events = Table(
    "namespace_events",
    metadata,
    *scope(),
    integer("place", key=True),
    integer("sequence", key=True),
    text("event_type"),
    text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
