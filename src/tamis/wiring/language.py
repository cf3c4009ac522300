"""Language models, by the settings. Nothing is imported or opened before the first prompt."""

from pydantic import SecretStr

from tamis.engine.ports.secrets import Secrets
from tamis.errors import ConfigurationError, LanguageModelMissingError
from tamis.inference.language.endpoints import Endpoint, Endpoints, named_endpoint
from tamis.inference.language.models import Limits, OpenAILanguageModels
from tamis.settings import Settings


def language_of(settings: Settings, secrets: Secrets) -> OpenAILanguageModels:
    """Raises: ConfigurationError."""
    configured: dict[str, Endpoint] = {}
    for name, one in settings.llm_providers.items():
        configured[name] = _endpoint(name, "TAMIS_LLM_PROVIDERS", one.base_url, one.api_key, one.model)
    default = settings.llm_provider
    url, key, model = settings.llm_base_url, settings.llm_api_key, settings.llm_model
    if url is not None or key is not None or model is not None:
        if default in configured:
            raise ConfigurationError(f"TAMIS_LLM_PROVIDERS and TAMIS_LLM_* both set up the provider {default!r}")
        configured[default] = _endpoint(default, "TAMIS_LLM_PROVIDER", url, key, model)
    elif default not in configured:
        _endpoint(default, "TAMIS_LLM_PROVIDER")
    limits = Limits(settings.llm_timeout_s, settings.llm_retries, settings.llm_concurrency)
    return OpenAILanguageModels(Endpoints(default, configured), secrets, limits)


def _endpoint(
    name: str, setting: str, base_url: str | None = None, key: SecretStr | None = None, model: str | None = None
) -> Endpoint:
    try:
        return named_endpoint(name, base_url, key, model)
    except LanguageModelMissingError as error:
        raise ConfigurationError(f"{setting}: {error.message}") from error
