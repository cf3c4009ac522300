"""`tamis trigger`: work that begins by itself."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from tamis.cli.cluster_trigger import told_moment, told_schedule
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell
from tamis.cli.terminal import fail, out, plain_errors, show_table

app = typer.Typer(help="Run clusters, apply taxonomies and process collections by themselves.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(help="The trigger's id.")]


@app.command("create")
def create(
    cluster: Annotated[str | None, typer.Option("--cluster", help="Run this cluster.")] = None,
    taxonomy: Annotated[str | None, typer.Option("--taxonomy", help="Apply it to --collection.")] = None,
    collection: Annotated[str | None, typer.Option("--collection", help="Alone: process it again.")] = None,
    cron: Annotated[str | None, typer.Option("--cron", help="As '0 2 * * *'.")] = None,
    zone: Annotated[str, typer.Option("--zone", help="The time zone of --cron.")] = "UTC",
    every_s: Annotated[int | None, typer.Option("--every", min=1, help="Seconds between two.")] = None,
    after: Annotated[int | None, typer.Option("--after", min=1, help="So many new documents.")] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What is done, and by one of --cron, --every and --after when."""
    action = _action(cluster, taxonomy, collection)
    ways: dict[str, Any] = {
        "cron": cron and {"cron_expression": cron, "timezone": zone},
        "interval": every_s and {"interval_seconds": every_s},
        "event": after and {"event_threshold": after},
    }
    given = {kind: schedule for kind, schedule in ways.items() if schedule}
    if len(given) != 1:
        fail("give one of --cron, --every and --after")
    ((kind, schedule),) = given.items()
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post("triggers", {**action, "trigger_type": kind, "schedule_config": schedule})
    out.print(f"trigger {made['trigger_id']}", highlight=False)


@app.command("list")
def list_triggers(
    url: Url = None, key: Key = None, namespace: NamespaceOption = None, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show the namespace's triggers."""
    table = Table("trigger", "action", "by", "status", "fired", "last", "next")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        for one in client.post("triggers/list")["triggers"]:
            table.add_row(
                one["trigger_id"], one["action_type"], cell(told_schedule(one)), one["status"],
                str(one["execution_count"]), told_moment(one["last_triggered_at"]),
                told_moment(one["next_scheduled_at"]),
            )  # fmt: skip
    show_table(table, ("by",))


@app.command("history")
def history(
    trigger_id: Id,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The times that it fired, newest first."""
    table = Table("due", "fired", "task", "status", "error")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(f"triggers/{quote(trigger_id, safe='')}/history", limit=limit)
    for one in found["executions"]:
        table.add_row(
            told_moment(one["scheduled_at"]), told_moment(one["triggered_at"]), one["task_id"], one["status"],
            cell(one["error"] or ""),
        )  # fmt: skip
    show_table(table, ("error",))


def _done(verb: str, told: str) -> None:
    """A command that asks one thing of a trigger."""

    def ask(
        trigger_id: Id, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
        data_dir: DataDir = DEFAULT_DATA_DIR,
    ) -> None:  # fmt: skip
        with plain_errors(), connect(url, key, namespace, data_dir) as client:
            answer = client.post(f"triggers/{quote(trigger_id, safe='')}/{verb}")
        out.print(f"task {answer['task_id']}" if verb == "execute" else answer["status"], highlight=False)

    app.command(verb, help=told)(ask)


_done("execute", "Begin its work now.")
_done("pause", "Let it fire no more until it is resumed.")
_done("resume", "Let it begin its wait anew.")


@app.command("delete")
def delete(
    trigger_id: Id, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Take it away, with its history."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        client.delete(f"triggers/{quote(trigger_id, safe='')}")
    out.print("deleted")


def _action(cluster: str | None, taxonomy: str | None, collection: str | None) -> dict[str, Any]:
    if cluster is not None and taxonomy is None and collection is None:
        return {"action_type": "cluster", "action_config": {"cluster_id": cluster}}
    if collection is None or cluster is not None:
        fail("give --cluster, or --taxonomy and --collection, or --collection alone")
    if taxonomy is None:
        return {"action_type": "collection_trigger", "action_config": {"collection_id": collection}}
    config = {"taxonomy_id": taxonomy, "collection_id": collection}
    return {"action_type": "taxonomy_enrichment", "action_config": config}
