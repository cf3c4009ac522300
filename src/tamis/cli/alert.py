"""`tamis alert`: who hears of what a saved retriever finds for new documents."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from tamis.cli.cluster_trigger import told_moment
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell
from tamis.cli.terminal import fail, out, plain_errors, show_table

app = typer.Typer(help="Ask a saved retriever about new documents, and tell what it finds.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="ALERT", help="Its id or name.")]
Inputs = Annotated[
    list[str] | None,
    typer.Option("--input", help="As `query=text`: the retriever's input, and the document's field for it."),
]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What it is called.")],
    retriever: Annotated[str, typer.Option("--retriever", help="The saved retriever that is asked.")],
    webhook: Annotated[list[str], typer.Option("--webhook", help="Who is told; give it again for more.")],
    max_credits: Annotated[float | None, typer.Option("--max-credits", help="Of one batch.")] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make one; a collection then applies it: `tamis alert apply`."""
    told = {"channels": [{"channel_type": "webhook", "channel_id": one} for one in webhook]}
    body = {"name": name, "retriever_id": retriever, "notification_config": told, "max_credits": max_credits}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post("alerts", body)
    out.print(f"alert {made['alert_id']}", highlight=False)


@app.command("apply")
def apply(
    alert: Name,
    collection: Annotated[str, typer.Option("--collection", help="Whose new documents are asked about.")],
    inputs: Inputs = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Let a collection apply it to whatever batches bring."""
    mappings = _mappings(inputs)
    if not mappings:
        fail("give at least one --input, as `--input query=text`")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        alert_id = client.get(f"alerts/{quote(alert, safe='')}")["alert_id"]
        there = client.collections.get(collection).get("alert_applications") or []
        others = [one for one in there if one["alert_id"] not in (alert_id, alert)]
        applied = [*others, {"alert_id": alert_id, "input_mappings": mappings}]
        client.collections.patch(collection, alert_applications=applied)
    out.print("applied")


@app.command("list")
def list_alerts(
    url: Url = None, key: Key = None, namespace: NamespaceOption = None, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show the namespace's alerts."""
    table = Table("alert", "id", "retriever", "enabled")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        for one in client.post("alerts/list", {"limit": 1000})["results"]:
            table.add_row(cell(one["name"]), one["alert_id"], one["retriever_id"], "yes" if one["enabled"] else "no")
    show_table(table, ("alert",))


@app.command("executions")
def executions(
    alert: Name,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What it came to for each document, newest first."""
    table = Table("at", "document", "matches", "execution", "error")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(f"alerts/{quote(alert, safe='')}/executions", limit=limit)
    for one in found["results"]:
        table.add_row(
            told_moment(one["executed_at"]), one["source_documents"][0], str(one["match_count"]),
            one["execution_id"] or "", cell(one["error"] or ""),
        )  # fmt: skip
    show_table(table, ("error",))


@app.command("execute")
def execute(
    alert: Name,
    collection: Annotated[str, typer.Option("--collection", help="Whose documents are asked about.")],
    inputs: Inputs = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Ask about documents that are there already; without --input as the collection applies it."""
    body: dict[str, Any] = {"collection_id": collection}
    if mappings := _mappings(inputs):
        body["input_mappings"] = mappings
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        task = client.post(f"alerts/{quote(alert, safe='')}/execute", body)
    out.print(f"task {task['task_id']}", highlight=False)


@app.command("delete")
def delete(
    alert: Name, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Take it away, with what it came to."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        client.delete(f"alerts/{quote(alert, safe='')}")
    out.print("deleted")


def _mappings(inputs: list[str] | None) -> list[dict[str, Any]]:
    found = []
    for one in inputs or ():
        name, _, path = one.partition("=")
        if not name or not path:
            fail(f"--input {one!r}: the input's name, =, and the document's field, as `query=text`")
        found.append({"input_key": name, "source": {"source_type": "document_field", "path": path}})
    return found
