"""`tamis sync`: buckets kept in step with what others store."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from tamis.cli.addressing import AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell, plain
from tamis.cli.terminal import out, plain_errors, show_table

app = typer.Typer(help="Keep buckets in step with what others store.", no_args_is_help=True)

Bucket = Annotated[str, typer.Argument(help="The bucket's name or id.")]
SyncId = Annotated[str, typer.Argument(help="The sync's id.")]


@app.command("create")
def create(
    bucket: Bucket,
    connection: Annotated[str, typer.Argument(help="The storage connection's name or id.")],
    path: Annotated[str, typer.Argument(help="Within it; of an object store, its bucket first.")] = "/",
    once: Annotated[bool, typer.Option("--once", help="One run, and then only when it is asked for.")] = False,
    every: Annotated[int, typer.Option(min=30, max=900, help="Seconds between two runs.")] = 300,
    include: Annotated[list[str] | None, typer.Option(help="Only files of this glob; several times.")] = None,
    exclude: Annotated[list[str] | None, typer.Option(help="No files of this glob; several times.")] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Begin to keep a bucket in step; the first run begins at once."""
    body: dict[str, Any] = {
        "connection_id": connection, "source_path": path, "sync_mode": "initial_only" if once else "continuous",
        "polling_interval_seconds": every,
        "file_filters": {"include_patterns": include or [], "exclude_patterns": exclude or []},
    }  # fmt: skip
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post(_path(bucket), body)
    out.print(f"sync {made['sync_config_id']}", highlight=False)


@app.command("list")
def list_syncs(
    bucket: Bucket, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Show the syncs of a bucket."""
    table = Table("id", "connection", "path", "status", "runs", "files", "failed", "last run", "trouble")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        for one in client.pages(f"{_path(bucket)}/list"):
            table.add_row(
                one["sync_config_id"], one["connection_id"], cell(one["source_path"]), one["status"],
                str(one["sync_run_counter"]), str(one["total_files_synced"]), str(one["total_files_failed"]),
                (one["last_sync_at"] or "–")[:19].replace("T", " "), cell(one["last_error"]),
            )  # fmt: skip
    show_table(table, ("path", "trouble"))


@app.command("show")
def show(
    bucket: Bucket, sync: SyncId, as_json: AsJson = False, url: Url = None, key: Key = None,
    namespace: NamespaceOption = None, data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """How its newest runs went, and which files failed."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        path = f"analytics/buckets/{quote(bucket, safe='')}/sync-performance"
        found = {
            "sync": client.get(_path(bucket, sync)),
            "runs": client.get(path, sync_config_id=sync, limit=10)["runs"],
            "failed": client.get(f"{_path(bucket, sync)}/files", state="failed")["files"],
        }
    print_found(found, as_json, _show)


@app.command("run")
def run(
    bucket: Bucket, sync: SyncId, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Begin a run now."""
    _ask("trigger", bucket, sync, url, key, namespace, data_dir)


@app.command("pause")
def pause(
    bucket: Bucket, sync: SyncId, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Begin no more runs."""
    _ask("pause", bucket, sync, url, key, namespace, data_dir)


@app.command("resume")
def resume(
    bucket: Bucket, sync: SyncId, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Go on."""
    _ask("resume", bucket, sync, url, key, namespace, data_dir)


@app.command("delete")
def delete(
    bucket: Bucket, sync: SyncId, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Keep the bucket in step no more; what came stays."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        client.delete(_path(bucket, sync))
    out.print(f"deleted {plain(sync)}", highlight=False)


def _ask(what: str, bucket: str, sync: str, *where: Any) -> None:
    url, key, namespace, data_dir = where
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        client.post(f"{_path(bucket, sync)}/{what}")
        found = client.get(_path(bucket, sync))
    out.print(f"{plain(sync)}: {found['status']}", highlight=False)


def _path(bucket: str, sync: str | None = None) -> str:
    path = f"buckets/{quote(bucket, safe='')}/syncs"
    return path if sync is None else f"{path}/{quote(sync, safe='')}"


def _show(found: dict[str, Any]) -> None:
    sync = found["sync"]
    out.print(f"{sync['status']}: {sync['connection_id']} {plain(sync['source_path'])}", highlight=False)
    table = Table("run", "begun", "took", "status", "found", "read", "failed", "bytes")
    for one in found["runs"]:
        table.add_row(
            one["sync_run_id"], one["started_at"][:19].replace("T", " "), f"{one['duration_seconds']:.1f} s",
            one["status"], str(one["files_discovered"]), str(one["files_synced"]), str(one["files_failed"]),
            str(one["bytes_synced"]),
        )  # fmt: skip
    show_table(table)
    for file in found["failed"]:
        out.print(f"  {plain(file['path'])}: {plain(file['error'])}", highlight=False)
