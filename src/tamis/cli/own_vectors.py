"""`tamis import FILE`: documents as JSON lines or a Parquet table, with their vectors."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.progress import Progress, TaskID

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.document_files import first_of, is_table, pieces_of
from tamis.cli.ingest import bars, ensure, ensure_bucket
from tamis.cli.terminal import fail, out, plain_errors
from tamis.client import Client

_SHOWN_ERRORS = 10


def import_documents(
    path: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines: fields, and `vectors` by name; or a table.")
    ],
    collection: Annotated[str, typer.Option("--collection", "-c", help="By id or name; made where there is none.")],
    existing: Annotated[str, typer.Option(help="A document that is there already: replace, skip or fail.")] = "replace",
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Bring documents with vectors of your own; they are searchable when this ends.

    A line is {"document_id": "doc_...", "metadata": {...}, "vectors": {"embedding": [...]}}. FILE.parquet is read as a
    table: columns are fields, those called vectors.NAME vectors. Where no collection has that name, one is made whose
    vectors are those of the first document.
    """
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        collection_id = _collection(client, collection, path)
        with bars() as progress:
            total = None if is_table(path) else path.stat().st_size
            task = progress.add_task("sending             ", total=total, note="bytes")
            done = client.post_bytes(
                f"collections/{collection_id}/documents/import?existing={existing}",
                _pieces(path, progress, task),
                "application/x-ndjson",
            )
    out.print(
        f"{done['created']} documents created, {done['replaced']} replaced, {done['skipped']} skipped, "
        f"{done['failed']} failed in collection [bold]{collection}[/]",
        highlight=False,
    )
    for error in done["errors"][:_SHOWN_ERRORS]:
        out.print(f"  line {error['line']}: {error['message']}", highlight=False, markup=False)
    if done["failed"]:
        raise typer.Exit(1)


def _pieces(path: Path, progress: Progress, task: TaskID) -> Iterator[bytes]:
    for piece in pieces_of(path):
        yield piece
        progress.update(task, advance=len(piece))


def _collection(client: Client, name: str, path: Path) -> str:
    if name.startswith("col_"):
        return name
    extractor = {
        "feature_extractor_name": "passthrough_extractor",
        "version": "v1",
        "parameters": {"vectors": {output: _declared(value) for output, value in _first_vectors(path).items()}},
    }
    bucket_id = ensure_bucket(client, name, {})
    source = {"type": "bucket", "bucket_ids": [bucket_id]}
    return ensure(
        client, "collection", name, {"collection_name": name, "source": source, "feature_extractor": extractor}
    )


def _first_vectors(path: Path) -> dict[str, Any]:
    try:
        first = first_of(path)
    except orjson.JSONDecodeError as error:
        fail(f"{path}: the first line is not JSON: {error}")
    vectors = first.get("vectors") if isinstance(first, dict) else None
    if not isinstance(vectors, dict):
        fail(f'{path}: a line is a JSON object with "vectors": {{"name": [numbers]}}')
    return vectors


def _declared(value: Any) -> dict[str, Any]:
    """What kind of vector this is one of."""
    if isinstance(value, dict):
        return {"kind": "sparse", "idf": False}
    if isinstance(value, str):
        return {"dimensions": len(b64decode(value)) // 4}
    if value and isinstance(value[0], list):
        return {"kind": "multi_dense", "dimensions": len(value[0])}
    return {"dimensions": len(value)}
