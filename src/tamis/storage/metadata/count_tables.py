"""The tables of counters: how many executions began in each span of time, what they cost and how long they took."""

from sqlalchemy import Column, Table

from tamis.storage.metadata.columns import BYTES, integer, metadata, scope, table, text

# `span_s` seconds from `start_at`, 0 for all of time. mode: '' of those that are still to be counted by their mode, of
# which the sums are 0.  cacheable: executions that a cache could have answered some of; cache_micros: the sum of their
# hit rates, in millionths.  A transaction counts in the slot of its connection, so that no two wait for each other; the
# sum over the slots is the count.
execution_counts = Table(
    "execution_counts",
    metadata,
    integer("span_s", key=True),
    *scope(),
    text("retriever_id", key=True),
    integer("start_at", key=True),
    text("status", key=True),
    text("mode", key=True),
    integer("slot", key=True),
    *(integer(name) for name in ("count", "micro_credits", "cacheable", "cache_micros")),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
# steps: how many took how long, by step (`model.durations`), as MessagePack.
execution_steps = Table(
    "execution_steps",
    metadata,
    integer("span_s", key=True),
    *scope(),
    text("retriever_id", key=True),
    integer("start_at", key=True),
    text("mode", key=True),
    integer("slot", key=True),
    Column("steps", BYTES, nullable=False),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)
# As `figures_left`, of those from before counters had modes.
counts_left = table(
    "counts_left",
    integer("before_at", key=True),
    *(text(name) for name in ("in_organization", "in_namespace", "after_id")),
    integer("turn"),
)
