"""The tables: one schema for SQLite and PostgreSQL.

What is queried has a column; the rest of a resource lives in `body`, as JSON text. Times are microseconds since 1970,
UTC: they sort and compare alike everywhere. Text compares by code point on both backends. A change here needs a
migration, and a test compares the two.

An index ends with the columns that its query orders by: SQLite, which has no statistics to go by, otherwise prefers an
index in that order to the one that finds the rows.
"""

from sqlalchemy import Column, ForeignKeyConstraint, Table

from tamis.storage.metadata.agent_tables import agent_messages as agent_messages
from tamis.storage.metadata.agent_tables import agent_sessions as agent_sessions
from tamis.storage.metadata.alert_tables import alert_executions as alert_executions
from tamis.storage.metadata.alert_tables import alerts as alerts
from tamis.storage.metadata.cluster_tables import cluster_members as cluster_members
from tamis.storage.metadata.cluster_tables import cluster_runs as cluster_runs
from tamis.storage.metadata.cluster_tables import clusters as clusters
from tamis.storage.metadata.cluster_tables import found_clusters as found_clusters
from tamis.storage.metadata.columns import BYTES as BYTES
from tamis.storage.metadata.columns import INTEGER as INTEGER
from tamis.storage.metadata.columns import TEXT as TEXT
from tamis.storage.metadata.columns import index as _index
from tamis.storage.metadata.columns import integer as _integer
from tamis.storage.metadata.columns import metadata as metadata
from tamis.storage.metadata.columns import scope as _scope
from tamis.storage.metadata.columns import table as _table
from tamis.storage.metadata.columns import text as _text
from tamis.storage.metadata.copy_tables import namespace_migrations as namespace_migrations
from tamis.storage.metadata.copy_tables import snapshots as snapshots
from tamis.storage.metadata.count_tables import counts_left as counts_left
from tamis.storage.metadata.count_tables import execution_counts as execution_counts
from tamis.storage.metadata.count_tables import execution_steps as execution_steps
from tamis.storage.metadata.event_tables import namespace_events as namespace_events
from tamis.storage.metadata.event_tables import webhook_deliveries as webhook_deliveries
from tamis.storage.metadata.event_tables import webhooks as webhooks
from tamis.storage.metadata.figure_tables import execution_figures as execution_figures
from tamis.storage.metadata.figure_tables import extraction_figures as extraction_figures
from tamis.storage.metadata.figure_tables import figures_left as figures_left
from tamis.storage.metadata.figure_tables import slow_executions as slow_executions
from tamis.storage.metadata.fusion_tables import fusion_credits as fusion_credits
from tamis.storage.metadata.fusion_tables import fusion_days as fusion_days
from tamis.storage.metadata.rollout_tables import rollouts as rollouts
from tamis.storage.metadata.rollout_tables import shadow_runs as shadow_runs
from tamis.storage.metadata.sync_tables import bucket_syncs as bucket_syncs
from tamis.storage.metadata.sync_tables import storage_connections as storage_connections
from tamis.storage.metadata.sync_tables import synced_files as synced_files
from tamis.storage.metadata.taxonomy_tables import taxonomies as taxonomies
from tamis.storage.metadata.taxonomy_tables import taxonomy_assignments as taxonomy_assignments
from tamis.storage.metadata.taxonomy_tables import taxonomy_hours as taxonomy_hours
from tamis.storage.metadata.taxonomy_tables import taxonomy_versions as taxonomy_versions
from tamis.storage.metadata.template_tables import templates as templates
from tamis.storage.metadata.trigger_tables import due_runs as due_runs
from tamis.storage.metadata.trigger_tables import trigger_firings as trigger_firings
from tamis.storage.metadata.trigger_tables import triggers as triggers
from tamis.storage.metadata.walk_tables import walks as walks

REVISION = "0029"
"""The migration that this code is written for: the newest one."""


def _named(name: str, id_column: str, *more: Column[int]) -> Table:
    """A kind of resource that lives in a namespace under a name of its own."""
    table = _table(
        name, *_scope(), _text(id_column, key=True), _text("name"), _integer("created_at"), *more, _text("body")
    )
    _index(f"{name}_by_name", table, "organization_id", "namespace_id", "name", unique=True)
    return table


organizations = _table("organizations", _text("organization_id", key=True), _integer("created_at"), _text("body"))

users = _table(
    "users", _text("organization_id", key=True), _text("user_id", key=True), _integer("created_at"), _text("body")
)

api_keys = _table(
    "api_keys",
    _text("organization_id", key=True),
    _text("key_id", key=True),
    _text("key_hash"),
    _integer("created_at"),
    _text("body"),
)
_index("api_keys_by_hash", api_keys, "key_hash", unique=True)

namespaces = _table("namespaces", *_scope(), _text("name"), _integer("created_at"), _text("body"))
_index("namespaces_by_name", namespaces, "organization_id", "name", unique=True)

buckets = _named("buckets", "bucket_id")
collections = _named("collections", "collection_id", _integer("revision"))
retrievers = _named("retrievers", "retriever_id")

objects = _table(
    "objects",
    *_scope(),
    _text("object_id", key=True),
    _text("bucket_id"),
    _text("status"),
    _text("error", optional=True),
    _text("unique_key", optional=True),
    _text("content_hash", optional=True),
    _integer("size_bytes"),
    _integer("created_at"),
    _text("body"),
)
_BUCKET = ("organization_id", "namespace_id", "bucket_id")
_index("objects_newest", objects, *_BUCKET, objects.c.created_at.desc(), "object_id")
_index("objects_in_bucket", objects, *_BUCKET, "object_id", "size_bytes")
_index("objects_by_unique_key", objects, *_BUCKET, "unique_key", unique=True)
_index("objects_by_content", objects, *_BUCKET, "content_hash", "created_at", "object_id")

uploads = _table(
    "uploads",
    *_scope(),
    _text("upload_id", key=True),
    _text("bucket_id"),
    _text("status"),
    _text("file_hash", optional=True),
    _integer("created_at"),
    _text("body"),
)
_index("uploads_in_bucket", uploads, *_BUCKET, "created_at")
_index("uploads_by_hash", uploads, *_BUCKET, "file_hash", "created_at", "upload_id")

batches = _table(
    "batches",
    *_scope(),
    _text("batch_id", key=True),
    _text("bucket_id"),
    _text("status"),
    _integer("created_at"),
    _text("body"),
)
_index("batches_in_bucket", batches, *_BUCKET, "created_at")
_index("batches_by_status", batches, "status", "created_at")

batch_items = _table(
    "batch_items",
    *_scope(),
    _text("batch_id", key=True),
    _text("collection_id", key=True),
    _text("source_id", key=True),
    _integer("tier"),
    _text("status"),
    _integer("attempts"),
    _text("error", optional=True),
    _text("error_type", optional=True),
    _integer("documents"),
)
_index(
    "batch_items_by_status",
    batch_items,
    *("organization_id", "namespace_id", "batch_id", "status", "tier", "collection_id", "source_id"),
)

tasks = _table(
    "tasks",
    *_scope(),
    _text("task_id", key=True),
    _text("type"),
    _text("status"),
    _integer("created_at"),
    _text("body"),
)
_NAMESPACE = ("organization_id", "namespace_id")
_index("tasks_newest", tasks, *_NAMESPACE, tasks.c.created_at.desc(), "task_id")
_index("tasks_by_status", tasks, *_NAMESPACE, "status", tasks.c.created_at.desc(), "task_id")
_index("tasks_by_type", tasks, *_NAMESPACE, "type", tasks.c.created_at.desc(), "task_id")

documents = _table(
    "documents",
    *_scope(),
    _text("document_id", key=True),
    _text("collection_id"),
    _text("source_id", optional=True),
    _text("root_object_id", optional=True),
    _integer("created_at"),
    _text("body"),
)
_COLLECTION = ("organization_id", "namespace_id", "collection_id")
_index("documents_newest", documents, *_COLLECTION, documents.c.created_at.desc(), "document_id")
_index("documents_in_collection", documents, *_COLLECTION, "document_id")
_index("documents_by_source", documents, *_COLLECTION, "source_id", "document_id")
_index("documents_by_root", documents, *_NAMESPACE, "root_object_id", "collection_id", "document_id")

document_vectors = _table(
    "document_vectors",
    *_scope(),
    _text("document_id", key=True),
    Column("vectors", BYTES, nullable=False),
    ForeignKeyConstraint(
        ["organization_id", "namespace_id", "document_id"],
        ["documents.organization_id", "documents.namespace_id", "documents.document_id"],
        name="document_vectors_of_document",
        ondelete="CASCADE",
    ),
)

# By 64 bits of what it was extracted from, the first document of each source: another source of that content finds it.
document_contents = Table(
    "document_contents",
    metadata,
    *_scope(),
    _text("document_id", key=True),
    _integer("content_key"),
    ForeignKeyConstraint(
        ["organization_id", "namespace_id", "document_id"],
        ["documents.organization_id", "documents.namespace_id", "documents.document_id"],
        name="document_contents_of_document",
        ondelete="CASCADE",
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_index("document_contents_by_key", document_contents, "content_key", "document_id")

# Files that the blob store keeps by their content, each once in a namespace. uses: rows of `file_uses` that name it.
# content: its SHA-256; null once nothing names it: it is to be deleted, and nobody finds it any more.
files = _table("files", *_scope(), _text("key", key=True), _text("content", optional=True), _integer("uses"))
_index("files_by_content", files, *_NAMESPACE, "content", unique=True)
_index("files_let_go", files, *_NAMESPACE, "key", only=files.c.content.is_(None))

# owner_id: an object, a document, or what holds a file for a while, until `expires_at`.
file_uses = Table(
    "file_uses",
    metadata,
    *_scope(),
    _text("owner_id", key=True),
    _text("key", key=True),
    _integer("expires_at", optional=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_index("file_uses_expiring", file_uses, "expires_at", only=file_uses.c.expires_at.is_not(None))

index_queue = Table(
    "index_queue",
    metadata,
    Column("sequence", INTEGER, primary_key=True, autoincrement=True),
    _text("organization_id"),
    _text("namespace_id"),
    _text("collection_id"),
    _text("document_id"),
    _integer("is_delete"),
    sqlite_strict=True,
    # Without it SQLite gives the number of a deleted last row to the next one, and a late acknowledgement would hit it.
    sqlite_autoincrement=True,
)
_index("index_queue_of_collection", index_queue, *_COLLECTION, "sequence")

executions = _table(
    "executions",
    *_scope(),
    _text("execution_id", key=True),
    _text("retriever_id"),
    _text("status"),
    _integer("started_at"),
    _text("header"),
    _text("inputs"),
    Column("record", BYTES, nullable=False),
    # 64 bits that the tenant and the inputs' hash make: an index of the hash itself would be six times as large.
    _integer("inputs_key", optional=True),
)
# Where SQLite's one writer keeps records until a hundred go to their table together: the same columns, no index.
execution_inbox = Table(
    "execution_inbox",
    metadata,
    *_scope(),
    *(
        Column(column.name, column.type, primary_key=column.primary_key, nullable=column.nullable)
        for column in list(executions.columns)[2:]
    ),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_RETRIEVER = ("organization_id", "namespace_id", "retriever_id")
_index("executions_newest", executions, *_RETRIEVER, "started_at", "execution_id")
_index("executions_by_status", executions, *_RETRIEVER, "status", "started_at", "execution_id")
_index("executions_by_inputs", executions, "inputs_key")

input_blobs = _table("input_blobs", *_scope(), _text("sha1", key=True), Column("data", BYTES, nullable=False))

execution_blobs = _table(
    "execution_blobs",
    *_scope(),
    _text("sha1", key=True),
    _text("execution_id", key=True),
    # What keeps a blob from going while another transaction begins to refer to it.
    ForeignKeyConstraint(
        ["organization_id", "namespace_id", "sha1"],
        ["input_blobs.organization_id", "input_blobs.namespace_id", "input_blobs.sha1"],
        name="execution_blobs_of_blob",
    ),
)
_index("execution_blobs_of_execution", execution_blobs, *_NAMESPACE, "execution_id", "sha1")

# What documents and collections were before they were replaced or deleted. version: `<id>:<revision>`.
history = _table(
    "history",
    *_scope(),
    _text("kind", key=True),
    _text("version", key=True),
    _integer("replaced_at"),
    _text("body"),
)
_index("history_oldest", history, *_NAMESPACE, "replaced_at")

stage_statistics = _table(
    "stage_statistics", *_scope(), _text("fingerprint", key=True), _integer("updated_at"), _text("body")
)
_index("stage_statistics_oldest", stage_statistics, *_NAMESPACE, "updated_at", "fingerprint")

datasets = _named("datasets", "dataset_id")

published = _table(
    "published",
    *_scope(),
    _text("public_id", key=True),
    _text("retriever_id"),
    _text("name"),
    _integer("is_active"),
    _integer("created_at"),
    _text("body"),
)
# Its name is what strangers call it by, whoever published it: one in the whole server.
_index("published_by_name", published, "name", unique=True)
_index("published_by_retriever", published, *_RETRIEVER, unique=True)
_index("published_newest", published, "is_active", published.c.created_at.desc(), "public_id")

interactions = _table(
    "interactions",
    *_scope(),
    _text("interaction_id", key=True),
    _text("retriever_id", optional=True),
    _text("execution_id", optional=True),
    _text("feature_id"),
    _text("session_id", optional=True),
    _text("user_id", optional=True),
    _integer("at"),
    _text("body"),
)
_index("interactions_newest", interactions, *_NAMESPACE, "at", "interaction_id")
_index("interactions_of_execution", interactions, *_NAMESPACE, "execution_id", "at", "interaction_id")
_index("interactions_of_retriever", interactions, *_RETRIEVER, "at", "interaction_id")
_index("interactions_of_user", interactions, *_NAMESPACE, "user_id", "at", "interaction_id")

evaluations = _table(
    "evaluations",
    *_scope(),
    _text("evaluation_id", key=True),
    _text("retriever_id"),
    _text("dataset_id"),
    _text("status"),
    _integer("created_at"),
    _text("body"),
)
_index("evaluations_of_retriever", evaluations, *_RETRIEVER, "created_at", "evaluation_id")
_index("evaluations_by_status", evaluations, "status", "created_at")
# What became of each query, by its place in the data set.
evaluation_queries = Table(
    "evaluation_queries",
    metadata,
    *_scope(),
    _text("evaluation_id", key=True),
    Column("place", INTEGER, primary_key=True, autoincrement=False),
    _text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
retriever_versions = Table(
    "retriever_versions",
    metadata,
    *_scope(),
    _text("retriever_id", key=True),
    Column("version", INTEGER, primary_key=True, autoincrement=False),
    _integer("created_at"),
    _text("body"),
    sqlite_strict=True,
)

# What became of requests with an idempotency key. body: sealed by what only the caller knows.
answers = _table(
    "answers",
    _text("organization_id", key=True),
    _text("key_id", key=True),
    _text("token", key=True),
    _text("fingerprint"),
    _integer("created_at"),
    _text("created_id", optional=True),
    _integer("status", optional=True),
    Column("body", BYTES, nullable=True),
)
_index("answers_oldest", answers, "organization_id", "key_id", "created_at", "token")
# The former secret of each key that was rotated, by its hash; the key's own body says until when it opens.
rotated_keys = _table("rotated_keys", _text("organization_id", key=True), _text("key_id", key=True), _text("key_hash"))
_index("rotated_keys_by_hash", rotated_keys, "key_hash", unique=True)

# `in_namespace`, here and below: what a namespace did and cost is kept when it is gone, so no purge may find it.
audit_events = _table(
    "audit_events",
    _text("organization_id", key=True),
    _text("audit_id", key=True),
    _text("in_namespace", optional=True),
    _text("resource_type"),
    _text("resource_id"),
    _text("action"),
    _text("actor_id"),
    _integer("at"),
    _text("body"),
)
_index("audit_events_newest", audit_events, "organization_id", "at", "audit_id")
_index("audit_events_of_resource", audit_events, "organization_id", "resource_id", "at", "audit_id")
_index("audit_events_of_type", audit_events, "organization_id", "resource_type", "at", "audit_id")
_index("audit_events_of_actor", audit_events, "organization_id", "actor_id", "at", "audit_id")
_index("audit_events_of_action", audit_events, "organization_id", "action", "at", "audit_id")

key_usage = Table(
    "key_usage",
    metadata,
    _text("organization_id", key=True),
    _text("key_id", key=True),
    Column("hour", INTEGER, primary_key=True, autoincrement=False),
    _text("endpoint", key=True),
    _integer("requests"),
    _integer("failed"),
    _integer("duration_us"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
_index("key_usage_by_hour", key_usage, "organization_id", "hour")

key_uses = _table("key_uses", _text("organization_id", key=True), _text("key_id", key=True), _integer("used_at"))

# By the day that an execution began on, in days since 1970; slots as in `execution_counts`.
credits_spent = Table(
    "credits_spent",
    metadata,
    _text("organization_id", key=True),
    Column("day", INTEGER, primary_key=True, autoincrement=False),
    _text("operation", key=True),
    _text("in_namespace", key=True),
    Column("slot", INTEGER, primary_key=True, autoincrement=False),
    _integer("micro_credits"),
    _integer("executions"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

secrets = _table("secrets", _text("organization_id", key=True), _text("name", key=True), _text("body"))

# What deletes have left in the index and the blob store. in_namespace: a purge must not find it.
remains = _table(
    "remains",
    _text("organization_id", key=True),
    _text("in_namespace", key=True),
    _text("remain_id", key=True),
    _text("kind"),
    _text("name"),
)
_index("remains_oldest", remains, "remain_id")

# What the servers of one installation know together.
installation = _table("installation", _text("name", key=True), Column("value", BYTES, nullable=False))
ended_sessions = _table(
    "ended_sessions", _text("organization_id", key=True), _text("session_id", key=True), _integer("ends_at")
)
