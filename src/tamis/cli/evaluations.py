"""`tamis evaluations`: how good a retriever is, by a data set's judgements."""

import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli import evaluation_files, model_judging
from tamis.cli.addressing import AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import plain
from tamis.cli.terminal import err, fail, out, plain_errors, show_table
from tamis.client import Client

_FINAL = ("completed", "failed")
_POLL_S = 0.2
_WIDEST = 80
"""Characters of what a query asked."""

app = typer.Typer(help="Evaluate retrievers with judged queries, and compare them.", no_args_is_help=True)
app.command("import")(evaluation_files.import_dataset)
app.command("export")(evaluation_files.export_dataset)
app.command("rankings")(evaluation_files.export_run)
app.command("score")(evaluation_files.score)
app.command("judge")(model_judging.judge)


@app.command("run")
def run(
    retriever: str,
    dataset: str,
    version: Annotated[int | None, typer.Option(help="Of the retriever; else its newest.")] = None,
    k: Annotated[list[int] | None, typer.Option("-k", help="Measure at this depth; may be given again.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", "-m", help="Measure this; may be given again.")
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Ask the retriever every query of the data set and measure what it finds; exit status 1 where that fails."""
    config = {name: value for name, value in (("k_values", k), ("metrics", metric)) if value}
    body = {"dataset_name": dataset, "evaluation_config": config or None, "retriever_version": version}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = evaluate(client, retriever, body)
    print_found(found, as_json, _show)
    if found["status"] == "failed":
        raise typer.Exit(1)


def evaluate(client: Client, retriever: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Start it and wait until it has ended; progress goes to standard error."""
    path = f"retrievers/{quote(retriever, safe='')}/evaluations"
    started = client.post(path, body)
    with err.status("evaluating") as status:
        while True:
            found: dict[str, Any] = client.get(f"{path}/{started['evaluation_id']}")
            if found["status"] in _FINAL:
                return found
            done = client.get(f"tasks/{started['task_id']}")["additional_data"]["queries_done"]
            status.update(f"{done} of {found['query_count']} queries")
            time.sleep(_POLL_S)


@app.command("list")
def list_evaluations(
    retriever: str,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100)] = 20,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """A retriever's evaluations, newest first."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(f"retrievers/{quote(retriever, safe='')}/evaluations", page_size=limit)
    table = _table("evaluation", "when", "version", "data set", "status", "queries", "ndcg")
    for one in found["evaluations"]:
        ndcg = (one["overall_metrics"] or {}).get("ndcg")
        table.add_row(
            one["evaluation_id"], str(one["created_at"])[:19].replace("T", " "), str(one["retriever_version"]),
            Text(one["dataset_name"]), one["status"], str(one["query_count"]),
            "" if ndcg is None else f"{ndcg:.4f} @{max(one['config']['k_values'])}",
        )  # fmt: skip
    show_table(table, giving_way=("data set",))


@app.command("show")
def show(
    retriever: str,
    evaluation_id: str,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """One evaluation's metrics, at each depth."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        path = f"retrievers/{quote(retriever, safe='')}/evaluations/{quote(evaluation_id, safe='')}"
        found = client.get(path)
    print_found(found, as_json, _show)


@app.command("compare")
def compare(
    baseline: str,
    candidate: str,
    metric: Annotated[str | None, typer.Option(help="Whose losses come first, as ndcg@10.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, max=1000, help="How many of the worst queries.")] = 10,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Two evaluations of one data set: what differs, whether by chance, and the queries that lost most."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(
            "retrievers/evaluations/compare", baseline=baseline, candidate=candidate, metric=metric, limit=limit
        )
    print_found(found, as_json, show_comparison)


@app.command("pool")
def pool(
    dataset: str,
    evaluation: list[str],
    depth: Annotated[int, typer.Option(min=1, max=1000, help="How many documents of each ranking.")] = 10,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Put what evaluations of a data set found into its queries' pools, to be judged."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        path = f"retrievers/evaluations/datasets/{quote(dataset, safe='')}/pool"
        found = client.post(path, {"evaluation_ids": evaluation, "depth": depth})
    documents = sum(len(query["pool"]) for query in found["queries"])
    out.print(f"{documents} documents in the pools of {found['query_count']} queries", highlight=False)


@app.command("from-clicks")
def from_clicks(
    retriever: str,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Its name; where there is one, it grows.")] = None,
    least: Annotated[int, typer.Option("--min-interactions", min=1, help="That a query needs.")] = 5,
    days: Annotated[int, typer.Option(min=1, max=365, help="How far back.")] = 30,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a data set of what was clicked, with where it stood taken out."""
    body = {"dataset_name": dataset, "min_interactions": least, "lookback_days": days}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        path = f"retrievers/{quote(retriever, safe='')}/evaluations/generate-from-interactions"
        found = client.post(path, body)
    inferred = sum(len(query["inferred_documents"]) for query in found["queries"])
    told = f"data set {found['dataset_name']}, {found['query_count']} queries, {inferred} judgements out of clicks"
    out.print(told, highlight=False, markup=False)


def show_comparison(found: Mapping[str, Any]) -> None:
    if not found["queries"]:
        fail("no query of both has a relevant document: judge some first")
    table = _table("metric", "baseline", "candidate", "difference", "p", "p (Holm)", "better", "worse", "same")
    for name, one in found["metrics"].items():
        table.add_row(
            name, f"{one['baseline']:.4f}", f"{one['candidate']:.4f}", f"{one['difference']:+.4f}",
            f"{one['p']:.4f}", f"{one['p_holm']:.4f}", str(one["wins"]), str(one["losses"]), str(one["ties"]),
        )  # fmt: skip
    show_table(table)
    worse = [one for one in found["worst"] if one["change"] < 0]
    told = f"the worst by {found['metric']}:" if worse else f"none shown is worse by {found['metric']}"
    out.print(f"{found['queries']} queries; {told}", highlight=False)
    for one in worse:
        asked = plain(", ".join(str(value) for value in one["query_input"].values()), _WIDEST)
        out.print(Text(f"{one['change']:+.4f}  {plain(one['query_id'])}  {asked}"))
        if one["diff"]:
            retriever, ids = (
                one["diff"].split("/")[3],
                f"{one['baseline_execution_id']} {one['candidate_execution_id']}",
            )
            out.print(Text(f"         tamis executions diff -r {retriever} {ids}", style="dim"), soft_wrap=True)


def _show(found: Mapping[str, Any]) -> None:
    told = f"{found['evaluation_id']}  version {found['retriever_version']}  {found['status']}"
    out.print(Text(told), highlight=False)
    if found["error_message"]:
        out.print(Text(plain(found["error_message"])))
    by_k = found["metrics_by_k"] or {}
    metrics = found["config"]["metrics"]
    table = _table("k", *metrics)
    for k, values in by_k.items():
        table.add_row(k, *(f"{values[name]:.4f}" for name in metrics))
    if by_k:
        show_table(table)
    if found["evaluated_queries"] is not None:
        skipped = f", {found['skipped_queries']} could not be asked" if found["skipped_queries"] else ""
        counted = f"{found['evaluated_queries']} of {found['query_count']} queries have a relevant document{skipped}"
        out.print(counted, highlight=False)


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in names:
        table.add_column(name, no_wrap=True)
    return table
