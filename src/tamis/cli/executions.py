"""`tamis executions`."""

from typing import Annotated, Any

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli import questions, records, show, show_sieve, sightings
from tamis.cli.addressing import AsJson, Retriever, execution_path, executions_path, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.replaying import replay
from tamis.cli.terminal import out, plain_errors, show_table

app = typer.Typer(help="Read the records of executions.", no_args_is_help=True)
app.command("trace")(records.trace)
app.command("replay")(replay)
app.command("diff")(records.diff)
app.command("export")(records.export)
app.command("import")(records.import_file)
app.command("why")(questions.why)
app.command("of")(sightings.of)
app.command("promote")(questions.promote)


@app.command("list")
def list_executions(
    status: Annotated[str | None, typer.Option(help="completed, degraded, failed, cancelled or processing.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)] = 20,
    retriever: Retriever = None,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The newest executions: the anonymous ones, or a saved retriever's."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        answer = client.post(f"{executions_path(retriever)}/list", {"status": status}, limit=limit)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("execution", "when", "status", "ms", "documents", "stages"):
        table.add_column(name, no_wrap=True)
    table.add_column("query", overflow="ellipsis", no_wrap=True)
    for row in answer["executions"]:
        began = str(row.get("timestamp") or row["created_at"])
        stages = f"{row['stages_completed']}/{row['total_stages']}" if "total_stages" in row else ""
        table.add_row(
            row["execution_id"], began[:19].replace("T", " "), row["status"],
            f"{row['duration_ms']:.1f}", f"{row['total_processed']} > {row['total_returned']}",
            stages, Text(row["query_summary"] or ""),
        )  # fmt: skip
    show_table(table, giving_way=("query",))
    out.print(f"{len(answer['executions'])} of {answer['total']}", highlight=False)


@app.command("show")
def show_execution(
    execution_id: str,
    retriever: Retriever = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """One execution's record, and its stages as a sieve."""
    path = execution_path(execution_id, retriever)
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        detail = client.get(path)
        stages = [] if as_json else client.get(f"{path}/trace", limit=0)["stages"]
    print_found(detail, as_json, _show)
    if not as_json:
        show_sieve.sieve(stages)


def _show(detail: dict[str, Any]) -> None:
    """Its figures: what a saved retriever's has besides, documents and statistics, the sieve and the trace show."""
    show.record({name: value for name, value in detail.items() if not isinstance(value, dict) and name != "documents"})
