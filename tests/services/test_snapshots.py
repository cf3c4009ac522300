from datetime import UTC, datetime

from tamis.model.document import Document
from tamis.model.hits import Hit, Hits
from tamis.model.principal import Principal
from tamis.services.runs.snapshots import Snapshot, SnapshotStore

HERE = Principal("org_a", "ns_a")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def snapshot(execution_id: str, text: str = "", fingerprint: str = "f") -> Snapshot:
    document = Document("doc_1", "col_1", {"text": text}, NOW, NOW)
    return Snapshot(execution_id, "anonymous", "d", "i", fingerprint, Hits.of([Hit("doc_1", 1.0, document)]))


def test_a_ranking_is_found_by_execution_and_by_fingerprint() -> None:
    store = SnapshotStore()
    store.put(HERE, snapshot("exec_1"), 60)
    store.put(HERE, snapshot("exec_2"), 60)
    assert store.get(HERE, "exec_1") == snapshot("exec_1")
    newest = store.newest(HERE, "f")
    assert newest is not None
    assert newest.execution_id == "exec_2"


def test_another_tenant_finds_nothing() -> None:
    store = SnapshotStore()
    store.put(HERE, snapshot("exec_1"), 60)
    for stranger in (Principal("org_b", "ns_a"), Principal("org_a", "ns_b")):
        assert store.get(stranger, "exec_1") is None
        assert store.newest(stranger, "f") is None


def test_what_has_had_its_time_is_gone() -> None:
    store = SnapshotStore()
    store.put(HERE, snapshot("exec_1"), -1)
    assert store.get(HERE, "exec_1") is None
    assert store.newest(HERE, "f") is None


def test_the_least_recently_used_goes_first_when_the_bytes_run_out() -> None:
    store = SnapshotStore(max_bytes=30_000)
    for name in ("exec_1", "exec_2", "exec_3"):
        store.put(HERE, snapshot(name, "x" * 2000), 60)
    store.get(HERE, "exec_1")
    for place in range(4, 8):
        store.put(HERE, snapshot(f"exec_{place}", "x" * 2000), 60)
        store.get(HERE, "exec_1")
    assert store.get(HERE, "exec_1") is not None
    assert store.get(HERE, "exec_2") is None


def test_a_ranking_too_large_for_the_store_is_not_kept() -> None:
    store = SnapshotStore(max_bytes=4_000)
    store.put(HERE, snapshot("exec_1", "x" * 10_000), 60)
    assert store.get(HERE, "exec_1") is None
