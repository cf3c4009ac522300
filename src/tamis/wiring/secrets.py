"""Secrets, by the settings: the operator's, and the keys that organisations' own are sealed with."""

from tamis.errors import ConfigurationError
from tamis.outside.secrets import SecretStore, secret_store
from tamis.settings import Settings
from tamis.storage.sealing import KeyRing, key_ring

_LARGEST_KEY_FILE = 1 << 16


def secrets_of(settings: Settings) -> SecretStore:
    """Raises: ConfigurationError, which repeats no value."""
    return secret_store(settings.secrets, settings.secrets_file)


def key_ring_of(settings: Settings) -> KeyRing:
    """Raises: ConfigurationError, which repeats no key."""
    texts = [settings.secret_key.get_secret_value()] if settings.secret_key else []
    if settings.secret_key_file is not None:
        if texts:
            raise ConfigurationError("TAMIS_SECRET_KEY and TAMIS_SECRET_KEY_FILE are both set; set one of them")
        try:
            texts = [settings.secret_key_file.read_bytes()[:_LARGEST_KEY_FILE].decode()]
        except OSError as error:
            raise ConfigurationError(f"TAMIS_SECRET_KEY_FILE cannot be read: {error.strerror}") from None
        except ValueError:
            raise ConfigurationError("TAMIS_SECRET_KEY_FILE is no UTF-8 text") from None
    return key_ring(texts)
