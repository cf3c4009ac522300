"""`tamis executions why`, `promote`."""

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli.addressing import AsJson, Retriever, execution_path, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.terminal import fail, out, plain_errors, show_table


def why(
    execution_id: str,
    document_id: str,
    check: Annotated[bool, typer.Option(help="Try the change out before it is said.")] = True,
    retriever: Retriever = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Why a document is not among what an execution answered, and what would let it in."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        body = {"document_id": document_id, "check": check}
        found = client.post(f"{execution_path(execution_id, retriever)}/why", body)
    print_found(found, as_json, _show)


def promote(
    execution_id: str,
    to_retriever: Annotated[str | None, typer.Option("--to-retriever", help="Name of the retriever to save.")] = None,
    to_dataset: Annotated[str | None, typer.Option("--to-dataset", help="Name of the evaluation data set.")] = None,
    retriever: Retriever = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make an execution a saved retriever, or a query of an evaluation data set."""
    if (to_retriever is None) == (to_dataset is None):
        fail("give one of --to-retriever NAME and --to-dataset NAME")
    body = {"to": "retriever", "retriever_name": to_retriever}
    if to_dataset is not None:
        body = {"to": "dataset", "dataset_name": to_dataset}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        made = client.post(f"{execution_path(execution_id, retriever)}/promote", body)
    if to_dataset is None:
        out.print(f"retriever {made['retriever']['retriever_id']}", highlight=False)
        return
    (query,) = [one for one in made["dataset"]["queries"] if one["query_id"] == made["query_id"]]
    told = f"{made['query_id']} of {made['dataset']['dataset_id']}, {len(query['pool'])} documents to judge"
    out.print(told, highlight=False)


def _show(found: Mapping[str, Any]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("stage", "in", "out", "verdict"):
        table.add_column(name, no_wrap=True)
    table.add_column("why")
    for one in found["stages"]:
        ranks = [str(one[name] or "") for name in ("rank_in", "rank_out")]
        table.add_row(one["stage_name"], *ranks, one["verdict"], Text(one["reason"]))
    show_table(table, giving_way=("why",))
    if found["returned"]:
        out.print(f"returned as number {found['rank']}", highlight=False)
    change = found["change"]
    for edit in change["edits"] if change else ():
        place = ".".join(str(step) for step in edit["path"])
        values = [orjson.dumps(edit[name]).decode() for name in ("from", "to")]
        out.print(Text(f"change {place} from {values[0]} to {values[1]}"))
    if change:
        then = {"returned": f"then it is number {change['rank']}", "unchecked": str(change["note"])}
        told = then.get(change["outcome"], f"then it stops at {change['stopped_at']}")
        out.print(Text(f"{told} ({change['note']})" if change["note"] and change["note"] != told else told))
    if found["as_of"]["document"] != "unchanged":
        out.print(f"the document was {found['as_of']['document']} since the execution ran", highlight=False)
