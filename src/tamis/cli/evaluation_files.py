"""`tamis evaluations import`, `export`, `rankings` and `score`: the files that TREC and BEIR use."""

from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.terminal import fail, out, plain_errors, show_table
from tamis.client import Client
from tamis.evaluation.files import read_qrels, read_queries, read_run, write_qrels, write_queries, write_run
from tamis.evaluation.measures import means, measure
from tamis.model.dataset import GroundTruth
from tamis.model.evaluation import DEFAULT_K, DEFAULT_METRICS

_DATASETS = "retrievers/evaluations/datasets"
_PAGE = 1000


class Format(StrEnum):
    BEIR = "beir"
    TREC = "trec"


def import_dataset(
    name: str,
    queries: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="queries.jsonl, or `query<tab>text`.")],
    qrels: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="TREC's qrels, or BEIR's table.")],
    field: Annotated[str, typer.Option("--input", help="The retriever's input that a query's text is.")] = "query",
    document_field: Annotated[
        str | None, typer.Option(help="The field of your documents that holds the ids of the judgements.")
    ] = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make an evaluation data set of TREC's or BEIR's queries and judgements."""
    with plain_errors():
        asked, judged = read_queries(queries, field), read_qrels(qrels)
        rows = [_row(query_id, asked[query_id], grades) for query_id, grades in judged.items() if query_id in asked]
        if not rows:
            fail(f"no query of {queries} is judged in {qrels}")
        with connect(url, key, namespace, data_dir) as client:
            body = {"dataset_name": name, "queries": rows, "document_field": document_field}
            made = client.post(_DATASETS, body)
    unasked = len(judged) - len(rows)
    left = f"; {unasked} judged ones have no text" if unasked else ""
    out.print(f"data set {made['dataset_id']}, {made['query_count']} queries{left}", highlight=False)


def export_dataset(
    dataset: str,
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Made where there is none.")],
    form: Annotated[Format, typer.Option("--format", help="beir, or trec.")] = Format.BEIR,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write a data set's queries and judgements as files for other tools."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        queries = [_query(one) for one in client.get(f"{_DATASETS}/{quote(dataset, safe='')}")["queries"]]
    beir = form is Format.BEIR
    asked, judged = ("queries.jsonl", "qrels/test.tsv") if beir else ("topics.tsv", "qrels.txt")
    _write(folder / asked, write_queries(queries, beir))
    _write(folder / judged, write_qrels(queries, beir))
    out.print(f"{len(queries)} queries in {folder / asked}, their judgements in {folder / judged}", highlight=False)


def export_run(
    retriever: str,
    evaluation_id: str,
    file: Annotated[Path, typer.Argument(dir_okay=False)],
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write an evaluation's rankings as a TREC run."""
    path = f"retrievers/{quote(retriever, safe='')}/evaluations/{quote(evaluation_id, safe='')}/queries"
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        rankings = {one["query_id"]: one["ranking"] for one in _pages(client, path)}
    _write(file, write_run(rankings, retriever))
    out.print(f"{len(rankings)} rankings in {file}", highlight=False)


def score(
    qrels: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    run: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    k: Annotated[list[int] | None, typer.Option("-k", min=1, help="Measure at this depth; may be given again.")] = None,
) -> None:
    """Measure a run's file by a file of judgements, without a server."""
    with plain_errors():
        depths = sorted(set(k or DEFAULT_K))
        values = measure(read_qrels(qrels), read_run(run), DEFAULT_METRICS, depths)
    if not values:
        fail(f"no query of {qrels} has a relevant document")
    found = means(values)
    table = Table("k", *DEFAULT_METRICS, box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for depth in depths:
        table.add_row(str(depth), *(f"{found[f'{metric}@{depth}']:.4f}" for metric in DEFAULT_METRICS))
    show_table(table)
    out.print(f"{len(values)} queries with a relevant document", highlight=False)


def _pages(client: Client, path: str) -> Iterator[Any]:
    page = 1
    while rows := client.get(path, page=page, page_size=_PAGE)["queries"]:
        yield from rows
        page += 1


def _row(query_id: str, inputs: Mapping[str, Any], grades: Mapping[str, int]) -> dict[str, Any]:
    relevant = [document for document, grade in grades.items() if grade > 0]
    return {
        "query_id": query_id,
        "query_input": inputs,
        "relevant_documents": relevant,
        "relevance_scores": grades,
    }


def _query(row: Mapping[str, Any]) -> GroundTruth:
    return GroundTruth(row["query_id"], row["query_input"], tuple(row["relevant_documents"]), row["relevance_scores"])


def _write(path: Path, lines: Iterable[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
