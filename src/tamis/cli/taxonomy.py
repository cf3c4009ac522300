"""`tamis taxonomy`: trees of classes, and the documents that they label."""

import time
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import typer
from rich.table import Table
from rich.text import Text

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell
from tamis.cli.terminal import err, fail, out, plain_errors, show_table

app = typer.Typer(help="Store trees of classes, and label documents by them.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The taxonomy's name or id.")]
Config = Annotated[Path, typer.Argument(help="Its config as JSON: nodes, or how to infer them.", exists=True)]
_POLL_S = 0.5


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="As it will be called.")],
    config: Config,
    description: Annotated[str | None, typer.Option("--description")] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Store a taxonomy."""
    body = {"taxonomy_name": name, "config": _read(config), "description": description}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        _tell(client.post("taxonomies", body))


@app.command("version")
def version(
    name: Name,
    config: Config,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make its next version, which it is from now on."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        _tell(client.post(f"{_path(name)}/versions", {"config": _read(config)}))


@app.command("list")
def list_taxonomies(
    url: Url = None, key: Key = None, namespace: NamespaceOption = None, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show the namespace's taxonomies."""
    table = Table("name", "id", "kind", "version", "nodes")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        for one in client.pages("taxonomies/list"):
            table.add_row(
                cell(one["taxonomy_name"]), one["taxonomy_id"], one["config"]["taxonomy_type"], str(one["version"]),
                str(len(_nodes(one))),
            )  # fmt: skip
    show_table(table, ("name",))


@app.command("show")
def show(
    name: Name,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The tree, with how many labels of each node documents have, and how sure they are on average."""
    table = Table("node", "id", "labels", "confidence")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        _tell(client.get(_path(name)))
        for one in client.get(f"analytics/{_path(name)}/nodes")["nodes"]:
            mean = one["avg_confidence"]
            table.add_row(
                Text("  " * (one["level"] - 1)) + cell(one["label"]), cell(one["node_id"]), str(one["count"]),
                "" if mean is None else f"{mean:.2f}",
            )  # fmt: skip
    show_table(table, ("node",))


@app.command("apply")
def apply(
    name: Name,
    collection: Annotated[str, typer.Option("--collection", help="Whose documents are labelled, by name or id.")],
    wait: Annotated[bool, typer.Option("--wait", help="Until all of them are.")] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Label the documents of a collection."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        begun = client.post(f"collections/{quote(collection, safe='')}/apply-taxonomy", {"taxonomy_id": name})
        if not wait:
            out.print(f"task {begun['task_id']} labels {begun['estimated_documents']} documents", highlight=False)
            return
        task = _waited(client, begun["task_id"])
    told = task["additional_data"]
    if task["status"] != "COMPLETED":
        fail(f"{task['status'].lower()} after {told['processed_documents']} documents: {task['error']}")
    out.print(
        f"{told['processed_documents']} documents: {told.get('labelled_documents', 0)} labelled, "
        f"{told.get('unlabelled_documents', 0)} without a label",
        highlight=False,
    )


@app.command("delete")
def delete(
    name: Name,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Forget it with its versions and figures; labels stay in documents."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        client.delete(_path(name))
    out.print(f"deleted {name}", highlight=False)


def _path(name: str) -> str:
    return f"taxonomies/{quote(name, safe='')}"


def _read(path: Path) -> Any:
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        fail(f"{path} is no JSON: {error}")


def _nodes(taxonomy: Any) -> list[Any]:
    config = taxonomy["config"]
    return config.get("hierarchical_nodes") or config.get("nodes") or []


def _tell(taxonomy: Any) -> None:
    name, identifier, version = (taxonomy[key] for key in ("taxonomy_name", "taxonomy_id", "version"))
    out.print(f"{name}, {identifier}, version {version}: {len(_nodes(taxonomy))} nodes", highlight=False, markup=False)


def _waited(client: Any, task_id: str) -> Any:
    with err.status("labelling") as status:
        while True:
            task = client.get(f"tasks/{task_id}")
            if task["status"] not in ("PENDING", "IN_PROGRESS"):
                return task
            told = task["additional_data"]
            status.update(f"labelling: {told['processed_documents']} of {told['total_documents']} documents")
            time.sleep(_POLL_S)
