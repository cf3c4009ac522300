"""Which addresses are anybody's, and which would let a caller reach what stands behind the server."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+", re.IGNORECASE)
_NEVER_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "100.64.0.0/10",  # carrier-grade NAT, and the metadata service of one cloud
        "168.63.129.16/32",  # metadata service of another, on an address that looks public
        "192.0.0.0/24",  # and of a third
        "192.88.99.0/24",
        "::/96",  # IPv4 written as IPv6, in each way there is
        "::ffff:0:0/96",
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "fec0::/10",
    )
)


def is_reachable(text: str, networks: Sequence[Network]) -> bool:
    """Whether a connection may go to this address. networks: those that the operator allows although not public."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.scope_id:
        return False
    return any(_within(address, network) for network in networks) or _is_public(address)


def _is_public(address: Address) -> bool:
    if any(_within(address, network) for network in _NEVER_PUBLIC):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _within(address: Address, network: Network) -> bool:
    return address.version == network.version and address in network


def is_odd_number(host: str) -> bool:
    """Whether a host is an address in a spelling that resolvers understand and readers do not: `0x7f.1`, `2130706433`.

    As in the WHATWG's URL standard: the last label is a number. An address as it is usually written is not odd.
    """
    if not _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return False
    try:
        return not isinstance(ip_address(host), IPv4Address)
    except ValueError:
        return True
