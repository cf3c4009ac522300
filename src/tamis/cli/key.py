"""`tamis key`: the operator's own hand on the keys, straight on the data directory, server running or not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.table import Table

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.terminal import fail, out, plain_errors
from tamis.model.principal import Permission
from tamis.settings import Settings

if TYPE_CHECKING:
    from tamis.wiring.operation import KeyDesk

T = TypeVar("T")

app = typer.Typer(help="Create, list and revoke API keys.", no_args_is_help=True)


def _at_desk(settings: Settings, work: Callable[["KeyDesk"], Awaitable[T]]) -> T:
    from tamis.wiring.operation import open_key_desk

    async def run() -> T:
        async with open_key_desk(settings) as desk:
            return await work(desk)

    with plain_errors():
        return asyncio.run(run())


@app.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    permission: Annotated[
        list[Permission] | None, typer.Option("--permission", "-p", help="Several times for several; else read, write.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make a key and show it this once."""
    granted = permission or [Permission.READ, Permission.WRITE]
    created = _at_desk(Settings(data_dir=data_dir), lambda desk: desk.create(name, granted))
    out.print(created.secret, highlight=False, soft_wrap=True)


@app.command("list")
def list_keys(data_dir: DataDir = DEFAULT_DATA_DIR) -> None:
    """Show the keys: never the key itself, only its prefix."""
    table = Table("id", "name", "prefix", "permissions", "status", "created")
    for row in _at_desk(Settings(data_dir=data_dir), lambda desk: desk.list()):
        table.add_row(
            row.key_id, row.name, row.prefix, ", ".join(row.permissions), row.status, f"{row.created_at:%Y-%m-%d %H:%M}"
        )
    out.print(table)


@app.command("revoke")
def revoke(
    name: Annotated[str, typer.Argument(help="The key's id or name.")], data_dir: DataDir = DEFAULT_DATA_DIR
) -> None:
    """Revoke a key. A running server refuses it within five seconds."""
    if not _at_desk(Settings(data_dir=data_dir), lambda desk: desk.revoke(name)):
        fail(f"no active key {name!r}")
    out.print(f"revoked {name}", highlight=False)
