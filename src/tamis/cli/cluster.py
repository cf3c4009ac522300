"""`tamis cluster`: what belongs together in collections, found, named, compared and told to the documents."""

import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table

from tamis.cli import cluster_trigger
from tamis.cli.addressing import AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.plain import cell, plain
from tamis.cli.terminal import err, out, plain_errors, show_table
from tamis.client import Client

_FINAL = ("completed", "failed")
_POLL_S = 0.2
app = typer.Typer(help="Cluster documents, see what was found, and tell the documents.", no_args_is_help=True)
app.command("trigger")(cluster_trigger.create)
app.command("triggers")(cluster_trigger.list_triggers)

Name = Annotated[str, typer.Argument(help="The cluster's name or id.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="As it will be called.")],
    collection: Annotated[list[str], typer.Argument(help="Over these collections, by name or id.")],
    algorithm: Annotated[str, typer.Option("--algorithm", "-a", help="As kmeans or hdbscan.")] = "hdbscan",
    clusters: Annotated[
        int | None, typer.Option("--clusters", "-n", min=2, help="How many, where that is said.")
    ] = None,
    feature: Annotated[list[str] | None, typer.Option("--feature", help="Whose vectors; several times.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option("--attribute", help="Group by equal values of it instead; several times.")
    ] = None,
    enrich: Annotated[bool, typer.Option("--enrich", help="Each run tells the documents.")] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Define a cluster; `tamis cluster run` makes its first result."""
    body: dict[str, Any] = {"cluster_name": name, "collection_ids": collection, "enrich_source_collection": enrich}
    if attribute:
        body |= {"cluster_type": "attribute", "attribute_config": {"attributes": attribute}}
    else:
        count = "n_components" if algorithm == "gaussian_mixture" else "n_clusters"
        parameters = {} if clusters is None else {count: clusters}
        body["vector_config"] = {
            "clustering_method": algorithm, "algorithm_params": parameters, "feature_uris": feature or None,
        }  # fmt: skip
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post("clusters", body)
    out.print(f"cluster {made['cluster_id']}", highlight=False)


@app.command("list")
def list_clusters(
    url: Url = None, key: Key = None, namespace: NamespaceOption = None, data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Show the namespace's clusters."""
    table = Table("name", "id", "by", "status", "clusters", "documents", "last run")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        for one in client.pages("clusters/list"):
            by = ", ".join(one["clustered_attributes"] or []) or one["algorithm"]
            table.add_row(
                cell(one["cluster_name"]), one["cluster_id"], cell(by), one["status"], _shown(one["num_clusters"]),
                _shown(one["num_documents_clustered"]), _when(one["last_executed_at"]),
            )  # fmt: skip
    show_table(table, ("by",))


@app.command("run")
def run(
    name: Name, as_json: AsJson = False, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Cluster the documents that there are now, and wait; exit status 1 where that fails."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = _run(client, name)
    print_found(found, as_json, _show)
    if found["status"] == "failed":
        raise typer.Exit(1)


def _run(client: Client, name: str) -> dict[str, Any]:
    """Progress goes to standard error."""
    task = client.post(f"{_path(name)}/execute")
    path = f"{_path(name)}/executions/{task['additional_data']['run_id']}"
    with err.status("clustering") as status:
        while True:
            found: dict[str, Any] = client.get(path)
            if found["status"] in _FINAL:
                return found
            status.update(f"clustering: {found['phase']}")
            time.sleep(_POLL_S)


@app.command("show")
def show(
    name: Name,
    run_id: Annotated[str | None, typer.Option("--run", help="A run; else the newest.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """What a run found."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(f"{_path(name)}/executions{f'/{run_id}' if run_id else ''}")
    print_found(found, as_json, _show)


@app.command("runs")
def runs(
    name: Name, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Show its runs, newest first."""
    table = Table("run", "status", "clusters", "documents", "in none", "silhouette", "begun", "trouble")
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        for one in client.pages(f"{_path(name)}/executions/list"):
            table.add_row(
                one["run_id"], one["status"], str(one["num_clusters"]), str(one["num_points"]),
                str(one["noise_points"]), _measure(one, "silhouette_score"), _when(one["created_at"]),
                cell(one["error_message"]),
            )  # fmt: skip
    show_table(table, ("trouble",))


@app.command("compare")
def compare(
    name: Name,
    before: Annotated[str, typer.Argument(help="A run's id.")],
    after: Annotated[str, typer.Argument(help="A later run's.")],
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Which cluster became which."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(f"{_path(name)}/executions/{before}/compare/{after}")
    print_found(found, as_json, _show_pairs)


@app.command("enrich")
def enrich(
    name: Annotated[list[str], typer.Argument(help="Clusters, by name or id.")],
    collection: Annotated[str, typer.Option("--collection", help="Whose documents are told.")],
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Tell a collection's documents which cluster they are in."""
    body = {"clustering_ids": name, "source_collection_id": collection}
    with plain_errors(), connect(url, key, namespace, data_dir, timeout_s=3600) as client:
        done = client.post("clusters/enrich", body)
    out.print(f"{done['enriched']} of {done['processed']} documents say which cluster they are in", highlight=False)


@app.command("delete")
def delete(
    name: Name, url: Url = None, key: Key = None, namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:  # fmt: skip
    """Forget a cluster and its runs; what documents were told stays."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        client.delete(_path(name))
    out.print(f"deleted {plain(name)}", highlight=False)


def _path(name: str) -> str:
    return f"clusters/{quote(name, safe='')}"


def _show(found: Mapping[str, Any]) -> None:
    if found["status"] != "completed":
        out.print(
            f"{found['run_id']}: {found['status']} {plain(found['error_message'] or found['phase'])}", highlight=False
        )
        return
    told = [f"{found['num_points']} documents in {found['num_clusters']} clusters, {found['noise_points']} in none"]
    if found["metrics"] and found["metrics"]["silhouette_score"] is not None:
        of = {name: _measure(found, name) for name in ("silhouette_score", "davies_bouldin_index")}
        told.append(f"silhouette {of['silhouette_score']}, Davies-Bouldin {of['davies_bouldin_index']}")
    for line in (*told, *map(plain, found["notes"])):
        out.print(line, highlight=False)
    table = Table("cluster", "documents", "label")
    for one in found["centroids"]:
        table.add_row(one["cluster_id"], str(one["num_members"]), cell(one["label"]))
    show_table(table, ("label",))


def _show_pairs(found: Mapping[str, Any]) -> None:
    out.print(
        f"{found['kept']} of {found['documents']} documents stayed in the cluster that theirs became", highlight=False
    )
    table = Table("before", "documents", "after", "documents", "shared", "overlap")
    for pair in found["pairs"]:
        before, after = pair["before"] or {}, pair["after"] or {}
        table.add_row(
            cell(before.get("label", "–")), _shown(before.get("num_members")), cell(after.get("label", "–")),
            _shown(after.get("num_members")), str(pair["shared"]), f"{pair['jaccard']:.2f}",
        )  # fmt: skip
    show_table(table, ("before", "after"))


def _measure(found: Mapping[str, Any], name: str) -> str:
    value = (found["metrics"] or {}).get(name)
    return "–" if value is None else f"{value:.3f}"


def _shown(value: Any) -> str:
    return "–" if value is None else str(value)


def _when(moment: str | None) -> str:
    return "–" if moment is None else moment[:19].replace("T", " ")
