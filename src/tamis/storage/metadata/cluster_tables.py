"""The tables of clusters: their definitions stand with the other named resources."""

from sqlalchemy import Column, Table

from tamis.storage.metadata.columns import INTEGER, index, integer, metadata, scope, table, text

_NAMESPACE = ("organization_id", "namespace_id")

clusters = table("clusters", *scope(), text("cluster_id", key=True), text("name"), integer("created_at"), text("body"))
index("clusters_by_name", clusters, *_NAMESPACE, "name", unique=True)

cluster_runs = table(
    "cluster_runs",
    *scope(),
    text("run_id", key=True),
    text("cluster_id"),
    text("trigger_id", optional=True),
    text("status"),
    integer("created_at"),
    text("body"),
)
index("cluster_runs_of_cluster", cluster_runs, *_NAMESPACE, "cluster_id", "created_at", "run_id")
index("cluster_runs_of_trigger", cluster_runs, *_NAMESPACE, "trigger_id", "created_at", "run_id")
index("cluster_runs_by_status", cluster_runs, "status", "created_at")

found_clusters = Table(
    "found_clusters",
    metadata,
    *scope(),
    text("run_id", key=True),
    Column("number", INTEGER, primary_key=True, autoincrement=False),
    text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# number: of the cluster that the document is in, -1 for none.  place: from 0 on, nearest to its centroid first.
cluster_members = Table(
    "cluster_members",
    metadata,
    *scope(),
    text("run_id", key=True),
    text("document_id", key=True),
    integer("number"),
    integer("place"),
    text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
index("cluster_members_by_cluster", cluster_members, *_NAMESPACE, "run_id", "number", "place", "document_id")
