"""`tamis snapshot`: a namespace or a collection as it is at one moment, and put back under a new name."""

import time
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell
from tamis.cli.terminal import fail, out, plain_errors, show_table
from tamis.client import Client

app = typer.Typer(help="Take snapshots, and put them back under new names.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The snapshot's name or id.")]
_POLL_S = 0.2
_UNDER_WAY = ("PENDING", "IN_PROGRESS")


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="As it will be called.")],
    collection: Annotated[str | None, typer.Option("--collection", help="Only this one, by name or id.")] = None,
    description: Annotated[str | None, typer.Option("--description")] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Take one, of the namespace or of a collection; others may write meanwhile."""
    body = {"snapshot_name": name, "collection_identifier": collection, "description": description}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post("snapshots", body)
        _wait(client, made["task_id"])
        found = client.get(_path(made["snapshot_id"]))
    out.print(f"{found['snapshot_name']}: {_counted(found['counts'])}", markup=False, highlight=False)


@app.command("list")
def list_snapshots(
    url: Url = None, key: Key = None, namespace: NamespaceOption = None, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show the namespace's snapshots."""
    table = Table("name", "id", "of", "status", "taken", "MB")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        for one in client.pages("snapshots/list"):
            table.add_row(
                cell(one["snapshot_name"]), one["snapshot_id"], one["collection_id"] or "the namespace", one["status"],
                one["taken_at"] or "", f"{one['size_bytes'] / 1e6:.1f}",
            )  # fmt: skip
    show_table(table, ("name",))


@app.command("restore")
def restore(
    snapshot: Name,
    name: Annotated[str, typer.Argument(help="Of the new namespace, or the new collection.")],
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put one back: a namespace's as a namespace, a collection's beside the others."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post(f"{_path(snapshot)}/restore", {"name": name})
        done = _wait(client, made["task_id"])
    counts = (done["additional_data"] or {}).get("restored", {})
    out.print(f"{name}: {_counted(counts)}", markup=False, highlight=False)


@app.command("delete")
def delete(
    snapshot: Name,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Delete one; what was made of it stays."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        client.delete(_path(snapshot))
    out.print(f"deleted {snapshot}", markup=False, highlight=False)


def _path(snapshot: str) -> str:
    return f"snapshots/{quote(snapshot, safe='')}"


def _wait(client: Client, task_id: str) -> Any:
    while (task := client.get(f"tasks/{task_id}"))["status"] in _UNDER_WAY:
        time.sleep(_POLL_S)
    if task["status"] != "COMPLETED":
        fail(f"task {task_id} {task['status']}: {task['error']}")
    return task


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}s" for kind, count in counts.items() if kind != "namespace") or "nothing"
