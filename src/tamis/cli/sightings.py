"""`tamis executions of`."""

from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli.addressing import AsJson, print_found
from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.terminal import out, plain_errors, show_table


def of(
    collection: Annotated[str, typer.Argument(help="The document's collection, by id or name.")],
    document_id: str,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100)] = 10,
    after: Annotated[str | None, typer.Option(help="The cursor that the answer before ended with.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The newest executions that saw a document: at which rank, or at which stage it stopped."""
    path = f"collections/{quote(collection, safe='')}/documents/{quote(document_id, safe='')}/executions"
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.get(path, limit=limit, after=after)
    print_found(found, as_json, _show)


def _show(found: dict[str, Any]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("execution", "when", "rank", "stopped at"):
        table.add_column(name, no_wrap=True)
    table.add_column("query", overflow="ellipsis", no_wrap=True)
    for row in found["executions"]:
        table.add_row(
            row["execution_id"], str(row["timestamp"])[:19].replace("T", " "), str(row["rank"] or ""),
            row["stopped_at"] or "", Text(row["query_summary"] or ""),
        )  # fmt: skip
    show_table(table, giving_way=("query",))
    more = f"; look on with --after {found['next_cursor']}" if found["next_cursor"] else ""
    out.print(f"{len(found['executions'])} of {found['looked_at']} looked through{more}", highlight=False)
