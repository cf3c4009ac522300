"""Connections that go to the very address that was checked."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

import httpcore

from tamis.errors import OutsideRefusedError
from tamis.outside.addresses import Network, is_reachable

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host and a port to addresses, as the system's resolver has them."""


async def system_resolve(host: str, port: int) -> Sequence[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PinnedBackend(httpcore.AnyIOBackend):
    """Resolves a name once, refuses it if any of its addresses is out of bounds, and connects to those it checked.

    TLS is spoken with the name, so that the certificate is the host's.
    """

    def __init__(self, networks: Sequence[Network], resolve: Resolve = system_resolve) -> None:
        self._networks = networks
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await checked_addresses(host, port, self._networks, self._resolve)
        for address in addresses[:-1]:
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await super().connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - as above
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        raise OutsideRefusedError("sockets of this machine are not reached")


async def checked_addresses(host: str, port: int, networks: Sequence[Network], resolve: Resolve) -> Sequence[str]:
    """All that a name leads to, each once. Raises: OutsideRefusedError if one is out of bounds; ConnectError."""
    try:
        addresses = await resolve(host, port)
    except (OSError, UnicodeError):
        raise httpcore.ConnectError("the name does not resolve") from None
    if not addresses:
        raise httpcore.ConnectError("the name does not resolve")
    if not all(is_reachable(address, networks) for address in addresses):
        message = f"{host!r} leads to an address that is not public"
        raise OutsideRefusedError(f"{message}; the operator allows such networks with TAMIS_OUTSIDE_NETWORKS")
    return list(dict.fromkeys(addresses))
