"""Who came, and who only says so."""

from typing import Any

import pytest

from tamis.auth.addresses import Addresses
from tamis.errors import ConfigurationError


def scope(client: str | None, *forwarded: str) -> dict[str, Any]:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return {"client": (client, 1234) if client else None, "headers": headers}


TRUSTING = Addresses(["10.0.0.0/8", " 2001:db8:ff::/48"])


@pytest.mark.parametrize(
    ("client", "forwarded", "address"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.1",), "192.0.2.1"),
        ("10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.1",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9, 198.51.100.1, 10.2.2.2",), "198.51.100.1"),
        ("10.0.0.1", ("203.0.113.9", "198.51.100.1"), "198.51.100.1"),
        ("10.0.0.1", (), "10.0.0.1"),
        ("10.0.0.1", ("unknown",), "10.0.0.1"),
        ("10.0.0.1", ("198.51.100.1, <script>, 10.9.9.9",), "10.9.9.9"),
        ("10.0.0.1", ("198.51.100.1:4711",), "198.51.100.1"),
        ("10.0.0.1", ("[2001:db8:1:2:3::4]:80",), "2001:db8:1:2::/64"),
        ("2001:db8:ff::1", ("198.51.100.1",), "198.51.100.1"),
        ("2001:db8:1:2:3::4", (), "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", (), "192.0.2.1"),
        ("::ffff:10.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("fe80::1%eth0", (), "fe80::/64"),
        (None, ("198.51.100.1",), ""),
        ("testclient", ("198.51.100.1",), ""),
        ("10.0.0.1", ("1.1.1.1, " * 5000 + "198.51.100.1",), "198.51.100.1"),
    ],
)
def test_a_header_is_believed_as_far_as_proxies_wrote_it(
    client: str | None, forwarded: tuple[str, ...], address: str
) -> None:
    assert TRUSTING.of(scope(client, *forwarded)) == address


def test_nobody_is_trusted_unless_the_operator_says_so() -> None:
    assert Addresses().of(scope("127.0.0.1", "198.51.100.1")) == "127.0.0.1"


def test_who_came_by_a_proxy_is_told_whole() -> None:
    assert TRUSTING.behind_proxies(scope("10.0.0.1", "2001:db8:1:2:3::4")) == "2001:db8:1:2:3::4"
    assert TRUSTING.behind_proxies(scope("192.0.2.1", "198.51.100.1")) is None
    assert TRUSTING.behind_proxies(scope(None, "198.51.100.1")) is None


@pytest.mark.parametrize("network", ["10.0.0.0/33", "proxy.example", "10.0.0.1/8"])
def test_what_is_no_network_stops_the_start(network: str) -> None:
    with pytest.raises(ConfigurationError, match="TAMIS_TRUSTED_PROXIES"):
        Addresses([network])
