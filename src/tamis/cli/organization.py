"""`tamis organization`: the tenants of a server, straight on the data directory."""

from typing import Annotated

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.desk import at_desk
from tamis.cli.plain import cell
from tamis.cli.terminal import err, out, show_table

app = typer.Typer(help="Create and list organisations.", no_args_is_help=True)


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What people call it.")],
    email: Annotated[str, typer.Option("--email", help="Of its first administrator.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make an organisation with an administrator, and show the key for everything in it this once."""
    made, created = at_desk(data_dir, None, lambda desk: desk.add_organization(name, email))
    err.print(f"{made.organization_id}; it has no namespace yet: POST /v1/namespaces makes one", highlight=False)
    out.print(created.secret, highlight=False, soft_wrap=True)


@app.command("list")
def list_organizations(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show the organisations."""
    table = Table("id", "name", "tier", "created")
    for one in at_desk(data_dir, None, lambda desk: desk.organizations()):
        table.add_row(one.organization_id, cell(one.name), one.tier, f"{one.created_at:%Y-%m-%d %H:%M}")
    show_table(table, ("name",))
