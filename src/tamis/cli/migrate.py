"""`tamis migrate-to`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.terminal import err, out, plain_errors
from tamis.settings import Settings


def migrate_to(
    into: Annotated[Path, typer.Argument(help="The new data directory, to be made.")],
    database_url: Annotated[
        str | None, typer.Option(envvar="TAMIS_TO_DATABASE_URL", help="PostgreSQL; else SQLite in the new directory.")
    ] = None,
    index_url: Annotated[
        str | None, typer.Option(envvar="TAMIS_TO_INDEX_URL", help="A Qdrant; else the embedded index.")
    ] = None,
    index_api_key: Annotated[str | None, typer.Option(envvar="TAMIS_TO_INDEX_API_KEY", help="Its key.")] = None,
    blob_url: Annotated[
        str | None, typer.Option(envvar="TAMIS_TO_BLOB_URL", help="As s3://bucket/prefix; else a folder.")
    ] = None,
    scratch: Annotated[
        Path | None, typer.Option(help="Where a copy of record and files may lie meanwhile; else the system's place.")
    ] = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Move this installation to other stores. Its server may run: reads go on, writes are refused until it is done."""
    from tamis.wiring.migration import Place, migrate

    place = Place(into, database_url, index_url, index_api_key, blob_url)

    def told(step: str) -> None:
        err.print(step, highlight=False, markup=False)

    with plain_errors():
        manifest = asyncio.run(migrate(Settings(data_dir=data_dir), place, scratch, told))
    out.print(
        f"{into}: the record of {manifest.taken_at} and {len(manifest.blobs)} files, compared and the same. Stop the "
        "old server and start the new one:",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    for line in _exports(place.data_dir, database_url, index_url, blob_url):
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def _exports(data_dir: Path, *urls: str | None) -> list[str]:
    """What the new server is started with; passwords are for whoever has them to fill in."""
    names = ("TAMIS_DATABASE_URL", "TAMIS_INDEX_URL", "TAMIS_BLOB_URL")
    given = [f"    export {name}={_without_password(url)}" for name, url in zip(names, urls, strict=True) if url]
    return [*given, f"    tamis serve --data-dir {data_dir}"]


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{scheme}{mark}{name}{colon and ':***'}{at}{place}"
