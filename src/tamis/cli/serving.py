"""The server under `tamis serve`: it listens, warms its model, and closes its stores before it goes."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn
import uvloop

from tamis.app import build_app, settle_memory
from tamis.cli.terminal import err, fail, out, plain_errors
from tamis.errors import TamisError
from tamis.settings import Settings
from tamis.wiring.system import System, open_system

log = logging.getLogger("tamis.serve")


class _Server(uvicorn.Server):
    """uvicorn, but signals ask it to end and the process then closes its stores before it goes."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_end)
        yield

    def _ask_to_end(self) -> None:
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True


def run(settings: Settings) -> None:
    """Until SIGTERM or Ctrl-C."""
    listening = _listen(settings.host, settings.port)
    with plain_errors(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, listening))


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP, so that the event loop switches Nagle's algorithm off on what it accepts.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        fail(f"cannot listen on {host}:{port}: {error.strerror}; choose another with --port")
    return listening


async def _run(settings: Settings, listening: socket.socket) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    system = await open_system(settings)
    try:
        server = _Server(_config(system))
        settle_memory()
        system.announce(url)
        warming = threading.Thread(target=_warm, args=(system,), name="warm", daemon=True)
        warming.start()
        _greet(system, url)
        await server.serve(sockets=[listening])
    finally:
        await system.close()
        err.print("Tamis has stopped.", highlight=False)
    if warming.is_alive():
        # All stores are closed. The interpreter cannot end under a model that is still being loaded or fetched.
        os._exit(0)


def _warm(system: System) -> None:
    """Load the default model before the first question needs it; fetch it where it is missing."""
    try:
        system.backends.models.embedder()
    except TamisError as error:
        log.warning("the default model is not at hand: %s", error.message)


def _config(system: System) -> uvicorn.Config:
    return uvicorn.Config(
        build_app(system), lifespan="off", access_log=False, log_config=None, server_header=False,
        timeout_graceful_shutdown=10, timeout_keep_alive=30,
    )  # fmt: skip


def _greet(system: System, url: str) -> None:
    out.print(
        f"Tamis serves [bold]{url}/v1[/] from {system.data_dir} (API: {url}/docs)", highlight=False, soft_wrap=True
    )
    if system.first_key is not None:
        out.print("This first start made an admin key. It is shown this once:", highlight=False)
        out.print(f"\n    export TAMIS_API_KEY={system.first_key}\n", highlight=False, soft_wrap=True)
