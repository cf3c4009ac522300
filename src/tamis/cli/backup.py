"""`tamis backup` and `tamis restore`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir
from tamis.cli.terminal import err, out, plain_errors
from tamis.settings import Settings


def backup(
    path: Annotated[Path, typer.Argument(help="A directory to be made; it is there once the backup is whole.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Copy everything but the index, as it is at one moment. The server may run and write meanwhile."""
    from tamis.wiring.backups import write_backup

    with plain_errors():
        manifest = asyncio.run(write_backup(Settings(data_dir=data_dir), path))
    for name in manifest.missing:
        err.print(
            f"the record names {name}, which the store does not have", markup=False, highlight=False, soft_wrap=True
        )
    size = manifest.record.size_bytes + sum(file.size_bytes for file in (*manifest.blobs, *manifest.others))
    out.print(
        f"{path}: the record of {manifest.taken_at} and {len(manifest.blobs)} files, {size / 1e6:.1f} MB",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def restore(
    path: Annotated[Path, typer.Argument(help="A backup.")],
    data_dir: DataDir = DEFAULT_DATA_DIR,
    index: Annotated[bool, typer.Option(help="Make the index again now; else the first start does.")] = True,
) -> None:
    """Make an empty data directory into what was backed up, after checking that the backup is whole."""
    from tamis.wiring.backups import restore_backup

    with plain_errors():
        manifest = asyncio.run(restore_backup(Settings(data_dir=data_dir), path, index))
    out.print(
        f"{data_dir}: the record of {manifest.taken_at} and {len(manifest.blobs)} files",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
