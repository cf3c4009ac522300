"""The tables of roll-outs and of what was answered in their shadow."""

from sqlalchemy import Table

from tamis.storage.metadata.columns import index, integer, metadata, scope, table, text

rollouts = table("rollouts", *scope(), text("retriever_id", key=True), text("body"))

shadow_runs = Table(
    "shadow_runs",
    metadata,
    *scope(),
    text("execution_id", key=True),
    text("rollout_id"),
    integer("at"),
    text("body"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
index("shadow_runs_of_rollout", shadow_runs, "organization_id", "namespace_id", "rollout_id", "at", "execution_id")
