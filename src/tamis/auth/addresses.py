"""Where a request comes from: the connection's address, or what a proxy that the operator trusts says of it.

Anybody can write a header. `X-Forwarded-For` is believed from its end on, as far as the addresses in it are trusted
proxies: the first that is none is who came.
"""

import ipaddress
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from tamis.errors import ConfigurationError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_LONGEST = 2048
_HOUSE_BITS = 64
"""A house has a whole IPv6 network of this size, and with it addresses without number."""


class Addresses:
    """proxies: networks, as `10.0.0.0/8`. Raises: ConfigurationError where one is none."""

    def __init__(self, proxies: Iterable[str] = ()) -> None:
        self._proxies = [_network(one.strip()) for one in proxies if one.strip()]
        self._is_proxy = lru_cache(maxsize=1024)(self._look)

    def of(self, scope: Mapping[str, Any]) -> str:
        """The visitor's address; of IPv6 the network that it is one of. Empty where the connection has none."""
        near = _near(scope)
        if near is None:
            return ""
        return _counted(self._behind(near, scope) if self._is_trusted(near) else near)

    def behind_proxies(self, scope: Mapping[str, Any]) -> str | None:
        """The whole address of who came by a trusted proxy; None of who came by himself."""
        near = _near(scope)
        return str(self._behind(near, scope)) if near is not None and self._is_trusted(near) else None

    @property
    def trust_some(self) -> bool:
        return bool(self._proxies)

    def _is_trusted(self, near: Address) -> bool:
        return bool(self._proxies) and self._is_proxy(near)

    def _behind(self, near: Address, scope: Mapping[str, Any]) -> Address:
        values = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
        listed = b",".join(values).decode("latin-1")[-_LONGEST:].split(",")
        for text in reversed(listed):
            address = _parsed(text.strip())
            if address is None:
                return near
            near = address
            if not self._is_proxy(address):
                return near
        return near

    def _look(self, address: Address) -> bool:
        return any(address in network for network in self._proxies)


def _near(scope: Mapping[str, Any]) -> Address | None:
    """Of the connection."""
    client = scope.get("client")
    return _parsed(client[0]) if client else None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ConfigurationError(f"TAMIS_TRUSTED_PROXIES: {error}") from None


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: bare, with a port, or in brackets."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _counted(address: Address) -> str:
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(ipaddress.ip_network((address, _HOUSE_BITS), strict=False))
