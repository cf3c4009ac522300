"""`tamis executions replay`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from tamis.cli.addressing import AsJson, Retriever, execution_path, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import out, plain_errors

_STATUS = {"identical": 0, "drifted": 3, "not_replayable": 4}
_STYLE = {"identical": "green", "drifted": "yellow", "not_replayable": "red"}
_SHOWN = 10


def replay(
    execution_id: str,
    mode: Annotated[str, typer.Option(help="frozen: from its record. live: on today's data.")] = "frozen",
    allow_effects: Annotated[
        bool, typer.Option("--allow-effects", help="Live: let stages reach outside and spend again.")
    ] = False,
    retriever: Retriever = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Run an execution again; exit status 0 if it comes to the same, 3 if it drifted, 4 if it cannot be run."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        path = f"{execution_path(execution_id, retriever)}/replay"
        found = client.post(path, {"mode": mode, "allow_effects": allow_effects})
    print_found(found, as_json, _shown)
    raise typer.Exit(_STATUS[found["verdict"]])


def _shown(found: Mapping[str, Any]) -> None:
    verdict, first = found["verdict"], found["first_divergence"]
    told = "not replayable" if verdict == "not_replayable" else verdict
    place = f" at stage {first['stage_index']}, {plain(first['stage_name'])}: {first['cause']}" if first else ""
    out.print(Text.assemble((told, _STYLE[verdict]), place), highlight=False)
    for line in [found["reason"], *found["explanation"]]:
        if line:
            out.print(Text(f"- {plain(line)}"), highlight=False)
    _changes(found["changes"] or {})
    if found["answered_from_record"]:
        stages = ", ".join(plain(one) for one in found["answered_from_record"])
        out.print(Text(f"effects not repeated, answered from the record: {stages}"), highlight=False)
    if found["execution_id"]:
        out.print(Text(f"its record: {found['execution_id']}", style="dim"), highlight=False)


def _changes(changes: Mapping[str, Any]) -> None:
    for mark, kind in (("+", "entered"), ("-", "left")):
        for one in changes.get(kind, ())[:_SHOWN]:
            out.print(Text(f"{mark} {plain(one['document_id'])} at {one['rank']}, score {one['score']:.4f}"))
    for one in changes.get("moved", ())[:_SHOWN]:
        out.print(Text(f"~ {plain(one['document_id'])} from {one['rank_then']} to {one['rank_now']}"))
    for one in changes.get("rescored", ())[:_SHOWN]:
        out.print(Text(f"= {plain(one['document_id'])} {one['score_then']:.6g}, now {one['score_now']:.6g}"))
