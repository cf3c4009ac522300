"""`tamis secret`: an organisation's secrets, straight on the data directory."""

import sys
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.desk import OrganizationOption, at_desk
from tamis.cli.plain import cell
from tamis.cli.terminal import out, show_table

app = typer.Typer(help="Set, list and delete the secrets that pipelines use by name.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="As pipelines name it.")]


@app.command("set")
def set_secret(
    name: Name,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="Where its value may be sent; several times for several.")
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", help="Who may use it; else every namespace.")
    ] = None,
    organization: OrganizationOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Keep a secret: its value is asked for, or read from a pipe, never given as an argument."""
    from tamis.services.access.secrets import SecretDraft

    value = typer.prompt("value", hide_input=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    draft = SecretDraft(SecretStr(value), tuple(host) if host else None, tuple(namespace) if namespace else None)
    at_desk(data_dir, organization, lambda desk: desk.secrets.put(desk.principal, name, draft))
    out.print(f"set {name}", highlight=False)


@app.command("list")
def list_secrets(organization: OrganizationOption = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show the secrets' names and where they may go."""
    table = Table("name", "hosts", "namespaces", "changed")
    for secret in at_desk(data_dir, organization, lambda desk: desk.secrets.list(desk.principal)):
        namespaces = "every" if secret.namespaces is None else ", ".join(secret.namespaces)
        table.add_row(
            secret.name, cell(", ".join(secret.hosts)), cell(namespaces), f"{secret.updated_at:%Y-%m-%d %H:%M}"
        )
    show_table(table, ("hosts", "namespaces"))


@app.command("delete")
def delete(name: Name, organization: OrganizationOption = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Forget a secret."""
    at_desk(data_dir, organization, lambda desk: desk.secrets.delete(desk.principal, name))
    out.print(f"deleted {name}", highlight=False)
