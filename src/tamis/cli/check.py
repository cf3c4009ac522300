"""`tamis check`: may this version take that one's place? For people, and for continuous integration."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.text import Text

from tamis.cli.addressing import AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.evaluations import evaluate, show_comparison
from tamis.cli.plain import plain
from tamis.cli.terminal import fail, out, plain_errors
from tamis.client import Client

_REGRESSED = 3
_WORST = 5
_WIDEST = 80


def check(
    baseline: Annotated[str, typer.Option(help="RETRIEVER@VERSION; without a version, its newest.")],
    candidate: Annotated[str, typer.Option(help="RETRIEVER@VERSION.")],
    last: Annotated[int, typer.Option(min=1, max=1000, help="Of the baseline's executions, each inputs once.")] = 100,
    dataset: Annotated[str | None, typer.Option(help="Instead: measure both with this data set's judgements.")] = None,
    metric: Annotated[str, typer.Option(help="With a data set: what may not fall.")] = "ndcg@10",
    max_drop: Annotated[float, typer.Option(min=0, help="With a data set: by how much its mean may fall.")] = 0.01,
    min_overlap: Annotated[float, typer.Option(min=0, max=1, help="Mean share of the first ten that both have.")] = 0.5,
    max_failed: Annotated[int, typer.Option(min=0, help="Executions that the candidate alone may fail.")] = 0,
    max_empty: Annotated[int, typer.Option(min=0, help="Executions that it alone may find nothing for.")] = 0,
    max_slowdown: Annotated[float | None, typer.Option(help="Its median time by the baseline's; else any.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Exit status 0 where the candidate does as well as the baseline, 3 where it does not, with the reasons."""
    (retriever, version), (other, other_version) = _named(baseline), _named(candidate)
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        if dataset is not None:
            found = _by_judgements(client, (retriever, version), (other, other_version), dataset, metric, max_drop)
        else:
            body = {
                "baseline_version": version, "candidate": other, "candidate_version": other_version, "last": last,
                "min_overlap": min_overlap, "max_failed": max_failed, "max_empty": max_empty,
                "max_slowdown": max_slowdown,
            }  # fmt: skip
            found = client.post(f"retrievers/{quote(retriever, safe='')}/check", body)
    print_found(found, as_json, _show)
    if found["reasons"]:
        raise typer.Exit(_REGRESSED)


def _named(text: str) -> tuple[str, int | None]:
    name, at, version = text.rpartition("@")
    if not at:
        return text, None
    if not name or not version.isdigit() or not int(version):
        fail(f"{text!r}: expected RETRIEVER@VERSION, as shop@12")
    return name, int(version)


def _by_judgements(
    client: Client, baseline: tuple[str, int | None], candidate: tuple[str, int | None], dataset: str, metric: str,
    max_drop: float,
) -> dict[str, Any]:  # fmt: skip
    name, _, k = metric.partition("@")
    if not k.isdigit():
        fail(f"--metric {metric}: expected a metric at a depth, as ndcg@10")
    config = {"metrics": [name], "k_values": [int(k)]}
    ids = []
    for retriever, version in (baseline, candidate):
        body = {"dataset_name": dataset, "evaluation_config": config, "retriever_version": version}
        ended = evaluate(client, retriever, body)
        if ended["status"] == "failed":
            fail(f"{retriever} could not be evaluated: {ended['error_message']}")
        ids.append(ended["evaluation_id"])
    found: dict[str, Any] = client.get(
        "retrievers/evaluations/compare", baseline=ids[0], candidate=ids[1], metric=metric, limit=_WORST
    )
    return {**found, "reasons": _reasons(found, metric, max_drop)}


def _reasons(found: Mapping[str, Any], metric: str, max_drop: float) -> list[str]:
    one = found["metrics"].get(metric)
    if one is None:
        return ["no query of the data set has a relevant document"]
    drop = one["baseline"] - one["candidate"]
    skipped = (found["candidate"]["skipped_queries"] or 0) - (found["baseline"]["skipped_queries"] or 0)
    told = [f"{skipped} more queries could not be asked"] if skipped > 0 else []
    if drop > max_drop:
        fell = f"{metric} falls from {one['baseline']:.4f} to {one['candidate']:.4f}"
        told.append(f"{fell}, by more than {max_drop:g} (p = {one['p']:.4f}, {one['losses']} queries worse)")
    return told


def _show(found: Mapping[str, Any]) -> None:
    if "metrics" in found:
        if found["queries"]:
            show_comparison(found)
    else:
        _show_agreement(found)
    for reason in found["reasons"]:
        out.print(Text.assemble(("regression ", "bold red"), plain(reason)), highlight=False)
    if not found["reasons"]:
        out.print(Text("no regression", style="green"))


def _show_agreement(found: Mapping[str, Any]) -> None:
    told = f"{found['compared']} executions compared, {found['identical']} identical, {len(found['skipped'])} skipped"
    out.print(told, highlight=False)
    if found["overlap"] is not None:
        same = f"overlap@10 {found['overlap']:.3f}, rank-biased overlap {found['rank_biased_overlap']:.3f}"
        out.print(f"{same}, {found['slowdown']:.2f} times as long", highlight=False)
    for one in found["worst"][:_WORST]:
        if one["error"] or one["overlap"] < 1:
            why = plain(one["error"]) if one["error"] else f"overlap {one['overlap']:.2f}"
            out.print(Text(f"- {one['execution_id']}  {why}  {plain(one['query_summary'] or '', _WIDEST)}"))
    for one in found["skipped"][:_WORST]:
        out.print(Text(f"- skipped {one['execution_id']}: {plain(one['reason'])}", style="dim"))
