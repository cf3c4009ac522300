"""`tamis index`."""

import asyncio
from typing import Annotated

import typer

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.terminal import out, plain_errors
from tamis.settings import Settings

app = typer.Typer(
    help="Look after the search index, which is derived and can always be made again.", no_args_is_help=True
)


@app.command("rebuild")
def rebuild(
    collection: Annotated[str | None, typer.Option("--collection", "-c", help="Only this one, by id or name.")] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Make the index again from the system of record. The server must be stopped."""
    from tamis.wiring.operation import rebuild_indexes

    with plain_errors():
        for name, documents in asyncio.run(rebuild_indexes(Settings(data_dir=data_dir), collection)):
            out.print(f"{name}: {documents} documents", highlight=False)
