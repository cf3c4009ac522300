"""`tamis mcp`: retrievers as tools for agents."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

import anyio
import typer
import uvicorn

from tamis.cli.connection import DEFAULT_DATA_DIR, DataDir, Key, NamespaceOption, Url
from tamis.cli.terminal import err, fail, plain_errors
from tamis.client import AsyncClient
from tamis.mcp.tools import Toolbox
from tamis.storage.datadir import read_address

Retrievers = Annotated[
    list[str] | None,
    typer.Option("--retriever", help="A retriever's name or id, as often as wanted; else all that are published."),
]
Http = Annotated[bool, typer.Option("--http", help="Serve streamable HTTP at /mcp; else standard input and output.")]
Host = Annotated[str, typer.Option("--host", help="Where to listen, with --http.")]
Port = Annotated[int, typer.Option("--port", help="The port, with --http.", min=1, max=65535)]


def mcp(
    retriever: Retrievers = None,
    http: Http = False,
    host: Host = "127.0.0.1",
    port: Port = 8701,
    url: Url = None,
    key: Key = None,
    namespace: NamespaceOption = None,
    data_dir: DataDir = DEFAULT_DATA_DIR,
) -> None:
    """Give agents a tool for each retriever, by the Model Context Protocol, beside a server that runs."""
    address = url or read_address(data_dir) or "http://127.0.0.1:8700"
    if not http and not key:
        fail("no API key: set TAMIS_API_KEY, or give --key; with --http each caller brings its own")
    client = AsyncClient(address, key, namespace)
    chosen = tuple(retriever or ())
    try:
        from tamis.mcp import server
    except ImportError as error:
        fail(f"this needs `pip install 'tamis[mcp]'` ({error.name} is not there)")
    if not http:
        anyio.run(_serve_one, server.serve_stdio, client, chosen)
        return
    err.print(f"For agents that bring an API key: http://{host}:{port}/mcp", highlight=False)
    uvicorn.run(server.http_app(client, chosen, host), host=host, port=port, log_level="warning")


async def _serve_one(
    serve: Callable[[AsyncClient, Sequence[str]], Awaitable[None]], client: AsyncClient, chosen: Sequence[str]
) -> None:
    """A name that is not there is said now: an agent would only miss a tool."""
    with plain_errors():
        missing = await Toolbox(client, chosen).missing()
    if missing:
        fail(f"no retriever that this key sees is called {', '.join(missing)}")
    await serve(client, chosen)
