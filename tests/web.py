"""An application behind a real socket, in the test's own event loop: to be read slowly, hung up on and left."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp


@asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """Yields the address, without a slash at its end."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    # Small, so that a reader who takes nothing is noticed after little.
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    # On a busy machine a client may come back to a connection after uvicorn's five seconds, just as it is closed.
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_graceful_shutdown=5, timeout_keep_alive=600)
    server = uvicorn.Server(config)
    serving = asyncio.ensure_future(server.serve(sockets=[listening]))
    while not server.started:  # noqa: ASYNC110 - uvicorn sets nothing that could be waited for
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving
