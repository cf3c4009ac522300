"""The tables of figures: what executions of saved retrievers add up to, by hour."""

from sqlalchemy import Table

from tamis.storage.metadata.columns import integer, metadata, scope, table, text

# One row for executions, or runs of a stage, that are alike. place: 0 for the whole, a stage's from 1.  hour: since
# 1970.  cached: 1, 0, or -1 where no cache could answer.  step: of the duration (`model.durations`).  slot: as in
# `execution_counts`.
execution_figures = Table(
    "execution_figures",
    metadata,
    *scope(),
    text("retriever_id", key=True),
    integer("place", key=True),
    integer("hour", key=True),
    *(text(name, key=True) for name in ("stage_name", "stage_id", "outcome")),
    *(integer(name, key=True) for name in ("cached", "step", "slot")),
    *(integer(name) for name in ("executions", "duration_us", "received", "returned", "micro_credits")),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
# Of each hour the slowest executions: a hundred to two hundred.
slow_executions = Table(
    "slow_executions",
    metadata,
    *scope(),
    text("retriever_id", key=True),
    integer("hour", key=True),
    integer("duration_us", key=True),
    text("execution_id", key=True),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
# One row while records from before there were figures are left to be counted: those begun before `before_at`, in the
# order of their keys, behind this one.
figures_left = table(
    "figures_left",
    integer("before_at", key=True),
    *(text(name) for name in ("in_organization", "in_namespace", "after_id")),
    integer("turn"),
)
