"""`tamis tune`: is there a better version of this retriever?"""

import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli.addressing import AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import err, fail, out, plain_errors, show_table
from tamis.client import Client

_UNDER_WAY = ("PENDING", "IN_PROGRESS")
_POLL_S = 0.2


def tune(
    retriever: str,
    dataset: Annotated[str, typer.Argument(help="The data set whose judgements decide.")],
    metric: Annotated[str, typer.Option(help="What is to grow, at a depth.")] = "ndcg@10",
    folds: Annotated[int, typer.Option(min=2, max=20, help="Of the cross-validation.")] = 5,
    candidates: Annotated[int, typer.Option(min=2, max=200, help="Pipelines to try.")] = 40,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="For all of it.")] = 120.0,
    credits: Annotated[float | None, typer.Option(help="For all of it; must be said where stages spend.")] = None,
    collections: Annotated[
        list[str] | None,
        typer.Option(
            "--collection", help="One made of the same objects, by passages or of one field; may be repeated."
        ),
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Make a better one the retriever's next version.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Try fusions, weights, passages, fields, depths and no reranking; what is best is measured on held-out queries."""
    name, _, k = metric.partition("@")
    if not k.isdigit():
        fail(f"--metric {metric}: expected a metric at a depth, as ndcg@10")
    body = {
        "dataset": dataset, "metric": name, "k": int(k), "folds": folds, "max_candidates": candidates,
        "max_seconds": seconds, "max_credits": credits, "collections": collections or [], "apply": apply,
    }  # fmt: skip
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = tuned(client, retriever, body)
    print_found(found, as_json, _show_run)
    if found["result"] is None:
        raise typer.Exit(1)


def tuned(client: Client, retriever: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Start it and wait until it has ended; progress goes to standard error. Interrupted, it ends the task, too."""
    path = f"retrievers/{quote(retriever, safe='')}"
    found: dict[str, Any] = client.post(f"{path}/tune", body)
    try:
        with err.status("tuning") as status:
            while found["status"] in _UNDER_WAY:
                time.sleep(_POLL_S)
                found = client.get(f"{path}/tunings/{found['task_id']}")
                status.update(f"{found['candidates_done']} of {found['candidates_total']} candidates")
    except KeyboardInterrupt:
        client.delete(f"tasks/{found['task_id']}")
        raise
    return found


def _show_run(found: Mapping[str, Any]) -> None:
    if found["result"] is None:
        err.print(Text(plain(f"tuning {found['task_id']} {found['status'].lower()}: {found['error']}")))
    else:
        _show(found["result"])


def _show(found: Mapping[str, Any]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("", found["metric"], "ms", "credits", "what is changed"):
        table.add_column(name, no_wrap=True)
    for one in sorted(found["trials"], key=lambda trial: -trial["value"])[:15]:
        told = "; ".join(one["changes"]) or "nothing: as it is"
        mark = "*" if one["on_curve"] else ""
        table.add_row(mark, f"{one['value']:.4f}", f"{one['duration_ms']:.1f}", f"{one['credits']:g}", Text(told))
    show_table(table, giving_way=("what is changed",))
    out.print("* nothing tried is better, quicker and cheaper", highlight=False)
    if found["stopped"]:
        out.print(f"{found['untried']} were not tried: {found['stopped']}", highlight=False)
    told = f"{found['metric']} {found['baseline']:.4f} as it is, {found['held_out']:.4f} on held-out queries"
    out.print(f"{told} (p = {found['p']:.4f}, {found['queries']} queries)", highlight=False)
    out.print(Text(_verdict(found), style="green" if found["better"] else ""), highlight=False)


def _verdict(found: Mapping[str, Any]) -> str:
    if not found["better"]:
        return "nothing better was found"
    if found["made"] is not None:
        made = found["made"]
        return f"version {made['version']} of {made['retriever_name']} was made: {'; '.join(found['best']['changes'])}"
    return f"better: {'; '.join(found['best']['changes'])}; --apply makes it the next version"
