"""`tamis events`: what happens in a namespace, as it happens."""

from typing import Annotated, Any

import orjson
import typer

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import plain_errors

_SHOWN = 3
_OLDEST = "0-0"
_CLOSED = "stream.closed"


def events(
    types: Annotated[
        list[str] | None, typer.Option(help="Only these, as object.created, or task for all of tasks; several times.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Go on after the event of this id; 0-0 begins with the oldest that is kept.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Show what is kept, and end.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print each event as a line of JSON, its id included.")
    ] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Follow what happens in a namespace until Ctrl-C, across restarts of the server."""
    start = since or (_OLDEST if once else None)
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        try:
            for event in client.changes(namespace, start, types, follow=not once):
                if not (once and event["event_type"] == _CLOSED):
                    _show(event, as_json)
        except KeyboardInterrupt:
            return


def _show(event: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(orjson.dumps(event))
    elif event["event_id"]:
        told = f"{event['at'][:19].replace('T', ' ')}  {event['id']}  {event['event_type']:<30} {_about(event)}"
        typer.echo(plain(told))
    elif event["event_type"] != "stream.open":
        typer.echo(plain(f"{event['event_type']}: {event['reason']}"), err=True)


def _about(event: dict[str, Any]) -> str:
    ids, data = event["resource_ids"], event["data"]
    more = event["count"] - _SHOWN
    named = " ".join(ids[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    said = ", ".join(f"{name} {value}" for name, value in data.items() if isinstance(value, str | int | float))
    return f"{named}  {said}" if said else named
