"""`tamis analytics`: how a retriever does, and where its time goes."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli.addressing import TRACED, AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import duration, plain
from tamis.cli.terminal import out, plain_errors, show_table
from tamis.client import Client

_PARTS = {"stages": "stages", "cache": "cache-performance"}


def analytics(
    retriever: str,
    hours: Annotated[int, typer.Option(min=1, max=720, help="From the hour that began so long ago up to now.")] = 24,
    slow: Annotated[int, typer.Option(min=0, max=100, help="How many of the slowest executions to show.")] = 5,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """How often it ran and how long that took, stage by stage; what caches answered; the slowest executions."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = _asked(client, f"analytics/retrievers/{quote(retriever, safe='')}", hours, slow)
    print_found(found, as_json, _show)


def _asked(client: Client, path: str, hours: int, slow: int) -> dict[str, Any]:
    found = {name: client.get(f"{path}/{part}", hours=hours) for name, part in _PARTS.items()}
    covered = found["stages"]["time_range"]
    bounds = {"start_date": covered["start"], "end_date": covered["end"]}
    found["performance"] = client.get(f"{path}/performance", **bounds)
    found["slow"] = client.get(f"{path}/slow-queries", hours=hours, limit=slow) if slow else []
    return found


def _show(found: Mapping[str, Any]) -> None:
    performance, covered = found["performance"], found["performance"]["time_range"]
    summary = performance["summary"]
    out.print(f"{covered['start']} to {covered['end']}", style="dim", highlight=False)
    if not performance["is_complete"]:
        out.print("older executions are still being counted", style="yellow")
    out.print(
        f"{summary['query_count']} executions, {summary['failed_count']} failed; "
        f"p50 {duration(summary['p50_latency_ms'])}, p95 {duration(summary['p95_latency_ms'])}, "
        f"p99 {duration(summary['p99_latency_ms'])}, mean {duration(summary['avg_latency_ms'])}; "
        f"{summary['avg_results']:.1f} documents, {summary['credits_used']:g} credits",
        highlight=False,
    )
    cache = found["cache"]
    if cache["total_cache_hits"] + cache["total_cache_misses"]:
        out.print(
            f"caches answered {cache['cache_hit_rate']:.1%}: {duration(cache['avg_cache_hit_latency_ms'])} "
            f"instead of {duration(cache['avg_cache_miss_latency_ms'])}",
            highlight=False,
        )
    if found["stages"]["stages"]:
        show_table(_stages(found["stages"]["stages"]), giving_way=("stage",))
    if found["slow"]:
        show_table(_slow(found["slow"]), giving_way=("query",))
        out.print(TRACED, style="dim", highlight=False)


def _stages(stages: list[dict[str, Any]]) -> Table:
    table = _table("stage", "of", "runs", "failed", "mean", "p95", "in", "out")
    for one in stages:
        flow = (f"{one['avg_documents_in']:.1f}", f"{one['avg_documents_out']:.1f}")
        times = (duration(one["avg_latency_ms"]), duration(one["p95_latency_ms"]))
        counts = (str(one["execution_count"]), str(one["failed_count"]))
        table.add_row(Text(plain(one["stage_name"])), one["stage_id"], *counts, *times, *flow)
    return table


def _slow(slow: list[dict[str, Any]]) -> Table:
    table = _table("slowest", "took", "of that", "query")
    for one in slow:
        longest = max(one["stages"], key=lambda stage: float(stage["latency_ms"]), default=None)
        most = f"{plain(longest['stage_name'])} {duration(longest['latency_ms'])}" if longest else ""
        query = plain(one["query_summary"] or "")
        table.add_row(one["execution_id"], duration(one["latency_ms"]), Text(most), Text(query))
    return table


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in names:
        table.add_column(name, no_wrap=True)
    return table
