"""The server's certificate."""

import ssl

from tamis.errors import ConfigurationError
from tamis.settings import Settings


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """None where the server speaks plain HTTP. Raises: ConfigurationError."""
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None:
        if key is not None:
            raise ConfigurationError("TAMIS_TLS_KEY is set and TAMIS_TLS_CERT is not: give the certificate, too")
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, settings)
    return context


def load_certificate(context: ssl.SSLContext, settings: Settings) -> None:
    """Read the files, also anew after they were renewed; connections that are open keep what they began with.

    Raises: ConfigurationError; then the context is as it was.
    """
    cert, key = settings.tls_cert, settings.tls_key
    try:
        # No terminal is asked for a passphrase: a server must start without anybody.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(str(cert), key, password=_no_passphrase)
        context.load_cert_chain(str(cert), key, password=_no_passphrase)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(
            f"TAMIS_TLS_CERT and TAMIS_TLS_KEY: {cert} and {key or 'the key in it'} are no certificate with its key, "
            f"as PEM without a passphrase: {reason}"
        ) from error


def _no_passphrase() -> bytes:
    return b""
