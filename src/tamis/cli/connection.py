"""Which server a command talks to, and as whom."""

import os
from pathlib import Path
from typing import Annotated

import typer

from tamis.cli.terminal import fail
from tamis.client import Client
from tamis.storage.datadir import read_address

Url = Annotated[
    str | None, typer.Option("--url", envvar="TAMIS_URL", help="The server; else the one that uses --data-dir.")
]
Key = Annotated[str | None, typer.Option("--key", envvar="TAMIS_API_KEY", help="An API key (sk_...).")]
NamespaceOption = Annotated[
    str | None, typer.Option("--namespace", envvar="TAMIS_NAMESPACE", help="A namespace's id or name.")
]
DataDir = Annotated[Path, typer.Option("--data-dir", envvar="TAMIS_DATA_DIR", help="Where the server keeps its data.")]

DEFAULT_DATA_DIR = Path("./tamis-data")


def connect(
    url: str | None, key: str | None, namespace: str | None, data_dir: Path = DEFAULT_DATA_DIR, timeout_s: float = 60.0
) -> Client:
    """A client for the server at `url`, or for the one that runs on `data_dir`, or on the default port.

    timeout_s: of one call.
    """
    key = key or os.environ.get("TAMIS_ROOT_KEY")
    if not key:
        fail("no API key: set TAMIS_API_KEY, or give --key (`tamis key create NAME` makes one)")
    return Client(url or read_address(data_dir) or "http://127.0.0.1:8700", key, namespace, timeout_s, retries=0)
