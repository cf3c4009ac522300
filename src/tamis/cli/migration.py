"""`tamis migration`: collections extracted anew beside the old ones, then switched to."""

import time
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell
from tamis.cli.terminal import err, fail, out, plain_errors, show_table
from tamis.client import Client

app = typer.Typer(help="Extract collections anew beside the old ones, then switch to them.", no_args_is_help=True)

Identifier = Annotated[str, typer.Argument(help="The migration's id.")]
_PATH = "namespaces/migrations"
_POLL_S = 0.5
_UNDER_WAY = ("pending", "in_progress")


@app.command("start")
def start(
    extractor: Annotated[
        list[str] | None, typer.Option("--extractor", help="As text_extractor or text_extractor@v2; may be repeated.")
    ] = None,
    parameters: Annotated[str | None, typer.Option("--parameters", help="Of every --extractor, as JSON.")] = None,
    collection: Annotated[
        list[str] | None, typer.Option("--collection", help="Only these, and what they feed; may be repeated.")
    ] = None,
    copy_to: Annotated[
        str | None, typer.Option("--copy-to", help="Copy the whole namespace under this name instead.")
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what would go wrong.")] = False,
    wait: Annotated[bool, typer.Option("--wait", help="Until the switch is made.")] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Extract anew within a namespace, or copy it; searches have the old collections until the new ones are whole."""
    if not namespace:
        fail("whose collections? set TAMIS_NAMESPACE, or give --namespace")
    config = {
        "migration_type": "copy" if copy_to else "re_extract",
        "source_namespace_id": namespace,
        "target_namespace_name": copy_to,
        "feature_extractors": [_changed(one, parameters) for one in extractor or ()] or None,
        "filters": {"collection_ids": collection} if collection else None,
    }
    with plain_errors(), connect(url, key, None, data_dir) as client:
        if check:
            _tell_check(client.post(f"{_PATH}/validate", {"config": config}))
            return
        made = client.post(f"{_PATH}/", {"config": config, "start_immediately": True})
        for warning in made["validation_result"]["warnings"]:
            err.print(cell(warning["msg"]))
        if wait:
            _wait(client, made["migration_id"])
        else:
            out.print(made["migration_id"], markup=False, highlight=False)


@app.command("list")
def list_migrations(url: Url = None, key: Key = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show the newest hundred."""
    table = Table("migration", "namespace", "status", "done", "begun")
    with plain_errors(), connect(url, key, None, data_dir) as client:
        for one in client.post(f"{_PATH}/list", {"limit": 100})["migrations"]:
            done = f"{one['progress']['overall_progress_percent']:.0f}%"
            table.add_row(one["migration_id"], one["namespace_id"], one["status"], done, one["started_at"] or "")
    show_table(table, ("migration",))


@app.command("show")
def show(migration: Identifier, url: Url = None, key: Key = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """How far it is, stage by stage."""
    table = Table("stage", "status", "done", "failed", "of")
    with plain_errors(), connect(url, key, None, data_dir) as client:
        found = client.get(f"{_PATH}/{migration}")
        for one in found["progress"]["stages"]:
            counts = (one["items_completed"], one["items_failed"], one["items_total"])
            table.add_row(one["stage"], one["status"], *map(str, counts))
    out.print(f"{found['migration_id']} {found['status']}", markup=False, highlight=False)
    if found["error_message"]:
        err.print(cell(found["error_message"]))
    show_table(table, ("stage",))


@app.command("cancel")
def cancel(migration: Identifier, url: Url = None, key: Key = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Take away what it has made; everything is as it was."""
    with plain_errors(), connect(url, key, None, data_dir) as client:
        out.print(client.post(f"{_PATH}/{migration}/cancel")["message"], markup=False, highlight=False)


def _changed(spelling: str, parameters: str | None) -> dict[str, Any]:
    name, _, version = spelling.partition("@")
    try:
        sent = None if parameters is None else orjson.loads(parameters)
    except orjson.JSONDecodeError as error:
        fail(f"--parameters is no JSON: {error}")
    return {"feature_extractor_name": name, "version": version or None, "parameters": sent}


def _tell_check(answer: dict[str, Any]) -> None:
    found = answer["validation_result"]
    for one in (*found["errors"], *found["warnings"]):
        err.print(cell(f"{'.'.join(map(str, one['loc']))}: {one['msg']}"))
    if not found["valid"]:
        raise typer.Exit(1)
    out.print(f"{found['estimated_resources'].get('collection', 0)} collections", markup=False, highlight=False)


def _wait(client: Client, migration_id: str) -> None:
    while (found := client.get(f"{_PATH}/{migration_id}"))["status"] in _UNDER_WAY:
        time.sleep(_POLL_S)
    if found["status"] != "completed":
        fail(f"{migration_id} {found['status']}: {found['error_message']}")
    made = found["additional_data"]
    told = made.get("target_namespace_id") or f"{len(made['collections'])} collections"
    out.print(f"{migration_id} completed: {told}", markup=False, highlight=False)
