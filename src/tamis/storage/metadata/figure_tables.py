"""The tables of figures: what executions of saved retrievers and what batches add up to, by hour."""

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
# What batches made of sources, by the hour since 1970. outcome: `reused` where no extractor had to be asked; these have
# no time and step -1.  step: of what a source took.  documents: that were made.
extraction_figures = Table(
    "extraction_figures",
    metadata,
    *scope(),
    text("collection_id", key=True),
    integer("hour", key=True),
    *(text(name, key=True) for name in ("extractor_name", "extractor_version", "outcome")),
    integer("step", key=True),
    *(integer(name) for name in ("sources", "duration_us", "documents")),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
