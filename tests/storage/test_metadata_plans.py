"""Every query finds its rows by an index, on a database that has no statistics yet."""

import sqlite3
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Executable
from sqlalchemy.dialects.sqlite import pysqlite
from sqlalchemy.sql import ClauseElement

from tamis.storage.metadata import (
    agent_sessions,
    alerts,
    audit,
    batches,
    bucket_syncs,
    cluster_runs,
    credits,
    documents,
    evaluations,
    execution_blobs,
    execution_counts,
    execution_deletes,
    execution_series,
    execution_steps,
    executions,
    files,
    history,
    index_queue,
    input_blobs,
    interactions,
    keys,
    mode_counts,
    objects,
    organizations,
    published,
    resources,
    retriever_versions,
    schema,
    secrets,
    storage_connections,
    tasks,
    taxonomies,
    triggers,
    uploads,
    usage,
    walks,
    webhooks,
)
from tamis.storage.metadata.link import Statements
from tamis.storage.metadata.sqlite import SqliteMetadata

_STATEMENTS = Statements(pysqlite.dialect(paramstyle="named", dbapi=sqlite3))
_MODULES = (
    alerts,
    agent_sessions,
    audit,
    batches,
    bucket_syncs,
    cluster_runs,
    credits,
    documents,
    evaluations,
    execution_blobs,
    execution_counts,
    execution_deletes,
    execution_series,
    execution_steps,
    files,
    history,
    index_queue,
    input_blobs,
    interactions,
    keys,
    mode_counts,
    objects,
    organizations,
    published,
    retriever_versions,
    secrets,
    storage_connections,
    tasks,
    taxonomies,
    triggers,
    uploads,
    usage,
    walks,
    webhooks,
)
_WHOLE = {
    "organizations._FIRST",
    "index_queue._PENDING",
    "files._UNNEEDED",
    "secrets._EVERYONES",
    "storage_connections._EVERYONES",
    "bucket_syncs._RUNNING",
    "organizations._EVERYONES",
    "walks._UNFINISHED",
}
"""Look at the whole of a table, which is small, or in its own order up to a limit."""


def _all() -> dict[str, ClauseElement]:
    found: dict[str, ClauseElement] = {
        f"{module.__name__.rpartition('.')[2]}.{name}": value
        for module in _MODULES
        for name, value in vars(module).items()
        if name.isupper() and isinstance(value, ClauseElement) and isinstance(value, Executable)
    }
    for kind in (resources.NAMESPACES, resources.BUCKETS, resources.COLLECTIONS, resources.RETRIEVERS):
        for name in ("by_id", "by_name", "all", "replace", "delete"):
            found[f"{kind.label}.{name}"] = getattr(kind, name)
    for status, start, end, oldest_first in product((False, True), repeat=4):
        suffix = f"{status:d}{start:d}{end:d}{oldest_first:d}"
        found[f"executions.page{suffix}"] = executions._page(status, start, end, oldest_first)
        found[f"executions.scan{suffix}"] = executions._scan(status, start, end, oldest_first)
        found[f"executions.select{suffix}"] = execution_deletes._select(status, start, end, oldest_first)
    for status, mode in product((False, True), repeat=2):
        edge = execution_counts.headers_at_edge if mode else execution_counts.edge
        found[f"executions.edge{status:d}{mode:d}"] = edge(status)
        found[f"executions.sums{status:d}{mode:d}"] = execution_counts.sums(status, mode)
        found[f"executions.series{mode:d}"] = execution_series.series(mode)
        found[f"executions.steps{mode:d}"] = execution_steps.between(mode)
    for bounds, (page, count) in batches._ITEMS.items():
        found |= {f"batches.page{bounds}": page, f"batches.count{bounds}": count}
    for asked, statements in tasks._SELECTIONS.items():
        found |= {f"tasks.{name}{asked}": one for name, one in zip(("list", "page", "count"), statements, strict=True)}
    for shape in ((), ("resource_id",), ("resource_type", "start"), ("actor_id", "end"), ("action",)):
        found[f"audit.page{shape}"] = audit.page_statement(shape)
        found[f"audit.count{shape}"] = audit.count_statement(shape)
    for shape in ((), ("retriever_id",), ("execution_id", "user_id"), ("user_id", "start"), ("session_id", "start")):
        found[f"interactions.page{shape}"] = interactions.page_statement(shape)
        found[f"interactions.count{shape}"] = interactions.count_statement(shape)
        found[f"interactions.scan{shape}"] = interactions.scan_statement(shape)
    for status, dataset in product((False, True), repeat=2):
        page, count = evaluations.page_statements(status, dataset)
        found |= {f"evaluations.page{status, dataset}": page, f"evaluations.count{status, dataset}": count}
    found["executions._GET"] = executions._GET
    return found


ALL = _all()


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("plans") / "tamis.db"
    SqliteMetadata(path)._close()
    connection = sqlite3.connect(path)
    yield connection
    connection.close()


def _plan(connection: sqlite3.Connection, name: str) -> str:
    text, constants = _STATEMENTS.text(ALL[name])
    values = {**dict.fromkeys(ALL[name].compile(dialect=_STATEMENTS.dialect).params), **constants}
    return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values))


@pytest.mark.parametrize("name", sorted(ALL))
def test_no_statement_scans_a_table(connection: sqlite3.Connection, name: str) -> None:
    plan = _plan(connection, name)
    scanned = [table for table in schema.metadata.tables if f"SCAN {table}" in plan]
    assert bool(scanned) == (name in _WHOLE), plan


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("documents._GET_MANY", "document_id=?"),
        ("documents._BY_SOURCE", "source_id=?"),
        ("documents._BY_CONTENT", "content_key=?"),
        ("files._FIND", "content=?"),
        ("files._DROP_USES", "owner_id=?"),
        ("tasks.page(True, False)", "status=?"),
        ("tasks.page(False, True)", "type=?"),
        ("documents._BY_ROOT", "root_object_id=?"),
        ("documents._BY_ROOT_INSIDE", "root_object_id=?"),
        ("objects._BY_CONTENT", "content_hash=?"),
        ("objects._BY_UNIQUE_KEY", "unique_key=?"),
        ("uploads._BY_HASH", "file_hash=?"),
        ("batches._UNFINISHED", "status=?"),
        ("batches._PAGE_OF_STATUS", "bucket_id=?"),
        ("batches._COUNT", "bucket_id=?"),
        ("uploads._PAGE", "bucket_id=?"),
        ("batches._WAITING", "status=? AND tier=?"),
        ("index_queue._ACKNOWLEDGE", "rowid=?"),
        ("executions.page1000", "status=?"),
        ("executions.select0000", "retriever_id=?"),
        ("executions.select1000", "execution_id=?"),
        ("executions.select0100", "inputs_key=?"),
        ("executions.select0111", "inputs_key=?"),
        ("executions.select0011", "started_at>? AND started_at<?"),
        ("executions.sums00", "span_s=? AND organization_id=? AND namespace_id=? AND retriever_id=? AND start_at>?"),
        ("execution_blobs._FORGET", "execution_id=?"),
        ("execution_blobs._DROP", "sha1=?"),
        ("execution_deletes._DELETE", "execution_id=?"),
        ("executions.page0110", "started_at>? AND started_at<?"),
        ("interactions.page('retriever_id',)", "retriever_id=?"),
        ("interactions.scan('retriever_id',)", "retriever_id=? AND at<?"),
        ("interactions.scan()", "at<?"),
        ("interactions._OF_USER", "user_id=?"),
        ("evaluations._UNFINISHED", "status=?"),
    ],
)
def test_a_look_up_goes_by_what_it_looks_for(connection: sqlite3.Connection, name: str, columns: str) -> None:
    assert columns in _plan(connection, name)


@pytest.mark.parametrize(
    "name",
    [
        *("documents._PAGE", "documents._SCAN", "documents._SCAN_NEWEST", "documents._BY_SOURCE", "documents._BY_ROOT"),
        *("objects._PAGE", "objects._SCAN", "objects._SCAN_NEWEST", "batches._WAITING", "index_queue._PENDING"),
        *(f"executions.page{bits}" for bits in ("0000", "0001", "1000", "1001", "0110", "1110")),
        "execution_deletes._OLDEST",
        *("interactions.page()", "interactions.page('retriever_id',)", "interactions.scan('retriever_id',)"),
        *("evaluations.page(False, False)", "evaluations._RUNS"),
    ],
)
def test_what_may_grow_large_is_read_in_order_and_never_sorted(connection: sqlite3.Connection, name: str) -> None:
    assert "TEMP B-TREE" not in _plan(connection, name)


@pytest.mark.parametrize(
    "name",
    ["documents._COUNT", "objects._TOTALS", "objects._SIZES", "executions.edge00", "executions.edge10"],
)
def test_counts_stay_within_an_index(connection: sqlite3.Connection, name: str) -> None:
    assert "COVERING INDEX" in _plan(connection, name)
