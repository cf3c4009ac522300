"""The host names that a server answers to.

A page of a stranger may give its own name the address of a server that only its visitor can reach (DNS rebinding); what
the browser then sends carries the stranger's name. An address itself cannot be pretended in this way.
"""

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from starlette.types import ASGIApp, Receive, Scope, Send

from tamis.errors import BadRequestError, HostRefusedError

_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:@/]*))(?::\d*)?")
_LONGEST = 255 + len(":65535")


class Hosts:
    """Plain ASGI, because it runs on every request.

    names: exact ones, `*.example.com` for all below, `*` for every name. Addresses are always answered to.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self.app = app
        wanted = [name.strip().lower().rstrip(".") for name in names]
        self._exact = frozenset(wanted)
        self._below = tuple(name[1:] for name in wanted if name.startswith("*."))
        # The same few headers come with every request.
        self._is_ours = lru_cache(maxsize=256)(self._look)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            self.check(scope["headers"])
        await self.app(scope, receive, send)

    def check(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raises: BadRequestError where there is not one Host, HostRefusedError where it is none of ours."""
        given = [value for name, value in headers if name == b"host"]
        if len(given) != 1 or len(given[0]) > _LONGEST:
            raise BadRequestError("send one Host header")
        if not self._is_ours(given[0]):
            name = given[0].decode("latin-1")
            raise HostRefusedError(
                f"this server does not answer to the host name {name!r}; its operator can add it to"
                " TAMIS_ALLOWED_HOSTS",
                host=name,
            )

    def _look(self, header: bytes) -> bool:
        name = host_name(header.decode("latin-1"))
        if "*" in self._exact or name in self._exact or is_address(name):
            return True
        return name.endswith(self._below) if self._below else False


def host_name(header: str) -> str:
    """The name in a Host header, in small letters, without its port; empty where it is no such header."""
    found = _HOST.fullmatch(header)
    return (found[1] or found[2]).lower().rstrip(".") if found else ""


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost") or (is_address(name) and _loops(name))


def _loops(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback
