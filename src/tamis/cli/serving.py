"""The server under `tamis serve`: it listens, warms its model, and closes its stores before it goes."""

import asyncio
import contextlib
import logging
import math
import os
import signal
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from importlib import import_module
from types import ModuleType

import uvicorn
import uvloop
from starlette.types import ASGIApp

from tamis.cli.connections import Connections, places
from tamis.cli.http_protocol import bounded
from tamis.cli.terminal import err, fail, out, plain_errors
from tamis.cli.tls import load_certificate, tls_context
from tamis.errors import ConfigurationError, TamisError
from tamis.services.upkeep.health import HealthService
from tamis.settings import Settings
from tamis.wiring.memory import settle_memory, use_huge_pages
from tamis.wiring.system import System, open_system

log = logging.getLogger("tamis.serve")
_IDLE_S = 30
"""How long a connection may be silent between two requests, or before the first."""


class _Server(uvicorn.Server):
    """uvicorn, but signals ask it to end and the process then closes its stores before it goes.

    drain: told at once that the server is about to end.  notice_s: how long requests are still taken after that.
    renew: what SIGHUP asks for.
    """

    def __init__(
        self, config: uvicorn.Config, drain: Callable[[], None], notice_s: float, renew: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._drain = drain
        self._notice_s = notice_s
        self._renew = renew
        self._is_draining = False

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ask_to_end)
        loop.add_signal_handler(signal.SIGHUP, self._renew)
        yield

    def _ask_to_end(self) -> None:
        """The first signal lets what runs end, a second one does not wait."""
        if self._is_draining:
            self.force_exit = True
            self._end()
            return
        self._is_draining = True
        self._drain()
        asyncio.get_running_loop().call_later(self._notice_s, self._end)

    def _end(self) -> None:
        self.should_exit = True


def run(settings: Settings) -> None:
    """Until SIGTERM or Ctrl-C."""
    with plain_errors():
        tls = tls_context(settings)
    listening = _listen(settings.host, settings.port)
    with plain_errors(), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_run(settings, listening, tls))


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


async def _run(settings: Settings, listening: socket.socket, tls: ssl.SSLContext | None) -> None:
    host, port = listening.getsockname()[:2]
    url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"
    importing = asyncio.create_task(asyncio.to_thread(_application))
    system = await open_system(settings)
    try:
        application = await importing
        health: HealthService = system.services[HealthService]
        renew = partial(_renew, tls, settings)
        app = application.build_app(system)
        server = _Server(_config(app, settings, tls), health.begin_drain, settings.drain_notice_s, renew)
        settle_memory()
        system.announce(url)
        loading = threading.Thread(target=_load_model, args=(system,), name="model", daemon=True)
        warming = asyncio.create_task(_warm(application.work_out_routes(app), loading))
        _greet(system, url)
        await server.serve(sockets=[listening])
        warming.cancel()
    finally:
        await system.close()
        err.print("Tamis has stopped.", highlight=False)
    if loading.is_alive() or system.worker.left_behind:
        # All stores are closed. The interpreter cannot end under a model that is still loaded, fetched or at work.
        os._exit(0)


def _application() -> ModuleType:
    """`tamis.app`: half a second of a processor, which the index takes to start in its own process anyway."""
    return import_module("tamis.app")


async def _warm(working_out_routes: Awaitable[None], loading: threading.Thread) -> None:
    """One after the other, so that the first answers share the interpreter with one of them."""
    await working_out_routes
    loading.start()


def _load_model(system: System) -> None:
    """The default one, before the first question needs it; fetched where it is missing. Then all is there."""
    try:
        system.backends.models.embedder()
    except TamisError as error:
        log.warning("the default model is not at hand: %s", error.message)
    use_huge_pages()


def _renew(tls: ssl.SSLContext | None, settings: Settings) -> None:
    """A certificate that was renewed is read anew; one that cannot be read leaves the old one in use."""
    if tls is None:
        return
    try:
        load_certificate(tls, settings)
    except ConfigurationError as error:
        log.error("the certificate stays as it was: %s", error.message)
    else:
        log.info("the certificate was read anew")


def _config(app: ASGIApp, settings: Settings, tls: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app, lifespan="off", access_log=False, log_config=None, server_header=False,
        proxy_headers=False,  # `Proxies` believes those whom the settings name, and no others
        http=bounded(
            Connections(places(settings.max_connections)),
            settings.max_head_bytes, settings.head_s, settings.body_stall_s, _IDLE_S,
        ), ws="none",
        timeout_graceful_shutdown=math.ceil(settings.drain_s), timeout_keep_alive=_IDLE_S,
        ssl_context_factory=(lambda _config, _default: tls) if tls else None,
    )  # fmt: skip


def _greet(system: System, url: str) -> None:
    out.print(
        f"Tamis serves [bold]{url}/v1[/] from {system.data_dir} (API: {url}/docs)", highlight=False, soft_wrap=True
    )
    if system.first_key is not None:
        out.print("This first start made an admin key. It is shown this once:", highlight=False)
        out.print(f"\n    export TAMIS_API_KEY={system.first_key}\n", highlight=False, soft_wrap=True)
        # Behind the #, so that the browser sends it to nobody but the sign-in form.
        out.print(f"Studio: {url}/sign-in#{system.first_key}", highlight=False, soft_wrap=True)
