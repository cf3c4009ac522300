"""From a URL to what may be connected to, as far as that can be said without resolving a name."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import httpx

from tamis.errors import OutsideRefusedError
from tamis.outside.addresses import Network, is_odd_number

_PORTS = {"http": 80, "https": 443}
_LONGEST = 8_000


@dataclass(frozen=True, slots=True)
class Rules:
    """What the operator allows. domains: exact, `*.example.com` for all below it, `*` for every name.

    networks: addresses that are reached although they are not public.  requests_per_minute: of a tenant to a host.
    concurrency: requests of a tenant at once.  retries: attempts after a failed one, within the time limit.
    user_agent: who asks.  robots: whether pages are read only where their site's robots.txt lets that agent.
    """

    domains: tuple[str, ...] = ()
    networks: tuple[Network, ...] = ()
    ports: tuple[int, ...] = (80, 443)
    timeout_s: float = 60.0
    max_bytes: int = 10 << 20
    requests_per_minute: int = 120
    concurrency: int = 8
    retries: int = 0
    user_agent: str = "tamis"
    robots: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """host: in lower case and ASCII, without brackets or a dot at its end."""

    url: httpx.URL
    host: str
    port: int

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.url.scheme, self.host, self.port

    @property
    def in_clear(self) -> bool:
        return self.url.scheme == "http"


def target_of(text: str, rules: Rules, narrower: Iterable[str] | None = None) -> Target:
    """narrower: domains of the caller's own, within the operator's. Raises: OutsideRefusedError, before any lookup."""
    target = any_target(text)
    host, port = target.host, target.port
    if port not in rules.ports:
        raise OutsideRefusedError(f"port {port} is not reached; the operator allows others with TAMIS_OUTSIDE_PORTS")
    if not _is_listed(host, rules.domains):
        what = f"{host!r} is not among the domains that this server reaches"
        raise OutsideRefusedError(f"{what}; the operator allows it with TAMIS_OUTSIDE_DOMAINS")
    if narrower is not None and not _is_listed(host, tuple(narrower)):
        raise OutsideRefusedError(f"{host!r} is not among the stage's own allowed_domains")
    return target


def any_target(text: str) -> Target:
    """A URL of the web as it is usually written, allowed or not. Raises: OutsideRefusedError."""
    url = _parsed(text)
    if url.scheme not in _PORTS:
        raise OutsideRefusedError(f"only http and https are reached, not {url.scheme!r}")
    if url.userinfo:
        raise OutsideRefusedError("a URL holds no user name or password; refer to a secret instead")
    host = url.raw_host.decode("ascii").lower().rstrip(".")
    port = url.port or _PORTS[url.scheme]
    if not host or "%" in host or is_odd_number(host):
        raise OutsideRefusedError(f"{host!r} is no name of a host, nor an address as it is usually written")
    return Target(url, host, port)


def _parsed(text: str) -> httpx.URL:
    if len(text) > _LONGEST:
        raise OutsideRefusedError(f"a URL has at most {_LONGEST} characters")
    # What parsers disagree about is where one of them is misled.
    if not text.isprintable() or any(sign in text for sign in ' \\"<>'):
        raise OutsideRefusedError("a URL has no spaces, backslashes, quotes or control characters")
    try:
        return httpx.URL(text)
    except (httpx.InvalidURL, UnicodeError):
        raise OutsideRefusedError("this is no URL") from None


def _is_listed(host: str, domains: Sequence[str]) -> bool:
    """An address is listed only as itself."""
    listed = {domain.lower().rstrip(".") for domain in domains}
    if host in listed:
        return True
    if _is_address(host):
        return False
    parents = host.split(".")
    below = {"*." + ".".join(parents[start:]) for start in range(1, len(parents))}
    return "*" in listed or not below.isdisjoint(listed)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
