"""A data directory, damaged by hand in every way that `tamis verify` knows: each is named, what is derived mended."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tamis.client import Client
from tamis.engine.ports.index import Point
from tamis.errors import ConflictError, DataDirectoryInUse
from tamis.model.principal import Principal
from tamis.settings import Settings
from tamis.storage.index import open_edge_index
from tamis.wiring.verification import Report, verify
from tests.e2e.test_backup import furnish
from tests.faults.waiting import wait_for
from tests.live import LiveServer


@dataclass(frozen=True)
class World:
    data_dir: Path
    tenant: Principal
    collection: str
    documents: list[str]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A directory with nothing wrong in it, also while its server runs."""
    root = tmp_path_factory.mktemp("verified")
    with LiveServer(root / "data") as server:
        with server.client() as client:
            _, collection, _ = furnish(client)
            alerted(client, collection)
        beside = tamis_verify(root / "data", "--deep")
        assert (beside["faults"], beside["left"]) == ([], [])
        assert "the running server" in beside["skipped"]
        with pytest.raises(DataDirectoryInUse):
            asyncio.run(verify(Settings(data_dir=root / "data"), repair=True))
    with closing(sqlite3.connect(root / "data/tamis.sqlite3")) as database:
        rows = database.execute(
            "SELECT organization_id, namespace_id, document_id FROM documents ORDER BY 3"
        ).fetchall()
    return World(root / "data", Principal(rows[0][0], rows[0][1]), collection, [row[2] for row in rows])


def alerted(client: Client, collection: str) -> None:
    """An alert that was executed for two documents of a collection."""
    wanted = {"field": "number", "operator": "eq", "value": "{{INPUT.number}}"}
    client.post("retrievers", {
        "retriever_name": "wanted", "collection_identifiers": [collection],
        "input_schema": {"number": {"type": "number", "required": True}},
        "stages": [{"stage_name": "find", "config": {"stage_id": "attribute_filter", "parameters": wanted}}],
    })  # fmt: skip
    hook: Any = {"channel": "webhook", "configs": {"url": "https://example.com"}}
    client.webhooks.create(webhook_name="bell", event_types=["object.created"], channels=[hook])
    told = {"channels": [{"channel_type": "webhook", "channel_id": "bell"}]}
    client.post("alerts", {"name": "thirds", "retriever_id": "wanted", "notification_config": told})
    task = client.post("alerts/thirds/execute", {
        "collection_id": collection, "filters": {"field": "number", "operator": "in", "value": [3, 4]},
        "input_mappings": [{"input_key": "number", "source": {"source_type": "document_field", "path": "number"}}],
    })  # fmt: skip
    wait_for(lambda: client.get(f"tasks/{task['task_id']}")["status"] == "COMPLETED")
    assert client.get("alerts/thirds/executions")["total_count"] == 2


def tamis_verify(data_dir: Path, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tamis", "verify", "--json", *options, "--data-dir", str(data_dir)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if found["left"] else 0), done.stderr
    return found


def sql(*statements: str) -> Callable[[World], None]:
    def damage(world: World) -> None:
        with closing(sqlite3.connect(world.data_dir / "tamis.sqlite3")) as database, database:
            for statement in statements:
                assert database.execute(statement).rowcount > 0, statement

    return damage


def files(world: World) -> list[Path]:
    """Three that the record names."""
    return sorted(path for path in (world.data_dir / "blobs").rglob("*") if path.is_file() and path.name != "health")


def spoil_files(world: World) -> None:
    gone, cut, changed = files(world)[:3]
    shutil.copy(changed, changed.with_name("nobodys"))
    gone.unlink()
    cut.write_bytes(cut.read_bytes()[:-1])
    content = bytearray(changed.read_bytes())
    content[7] ^= 1
    changed.write_bytes(content)


def spoil_index(world: World) -> None:
    shard = world.data_dir / "index" / world.tenant.organization_id / world.tenant.namespace_id / world.collection
    shutil.copytree(shard, shard.with_name("col_nobodys"))

    async def damage() -> None:
        index = await open_edge_index(world.data_dir / "index")
        await index.delete(world.tenant, world.collection, [world.documents[3]])
        await index.upsert(world.tenant, world.collection, [Point("doc_nobodys", {}, {"text": "x"})])
        await index.set_fields(world.tenant, world.collection, [Point(world.documents[4], {}, {"number": -1})])
        await index.close()

    asyncio.run(damage())


def leave_a_delete(world: World) -> None:
    """As a server that is killed between a delete and its clearing leaves it: a note, a file and a shard."""
    tenant = f"'{world.tenant.organization_id}', '{world.tenant.namespace_id}'"
    folder = world.data_dir / "blobs" / world.tenant.organization_id / world.tenant.namespace_id
    (folder / "deleted").mkdir(parents=True)
    (folder / "deleted" / "file").write_bytes(b"of a bucket that is gone")
    rows = f"({tenant}, 'rem_1', 'files', 'deleted'), ({tenant}, 'rem_2', 'shard', 'col_gone')"
    sql(f"INSERT INTO remains (organization_id, in_namespace, remain_id, kind, name) VALUES {rows}")(world)


def copied(table: str, **changed: str) -> str:
    """One more row of a table, otherwise than the first."""
    names = {
        "documents": "organization_id, namespace_id, document_id, collection_id, source_id, root_object_id, created_at",
        "batch_items": "organization_id, namespace_id, batch_id, collection_id, source_id, tier, status, attempts, "
        "documents",
        "document_vectors": "organization_id, namespace_id, document_id, vectors",
        "document_contents": "organization_id, namespace_id, document_id, content_key",
        "index_queue": "organization_id, namespace_id, collection_id, document_id",
        "alert_executions": "organization_id, namespace_id, alert_id, cause, document_id, executed_at, body",
    }[table]
    names = f"{names}, body" if table == "documents" else names
    chosen = ", ".join(changed.get(name, name) for name in names.split(", "))
    return f"INSERT INTO {table} ({names}) SELECT {chosen} FROM {table} LIMIT 1"


_TENANT = "SELECT organization_id, namespace_id"
DERIVED: dict[str, Callable[[World], None]] = {
    "column": sql(
        "UPDATE documents SET root_object_id = 'nobody' WHERE document_id = (SELECT max(document_id) FROM documents)",
        "UPDATE alerts SET name = 'nobodys'",
        "UPDATE alert_executions SET executed_at = 5 WHERE rowid = (SELECT min(rowid) FROM alert_executions)",
    ),
    "revision": sql("UPDATE collections SET revision = 0"),
    "execution_count": sql("UPDATE execution_counts SET count = count + 5 WHERE span_s = 0 AND mode = 'anonymous'"),
    "vector": sql(copied("document_vectors", document_id="'doc_nobodys'")),
    "document_content": sql(copied("document_contents", document_id="'doc_nobodys'")),
    "batch_item": sql(copied("batch_items", batch_id="'btch_nobodys'")),
    "alert_execution": sql(copied("alert_executions", alert_id="'alt_nobodys'")),
    "index_queue": sql(
        "INSERT INTO index_queue (organization_id, namespace_id, collection_id, document_id, is_delete) "
        f"{_TENANT}, 'col_nobodys', 'doc_nobodys', 0 FROM documents LIMIT 1"
    ),
    "input_reference": sql(
        f"INSERT INTO execution_blobs {_TENANT}, 'f00', 'exec_nobodys' FROM documents LIMIT 1",
        f"INSERT INTO input_blobs {_TENANT}, 'f00', x'00' FROM documents LIMIT 1",
    ),
    "unused_input": sql(f"INSERT INTO input_blobs {_TENANT}, 'f11', x'01' FROM documents LIMIT 1"),
    "file_use": sql(
        "DELETE FROM file_uses WHERE key = (SELECT min(key) FROM file_uses)",
        f"INSERT INTO file_uses {_TENANT}, 'obj_nobodys', (SELECT max(key) FROM files), NULL FROM documents LIMIT 1",
    ),
    "file_count": sql("UPDATE files SET uses = uses + 3 WHERE key = (SELECT max(key) FROM files)"),
    "points": spoil_index,
    "pending_delete": leave_a_delete,
}
LOST: dict[str, Callable[[World], None]] = {
    "body": sql("UPDATE buckets SET body = '{' WHERE name = 'files'", "UPDATE alert_executions SET body = '{}'"),
    "vectors": sql(
        "UPDATE document_vectors SET vectors = x'00' WHERE rowid = (SELECT min(rowid) FROM document_vectors)"
    ),
    "execution": sql("UPDATE executions SET record = x'01' WHERE retriever_id = ''"),
    "document": sql(
        copied(
            "documents",
            document_id="'doc_lost'",
            collection_id="'col_lost'",
            body="replace(body, collection_id, 'col_lost')",
        )
    ),
    "namespace": sql(
        "INSERT INTO tasks SELECT organization_id, 'ns_lost', task_id, type, status, created_at, body "
        "FROM tasks LIMIT 1"
    ),
    "files": spoil_files,
}
NAMED_BESIDE = {
    "points": {"missing_points", "extra_points", "differing_points", "stray_shard"},
    "files": {"missing_file", "file_size", "file_hash", "unnamed_file"},
    "unused_input": {"unused_input", "input_data"},
}


def damaged(whole: World, folder: Path, damages: dict[str, Callable[[World], None]]) -> tuple[World, set[str]]:
    """A copy of it with all of these, and the kinds of fault that have to be found."""
    shutil.copytree(whole.data_dir, folder)
    world = World(folder, whole.tenant, whole.collection, whole.documents)
    kinds: set[str] = set()
    for kind, damage in damages.items():
        damage(world)
        kinds |= NAMED_BESIDE.get(kind, {kind})
    return world, kinds


def found(world: World, *, deep: bool = True, repair: bool = False) -> Report:
    return asyncio.run(verify(Settings(data_dir=world.data_dir), deep=deep, repair=repair))


def test_what_is_derived_is_named_and_mended(whole: World, tmp_path: Path) -> None:
    world, kinds = damaged(whole, tmp_path / "data", DERIVED)
    report = found(world, repair=True)
    assert {fault.kind for fault in report.faults} == kinds
    assert all(fault.is_derived for fault in report.faults if fault.kind != "input_data")
    assert report.left == ()
    where = {fault.kind: f"{fault.where} {fault.problem}" for fault in report.faults}
    assert world.documents[3] in where["missing_points"]
    assert "doc_nobodys" in where["extra_points"]
    assert world.documents[4] in where["differing_points"]
    assert (
        "the counter says 6 (micro_credits 10000), there are 1 (micro_credits 10000) completed anonymous in all"
        in where["execution_count"]
    )
    assert found(world) == Report((), ()), "and it stays so"
    assert not (
        world.data_dir / "blobs" / world.tenant.organization_id / world.tenant.namespace_id / "deleted" / "file"
    ).exists()


def test_what_is_lost_is_named_and_left_alone(whole: World, tmp_path: Path) -> None:
    world, kinds = damaged(whole, tmp_path / "data", LOST)
    before = tree(world)
    report = found(world)
    assert {fault.kind for fault in report.faults} == kinds
    assert tree(world) == before, "looking changes nothing"
    report = found(world, repair=True)
    assert {fault.kind for fault in report.left} == kinds - {"unnamed_file"}
    assert files(world) == [path for path in before if path.name != "nobodys"]
    shallow = {fault.kind for fault in found(world, deep=False).faults}
    assert shallow == kinds - {"unnamed_file", "file_hash", "execution"}


def tree(world: World) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in files(world)}


def test_a_damaged_database_file_is_named_and_nothing_else_is_tried(whole: World, tmp_path: Path) -> None:
    shutil.copytree(whole.data_dir, tmp_path / "data")
    path = tmp_path / "data/tamis.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        root = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'documents_newest'").fetchone()
        size = database.execute("PRAGMA page_size").fetchone()[0]
        page = root[0] if root else database.execute("PRAGMA page_count").fetchone()[0]
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)
    report = found(World(tmp_path / "data", whole.tenant, whole.collection, whole.documents), repair=True)
    assert {fault.kind for fault in report.left} == {"database"}
    assert report.skipped is not None
    assert "restore a backup" in report.skipped


def test_nothing_to_verify_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConflictError, match="holds no data"):
        asyncio.run(verify(Settings(data_dir=tmp_path / "none")))
    assert not (tmp_path / "none").exists()
