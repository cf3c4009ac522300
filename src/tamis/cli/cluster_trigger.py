"""`tamis cluster trigger` and `triggers`: runs of clusters by themselves."""

from typing import Annotated, Any

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell
from tamis.cli.terminal import fail, out, plain_errors, show_table


def create(
    name: Annotated[str, typer.Argument(help="The cluster's name or id.")],
    cron: Annotated[str | None, typer.Option("--cron", help="As '0 2 * * *'.")] = None,
    zone: Annotated[str, typer.Option("--zone", help="The time zone of --cron.")] = "UTC",
    every_s: Annotated[int | None, typer.Option("--every", min=1, help="Seconds between two runs.")] = None,
    after: Annotated[int | None, typer.Option("--after", min=1, help="So many new documents.")] = None,
    drift: Annotated[float | None, typer.Option("--drift", help="New documents so far from those clustered.")] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Run a cluster by itself: by one of --cron, --every, --after, --drift."""
    ways: dict[str, Any] = {
        "cron": cron and {"cron_expression": cron, "timezone": zone},
        "interval": every_s and {"interval_seconds": every_s},
        "event": after and {"event_threshold": after},
        "conditional": drift and {"condition_type": "drift", "threshold": drift},
    }
    given = {kind: schedule for kind, schedule in ways.items() if schedule}
    if len(given) != 1:
        fail("give one of --cron, --every, --after and --drift")
    ((kind, schedule),) = given.items()
    body = {"cluster_id": name, "trigger_type": kind, "schedule_config": schedule}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post("clusters/triggers", body)
    out.print(f"trigger {made['trigger_id']}", highlight=False)


def list_triggers(
    url: Url = None, key: Key = None, namespace: NamespaceOption = None, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show what starts runs by itself."""
    table = Table("trigger", "cluster", "by", "status", "runs", "last", "next")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        for one in client.post("clusters/triggers/list")["triggers"]:
            table.add_row(
                one["trigger_id"], one["cluster_id"], cell(told_schedule(one)), one["status"],
                str(one["execution_count"]), told_moment(one["last_triggered_at"]),
                told_moment(one["next_scheduled_at"]),
            )  # fmt: skip
    show_table(table, ("by",))


def told_schedule(trigger: dict[str, Any]) -> str:
    schedule = trigger["schedule_config"]
    told = {
        "cron": lambda: f"{schedule['cron_expression']} {schedule['timezone']}",
        "interval": lambda: f"every {schedule['interval_seconds']} s",
        "event": lambda: f"{trigger['event_counter']} of {schedule['event_threshold']} new documents",
        "conditional": lambda: f"{schedule['condition_type']} of {schedule['threshold']}",
    }
    return told[trigger["trigger_type"]]()


def told_moment(moment: str | None) -> str:
    return "–" if moment is None else moment[:19].replace("T", " ")
