"""The tables of what begins work by itself."""

from tamis.storage.metadata.columns import index, integer, scope, table, text

_NAMESPACE = ("organization_id", "namespace_id")

triggers = table(
    "triggers",
    *scope(),
    text("trigger_id", key=True),
    text("status"),
    integer("due_at", optional=True),
    integer("created_at"),
    text("body"),
)
index("triggers_newest", triggers, *_NAMESPACE, "created_at", "trigger_id")
index("triggers_due", triggers, "status", "due_at", "trigger_id")

# moment: for when it was due; the key lets a trigger fire once for each, whoever looks at it.
trigger_firings = table(
    "trigger_firings",
    *scope(),
    text("trigger_id", key=True),
    integer("moment", key=True),
    integer("is_open"),
    text("body"),
)
index("trigger_firings_open", trigger_firings, "is_open", "moment", "trigger_id")

due_runs = table("due_runs", *scope(), text("cluster_id", key=True), integer("due_at"), text("body"))
index("due_runs_due", due_runs, "due_at", "cluster_id")
