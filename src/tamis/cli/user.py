"""`tamis user`: an organisation's users, straight on the data directory."""

from typing import Annotated, Any

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.desk import OrganizationOption, at_desk
from tamis.cli.plain import cell
from tamis.cli.terminal import fail, out, show_table
from tamis.model.organization import UserRole, UserStatus

app = typer.Typer(help="Create, list, change and delete users.", no_args_is_help=True)

Email = Annotated[str, typer.Argument(help="The user's address.")]


@app.command("create")
def create(
    email: Email,
    name: Annotated[str | None, typer.Option("--name", help="Else the address.")] = None,
    role: Annotated[UserRole, typer.Option("--role", help="The most that their keys may do.")] = UserRole.MEMBER,
    organization: OrganizationOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a user; `tamis key create --user` makes keys for them."""
    from tamis.services.access.users import UserDraft

    draft = UserDraft(email, name or email, role)
    user = at_desk(data_dir, organization, lambda desk: desk.users.create(desk.principal, draft))
    out.print(user.user_id, highlight=False)


@app.command("list")
def list_users(organization: OrganizationOption = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show the users."""
    table = Table("id", "address", "name", "role", "status", "created")
    for user in at_desk(data_dir, organization, lambda desk: desk.users.list(desk.principal)):
        created = f"{user.created_at:%Y-%m-%d %H:%M}"
        table.add_row(user.user_id, cell(user.email), cell(user.name), user.role, user.status, created)
    show_table(table, ("name",))


@app.command("change")
def change(
    email: Email,
    role: Annotated[UserRole | None, typer.Option("--role")] = None,
    status: Annotated[UserStatus | None, typer.Option("--status", help="suspended shuts all of their keys.")] = None,
    organization: OrganizationOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Give a user another role or status."""
    changes: dict[str, Any] = {name: value for name, value in (("role", role), ("status", status)) if value}
    if not changes:
        fail("nothing to change: give --role or --status")
    user = at_desk(data_dir, organization, lambda desk: desk.users.update(desk.principal, email, changes))
    out.print(f"{user.email}: {user.role}, {user.status}", highlight=False)


@app.command("delete")
def delete(email: Email, organization: OrganizationOption = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Delete a user and revoke every key of theirs."""
    at_desk(data_dir, organization, lambda desk: desk.users.delete(desk.principal, email))
    out.print(f"deleted {email}", highlight=False)
