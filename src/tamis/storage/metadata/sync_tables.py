"""The tables of connections to storages of others, and of what is copied from them."""

from sqlalchemy import Table

from tamis.storage.metadata.columns import index, integer, metadata, scope, table, text

_NAMESPACE = ("organization_id", "namespace_id")

storage_connections = table(
    "storage_connections",
    text("organization_id", key=True),
    text("connection_id", key=True),
    text("name"),
    integer("created_at"),
    text("body"),
)
index("storage_connections_by_name", storage_connections, "organization_id", "name", unique=True)
index("storage_connections_newest", storage_connections, "organization_id", "created_at", "connection_id")

# run_id: of the run that is under way.  due_at: when the next one begins by itself.
bucket_syncs = table(
    "bucket_syncs",
    *scope(),
    text("sync_id", key=True),
    text("bucket_id"),
    text("run_id", optional=True),
    integer("due_at", optional=True),
    integer("created_at"),
    text("body"),
)
index("bucket_syncs_of_bucket", bucket_syncs, *_NAMESPACE, "bucket_id", "created_at", "sync_id")
index("bucket_syncs_due", bucket_syncs, "due_at", "sync_id", only=bucket_syncs.c.due_at.is_not(None))
index("bucket_syncs_running", bucket_syncs, "created_at", "sync_id", only=bucket_syncs.c.run_id.is_not(None))

# What became of each file. state: 'waiting' for a batch, 'done', or 'failed'.
synced_files = Table(
    "synced_files",
    metadata,
    *scope(),
    text("sync_id", key=True),
    text("path", key=True),
    text("state"),
    text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
index("synced_files_by_state", synced_files, *_NAMESPACE, "sync_id", "state", "path")
