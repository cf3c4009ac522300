"""`tamis export COLLECTION`: its documents as a file, with their vectors."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url, connect
from tamis.cli.document_files import is_table, last_id
from tamis.cli.plain import plain
from tamis.cli.terminal import err, fail, plain_errors


def export(
    collection: Annotated[str, typer.Argument(help="By id or name.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", dir_okay=False, help="The file; else standard output.")
    ] = None,
    format: Annotated[
        Literal["jsonl", "parquet"] | None, typer.Option(help="Else what the file's name says, else jsonl.")
    ] = None,
    filters: Annotated[str | None, typer.Option(help="Only documents that this filter lets in, as JSON.")] = None,
    vectors: Annotated[bool, typer.Option(help="With the documents' vectors.")] = True,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an export of JSON lines broke off.")] = False,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Write a collection's documents into a file; `tamis import` of it gives the same documents again.

    The file is FILE.part until it is whole. --resume goes on with one, for the same collection and filter.
    """
    kind = format or ("parquet" if output is not None and is_table(output) else "jsonl")
    if kind == "parquet" and (output is None or resume):
        fail("a Parquet table is made whole, and goes into a file: --output FILE, without --resume")
    if resume and output is None:
        fail("--resume goes on with a file: --output FILE")
    query: dict[str, Any] = {"format": kind, "vectors": vectors}
    query |= {} if filters is None else {"filters": filters}
    with plain_errors(), connect(url, key, namespace, data_dir, timeout_s=600) as client:
        path = f"collections/{quote(collection, safe='')}/documents/export"
        if output is None:
            for piece in client.pieces(path, **query):
                sys.stdout.buffer.write(piece)
            return
        part = output.with_name(f"{output.name}.part")
        after = last_id(part) if resume and part.exists() else ""
        query |= {"after": after} if after else {}
        size_bytes = _written(client.pieces(path, **query), part, "ab" if after else "wb")
    part.replace(output)
    err.print(f"{plain(str(output))}: {size_bytes} bytes", highlight=False)


def _written(pieces: Iterator[bytes], part: Path, mode: str) -> int:
    """The file's size. Nothing of an earlier file goes before the server has begun to answer."""
    first = next(pieces, b"")
    with part.open(mode) as file:
        file.write(first)
        for piece in pieces:
            file.write(piece)
        return file.tell()
