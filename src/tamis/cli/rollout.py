"""`tamis rollout`: a version of a retriever tried in the shadow of what is asked, on a share of it, taken or not."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from tamis.cli.addressing import TRACED, AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell, duration, plain
from tamis.cli.terminal import out, plain_errors, show_table

app = typer.Typer(help="Try a version of a retriever beside the one that answers.", no_args_is_help=True)


@app.command("start")
def start(
    retriever: str,
    candidate: Annotated[
        str | None, typer.Option(help="Another retriever, whose pipeline becomes the newest version.")
    ] = None,
    version: Annotated[int | None, typer.Option(min=1, help="The candidate's; else the newest.")] = None,
    baseline: Annotated[int | None, typer.Option(min=1, help="What answers the rest; else what answers now.")] = None,
    live: Annotated[float, typer.Option(min=0, max=1, help="Share of what is asked that the candidate answers.")] = 0.0,
    shadow: Annotated[float, typer.Option(min=0, max=1, help="Share of the rest that is asked of both.")] = 0.1,
    max_runs: Annotated[int, typer.Option(min=1, max=10_000, help="Of the shadow, in all.")] = 1000,
    max_credits: Annotated[float | None, typer.Option(help="That the shadow would cost in all; else any.")] = None,
    max_time_ms: Annotated[int, typer.Option(min=1, max=300_000, help="Of each run of the shadow.")] = 10_000,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Begin a roll-out, or change the shares and bounds of the one under way."""
    body = {
        "candidate": candidate, "candidate_version": version, "baseline_version": baseline, "live_share": live,
        "shadow_share": shadow, "max_runs": max_runs, "max_credits": max_credits, "max_time_ms": max_time_ms,
    }  # fmt: skip
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.put(_path(retriever), body)
    print_found(found, as_json, _show_begun)


@app.command("show")
def show(
    retriever: str,
    dataset: Annotated[str | None, typer.Option(help="Measure both by this data set's judgements too.")] = None,
    worst: Annotated[int, typer.Option(min=0, max=1000, help="How many that both agree on least to show.")] = 5,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """How both versions compare on what was asked so far."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(_path(retriever), dataset=dataset)
        found["runs"] = client.get(f"{_path(retriever)}/runs", limit=worst) if worst else []
    print_found(found, as_json, _show)


@app.command("versions")
def versions(
    retriever: str,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What it runs and what it ran before, newest first: each a RETRIEVER@VERSION for `tamis check`."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(f"retrievers/{quote(retriever, safe='')}/versions")
    print_found(found, as_json, _show_versions)


@app.command("promote")
def promote(
    retriever: str,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """End it with the candidate, which answers everything from now on."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        _show_end(client.post(f"{_path(retriever)}/promote"))


@app.command("back")
def back(
    retriever: str,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """End it with the baseline, which answers everything from now on."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        _show_end(client.post(f"{_path(retriever)}/roll-back"))


def _path(retriever: str) -> str:
    return f"retrievers/{quote(retriever, safe='')}/rollout"


def _show_begun(found: Mapping[str, Any]) -> None:
    live, shadow = found["live_share"], found["shadow_share"]
    if found["candidate_version"] == found["baseline_version"]:
        out.print(
            f"version {found['baseline_version']} goes on answering, whatever the retriever is changed to; it has no "
            "candidate yet: change it, or name one with --candidate or --version, and start again",
            highlight=False,
        )
        return
    out.print(
        f"version {found['candidate_version']} beside version {found['baseline_version']}: answers {live:.0%}, "
        f"is the shadow of {shadow:.0%} of the rest",
        highlight=False,
    )


def _show(found: Mapping[str, Any]) -> None:
    _show_begun(found["rollout"])
    one = found["agreement"]
    counts = (
        f"{one['compared']} compared, {one['identical']} identical, {one['failed']} failed, {one['emptied']} emptied"
    )
    out.print(f"{counts}, {one['skipped']} skipped, {found['let_go']} let go", highlight=False)
    if one["overlap"] is not None:
        slower = "" if one["slowdown"] is None else f", {one['slowdown']:.2f} times as long"
        costs = f"{one['candidate_credits']:g} credits instead of {one['baseline_credits']:g}"
        agreed = f"overlap@10 {one['overlap']:.3f}, rank-biased overlap {one['rank_biased_overlap']:.3f}"
        out.print(f"{agreed}{slower}, {costs}", highlight=False)
    for name, told in (("judgements", found["by_judgements"]), ("clicks", found["by_clicks"])):
        for metric, value in (told["metrics"] if told else {}).items():
            change = f"{value['baseline']:.4f} to {value['candidate']:.4f}, p = {value['p']:.4f}"
            out.print(f"by {name} of {told['queries']} queries: {metric} {change}", highlight=False)
    if found["runs"]:
        show_table(_runs(found["runs"]), giving_way=("query", "what"))
        out.print(TRACED, style="dim", highlight=False)


def _runs(runs: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("execution", "overlap", "took", "instead of", "query", "what"):
        table.add_column(name, no_wrap=True)
    for one in runs:
        agreed = "-" if one["overlap"] is None else f"{one['overlap']:.2f}"
        times = (duration(one["candidate_ms"]), duration(one["baseline_ms"]))
        said = one["error"] or (f"skipped: {one['skipped']}" if one["skipped"] else "")
        table.add_row(one["execution_id"], agreed, *times, cell(one["query_summary"]), cell(said))
    return table


def _show_end(found: Mapping[str, Any]) -> None:
    out.print(f"{plain(found['retriever_name'])} runs version {found['version']}", highlight=False, markup=False)


def _show_versions(found: Mapping[str, Any]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("version", "made", "by", "stages"):
        table.add_column(name, no_wrap=True)
    for one in found["versions"]:
        made = str(one["created_at"])[:19].replace("T", " ")
        stages = " > ".join(f"{stage['stage_name']} ({stage['stage_id']})" for stage in one["definition"]["stages"])
        table.add_row(f"{plain(found['retriever_name'])}@{one['version']}", made, cell(one["created_by"]), cell(stages))
    show_table(table, giving_way=("stages",))
