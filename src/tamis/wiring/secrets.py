"""The operator's secrets, by the settings."""

from tamis.outside.secrets import SecretStore, secret_store
from tamis.settings import Settings


def secrets_of(settings: Settings) -> SecretStore:
    """Raises: ConfigurationError, which repeats no value."""
    return secret_store(settings.secrets, settings.secrets_file)
