"""The host names that the server answers to, by the settings."""

from urllib.parse import urlsplit

from tamis.settings import Settings

_LOOPBACK = ("localhost", "*.localhost")


def host_names(settings: Settings) -> tuple[str, ...]:
    """A machine's own names, the one that it listens on, that of its public URL, and those that the operator adds."""
    public = urlsplit(settings.public_url or "").hostname
    given = [name.strip() for name in settings.allowed_hosts.split(",")]
    return tuple(name for name in (*_LOOPBACK, settings.host, public, *given) if name)
