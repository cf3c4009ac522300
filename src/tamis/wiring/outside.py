"""What stages may reach over HTTP, by the settings."""

from ipaddress import ip_network

from tamis.engine.ports.secrets import Secrets
from tamis.errors import ConfigurationError
from tamis.outside.addresses import Network
from tamis.outside.http import HttpOutside
from tamis.outside.targets import Rules
from tamis.settings import Settings


def outside_of(settings: Settings, secrets: Secrets) -> HttpOutside:
    """Raises: ConfigurationError."""
    return HttpOutside(rules_of(settings), secrets)


def rules_of(settings: Settings) -> Rules:
    return Rules(
        domains=tuple(_parts(settings.outside_domains)),
        networks=tuple(_network(text) for text in _parts(settings.outside_networks)),
        ports=tuple(_port(text) for text in _parts(settings.outside_ports)),
        timeout_s=settings.outside_timeout_s,
        max_bytes=settings.outside_max_bytes,
        requests_per_minute=settings.outside_requests_per_minute,
        concurrency=settings.outside_concurrency,
        retries=settings.outside_retries,
        user_agent=settings.outside_user_agent,
        robots=settings.outside_robots,
    )


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ConfigurationError(f"TAMIS_OUTSIDE_NETWORKS: {text!r} is no network such as 10.0.0.0/8") from None


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigurationError(f"TAMIS_OUTSIDE_PORTS: {text!r} is no port")
    return int(text)
