"""`tamis key`: API keys, straight on the data directory."""

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.desk import OrganizationOption, at_desk, span
from tamis.cli.plain import cell
from tamis.cli.terminal import out, show_table
from tamis.model.organization import ApiKey
from tamis.model.principal import Permission

app = typer.Typer(help="Create, list, rotate and revoke API keys.", no_args_is_help=True)

User = Annotated[str | None, typer.Option("--user", help="Whose key: an address; else the first administrator's.")]
Name = Annotated[str, typer.Argument(help="The key's id or name.")]


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    permission: Annotated[
        list[Permission] | None, typer.Option("--permission", "-p", help="Several times for several; else read, write.")
    ] = None,
    namespace: Annotated[
        list[str] | None, typer.Option("--namespace", help="Only for this namespace; several times for several.")
    ] = None,
    retriever: Annotated[
        list[str] | None, typer.Option("--retriever", help="Only to run this retriever, by id; as often as needed.")
    ] = None,
    expires: Annotated[str | None, typer.Option("--expires", help="After 12h, 90d and so on.")] = None,
    user: User = None,
    organization: OrganizationOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a key and show it this once."""
    from tamis.services.access.keys import KeyDraft

    draft = KeyDraft(
        name,
        tuple(permission or ()),
        expires_at=datetime.now(UTC) + span(expires, "--expires") if expires else None,
        scopes=(*_scopes("namespace", namespace), *_scopes("retriever", retriever)),
    )
    created = at_desk(data_dir, organization, lambda desk: desk.keys.create(desk.principal, draft, user))
    out.print(created.secret, highlight=False, soft_wrap=True)


def _scopes(kind: str, ids: list[str] | None) -> list[dict[str, Any]]:
    return [{"resource_type": kind, "resource_id": each} for each in ids or ()]


@app.command("list")
def list_keys(organization: OrganizationOption = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show the keys: never the key itself, only its prefix."""
    keys = at_desk(data_dir, organization, lambda desk: desk.keys.list(desk.principal, include_revoked=True))
    table = Table("id", "name", "prefix", "permissions", "scopes", "status", "created", "last used")
    now = datetime.now(UTC)
    for key in keys:
        used = f"{key.last_used_at:%Y-%m-%d %H:%M}" if key.last_used_at else "-"
        table.add_row(
            key.key_id, cell(key.name), key.prefix, ", ".join(key.permissions), cell(_limits(key)), key.status(now),
            f"{key.created_at:%Y-%m-%d %H:%M}", used,
        )  # fmt: skip
    show_table(table, ("name", "scopes"))


def _limits(key: ApiKey) -> str:
    return ", ".join(f"{scope.get('resource_type')} {scope.get('resource_id')}" for scope in key.scopes)


@app.command("rotate")
def rotate(
    name: Name,
    grace: Annotated[str | None, typer.Option("--grace", help="The former secret opens for 1h, 7d and so on.")] = None,
    organization: OrganizationOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Give a key another secret and show it this once."""
    grace_s = int(span(grace, "--grace").total_seconds()) if grace else 0
    rotated = at_desk(data_dir, organization, lambda desk: desk.keys.rotate(desk.principal, name, None, grace_s))
    out.print(rotated.secret, highlight=False, soft_wrap=True)


@app.command("revoke")
def revoke(name: Name, organization: OrganizationOption = None, data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Revoke a key. A running server refuses it within five seconds."""
    at_desk(data_dir, organization, lambda desk: desk.keys.revoke(desk.principal, name))
    out.print(f"revoked {name}", highlight=False)
