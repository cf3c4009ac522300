"""A backup of a server that is being written to, restored, and compared with the original in everything."""

import asyncio
import base64
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, select

from tamis.client import Client
from tamis.settings import Settings
from tamis.storage.metadata.schema import metadata
from tamis.wiring.backups import restore_backup, write_backup
from tests.commands import tamis
from tests.e2e.test_kill import add_objects, make_collection, query, wait_for_batch
from tests.faults.test_full_disk import Writers
from tests.faults.waiting import wait_for
from tests.live import LiveServer

OBJECTS = 30


def rows_of(data_dir: Path) -> dict[str, list[Any]]:
    engine = create_engine(f"sqlite:///{data_dir / 'tamis.sqlite3'}", poolclass=NullPool)
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def files_of(data_dir: Path) -> dict[str, bytes]:
    root = data_dir / "blobs"
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def furnish(client: Client) -> tuple[str, str, str]:
    """(bucket, collection, an execution): texts that are searched, files, a record."""
    bucket, collection = make_collection(client)
    ids = add_objects(client, bucket, OBJECTS)
    batch = client.post(f"buckets/{bucket}/batches", {"object_ids": ids})["batch_id"]
    client.post(f"buckets/{bucket}/batches/{batch}/submit")
    assert wait_for_batch(client, bucket, batch) == "COMPLETED"
    schema = {"properties": {"file": {"type": "image"}}}
    files = client.post("buckets", {"bucket_name": "files", "bucket_schema": schema})["bucket_id"]
    for number in range(3):
        data = base64.b64encode(bytes([number]) * 5000).decode()
        blob = {"property": "file", "type": "image", "data": f"data:image/png;base64,{data}"}
        client.post(f"buckets/{files}/objects", {"blobs": [blob]})
    return bucket, collection, client.post("retrievers/execute", query(collection))["execution_id"]


def found(client: Client, collection: str) -> list[tuple[str, float]]:
    answer = client.post("retrievers/execute", query(collection, limit=50))
    return [(document["document_id"], document["score"]) for document in answer["documents"]]


def test_a_server_that_is_backed_up_while_it_is_written_to(tmp_path: Path) -> None:
    with LiveServer(tmp_path / "data") as server, server.client() as client:
        bucket, collection, execution = furnish(client)
        with Writers(server, bucket) as writers:
            wait_for(lambda: len(writers.acknowledged) >= 5)
            before = list(writers.acknowledged)
            assert "the record of" in tamis("backup", str(tmp_path / "first"), "--data-dir", str(server.data_dir))
            count = len(writers.acknowledged)
            wait_for(lambda: len(writers.acknowledged) > count)
        assert not writers.refusals, "nobody was kept from writing"
        expected = found(client, collection)
        assert len(expected) == OBJECTS
        key = server.key
    asyncio.run(write_backup(Settings(data_dir=tmp_path / "data"), tmp_path / "second"))

    asyncio.run(restore_backup(Settings(data_dir=tmp_path / "during"), tmp_path / "first", with_index=False))
    objects = {row[2] for row in rows_of(tmp_path / "during")["objects"]}
    assert set(before) <= objects, "what was acknowledged before it began is in it"
    assert objects <= {row[2] for row in rows_of(tmp_path / "data")["objects"]}

    assert "the record of" in tamis("restore", str(tmp_path / "second"), "--data-dir", str(tmp_path / "restored"))
    # The index is rebuilt, which each collection's revision says: what caches know of it is forgotten.
    original, restored = rows_of(tmp_path / "data"), rows_of(tmp_path / "restored")
    assert {name: rows for name, rows in restored.items() if name != "collections"} == {
        name: rows for name, rows in original.items() if name != "collections"
    }
    assert files_of(tmp_path / "restored") == files_of(tmp_path / "data")
    assert (tmp_path / "restored/upload.key").read_bytes() == (tmp_path / "data/upload.key").read_bytes()

    again = LiveServer(tmp_path / "restored")
    again.key = key
    with again, again.client() as client:
        assert found(client, collection) == expected
        assert client.get(f"retrievers/executions/{execution}")["execution_id"] == execution
