"""`tamis webhook`: who is told when something happens."""

from typing import Annotated

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, Url, connect
from tamis.cli.plain import cell
from tamis.cli.terminal import out, plain_errors, show_table

app = typer.Typer(help="Tell other programs when something happens, and see how that went.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="The webhook's name or id.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="As it will be called.")],
    address: Annotated[str, typer.Argument(help="The URL that is told, by POST.")],
    event: Annotated[list[str], typer.Option("--event", help="What is told, as object.created; several times.")],
    url: Url = None,
    key: Key = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a webhook, and show what its events are signed with."""
    body = {
        "webhook_name": name,
        "event_types": event,
        "channels": [{"channel": "webhook", "configs": {"url": address}}],
    }
    with plain_errors(), connect(url, key, None, data_dir) as client:
        made = client.post("organizations/webhooks/", body)
    out.print(f"webhook {made['webhook_id']}\nsigned with {made['signing_secret']}", highlight=False)


@app.command("list")
def list_webhooks(url: Url = None, key: Key = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show the organisation's webhooks."""
    table = Table("name", "id", "events", "told", "active")
    with plain_errors(), connect(url, key, None, data_dir) as client:
        for one in client.pages("organizations/webhooks/list"):
            told = ", ".join(channel["configs"]["url"] for channel in one["channels"])
            events = ", ".join(one["event_types"])
            table.add_row(
                cell(one["webhook_name"]),
                one["webhook_id"],
                cell(events),
                cell(told),
                "yes" if one["is_active"] else "no",
            )
    show_table(table, ("events", "told"))


@app.command("deliveries")
def deliveries(
    name: Name,
    status: Annotated[str | None, typer.Option("--status", help="waiting, delivered or failed; else all.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000)] = 20,
    url: Url = None,
    key: Key = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What it told, tells and failed to tell, newest first."""
    table = Table("delivery", "event", "of", "status", "attempts", "due or ended", "trouble")
    with plain_errors(), connect(url, key, None, data_dir) as client:
        path = f"organizations/webhooks/{name}/deliveries"
        for one in client.get(path, status=status, limit=limit)["results"]:
            table.add_row(
                one["delivery_id"], one["event_type"], one["resource_id"], one["status"], str(one["attempts"]),
                one["due_at"][:19].replace("T", " "), cell(one["error"]),
            )  # fmt: skip
    show_table(table, ("trouble",))


@app.command("replay")
def replay(
    name: Name,
    delivery: Annotated[list[str] | None, typer.Argument(help="Which deliveries; else all that failed.")] = None,
    url: Url = None,
    key: Key = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Tell once more."""
    body = {"delivery_ids": delivery} if delivery else None
    with plain_errors(), connect(url, key, None, data_dir) as client:
        count = client.post(f"organizations/webhooks/{name}/deliveries/replay", body)["replayed"]
    out.print(f"{count} deliveries wait to be told again", highlight=False)


@app.command("delete")
def delete(name: Name, url: Url = None, key: Key = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Tell no more, and forget what was told."""
    with plain_errors(), connect(url, key, None, data_dir) as client:
        client.delete(f"organizations/webhooks/{name}")
    out.print(f"deleted {name}", highlight=False)
