"""`tamis interactions`: what was done with what searches showed."""

from typing import Annotated
from urllib.parse import quote

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.terminal import out, plain_errors, show_table

app = typer.Typer(help="Read and forget what was done with what searches showed.", no_args_is_help=True)


@app.command("list")
def list_interactions(
    retriever: Annotated[str | None, typer.Option("--retriever", "-r", help="Its id or name.")] = None,
    execution: Annotated[str | None, typer.Option("--execution", "-e", help="Of the search that showed it.")] = None,
    user: Annotated[str | None, typer.Option(help="Whose.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="click, purchase, negative_feedback, ...")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000)] = 20,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """The newest interactions."""
    body = {"retriever_id": retriever, "execution_id": execution, "user_id": user, "interaction_type": kind}
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.post("retrievers/interactions/list", body, limit=limit)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for name in ("when", "what", "document", "place", "execution", "user"):
        table.add_column(name, no_wrap=True)
    for one in found["results"]:
        table.add_row(
            str(one["timestamp"])[:19].replace("T", " "), ", ".join(one["interaction_type"]), Text(one["feature_id"]),
            str(one["position"]), Text(one["execution_id"] or ""), Text(one["user_id"] or ""),
        )  # fmt: skip
    show_table(table, giving_way=("user",))
    out.print(f"{len(found['results'])} of {found['pagination']['total']}", highlight=False)


@app.command("forget")
def forget(
    user: str,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Forget everything that a user did, in this namespace."""
    with plain_errors(), connect(url, key, namespace, data_dir) as client:
        found = client.delete(f"retrievers/interactions/users/{quote(user, safe='')}")
    out.print(f"{found['deleted']} interactions of {user} are forgotten", highlight=False, markup=False)
